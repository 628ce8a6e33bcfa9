use std::collections::BTreeMap;

use chrono::DateTime;
use proptest::prelude::*;

use super::*;
use crate::ids::DeliveryId;

fn as_of(second: i64) -> AsOf {
    AsOf::new(DateTime::from_timestamp(1_780_000_000 + second, 0).unwrap(), &DeliveryId(format!("d-{second}")))
}

fn ours(n: u128) -> UserId {
    UserId(Uuid::from_u128(n))
}

fn terra(id: &str, names: Option<UserId>) -> TerraUser {
    TerraUser {
        user_id: id.into(),
        provider: "GARMIN".into(),
        reference_id: names.map(|user| user.to_string()),
        scopes: None,
    }
}

/// What an event says, at its second.
#[derive(Debug, Clone)]
enum Event {
    Data(TerraUser),
    User(UserEvent, TerraUser),
    Reauth { old: TerraUser, new: TerraUser },
}

impl Event {
    fn changes(&self, second: i64) -> Vec<Change> {
        match self {
            Self::Data(user) => vec![Change::of_data(user, as_of(second))],
            Self::User(kind, user) => Change::of_event(*kind, user, None, &as_of(second)),
            Self::Reauth { old, new } => Change::of_event(UserEvent::Reauth, new, Some(old), &as_of(second)),
        }
    }
}

/// All connections, each event worked on to its end.
#[derive(Debug, Default, PartialEq)]
struct World {
    connections: BTreeMap<String, Connection>,
    refused: usize,
}

impl World {
    fn of<'a>(events: impl IntoIterator<Item = &'a (i64, Event)>) -> Self {
        let mut world = Self::default();
        for (second, event) in events {
            let changes = event.changes(*second);
            for change in &changes {
                let claim = world.connection(&change.terra_user_id).apply(change);
                world.refused += usize::from(claim == Claim::Refused);
            }
            for change in changes {
                world.spread(&change.terra_user_id);
            }
        }
        world
    }

    fn connection(&mut self, id: &str) -> &mut Connection {
        self.connections.entry(id.to_owned()).or_insert_with(|| Connection::new(id))
    }

    fn spread(&mut self, id: &str) {
        let connection = self.connection(id).clone();
        if !connection.unspread {
            return;
        }
        self.connection(id).spread();
        for linked in connection.linked() {
            self.connection(linked).adopt(&connection);
            self.spread(linked);
        }
    }

    fn binding(&self, id: &str) -> Option<Binding> {
        self.connections.get(id)?.binding
    }
}

fn permutations<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    (0..items.len())
        .flat_map(|first| {
            let mut rest = items.to_vec();
            let item = rest.remove(first);
            permutations(&rest).into_iter().map(move |mut order| {
                order.insert(0, item.clone());
                order
            })
        })
        .collect()
}

#[test]
fn every_order_of_a_connections_life_ends_the_same() {
    let (me, old, new) = (Some(ours(1)), "old", "new");
    let events = [
        (1, Event::User(UserEvent::Auth, terra(old, me))),
        (2, Event::Data(terra(old, None))),
        (3, Event::User(UserEvent::ConnectionError, terra(old, None))),
        (4, Event::Reauth { old: terra(old, None), new: terra(new, None) }),
        (5, Event::Data(terra(new, None))),
        (6, Event::User(UserEvent::AccessRevoked, terra(new, None))),
    ];
    let expected = World::of(&events);
    assert_eq!(expected.binding(old).map(|binding| binding.user), me);
    assert_eq!(expected.binding(old), expected.binding(new), "the connection is the same, so no rows move");
    let state = |id: &str| expected.connections[id].state.as_ref().map(|register| register.value);
    assert_eq!((state(old), state(new)), (Some(State::Deauthenticated), Some(State::Revoked)));
    for order in permutations(&events) {
        assert_eq!(World::of(&order), expected, "{order:?}");
    }
}

#[test]
fn a_binding_reaches_a_whole_chain_from_either_end_and_from_its_middle() {
    let link = |old: &str, new: &str| Event::Reauth { old: terra(old, None), new: terra(new, None) };
    for bound in ["a", "b", "c"] {
        let events =
            [(1, link("a", "b")), (2, link("b", "c")), (3, Event::User(UserEvent::Auth, terra(bound, Some(ours(1)))))];
        for order in permutations(&events) {
            let world = World::of(&order);
            for id in ["a", "b", "c"] {
                assert_eq!(world.binding(id).map(|binding| binding.user), Some(ours(1)), "{id} in {order:?}");
            }
        }
    }
}

#[test]
fn a_bound_connection_is_never_bound_to_another() {
    let mut connection = Connection::new("t");
    let change = |n| Change::of_data(&terra("t", Some(ours(n))), as_of(1));
    assert_eq!(connection.apply(&change(1)), Claim::Bound);
    assert_eq!(connection.apply(&change(1)), Claim::Kept);
    assert_eq!(connection.apply(&change(2)), Claim::Refused);
    assert_eq!(connection.binding.map(|binding| binding.user), Some(ours(1)));
    let events = [
        (1, Event::User(UserEvent::Auth, terra("old", Some(ours(1))))),
        (2, Event::User(UserEvent::Auth, terra("new", Some(ours(2))))),
        (3, Event::Reauth { old: terra("old", None), new: terra("new", None) }),
    ];
    let world = World::of(&events);
    assert_eq!(world.binding("old").map(|binding| binding.user), Some(ours(1)));
    assert_eq!(world.binding("new").map(|binding| binding.user), Some(ours(2)));
}

#[test]
fn only_a_users_id_names_a_user() {
    let id = "3e982b74-1a94-4d9a-b6a3-f92c6e4d21b5";
    let named = |text: &str| {
        let user = TerraUser { reference_id: Some(text.into()), ..terra("t", None) };
        Change::of_data(&user, as_of(1)).names.map(|user| user.to_string())
    };
    assert_eq!(named(id).as_deref(), Some(id));
    for other in ["your-user-123", "", "3e982b741a944d9ab6a3f92c6e4d21b5", "{3e982b74-1a94-4d9a-b6a3-f92c6e4d21b5}"] {
        assert_eq!(named(other), None, "{other}");
    }
}

#[test]
fn the_same_user_and_provider_are_the_same_connection_whichever_terra_user_they_come_as() {
    let bound = |id: &str, provider: &str, n| {
        let mut connection = Connection::new(id);
        let user = TerraUser { provider: provider.into(), ..terra(id, Some(ours(n))) };
        connection.apply(&Change::of_data(&user, as_of(1)));
        connection.binding.unwrap().connection
    };
    assert_eq!(bound("a", "GARMIN", 1), bound("b", "GARMIN", 1));
    assert_ne!(bound("a", "GARMIN", 1), bound("a", "OURA", 1));
    assert_ne!(bound("a", "GARMIN", 1), bound("a", "GARMIN", 2));
}

#[test]
fn what_waits_is_marked_until_the_binding_has_reached_it() {
    let mut connection = Connection::new("t");
    connection.waiting = true;
    connection.apply(&Change::of_data(&terra("t", Some(ours(1))), as_of(1)));
    assert!(connection.unspread);
    connection.spread();
    assert!(!connection.unspread && !connection.waiting);
}

#[test]
fn a_new_link_of_a_bound_connection_has_yet_to_be_followed() {
    let mut connection = Connection::new("old");
    connection.apply(&Change::of_data(&terra("old", Some(ours(1))), as_of(1)));
    assert!(!connection.unspread, "nothing waits, and nobody is linked");
    let event = Event::Reauth { old: terra("old", None), new: terra("new", None) };
    connection.apply(&event.changes(2)[0]);
    assert!(connection.unspread);
    connection.spread();
    connection.apply(&event.changes(2)[0]);
    assert!(!connection.unspread, "the same event again brings nothing new");
}

fn user_event() -> impl Strategy<Value = UserEvent> {
    prop_oneof![
        Just(UserEvent::Auth),
        Just(UserEvent::Deauth),
        Just(UserEvent::AccessRevoked),
        Just(UserEvent::ConnectionError),
        Just(UserEvent::PermissionChange),
    ]
}

/// Events of one person's Terra users. Whoever of them is named is the same.
fn event() -> impl Strategy<Value = Event> {
    let user = || {
        (0..5, any::<bool>(), proptest::option::of("[A-C]"))
            .prop_map(|(n, named, scopes)| TerraUser { scopes, ..terra(&format!("t-{n}"), named.then(|| ours(1))) })
    };
    prop_oneof![
        user().prop_map(Event::Data),
        (user_event(), user()).prop_map(|(kind, user)| Event::User(kind, user)),
        (user(), user()).prop_map(|(old, new)| Event::Reauth { old, new }),
    ]
}

proptest! {
    #[test]
    fn any_order_and_any_repetition_end_the_same(
        (events, order) in proptest::collection::vec(event(), 1..12).prop_flat_map(|events| {
            let events: Vec<_> = (0..).zip(events).collect();
            let twice = events.iter().chain(&events).cloned().collect::<Vec<_>>();
            (Just(events), Just(twice).prop_shuffle())
        })
    ) {
        let expected = World::of(&events);
        prop_assert_eq!(expected.refused, 0);
        prop_assert_eq!(World::of(&order), expected);
    }
}
