//! `/docs`: the API's description as pages, by Swagger UI, which comes with a crate: nothing is fetched from anywhere.

use std::sync::LazyLock;

use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue};
use hyper::{Method, StatusCode};
use swagger_ui_redist::SwaggerUi;

use crate::http::{self, Answer};
use crate::openapi;

/// Where the pages are.
pub const PATH: &str = "/docs";

/// Swagger UI sets styles of single elements and draws with `data:` pictures; scripts are files of ours alone.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE: &str = r##"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Range backend</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"##;

/// No `validatorUrl`: the badge would ask a server on the internet.
const START: &str = r##"SwaggerUIBundle({
  dom_id: "#swagger-ui",
  url: "/docs/openapi.json",
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: true,
  validatorUrl: null,
});
"##;

static DESCRIPTION: LazyLock<Result<String, String>> = LazyLock::new(|| {
    let document = openapi::document().map_err(|err| err.to_string())?;
    openapi::text(&document).map_err(|err| err.to_string())
});

/// What is answered under [`PATH`]; nothing where the request is for another path.
pub fn answer(method: &Method, path: &str) -> Option<Answer> {
    let file = path.strip_prefix(PATH)?;
    if method != Method::GET || !(file.is_empty() || file.starts_with('/')) {
        return None;
    }
    let mut answer = match file.trim_start_matches('/') {
        "" => http::answer(StatusCode::OK, "text/html; charset=utf-8", PAGE),
        "start.js" => http::answer(StatusCode::OK, "text/javascript", START),
        "openapi.json" => match &*DESCRIPTION {
            Ok(text) => http::answer(StatusCode::OK, "application/json", text.as_str()),
            Err(problem) => http::answer(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", problem.as_str()),
        },
        name => asset(name)?,
    };
    let headers = answer.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Some(answer)
}

fn asset(name: &str) -> Option<Answer> {
    let media_type = match name.rsplit_once('.')?.1 {
        "css" => "text/css",
        "js" => "text/javascript",
        "png" => "image/png",
        _ => return None,
    };
    let (_, bytes) = SwaggerUi::static_files().iter().find(|(file, _)| file.file_name() == name)?;
    Some(http::answer(StatusCode::OK, media_type, *bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_the_page_refers_to_is_there() {
        let references = PAGE.split(['"']).chain(START.split(['"'])).filter(|text| text.starts_with(PATH));
        let answered = references.map(|path| answer(&Method::GET, path).map(|answer| answer.status()));
        assert_eq!(answered.collect::<Vec<_>>(), [Some(StatusCode::OK); 5]);
    }

    #[test]
    fn the_page_refers_to_nothing_elsewhere() {
        assert!(!PAGE.contains("//") && !START.contains("//"));
    }

    #[test]
    fn other_paths_are_not_its_own() {
        for path in ["/docsx", "/docs/no.js", "/docs/../Cargo.toml", "/functions/v1/docs", "/"] {
            assert!(answer(&Method::GET, path).is_none(), "{path}");
        }
        assert!(answer(&Method::POST, PATH).is_none());
        assert!(answer(&Method::GET, "/docs/").is_some());
    }
}
