//! Who may read whose metrics, and what a reader who has them already is told.

use serde_json::json;

use crate::support::{
    Answer, User, run,
    terra::Sender,
    wearables::{Watch, days_ago, stack},
};

/// A user with some steps.
async fn walker() -> User {
    let stack = stack().await;
    let user = User::new(stack);
    Sender::new(stack).deliver_body(&Watch::of(&user, "POLAR").steps(days_ago(1), 8_000)).await;
    user
}

#[test]
fn a_users_metrics_are_for_them_for_trainers_and_for_admins() {
    run(async {
        let stack = stack().await;
        let owner = walker().await;
        let route = format!("latest-metrics/{}", owner.id);
        let own = owner.get(&route).await.success();
        assert_eq!(own["metrics"][0]["value"], 8_000.0);
        for role in ["trainer", "admin"] {
            assert_eq!(User::with_role(stack, Some(role)).get(&route).await.success(), own, "{role}");
        }
        let other = User::new(stack);
        other.get(&route).await.is_problem(403, "forbidden");
        other.get(&format!("{route}?metrics=steps")).await.is_problem(403, "forbidden");
        // Nobody learns whether a user is known.
        other.get(&format!("latest-metrics/{}", shared::ids::Ids.uuid())).await.is_problem(403, "forbidden");
        owner.without_token().get(&route).await.is_problem(401, "unauthenticated");
    });
}

#[test]
fn who_has_the_answer_already_is_told_so_without_it() {
    run(async {
        let stack = stack().await;
        let owner = walker().await;
        let route = format!("latest-metrics/{}", owner.id);
        let first = owner.get(&route).await;
        assert_eq!(first.header("cache-control"), Some("private, no-cache"));
        let tag = first.header("etag").unwrap().to_owned();
        assert!(tag.starts_with("W/\"") && tag.ends_with('"') && tag.len() > 10, "{tag}");
        let ask = async |known: &str| -> Answer {
            let request = owner.request(reqwest::Method::GET, &route).header("if-none-match", known);
            Answer::of(request.send().await.unwrap()).await
        };
        for known in [tag.clone(), tag.replace("W/", ""), format!("\"other\", {tag}"), "*".to_owned()] {
            let answer = ask(&known).await;
            assert_eq!((answer.status, &answer.body), (304, &json!(null)), "{known}");
            assert_eq!(answer.header("etag"), Some(&*tag), "{known}");
            answer.has_common_headers_but("cache-control", "private, no-cache");
        }
        for unknown in ["\"other\"".to_owned(), tag.replace("W/", "").trim_matches('"').to_owned()] {
            assert_eq!(ask(&unknown).await.success(), first.body, "{unknown}");
        }
        // Another selection is another answer.
        let selected = owner.get(&format!("{route}?metrics=weight")).await;
        assert_ne!(selected.header("etag"), Some(&*tag));
        Sender::new(stack).deliver_body(&Watch::of(&owner, "POLAR").steps(days_ago(0), 500)).await;
        let changed = ask(&tag).await.success();
        assert_eq!(changed["metrics"][0]["value"], 500.0);
    });
}
