//! Reading what is known of the users of a batch.

use std::collections::HashMap;

use shared::{
    Context, Result,
    ids::UserId,
    store::metrics::{LatestKey, Standing},
};

use super::{Group, draft::Mine};

/// What is known of each group's user, in their order: the groups' documents, and the latest values that these concern.
pub async fn read(ctx: &Context, groups: &[Group<'_>]) -> Result<Vec<Mine>> {
    let mut minds: Vec<Mine> = groups.iter().map(|_| Mine::default()).collect();
    let documents = groups.iter().flat_map(|group| group.newest().map(|version| (group.user, version.key.clone())));
    let documents: Vec<_> = documents.collect();
    let mut standing = ctx.health.standing(&documents, &ask(groups, &mut minds)).await?;
    loop {
        learn(groups, &mut minds, standing);
        // Which rows a document no longer has is known only now, and with it what else it concerns.
        let more = ask(groups, &mut minds);
        if more.is_empty() {
            return Ok(minds);
        }
        standing = ctx.health.standing(&[], &more).await?;
    }
}

/// The latest values that are concerned, as far as is known, and have not been asked for.
fn ask(groups: &[Group<'_>], minds: &mut [Mine]) -> Vec<(UserId, LatestKey)> {
    let mut keys = Vec::new();
    for (group, mine) in groups.iter().zip(minds) {
        for version in group.newest() {
            if mine.is_news(version) {
                let new = mine.concerned(version).into_iter().filter(|key| mine.asked.insert(*key));
                keys.extend(new.map(|key| (group.user, key)));
            }
        }
    }
    keys
}

fn learn(groups: &[Group<'_>], minds: &mut [Mine], standing: Standing) {
    let mut of_user: HashMap<UserId, &mut Mine> = groups.iter().map(|group| group.user).zip(minds).collect();
    for ((user, key), document) in standing.documents {
        if let Some(mine) = of_user.get_mut(&user) {
            mine.documents.insert(key, document);
        }
    }
    for ((user, key), latest) in standing.latest {
        if let Some(mine) = of_user.get_mut(&user) {
            mine.latest.insert(key, latest);
        }
    }
}
