//! `GET latest-metrics/{user_id}`: what a user's connections say of each metric at the moment.

use shared::{
    Context, Error, Result,
    domain::{invalid::Invalid, metric::Metric},
    http::{self, Request, Response},
    ids::UserId,
    rate_limit::Preset,
};
use uuid::Uuid;

mod answer;
pub mod api;

use answer::Answer;

pub async fn handle(ctx: &Context, request: Request) -> Result<Response> {
    let caller = request.caller(ctx).await?;
    let read = async {
        let user = user_id(&request)?;
        if !caller.may_read(user) {
            return Err(Error::Forbidden("another user's metrics are for trainers and admins"));
        }
        let wanted = wanted(request.query("metrics"))?;
        let readings = ctx.health.latest(user).await?;
        Ok(Answer::new(user, readings, &wanted, ctx.clock.now()))
    };
    let answer = request.limited(ctx, &caller, Preset::Lenient, read).await?;
    http::tagged(&request, &answer)
}

fn user_id(request: &Request) -> Result<UserId, Invalid> {
    let id = request.path_parameter("user_id").and_then(|id| Uuid::try_parse(id).ok());
    id.map(UserId).ok_or_else(|| Invalid::at("/user_id", "must be a UUID"))
}

/// The metrics of a list such as `resting_hr,steps`; all of them where there is none.
fn wanted(list: Option<&str>) -> Result<Vec<Metric>, Invalid> {
    let Some(list) = list else { return Ok(Metric::ALL.into()) };
    let names = || list.split(',').map(str::trim);
    let unknown: Vec<String> =
        names().filter(|name| Metric::from_name(name).is_none()).map(|name| format!("\"{name}\"")).collect();
    if unknown.is_empty() {
        return Ok(names().filter_map(Metric::from_name).collect());
    }
    let known = Metric::ALL.map(Metric::name).join(", ");
    Err(Invalid::at("/metrics", format!("must be names of metrics, which {} is not: {known}", unknown.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_selects_metrics_and_every_name_that_is_none_is_named() {
        assert_eq!(wanted(None).unwrap().len(), Metric::ALL.len());
        assert_eq!(wanted(Some("steps, resting_hr")), Ok(vec![Metric::Steps, Metric::RestingHr]));
        for (list, named) in [("", "\"\""), ("steps,", "\"\""), ("steps,Pulse,mood", "\"Pulse\", \"mood\"")] {
            let Invalid(faults) = wanted(Some(list)).unwrap_err();
            assert_eq!(faults.len(), 1);
            assert_eq!(faults[0].pointer, "/metrics");
            assert!(faults[0].detail.contains(&format!("which {named} is not")), "{}", faults[0].detail);
        }
    }
}
