//! Keeping what was predicted of engines that are known.

use std::collections::HashSet;

use shared::{
    Context, Error, Result,
    domain::engine::{Description, Engine, Prediction},
    store::engines::Edit,
};
use tracing::error;

use crate::{answer::Answer, subject::Subject};

/// Stores the predictions of known engines. Where that fails, their answers are errors: who asks again loses nothing.
pub async fn keep(ctx: &Context, predicted: Vec<Result<(Subject, Prediction)>>) -> Vec<Result<Answer>> {
    let edits = predicted.iter().flatten().filter_map(|(subject, prediction)| edit(subject, prediction)).collect();
    let kept = store(ctx, edits).await.inspect_err(|err| {
        error!(error = err as &dyn std::error::Error, "predictions not stored");
    });
    let answer = |(subject, prediction): (Subject, Prediction)| match (&subject.known, &kept) {
        (Some(_), Err(_)) => Err(Error::unavailable("the prediction could not be stored, try again", "logged before")),
        (known, _) => Ok(Answer::new(subject.engine_id, prediction, known.is_some())),
    };
    predicted.into_iter().map(|predicted| predicted.and_then(answer)).collect()
}

fn edit(subject: &Subject, prediction: &Prediction) -> Option<Edit> {
    let known = subject.known.as_ref()?;
    Some(Edit {
        fleet_id: known.fleet_id.clone(),
        engine_id: known.engine_id.clone(),
        before: Some(known.clone()),
        description: Description::default(),
        prediction: Some(prediction.clone()),
    })
}

/// All at once; of an engine that is asked about several times, one after the other.
async fn store(ctx: &Context, mut edits: Vec<Edit>) -> Result<()> {
    while !edits.is_empty() {
        let mut met = HashSet::new();
        let (first, again): (Vec<_>, Vec<_>) =
            edits.into_iter().partition(|edit| met.insert((edit.fleet_id.clone(), edit.engine_id.clone())));
        let written = ctx.engines.apply(first, ctx.clock.now()).await?;
        edits = again;
        for edit in &mut edits {
            edit.before = written.iter().find(|engine| is_of(engine, edit)).cloned().or(edit.before.take());
        }
    }
    Ok(())
}

fn is_of(engine: &Engine, edit: &Edit) -> bool {
    engine.fleet_id == edit.fleet_id && engine.engine_id == edit.engine_id
}
