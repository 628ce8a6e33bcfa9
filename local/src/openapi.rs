//! The API's description: what the functions say of their routes, put together. `cargo openapi` writes it to
//! `docs/openapi.json`, tests hold it against the template and against what is answered, and `cargo dev` shows it.

use shared::openapi::{BEARER, Described, Operation, common_schemas, headers};
use utoipa::openapi::{
    Components, ComponentsBuilder, InfoBuilder, License, OpenApi, OpenApiBuilder, Paths, RefOr, Schema, ServerBuilder,
    Tag,
    security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    tag::TagBuilder,
};

use crate::BASE_PATH;

mod responses;
#[cfg(test)]
mod tests;

/// Where it is committed, from the repository's root.
pub const FILE: &str = "docs/openapi.json";

const DESCRIPTION: &str = "\
Three services on one base: shooting sessions, metrics of wearables, and the remaining lives of engines.

JSON in, JSON out. Times are RFC 3339 in UTC. Unknown fields of a request are ignored; missing or malformed ones name \
themselves in the error. Errors are `application/problem+json` (RFC 9457) with a `code` to act on; `detail` is for people.

Every answer of a function carries `X-Correlation-Id`, `X-Content-Type-Options`, `X-Frame-Options`, `Referrer-Policy`, \
`Content-Security-Policy`, `Strict-Transport-Security` and `Cache-Control`. Limits are counted in a sliding minute, for each \
route by itself.";

/// What a function says of its routes cannot be put together: two schemas have one name.
#[derive(Debug, thiserror::Error)]
#[error("two schemas are called {0}")]
pub struct NameTaken(String);

/// The whole description.
pub fn document() -> Result<OpenApi, NameTaken> {
    let mut paths = Paths::new();
    let mut components = components();
    for (name, schema) in common_schemas() {
        add(&mut components, name, schema)?;
    }
    for Described { method, path, operation, schemas } in operations().into_iter().map(Operation::described) {
        paths.add_path_operation(format!("/{path}"), vec![method], operation);
        for (name, schema) in schemas {
            add(&mut components, name, schema)?;
        }
    }
    responses::share(&mut paths, &mut components);
    let info =
        InfoBuilder::new().title("Range backend").version(env!("CARGO_PKG_VERSION")).description(Some(DESCRIPTION));
    let mut license = License::new("Apache-2.0");
    license.identifier = Some("Apache-2.0".into());
    Ok(OpenApiBuilder::new()
        .info(info.license(Some(license)).build())
        .servers(Some([ServerBuilder::new().url(BASE_PATH).build()]))
        .tags(Some(tags()))
        .security(Some([SecurityRequirement::new::<_, _, &str>(BEARER, [])]))
        .paths(paths)
        .components(Some(components))
        .build())
}

/// As it is committed.
pub fn text(document: &OpenApi) -> Result<String, serde_json::Error> {
    Ok(document.to_pretty_json()? + "\n")
}

fn operations() -> Vec<Operation> {
    let mut all = Vec::new();
    all.extend(start_session::api::operations());
    all.extend(camera_proxy::api::operations());
    all.extend(analyze_frame::api::operations());
    all.extend(end_session::api::operations());
    all.extend(webhook_terra::api::operations());
    all.extend(latest_metrics::api::operations());
    all.extend(predict::api::operations());
    all.extend(engines::api::operations());
    all.extend(fleet::api::operations());
    all.extend(dead_jobs::api::operations());
    all.extend(retry_jobs::api::operations());
    all.extend(recalculate_metrics::api::operations());
    all.extend(health_check::api::operations());
    all
}

fn components() -> Components {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("A token of a configured issuer: Supabase or Amazon Cognito."));
    let components = ComponentsBuilder::new().security_scheme(BEARER, SecurityScheme::Http(bearer.build()));
    headers().into_iter().fold(components, |components, (name, header)| components.header(name, header)).build()
}

fn add(components: &mut Components, name: String, schema: RefOr<Schema>) -> Result<(), NameTaken> {
    match components.schemas.get(&name) {
        Some(known) if *known != schema => Err(NameTaken(name)),
        Some(_) => Ok(()),
        None => {
            components.schemas.insert(name, schema);
            Ok(())
        }
    }
}

fn tags() -> [Tag; 5] {
    let tag = |name, description| TagBuilder::new().name(name).description(Some(description)).build();
    [
        tag("sessions", "Shooting sessions: frames in, shots, statistics and advice out."),
        tag("wearables", "Webhooks of watches and rings in, metrics with their confidence out."),
        tag("engines", "Sensor histories of engines in, remaining useful lives out."),
        tag("jobs", "What works behind the scenes, for those who run it."),
        tag("health", "Whether it all works."),
    ]
}
