//! Which route a request takes.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html>

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::http::decoded;
use crate::template::Route;

#[derive(Debug)]
pub struct Routes(Vec<Pattern>);

/// The route that a request takes, and what its path's variables are.
#[derive(Debug)]
pub struct Match<'a> {
    pub route: &'a Route,
    /// Percent-decoded.
    pub parameters: BTreeMap<String, String>,
}

#[derive(Debug)]
struct Pattern {
    route: Route,
    /// None for `$default`.
    segments: Option<Vec<Segment>>,
}

/// In the order of preference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Greedy(String),
    Variable(String),
    Literal(String),
}

impl Routes {
    /// Full matches come before greedy ones, `$default` comes last, a method before `ANY`.
    pub fn new(routes: &[Route]) -> Self {
        let mut patterns: Vec<Pattern> = routes.iter().map(Pattern::new).collect();
        patterns.sort_by_key(|pattern| Reverse(pattern.rank()));
        Self(patterns)
    }

    pub fn find(&self, method: &str, path: &str) -> Option<Match<'_>> {
        self.0.iter().find_map(|pattern| pattern.matches(method, path))
    }
}

impl Pattern {
    fn new(route: &Route) -> Self {
        let segments = (route.path != "$default").then(|| split(&route.path).map(Segment::new).collect());
        Self { route: route.clone(), segments }
    }

    fn rank(&self) -> (bool, bool, Vec<u8>, bool) {
        let segments = self.segments.as_deref().unwrap_or_default();
        let greedy = segments.iter().any(|segment| matches!(segment, Segment::Greedy(_)));
        let kinds = segments.iter().map(|segment| match segment {
            Segment::Greedy(_) => 0,
            Segment::Variable(_) => 1,
            Segment::Literal(_) => 2,
        });
        (self.segments.is_some(), !greedy, kinds.collect(), self.route.method != "ANY")
    }

    fn matches(&self, method: &str, path: &str) -> Option<Match<'_>> {
        let Some(segments) = &self.segments else {
            return Some(Match { route: &self.route, parameters: BTreeMap::new() });
        };
        if self.route.method != "ANY" && self.route.method != method {
            return None;
        }
        let mut parameters = BTreeMap::new();
        let mut rest = split(path).peekable();
        for segment in segments {
            match segment {
                Segment::Literal(text) => {
                    if decoded(rest.next()?) != *text {
                        return None;
                    }
                }
                Segment::Variable(name) => {
                    let value = rest.next().filter(|value| !value.is_empty())?;
                    parameters.insert(name.clone(), decoded(value));
                }
                Segment::Greedy(name) => {
                    rest.peek()?;
                    let value = rest.by_ref().collect::<Vec<_>>().join("/");
                    parameters.insert(name.clone(), decoded(&value));
                }
            }
        }
        rest.next().is_none().then_some(Match { route: &self.route, parameters })
    }
}

impl Segment {
    fn new(text: &str) -> Self {
        match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            None => Self::Literal(text.to_owned()),
            Some(name) => match name.strip_suffix('+') {
                Some(name) => Self::Greedy(name.to_owned()),
                None => Self::Variable(name.to_owned()),
            },
        }
    }
}

fn split(path: &str) -> std::str::Split<'_, char> {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(keys: &[&str]) -> Routes {
        let route = |key: &&str| {
            let (method, path) = key.split_once(' ').unwrap_or(("ANY", key));
            Route { method: method.to_owned(), path: path.to_owned(), function: "f".to_owned() }
        };
        Routes::new(&keys.iter().map(route).collect::<Vec<_>>())
    }

    #[test]
    fn the_most_specific_route_wins() {
        let routes = routes(&[
            "$default",
            "ANY /{proxy+}",
            "GET /engines/{id}",
            "ANY /engines/{id}",
            "GET /engines/first",
            "GET /engines/{id}/readings/{n}",
            "GET /files/{path+}",
        ]);
        for (method, path, key, parameters) in [
            ("GET", "/engines/first", "GET /engines/first", &[][..]),
            ("GET", "/engines/FD001-7", "GET /engines/{id}", &[("id", "FD001-7")]),
            ("PUT", "/engines/first", "ANY /engines/{id}", &[("id", "first")]),
            ("GET", "/engines/a%20b/readings/7", "GET /engines/{id}/readings/{n}", &[("id", "a b"), ("n", "7")]),
            ("GET", "/files/a/b%2Fc", "GET /files/{path+}", &[("path", "a/b/c")]),
            ("GET", "/engines/x/", "ANY /{proxy+}", &[("proxy", "engines/x/")]),
            ("POST", "/files/a", "ANY /{proxy+}", &[("proxy", "files/a")]),
        ] {
            let found = routes.find(method, path).unwrap();
            let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            assert_eq!((found.route.key().as_str(), found.parameters), (key, parameters), "{method} {path}");
        }
    }

    #[test]
    fn without_a_route_there_is_no_match() {
        let routes = routes(&["GET /a/{id}", "POST /b"]);
        for (method, path) in
            [("POST", "/a/1"), ("GET", "/a"), ("GET", "/a/"), ("GET", "/a/1/2"), ("GET", "/b"), ("POST", "/b/")]
        {
            assert!(routes.find(method, path).is_none(), "{method} {path}");
        }
    }
}
