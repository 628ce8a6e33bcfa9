//! Each shot counts once, whatever becomes of the frames on their way.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use futures::{StreamExt, stream};
use serde_json::Value;
use uuid::Uuid;

use crate::support::{
    User,
    pictures::{self, FRAMES, SHOTS, picture},
    run, stack,
    storage::rows,
};

/// Ids of a frame's shots, and which of them it added.
fn shots(seen: &Value) -> Vec<(String, bool)> {
    let detections = seen["analysis"]["detections"].as_array().unwrap().iter();
    detections.map(|shot| (shot["shot_id"].as_str().unwrap().to_owned(), shot["new"] == true)).collect()
}

async fn send(user: &User, session: Uuid, number: u32) -> Value {
    user.analyze(session, number, &picture(number).await).await.success()
}

/// What the end says of the session, and the frame that each of its shots was first on, in the report's order.
async fn ended(user: &User, session: Uuid) -> (Value, Vec<u32>) {
    let ended = user.end(session).await.success();
    let page = reqwest::get(ended["session"]["report_url"].as_str().unwrap()).await.unwrap().text().await.unwrap();
    // A row of the table: number, frame, score, place.
    let frame = |row: &str| -> u32 {
        let cells: Vec<&str> = row.split("<td>").skip(1).collect();
        cells[1].split("</td>").next().unwrap().parse().unwrap()
    };
    (ended["session"]["statistics"].clone(), page.split("<tr data-shot=").skip(1).map(frame).collect())
}

/// An order that no two sessions have in common.
fn shuffled(mut frames: Vec<u32>, session: Uuid) -> Vec<u32> {
    let mut place = 0;
    frames.sort_by_cached_key(|number| {
        place += 1;
        let mut hasher = DefaultHasher::new();
        (session, number, place).hash(&mut hasher);
        hasher.finish()
    });
    frames
}

#[test]
fn frames_at_once_in_any_order_and_twice_count_what_they_count_one_by_one() {
    run(async {
        let stack = stack().await;
        let user = &User::new(stack);
        let in_order = user.session().await;
        for number in 1..=FRAMES {
            send(user, in_order, number).await;
        }
        let at_once = user.session().await;
        let order = shuffled((1..=FRAMES).chain([2, 5, 5, FRAMES]).collect(), at_once);
        let answers: Vec<(u32, Value)> = stream::iter(order.clone())
            .map(|number| async move { (number, send(user, at_once, number).await) })
            .buffer_unordered(order.len())
            .collect()
            .await;
        let mut by_frame: BTreeMap<u32, Value> = BTreeMap::new();
        for (number, answer) in answers {
            assert_eq!(answer["analysis"]["degraded"], false, "frame {number} of {order:?}");
            let first = by_frame.entry(number).or_insert_with(|| answer.clone());
            assert_eq!(*first, answer, "frame {number} was answered in two ways, {order:?}");
        }
        let added: Vec<String> =
            by_frame.values().flat_map(shots).filter(|(_, new)| *new).map(|(shot, _)| shot).collect();
        assert_eq!(added.len(), SHOTS, "{order:?}");
        assert_eq!(added.iter().collect::<BTreeSet<_>>().len(), SHOTS, "a shot was new twice, {order:?}");
        let ((one_by_one, first_frames), (together, their_frames)) =
            (ended(user, in_order).await, ended(user, at_once).await);
        assert_eq!(together["total_shots"], SHOTS, "{order:?}");
        assert_eq!(one_by_one["total_shots"], SHOTS);
        // Shot n is first seen on frame n + 1: late frames have put each in its place.
        assert_eq!(first_frames, (2..=FRAMES - 1).collect::<Vec<_>>());
        assert_eq!(their_frames, first_frames, "{order:?}");
        let difference = together["total_score"].as_f64().unwrap() - one_by_one["total_score"].as_f64().unwrap();
        // A hole that another frame measured may lie a tenth of a ring off.
        assert!(difference.abs() < 0.1 * 10.0 + 1e-9, "{together:#} against {one_by_one:#}");
        for (series, other) in
            together["series"].as_array().unwrap().iter().zip(one_by_one["series"].as_array().unwrap())
        {
            let difference = series["average_score"].as_f64().unwrap() - other["average_score"].as_f64().unwrap();
            assert!(
                series["shots"] == other["shots"] && difference.abs() < 0.15,
                "{together:#} against {one_by_one:#}"
            );
        }
    });
}

#[test]
fn a_late_frame_adds_nothing_and_dates_its_shots_back() {
    run(async {
        let stack = stack().await;
        let user = User::new(stack);
        let session = user.session().await;
        let last = send(&user, session, FRAMES).await;
        assert_eq!(shots(&last).iter().filter(|(_, new)| *new).count(), SHOTS);
        let late = send(&user, session, 4).await;
        let known: Vec<String> = shots(&last).into_iter().map(|(shot, _)| shot).collect();
        assert_eq!(late["analysis"]["degraded"], false, "{late:#}");
        assert_eq!(shots(&late).len(), 3);
        assert!(shots(&late).iter().all(|(shot, new)| !new && known.contains(shot)), "{late:#}");
        let (statistics, frames) = ended(&user, session).await;
        assert_eq!(statistics["total_shots"], SHOTS);
        assert_eq!(frames, [4, 4, 4, FRAMES, FRAMES, FRAMES, FRAMES, FRAMES, FRAMES, FRAMES]);
    });
}

#[test]
fn another_targets_frame_adds_nothing_and_says_so() {
    run(async {
        let stack = stack().await;
        let user = User::new(stack);
        let session = user.session().await;
        send(&user, session, FRAMES).await;
        let other = user.analyze(session, FRAMES + 1, &pictures::another_target().await).await.success();
        assert_eq!(other["analysis"]["degraded"], true, "{other:#}");
        let detections = other["analysis"]["detections"].as_array().unwrap();
        assert!(!detections.is_empty(), "the other target has shots too");
        assert!(detections.iter().all(|shot| shot["new"] == false), "{other:#}");
        let stored = rows(stack, session).await;
        assert_eq!(stored["META"]["total_shots"].as_n().unwrap(), &SHOTS.to_string());
        assert_eq!(stored.keys().filter(|key| key.starts_with("SHOT#")).count(), SHOTS);
        // The first target's next frame is as good as before.
        let own = user.analyze(session, FRAMES + 2, &picture(FRAMES - 1).await).await.success();
        assert_eq!(own["analysis"]["degraded"], false);
        assert_eq!(ended(&user, session).await.0["total_shots"], SHOTS);
    });
}

#[test]
fn two_users_who_film_at_once_have_each_their_own_shots() {
    run(async {
        let stack = stack().await;
        let users = [User::new(stack), User::new(stack)];
        let film = async |user: &User, frames: [u32; 2]| {
            let session = user.session().await;
            let mut ids = BTreeSet::new();
            for number in frames {
                ids.extend(shots(&send(user, session, number).await).into_iter().map(|(shot, _)| shot));
            }
            (ended(user, session).await.0["total_shots"].clone(), ids)
        };
        let ((few, few_ids), (many, many_ids)) = futures::join!(film(&users[0], [3, 4]), film(&users[1], [4, 7]));
        assert_eq!((few, few_ids.len()), (3.into(), 3));
        assert_eq!((many, many_ids.len()), (6.into(), 6));
        assert!(few_ids.is_disjoint(&many_ids));
    });
}
