//! The Connections and Quarantine tables: what is written holds only for what was read.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use futures::future::join_all;
use shared::{
    domain::{
        connection::{Change, Connection},
        metric::AsOf,
        terra::{TerraUser, UserEvent},
    },
    ids::{DeliveryId, Ids, UserId},
    store::connections::{Connections, Quarantined},
};

use crate::database::{CONNECTIONS, Database, QUARANTINE};

struct Tables {
    _database: Database,
    connections: Connections,
}

impl Tables {
    async fn new() -> Self {
        let database = Database::start().await;
        let connections = Connections::new(database.aws.clone(), CONNECTIONS.into(), QUARANTINE.into());
        Self { _database: database, connections }
    }

    async fn read(&self, id: &str) -> Option<Connection> {
        let mut found = self.connections.read(&BTreeSet::from([id])).await.unwrap();
        found.remove(id).map(|known| known.connection)
    }
}

fn now() -> DateTime<Utc> {
    "2026-07-01T09:00:00Z".parse().unwrap()
}

fn terra(id: &str, names: Option<UserId>) -> TerraUser {
    TerraUser {
        user_id: id.into(),
        provider: "OURA".into(),
        reference_id: names.map(|user| user.to_string()),
        scopes: Some("A,B".into()),
    }
}

fn as_of(id: &str) -> AsOf {
    AsOf::new(now(), &DeliveryId(id.into()))
}

fn binding(id: &str, user: UserId) -> Change {
    Change::of_data(&terra(id, Some(user)), as_of("bound"))
}

#[tokio::test]
async fn a_connection_is_read_as_it_was_written() {
    let tables = Tables::new().await;
    assert_eq!(tables.read("new").await, None);
    let user = UserId(Ids.uuid());
    let changes =
        Change::of_event(UserEvent::Reauth, &terra("new", Some(user)), Some(&terra("old", None)), &as_of("reauth"));
    for change in &changes {
        let (after, _) = tables.connections.change(&change.terra_user_id, |row| row.apply(change)).await.unwrap();
        assert_eq!(tables.read(&change.terra_user_id).await, Some(after));
    }
    let new = tables.read("new").await.unwrap();
    assert_eq!(new.binding.map(|binding| binding.user), Some(user));
    assert_eq!(new.replaces, BTreeSet::from(["old".to_owned()]));
}

#[tokio::test]
async fn changes_at_once_all_happen() {
    let tables = Tables::new().await;
    let links = (0..6).map(async |n| {
        let old = terra(&format!("old-{n}"), None);
        let changes = Change::of_event(UserEvent::Reauth, &terra("t", None), Some(&old), &as_of(&format!("{n}")));
        tables.connections.change("t", |row| row.apply(&changes[1])).await.unwrap();
    });
    join_all(links).await;
    assert_eq!(tables.read("t").await.unwrap().replaces.len(), 6);
}

#[tokio::test]
async fn of_two_that_bind_at_once_one_is_first_and_stays() {
    let tables = Tables::new().await;
    let (one, two) = (UserId(Ids.uuid()), UserId(Ids.uuid()));
    let bind =
        async |user| tables.connections.change("t", |row| row.apply(&binding("t", user))).await.unwrap().0.binding;
    let (first, second) = tokio::join!(bind(one), bind(two));
    assert_eq!(first, second);
    assert_eq!(tables.read("t").await.unwrap().binding, first);
}

#[tokio::test]
async fn what_is_known_is_bound_without_another_reading_unless_it_has_moved() {
    let tables = Tables::new().await;
    let user = UserId(Ids.uuid());
    let known = shared::store::connections::Known::nothing_of("t");
    tables.connections.quarantine("t", &[DeliveryId("d".into())], now()).await.unwrap();
    let (after, _) = tables.connections.change_known(known, |row| row.apply(&binding("t", user))).await.unwrap();
    assert!(after.waiting && after.unspread, "what was put aside meanwhile is seen");
}

#[tokio::test]
async fn either_the_delivery_sees_the_binding_or_the_binding_sees_the_delivery() {
    let tables = Tables::new().await;
    for n in 0..20 {
        let id = format!("t-{n}");
        let ids: Vec<_> = (0..150).map(|n| DeliveryId(format!("d-{n}"))).collect();
        let change = binding(&id, UserId(Ids.uuid()));
        let bound = tables.connections.change(&id, |row| row.apply(&change));
        let (waits, bound) = tokio::join!(tables.connections.quarantine(&id, &ids, now()), bound);
        let waiting = tables.connections.quarantined(&id, 1).await.unwrap();
        let seen = bound.unwrap().0.waiting;
        assert_eq!(!waiting.is_empty(), seen, "{id}");
        assert!(seen || waits.unwrap() == Quarantined::Bound);
    }
}

#[tokio::test]
async fn what_waits_is_released_page_by_page() {
    let tables = Tables::new().await;
    let ids: Vec<_> = (0..130).map(|n| DeliveryId(format!("d-{n:03}"))).collect();
    assert_eq!(tables.connections.quarantine("t", &ids, now()).await.unwrap(), Quarantined::Waiting);
    tables.connections.quarantine("other", &[DeliveryId("x".into())], now()).await.unwrap();
    let mut released = Vec::new();
    loop {
        let page = tables.connections.quarantined("t", 25).await.unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 25);
        tables.connections.release("t", &page).await.unwrap();
        released.extend(page);
    }
    assert_eq!(released, ids);
    assert_eq!(tables.connections.quarantined("other", 25).await.unwrap().len(), 1);
}

#[tokio::test]
async fn pages_of_users_name_each_user_who_has_a_connection() {
    let tables = Tables::new().await;
    let users: BTreeSet<_> = (0..60).map(|_| UserId(Ids.uuid())).collect();
    for (n, user) in users.iter().enumerate() {
        for connection in ["a", "b"] {
            let id = format!("{connection}-{n}");
            tables.connections.change(&id, |row| row.apply(&binding(&id, *user))).await.unwrap();
        }
    }
    tables.connections.quarantine("nobody", &[DeliveryId("x".into())], now()).await.unwrap();
    let (mut found, mut cursor, mut pages) = (BTreeSet::new(), None, 0);
    loop {
        let page = tables.connections.users(cursor.as_deref()).await.unwrap();
        found.extend(page.users);
        pages += 1;
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!((found, pages), (users, 2));
}
