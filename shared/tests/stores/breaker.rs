use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::join_all;
use shared::{
    breaker::{Breakers, Open},
    clock::Clock,
    telemetry::{Captured, Metrics},
};

use crate::database::{Database, counted};

const CAMERA: &str = "camera";

struct Scene {
    database: Database,
    clock: Clock,
}

impl Scene {
    async fn start() -> Self {
        let start: DateTime<Utc> = "2026-03-04T05:06:07Z".parse().unwrap();
        Self { database: Database::start().await, clock: Clock::manual(start) }
    }

    fn instance(&self) -> Instance {
        let (metrics, captured) = Metrics::capture();
        let breakers = Breakers::new(self.database.control(), self.clock.clone(), metrics.clone());
        Instance { breakers, metrics, captured }
    }

    fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

struct Instance {
    breakers: Breakers,
    metrics: Metrics,
    captured: Captured,
}

impl Instance {
    /// One call: whether it went through.
    async fn call(&self, ok: bool) -> Result<(), Open> {
        let permit = self.breakers.gate(CAMERA).await.enter().await?;
        if ok {
            permit.succeeded().await;
        } else {
            permit.failed().await;
        }
        Ok(())
    }

    async fn fail(&self, times: usize) {
        for _ in 0..times {
            self.call(false).await.unwrap();
        }
    }

    async fn wait(&self) -> Option<Duration> {
        self.breakers.gate(CAMERA).await.enter().await.err().map(|open| open.retry_after)
    }

    fn transitions(&self) -> f64 {
        let metrics = ["breaker_open", "breaker_half_open", "breaker_closed"];
        metrics.iter().map(|metric| counted(&self.metrics, &self.captured, metric)).sum()
    }
}

fn seconds(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds))
}

#[tokio::test]
async fn five_failures_in_a_row_open_it_for_thirty_seconds() {
    let scene = Scene::start().await;
    let instance = scene.instance();
    instance.fail(4).await;
    instance.call(true).await.unwrap();
    instance.fail(4).await;
    assert_eq!(instance.wait().await, None, "four in a row are not five");
    instance.fail(1).await;
    assert_eq!(instance.wait().await, seconds(30));
    scene.advance(29);
    assert_eq!(instance.wait().await, seconds(1));
    scene.advance(1);
    assert_eq!(instance.call(true).await, Ok(()));
}

#[tokio::test]
async fn a_healthy_provider_costs_one_read_in_five_seconds() {
    let scene = Scene::start().await;
    let instance = scene.instance();
    let before = scene.database.calls();
    for (reads, advance) in [(1.0, 0), (1.0, 0), (1.0, 4), (2.0, 1)] {
        scene.advance(advance);
        instance.call(true).await.unwrap();
        instance.call(false).await.unwrap();
        assert_eq!(scene.database.calls() - before, reads);
    }
}

#[tokio::test]
async fn three_probes_that_succeed_close_it() {
    let scene = Scene::start().await;
    let instance = scene.instance();
    instance.fail(5).await;
    scene.advance(30);
    for _ in 0..3 {
        instance.call(true).await.unwrap();
    }
    instance.fail(4).await;
    assert_eq!(instance.wait().await, None, "closed, with a count of its own");
    assert_eq!(instance.transitions(), 3.0, "open, half open, closed");
}

#[tokio::test]
async fn a_probe_that_fails_opens_it_again() {
    let scene = Scene::start().await;
    let instance = scene.instance();
    instance.fail(5).await;
    scene.advance(30);
    instance.call(true).await.unwrap();
    instance.fail(1).await;
    assert_eq!(instance.wait().await, seconds(30));
}

#[tokio::test]
async fn what_one_instance_opened_is_open_for_all() {
    let scene = Scene::start().await;
    let (one, other) = (scene.instance(), scene.instance());
    assert_eq!(other.wait().await, None);
    one.fail(5).await;
    assert_eq!(scene.instance().wait().await, seconds(30), "an instance that is new");
    assert_eq!(other.wait().await, None, "one that read it just now");
    scene.advance(5);
    assert_eq!(other.wait().await, seconds(25), "the same, five seconds later");
}

#[tokio::test]
async fn of_many_instances_one_probes() {
    let scene = Scene::start().await;
    let first = scene.instance();
    first.fail(5).await;
    scene.advance(30);
    let instances: Vec<_> = (0..10).map(|_| scene.instance()).collect();
    let gates = join_all(instances.iter().map(|instance| instance.breakers.gate(CAMERA))).await;
    let entered = join_all(gates.iter().map(|gate| gate.enter())).await;
    let (mut permits, refused): (Vec<_>, Vec<_>) = entered.into_iter().partition(Result::is_ok);
    assert_eq!((permits.len(), refused.len()), (1, 9));
    assert!(refused.into_iter().all(|entry| entry.is_err_and(|open| open.retry_after == Duration::from_secs(1))));
    permits.remove(0).unwrap().succeeded().await;
    assert_eq!(scene.instance().call(true).await, Ok(()), "its success makes room for the next");
}

#[tokio::test]
async fn a_probe_that_is_never_heard_of_again_makes_room_after_fifteen_seconds() {
    let scene = Scene::start().await;
    let instance = scene.instance();
    instance.fail(5).await;
    scene.advance(30);
    let lost = instance.breakers.gate(CAMERA).await.enter().await.unwrap();
    scene.advance(14);
    assert_eq!(scene.instance().wait().await, seconds(1));
    scene.advance(1);
    let next = scene.instance();
    let permit = next.breakers.gate(CAMERA).await.enter().await.unwrap();
    // The first probe is back after all. It has lost its place, and what it found counts no more.
    lost.failed().await;
    permit.succeeded().await;
    assert_eq!(scene.instance().call(true).await, Ok(()));
    // One that is dropped says nothing.
    drop(scene.instance().breakers.gate(CAMERA).await.enter().await.unwrap());
    assert_eq!(scene.instance().wait().await, seconds(1));
    scene.advance(15);
    assert_eq!(scene.instance().call(true).await, Ok(()));
    assert_eq!(scene.instance().wait().await, None);
}

#[tokio::test]
async fn instances_that_find_the_same_failure_do_not_fight() {
    let scene = Scene::start().await;
    let instances: Vec<_> = (0..4).map(|_| scene.instance()).collect();
    for instance in &instances {
        instance.fail(4).await;
    }
    let gates = join_all(instances.iter().map(|instance| instance.breakers.gate(CAMERA))).await;
    let permits = join_all(gates.iter().map(|gate| gate.enter())).await;
    join_all(permits.into_iter().map(|permit| permit.unwrap().failed())).await;
    assert_eq!(instances.iter().map(Instance::transitions).sum::<f64>(), 1.0);
    for instance in &instances {
        assert_eq!(instance.wait().await, seconds(30), "who came second has learnt what came of it");
    }
}

#[tokio::test]
async fn a_failure_from_before_says_nothing_about_what_is_now() {
    let scene = Scene::start().await;
    let instance = scene.instance();
    let gate = instance.breakers.gate(CAMERA).await;
    let slow = gate.enter().await.unwrap();
    instance.fail(5).await;
    scene.advance(30);
    for _ in 0..3 {
        instance.call(true).await.unwrap();
    }
    instance.fail(4).await;
    slow.failed().await;
    assert_eq!(instance.wait().await, None);
}

#[tokio::test]
async fn without_the_table_calls_go_through() {
    let scene = Scene::start().await;
    let (one, other) = (scene.instance(), scene.instance());
    one.fail(5).await;
    let clock = scene.clock.clone();
    scene.database.stop().await;
    assert_eq!(other.wait().await, None, "never read");
    assert_eq!(one.wait().await, seconds(30), "read just now");
    clock.advance(Duration::from_secs(5));
    assert_eq!(one.wait().await, None, "not read again");
    one.fail(5).await;
    assert_eq!(one.wait().await, seconds(30), "an instance that has seen enough pauses by itself");
    clock.advance(Duration::from_secs(5));
    assert_eq!(one.call(true).await, Ok(()));
}
