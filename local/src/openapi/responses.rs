//! Responses that most operations share stand in one place.

use std::collections::BTreeMap;

use utoipa::openapi::{Components, Paths, Ref, RefOr, Response, path::Operation};

/// Moves every refusal that more than half of the operations give, in the same words, to the components.
pub fn share(paths: &mut Paths, components: &mut Components) {
    let operations = operations(paths).count();
    let mut refusals: Vec<(RefOr<Response>, usize)> = Vec::new();
    for refusal in responses(paths).filter(|response| name(response).is_some()) {
        match refusals.iter_mut().find(|(known, _)| known == refusal) {
            Some((_, count)) => *count += 1,
            None => refusals.push((refusal.clone(), 1)),
        }
    }
    refusals.retain(|(_, count)| 2 * count > operations);
    for response in responses(paths) {
        if let Some(name) = name(response)
            && refusals.iter().any(|(shared, _)| shared == response)
        {
            *response = RefOr::Ref(Ref::from_response_name(name));
        }
    }
    let named = refusals.into_iter().filter_map(|(refusal, _)| Some((name(&refusal)?, refusal)));
    components.responses.extend(named.collect::<BTreeMap<_, _>>());
}

fn operations(paths: &mut Paths) -> impl Iterator<Item = &mut Operation> {
    paths.paths.values_mut().flat_map(|item| {
        let methods: [&mut Option<Operation>; 3] = [&mut item.get, &mut item.post, &mut item.put];
        methods.into_iter().flatten()
    })
}

fn responses(paths: &mut Paths) -> impl Iterator<Item = &mut RefOr<Response>> {
    operations(paths).flat_map(|operation| operation.responses.responses.values_mut())
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
