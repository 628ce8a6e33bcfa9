//! What the API's description says of `POST predict` and `POST predict/batch`.

use lambda_http::http::StatusCode;
use serde_json::{Value, json};
use shared::{
    Error,
    domain::invalid::Invalid,
    openapi::{Operation, internal, unavailable},
    rate_limit::Preset,
};

use crate::{
    Batch,
    answer::Answer,
    ask::{Ask, Asks},
};

const TAG: &str = "engines";

pub fn operations() -> [Operation; 2] {
    [one(), batch()]
}

fn one() -> Operation {
    let description = "From readings that come along, or from those that are stored. A prediction is stored where the engine \
                       is known. Where a planner's own model is configured and away, the built-in one answers.";
    Operation::post("predict", "predict")
        .says(TAG, "An engine's remaining useful life", description)
        .for_callers(Preset::Standard)
        .takes::<Ask>(example())
        .answers::<Answer>(StatusCode::OK, "The prediction, with its interval.")
        .fails([
            Error::Forbidden("another fleet's engines are for those who work with them"),
            Error::NotFound("engine"),
            Invalid::at("/sensor_data/0/s7", "must be a finite number").into(),
            internal(),
            unavailable(),
        ])
}

fn batch() -> Operation {
    let description = "Each request by itself, in order: a bad one has its error where another has its answer.";
    Operation::post("predict/batch", "predictBatch")
        .says(TAG, "The same for up to a hundred engines", description)
        .for_callers(Preset::Standard)
        .takes::<Asks>(json!({ "requests": [example(), { "engine_id": "FD001-8" }] }))
        .answers::<Batch>(StatusCode::OK, "An answer or an error for each.")
        .fails([
            Error::TooLarge("a batch may have 5000000 bytes, this one has 5000001".into()),
            Invalid::at("/requests", "must hold 1 to 100 requests").into(),
            unavailable(),
        ])
}

fn example() -> Value {
    json!({
        "engine_id": "FD001-7",
        "sensor_data": [{
            "cycle": 1, "os1": -0.0007, "os2": -0.0004, "os3": 100.0, "s2": 641.82, "s3": 1589.7, "s4": 1400.6,
            "s7": 554.36, "s8": 2388.06, "s9": 9046.19, "s11": 47.47, "s12": 521.66, "s13": 2388.02, "s14": 8138.62,
            "s15": 8.4195, "s17": 392.0, "s20": 39.06, "s21": 23.419,
        }],
    })
}
