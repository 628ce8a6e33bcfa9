use std::{net::IpAddr, time::Duration};

use chrono::{DateTime, Utc};
use futures::{StreamExt, future::join_all, stream};
use shared::{
    clock::Clock,
    ids::UserId,
    rate_limit::{Preset, RateLimiter, Subject},
    telemetry::Metrics,
};
use uuid::Uuid;

use crate::database::{CONTROL, Database, counted};

const ROUTE: &str = "start-session";
const MINUTE: Duration = Duration::from_secs(60);

fn user() -> Subject {
    Subject::User(UserId(Uuid::from_u128(7)))
}

fn addr(text: &str) -> IpAddr {
    text.parse().unwrap()
}

struct Scene {
    database: Database,
    clock: Clock,
}

impl Scene {
    async fn start() -> Self {
        let start: DateTime<Utc> = "2026-03-04T05:06:00Z".parse().unwrap();
        Self { database: Database::start().await, clock: Clock::manual(start) }
    }

    fn limiter(&self) -> RateLimiter {
        self.watched().0
    }

    /// A limiter, and what tells the sum of a metric that it counts.
    fn watched(&self) -> (RateLimiter, impl Fn(&str) -> f64 + use<>) {
        let (metrics, captured) = Metrics::capture();
        let limiter = RateLimiter::new(self.database.control(), self.clock.clone(), metrics.clone());
        (limiter, move |metric: &str| counted(&metrics, &captured, metric))
    }

    /// What an item's attribute holds.
    async fn number(&self, key: &str, name: &str) -> Option<i64> {
        let get = self.database.aws.dynamodb().await.get_item().table_name(CONTROL);
        let key = aws_sdk_dynamodb::types::AttributeValue::S(key.into());
        let item = get.key("key", key).send().await.unwrap().item?;
        item.get(name).map(|value| value.as_n().unwrap().parse().unwrap())
    }

    async fn count(&self, subject: &Subject, window: &str) -> Option<i64> {
        let window = window.parse::<DateTime<Utc>>().unwrap().timestamp() / 60;
        self.number(&format!("{subject}#{ROUTE}#{window}"), "count").await
    }
}

async fn take(limiter: &RateLimiter, subject: &Subject, times: usize) -> usize {
    let calls = stream::iter(0..times).map(|_| limiter.take(subject, ROUTE, Preset::Standard));
    calls.buffer_unordered(8).filter(|limit| std::future::ready(limit.allowed())).count().await
}

#[tokio::test]
async fn of_two_hundred_calls_at_once_over_three_instances_a_hundred_pass() {
    let scene = Scene::start().await;
    let limiters = [scene.limiter(), scene.limiter(), scene.limiter()];
    let subject = user();
    let calls = limiters.iter().zip([67, 67, 66]).map(|(limiter, times)| take(limiter, &subject, times));
    assert_eq!(join_all(calls).await.iter().sum::<usize>(), 100);
}

#[tokio::test]
async fn a_window_is_an_item_that_expires_when_the_next_one_ends() {
    let scene = Scene::start().await;
    let limit = scene.limiter().take(&user(), ROUTE, Preset::Standard).await;
    assert_eq!((limit.remaining, limit.reset), (99, MINUTE));
    let window = scene.clock.now().timestamp() / 60;
    let key = format!("user:{}#{ROUTE}#{window}", Uuid::from_u128(7));
    assert_eq!(scene.number(&key, "count").await, Some(1));
    assert_eq!(scene.number(&key, "ttl").await, Some(scene.clock.now().timestamp() + 120));
}

#[tokio::test]
async fn who_is_over_the_limit_is_answered_without_a_write() {
    let scene = Scene::start().await;
    let limiter = scene.limiter();
    assert_eq!(take(&limiter, &user(), 100).await, 100);
    for _ in 0..20 {
        let limit = limiter.take(&user(), ROUTE, Preset::Standard).await;
        assert_eq!((limit.remaining, limit.denied), (0, Some(MINUTE)));
    }
    assert_eq!(scene.count(&user(), "2026-03-04T05:06:00Z").await, Some(100));
}

#[tokio::test]
async fn a_request_costs_one_write_and_an_instances_first_one_a_read_beside_it() {
    let scene = Scene::start().await;
    let limiter = scene.limiter();
    let mut before = scene.database.calls();
    for (calls, advance) in [(2.0, 0), (1.0, 0), (1.0, 59), (2.0, 1), (1.0, 0)] {
        scene.clock.advance(Duration::from_secs(advance));
        assert!(limiter.take(&user(), ROUTE, Preset::Standard).await.allowed());
        assert_eq!(scene.database.calls() - before, calls);
        before = scene.database.calls();
    }
}

#[tokio::test]
async fn the_window_before_weighs_by_what_is_left_of_it() {
    let scene = Scene::start().await;
    assert_eq!(take(&scene.limiter(), &user(), 100).await, 100);
    scene.clock.advance(MINUTE);
    let limiter = scene.limiter();
    let limit = limiter.take(&user(), ROUTE, Preset::Standard).await;
    assert_eq!(limit.denied, Some(Duration::from_secs(2)), "it was counted: room for a second after 1.2 s");
    scene.clock.advance(Duration::from_secs(30));
    assert_eq!(take(&limiter, &user(), 100).await, 49, "one was counted before, 50 still weigh");
    let limit = limiter.take(&user(), ROUTE, Preset::Standard).await;
    let wait = limit.denied.unwrap();
    scene.clock.advance(wait);
    assert!(limiter.take(&user(), ROUTE, Preset::Standard).await.allowed(), "who waits as told passes");
}

#[tokio::test]
async fn each_route_and_each_caller_counts_for_itself() {
    let scene = Scene::start().await;
    let limiter = scene.limiter();
    assert_eq!(take(&limiter, &user(), 101).await, 100);
    assert!(limiter.take(&user(), "end-session", Preset::Standard).await.allowed());
    let [one, neighbour, other] = ["2001:db8::1", "2001:db8::ffff", "2001:db8:0:1::1"].map(addr).map(Subject::Address);
    assert_eq!(take(&limiter, &one, 100).await, 100);
    assert!(!limiter.take(&neighbour, ROUTE, Preset::Standard).await.allowed(), "of the same /64");
    assert!(limiter.take(&other, ROUTE, Preset::Standard).await.allowed());
}

#[tokio::test]
async fn without_the_table_users_pass_and_addresses_are_counted_in_memory() {
    let scene = Scene::start().await;
    let (limiter, counted) = scene.watched();
    assert_eq!(take(&limiter, &user(), 60).await, 60);
    let clock = scene.clock.clone();
    scene.database.stop().await;
    assert_eq!(take(&limiter, &user(), 110).await, 110);
    assert_eq!(take(&limiter, &Subject::Address(addr("192.0.2.1")), 110).await, 100);
    assert!(counted("limiter_unavailable") >= 210.0);
    clock.advance(2 * MINUTE);
    assert_eq!(take(&limiter, &Subject::Address(addr("192.0.2.1")), 1).await, 1);
}

#[tokio::test]
async fn a_limit_in_memory_asks_nobody() {
    let scene = Scene::start().await;
    let (limiter, clock) = (scene.limiter(), scene.clock.clone());
    scene.database.stop().await;
    let subject = Subject::Address(addr("192.0.2.1"));
    let take = || limiter.take_in_memory(&subject, "health-check/live", Preset::Lenient);
    assert_eq!((0..600).filter(|_| take().allowed()).count(), 500);
    assert_eq!(take().denied, Some(MINUTE));
    clock.advance(MINUTE);
    assert_eq!(take().denied, Some(Duration::from_secs(1)));
    clock.advance(MINUTE / 2);
    assert_eq!((0..600).filter(|_| take().allowed()).count(), 250);
}

const QUARTER: Duration = Duration::from_secs(15 * 60);

#[tokio::test]
async fn the_eleventh_failure_blocks_an_address_for_a_quarter_of_an_hour() {
    let scene = Scene::start().await;
    let (limiter, counted) = scene.watched();
    let attacker = addr("192.0.2.66");
    for n in 1..=10 {
        assert_eq!(limiter.failed_authentication(attacker).await, None, "failure {n}");
    }
    assert_eq!(limiter.blocked(attacker).await, None);
    assert_eq!(limiter.failed_authentication(attacker).await, Some(QUARTER));
    assert_eq!(limiter.blocked(attacker).await, Some(QUARTER));
    assert_eq!(limiter.blocked(addr("192.0.2.67")).await, None, "nobody else");
    assert_eq!(counted("address_blocked"), 1.0);
    scene.clock.advance(QUARTER - Duration::from_secs(1));
    assert_eq!(limiter.failed_authentication(attacker).await, Some(Duration::from_secs(1)), "it does not grow");
    scene.clock.advance(Duration::from_secs(1));
    assert_eq!(limiter.blocked(attacker).await, None);
    assert_eq!(scene.limiter().blocked(attacker).await, None, "what has expired lies in the table, and blocks nobody");
    assert_eq!(limiter.failed_authentication(attacker).await, None);
}

#[tokio::test]
async fn all_instances_learn_of_a_block() {
    let scene = Scene::start().await;
    let (one, other, third) = (scene.limiter(), scene.limiter(), scene.limiter());
    let attacker = addr("2001:db8::66");
    assert_eq!(third.blocked(attacker).await, None);
    for n in 0..10 {
        let limiter = if n % 2 == 0 { &one } else { &other };
        assert_eq!(limiter.failed_authentication(attacker).await, None);
    }
    assert_eq!(one.failed_authentication(attacker).await, Some(QUARTER));
    scene.clock.advance(Duration::from_secs(1));
    let rest = QUARTER - Duration::from_secs(1);
    assert_eq!(other.failed_authentication(attacker).await, Some(rest), "by the count");
    scene.clock.advance(Duration::from_secs(4));
    let rest = QUARTER - Duration::from_secs(5);
    assert_eq!(third.blocked(attacker).await, Some(rest), "by asking again");
    assert_eq!(scene.limiter().blocked(addr("2001:db8::1")).await, Some(rest), "of the same /64");
    let key = "block:2001:db8::";
    assert_eq!(scene.number(key, "until").await.map(|until| until / 1000 + 1), scene.number(key, "ttl").await);
}

#[tokio::test]
async fn failures_at_once_are_all_counted() {
    let scene = Scene::start().await;
    let (one, other) = (scene.limiter(), scene.limiter());
    let attacker = addr("192.0.2.66");
    let failures = join_all((0..16).map(|n| [&one, &other][n % 2].failed_authentication(attacker))).await;
    assert_eq!(failures.iter().filter(|blocked| blocked.is_none()).count(), 10);
}

#[tokio::test]
async fn without_the_table_an_instance_blocks_by_itself() {
    let scene = Scene::start().await;
    let limiter = scene.limiter();
    scene.database.stop().await;
    let attacker = addr("192.0.2.66");
    for _ in 0..10 {
        assert_eq!(limiter.failed_authentication(attacker).await, None);
    }
    assert_eq!(limiter.failed_authentication(attacker).await, Some(QUARTER));
    assert_eq!(limiter.blocked(attacker).await, Some(QUARTER));
}
