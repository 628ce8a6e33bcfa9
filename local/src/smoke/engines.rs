//! An engine near its end: its readings, its predicted life, and its place in the fleet.

use serde_json::{Value, json};
use turbofan::{Conditions, Engine};

use super::report::{Report, expect};
use super::target::Target;
use super::{Failure, SEED};

/// A fleet's engines that are there before this one count for nothing here: it is the only one of this name.
const ENGINE: &str = "SMOKE-1";
/// Cycles that it has left.
const LEFT: u32 = 15;
/// How far a prediction may be off near the end of a life.
const TOLERANCE: f64 = 25.0;

/// None where a step failed that the rest builds on.
pub async fn check(target: &Target, report: &mut Report) -> Option<()> {
    let engine = Engine::new(SEED, Conditions::One);
    let flown = usize::try_from(engine.life() - LEFT).unwrap_or_default();
    let readings: Vec<Value> = engine.readings().iter().take(flown).map(|reading| json!(reading)).collect();
    let Some(fleet) = &target.fleet else {
        // An engine that is not kept needs no fleet.
        report.step("predict, of readings sent along", predict(target, &json!({ "sensor_data": readings }))).await?;
        report.skip("engines and fleet", "the token names no fleet, or several: --fleet says which");
        return None;
    };
    report.step("engines, readings", store(target, fleet, &readings)).await?;
    let predicted = report.step("predict", predict(target, &json!({ "fleet_id": fleet }))).await?;
    report.step("engines", known(target, fleet, flown, predicted)).await?;
    report.step("fleet", listed(target, fleet)).await
}

async fn store(target: &Target, fleet: &str, readings: &[Value]) -> Result<((), String), Failure> {
    let body = json!({ "fleet_id": fleet, "readings": readings });
    let answer = target.client.post(&format!("engines/{ENGINE}/readings"), &body).await?;
    expect(answer["stored"] == readings.len(), || format!("{} readings were stored", answer["stored"]))?;
    Ok(((), format!("{} cycles", readings.len())))
}

async fn predict(target: &Target, wish: &Value) -> Result<(u64, String), Failure> {
    let mut body = wish.clone();
    body["engine_id"] = json!(ENGINE);
    let answer = target.client.post("predict", &body).await?;
    let predicted = answer["predicted_rul"].as_u64().ok_or("no predicted_rul")?;
    let left = f64::from(LEFT);
    expect(answer["predicted_rul"].as_f64().is_some_and(|rul| (rul - left).abs() <= TOLERANCE), || {
        format!("{predicted} cycles are predicted, {LEFT} are left")
    })?;
    let degraded = if answer["degraded"] == true { ", degraded" } else { "" };
    let by = answer["model_version"].as_str().unwrap_or("?");
    Ok((predicted, format!("{predicted} cycles, {LEFT} are left; by {by}{degraded}")))
}

/// The engine as it is kept: all its readings, and what was predicted last.
async fn known(target: &Target, fleet: &str, flown: usize, predicted: u64) -> Result<((), String), Failure> {
    let answer = target.client.get(&format!("engines/{ENGINE}?fleet_id={fleet}&limit=1")).await?;
    let engine = &answer["engine"];
    expect(engine["predicted_rul"] == predicted, || {
        format!("{predicted} cycles were predicted, {} are kept", engine["predicted_rul"])
    })?;
    expect(engine["cycle"] == flown, || format!("{flown} cycles were flown, {} are kept", engine["cycle"]))?;
    Ok(((), format!("cycle {flown}, {}", engine["health"].as_str().unwrap_or("?"))))
}

/// The fleet, page by page, until the engine is found.
async fn listed(target: &Target, fleet: &str) -> Result<((), String), Failure> {
    let mut route = format!("fleet?fleet_id={fleet}");
    for _page in 0..100 {
        let answer = target.client.get(&route).await?;
        let engines = answer["engines"].as_array().ok_or("no engines")?;
        if engines.iter().any(|engine| engine["engine_id"] == ENGINE) {
            let summary = &answer["summary"];
            return Ok(((), format!("{} engines, {} critical", summary["total"], summary["critical"])));
        }
        let Some(cursor) = answer["cursor"].as_str() else { break };
        route = format!("fleet?fleet_id={fleet}&cursor={cursor}");
    }
    Err(format!("{ENGINE} is not among the fleet's engines").into())
}
