//! Responses that several operations share stand in one place.

use std::collections::BTreeMap;

use utoipa::openapi::{Components, Paths, Ref, RefOr, Response, path::Operation};

/// Moves every refusal that says the same wherever it is given to the components; those that name their route's own reason
/// stay with it.
pub fn share(paths: &mut Paths, components: &mut Components) {
    let mut shared: BTreeMap<String, Vec<RefOr<Response>>> = BTreeMap::new();
    for response in responses(paths) {
        if let Some(name) = name(response) {
            shared.entry(name).or_default().push(response.clone());
        }
    }
    shared.retain(|_, same| same.len() > 1 && same.windows(2).all(|pair| pair.first() == pair.last()));
    for response in responses(paths) {
        if let Some(name) = name(response).filter(|name| shared.contains_key(name)) {
            *response = RefOr::Ref(Ref::from_response_name(name));
        }
    }
    let shared = shared.into_iter().filter_map(|(name, mut same)| Some((name, same.pop()?)));
    components.responses.extend(shared);
}

fn responses(paths: &mut Paths) -> impl Iterator<Item = &mut RefOr<Response>> {
    let operations = paths.paths.values_mut().flat_map(|item| {
        let methods: [&mut Option<Operation>; 3] = [&mut item.get, &mut item.post, &mut item.put];
        methods.into_iter().flatten()
    });
    operations.flat_map(|operation| operation.responses.responses.values_mut())
}

/// After the codes of its problems; nothing where it holds something else too.
fn name(response: &RefOr<Response>) -> Option<String> {
    let RefOr::T(response) = response else { return None };
    let [content] = response.content.values().collect::<Vec<_>>()[..] else { return None };
    let RefOr::T(content) = content else { return None };
    let codes: Vec<_> = content.examples.keys().map(|code| pascal(code)).collect();
    (!codes.is_empty()).then(|| codes.join("Or"))
}

fn pascal(code: &str) -> String {
    let words = code.split('_').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_uppercase() + rest
    });
    words.collect()
}
