//! Engines, from their description to their fleet.

use futures::FutureExt;
use local::front::Fault;
use serde_json::json;
use shared::{
    domain::engine::Description,
    ids::{EngineId, FleetId},
    store::engines::Edit,
};

use super::{
    scenario::{Outcome, Scenario, check, success},
    stage::Stage,
};
use crate::support::{User, engines::readings};

pub const PREDICT: &[Scenario] = &[
    Scenario { name: "an engine is predicted from what is stored", run: |stage, _| stored(stage).boxed() },
    Scenario { name: "an engine is predicted from what comes along", run: |stage, _| inline(stage).boxed() },
];
pub const ENGINES: &[Scenario] = &[
    Scenario { name: "readings are stored and shown", run: |stage, _| shown(stage).boxed() },
    Scenario { name: "an engine is described while another writes it", run: |stage, _| described(stage).boxed() },
];
pub const FLEET: &[Scenario] = &[Scenario { name: "a fleet is listed", run: |stage, _| listed(stage).boxed() }];

/// A planner with an engine that is known, and nothing predicted of it.
async fn planner(stage: &Stage) -> User {
    let (user, fleet) = User::with_own_fleet(&stage.stack);
    let (fleet_id, engine_id) = (FleetId::parse(&fleet).unwrap(), EngineId::parse("e").unwrap());
    let history = serde_json::value::to_raw_value(&readings(1, 30)).unwrap();
    let history = shared::domain::engine::Reading::history(&history).unwrap();
    stage.ctx.engines.put_readings(&fleet_id, &engine_id, &history).await.unwrap();
    let edit = Edit { fleet_id, engine_id, before: None, description: Description::default(), prediction: None };
    stage.ctx.engines.apply(vec![edit], stage.ctx.clock.now()).await.unwrap();
    user
}

async fn stored(stage: &Stage) -> Outcome {
    let user = planner(stage).await;
    let answer = success(user.post("predict", &json!({ "engine_id": "e" })).await)?;
    check(answer.body["stored"] == true, || answer.body.to_string())
}

/// While another writes it, so that it is read again.
async fn inline(stage: &Stage) -> Outcome {
    let user = planner(stage).await;
    let conflict = stage.stack.front().inject(Fault::transaction_conflict().function("predict").times(1));
    let body = json!({ "engine_id": "e", "sensor_data": readings(1, 30) });
    let answer = user.post("predict", &body).await;
    conflict.remove();
    let answer = success(answer)?;
    check(answer.body["stored"] == true, || answer.body.to_string())
}

async fn shown(stage: &Stage) -> Outcome {
    let (user, _) = User::with_own_fleet(&stage.stack);
    success(user.post("engines/e/readings", &json!({ "readings": readings(1, 30) })).await)?;
    let answer = success(user.get("engines/e").await)?;
    check(answer.body["history"].as_array().map(Vec::len) == Some(30), || answer.body.to_string())
}

async fn described(stage: &Stage) -> Outcome {
    let user = planner(stage).await;
    let conflict = stage.stack.front().inject(Fault::transaction_conflict().function("engines").times(1));
    let answer = user.put("engines/e", &json!({ "unit_number": 7 })).await;
    conflict.remove();
    success(answer).map(drop)
}

async fn listed(stage: &Stage) -> Outcome {
    let user = planner(stage).await;
    let answer = success(user.get("fleet").await)?;
    check(answer.body["summary"]["total"] == 1, || answer.body.to_string())
}
