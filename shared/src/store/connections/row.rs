//! The items of the Connections table.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::text;
use crate::{
    domain::{
        connection::{Binding, Connection, Register, State},
        metric::AsOf,
    },
    error::{Error, Result},
    ids::{ConnectionId, UserId},
};

type Item = HashMap<String, AttributeValue>;

/// A connection as it was read; version 0 is one that has no row.
#[derive(Debug, Clone)]
pub struct Known {
    pub connection: Connection,
    pub(super) version: u64,
}

/// Flat, so that each field can be seen and queried; what is not there is left out.
#[derive(Serialize, Deserialize)]
struct Row {
    terra_user_id: String,
    version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_id: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    connection_id: Option<ConnectionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<State>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state_as_of: Option<AsOf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scopes: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scopes_as_of: Option<AsOf>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    replaces: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    replaced_by: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    waiting: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unspread: bool,
}

impl Known {
    /// A Terra user of whom there is no row.
    pub fn nothing_of(terra_user: &str) -> Self {
        Self { connection: Connection::new(terra_user), version: 0 }
    }
}

pub(super) fn key(terra_user: &str) -> Item {
    HashMap::from([("terra_user_id".to_owned(), text(terra_user))])
}

pub(super) fn item(connection: &Connection, version: u64) -> Result<Item> {
    let Connection { terra_user_id, provider, binding, state, scopes, replaces, replaced_by, waiting, unspread } =
        connection.clone();
    let (state, state_as_of) = apart(state);
    let (scopes, scopes_as_of) = apart(scopes);
    let row = Row {
        terra_user_id,
        version,
        provider,
        user_id: binding.map(|binding| binding.user),
        connection_id: binding.map(|binding| binding.connection),
        state,
        state_as_of,
        scopes,
        scopes_as_of,
        replaces,
        replaced_by,
        waiting,
        unspread,
    };
    serde_dynamo::to_item(row).map_err(Error::internal)
}

pub(super) fn read(item: Item) -> Result<Known> {
    let row: Row = serde_dynamo::from_item(item).map_err(Error::internal)?;
    let binding = row.user_id.zip(row.connection_id).map(|(user, connection)| Binding { user, connection });
    let connection = Connection {
        terra_user_id: row.terra_user_id,
        provider: row.provider,
        binding,
        state: together(row.state, row.state_as_of),
        scopes: together(row.scopes, row.scopes_as_of),
        replaces: row.replaces,
        replaced_by: row.replaced_by,
        waiting: row.waiting,
        unspread: row.unspread,
    };
    Ok(Known { connection, version: row.version })
}

fn apart<T>(register: Option<Register<T>>) -> (Option<T>, Option<AsOf>) {
    register.map(|register| (register.value, register.as_of)).unzip()
}

fn together<T>(value: Option<T>, as_of: Option<AsOf>) -> Option<Register<T>> {
    value.zip(as_of).map(|(value, as_of)| Register { value, as_of })
}
