//! What the API's description says of `POST webhook-terra`.

use lambda_http::http::StatusCode;
use serde_json::json;
use shared::{
    Error,
    openapi::{Body, Operation, Parameter, internal, text, unavailable},
    rate_limit::Preset,
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema},
};

use crate::{
    Answer,
    delivery::{ORDERING, TRACE_ID},
    signature,
};

pub fn operations() -> [Operation; 1] {
    let body = json!({
        "type": "daily",
        "user": { "user_id": "6f0f6d2e-1111-4222-8333-444455556666", "provider": "GARMIN" },
        "data": [],
    });
    let description = "Stored and queued before it is acknowledged; whatever is wrong with its parts shows in its job. What \
                       is answered with a 5xx is to be sent again.";
    let signature = "`t=<unix seconds>,v1=<hex>`: HMAC-SHA256 over `<t>.<body>`, at most 300 seconds old.";
    let ordering = "Milliseconds since 1970: the newest delivery of a document stays.";
    let [name, _] = signature::HEADERS;
    let receive = Operation::post("webhook-terra", "receiveWebhook")
        .says("wearables", "Take a webhook of Terra's", description)
        .for_addresses(Preset::Webhook)
        .with(Parameter::header(name, signature, text()).required())
        .with(Parameter::header(TRACE_ID, "The delivery's id, the same over all retries.", text()))
        .with(Parameter::header(ORDERING, ordering, text().pattern(Some("^[0-9]+$"))))
        .takes_signed::<Webhook>(body)
        .answers::<Answer>(StatusCode::OK, "It is stored.")
        .fails([Error::Unauthenticated("the signature is missing, stale or wrong"), internal(), unavailable()]);
    [receive]
}

/// What of a body is looked at before it is accepted.
struct Webhook;

impl PartialSchema for Webhook {
    fn schema() -> RefOr<Schema> {
        Body::of("An event as Terra sends it (https://docs.tryterra.co). Any JSON is taken.")
            .optional("type", "The event's type.", text())
            .optional("user", "Whose it is.", ObjectBuilder::new())
            .and_more()
            .into()
    }
}

impl ToSchema for Webhook {}
