//! Terra's webhooks: what an event is, whom it is about, and what of it becomes metrics.
//!
//! Formats: <https://docs.tryterra.co/>. Every field may be null or absent.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::invalid::Invalid;

/// The longest `user_id` that is taken: it is a key in our tables, and Terra's own have 36 characters.
pub const LONGEST_USER_ID: usize = 256;

/// What an event's `type` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handling {
    /// Measurements: they become metrics.
    Ingest(DataType),
    /// Terra's user changed: our connection to it does, too.
    Connect(UserEvent),
    /// The body lies elsewhere and has to be fetched.
    Fetch,
    /// Known, and kept for the record only.
    Record,
    /// Not known: kept, and nothing else.
    Unknown,
}

/// The types of data events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataType {
    Activity,
    Athlete,
    Body,
    Daily,
    Hormone,
    Menstruation,
    Nutrition,
    PlannedWorkout,
    Sleep,
}

/// The types of user events that change a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UserEvent {
    Auth,
    Deauth,
    Reauth,
    AccessRevoked,
    ConnectionError,
    PermissionChange,
}

/// Terra's user, as far as an event tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerraUser {
    pub user_id: String,
    /// Upper case; `UNKNOWN` where the event does not say.
    pub provider: String,
    /// Whatever was given when the user connected: the id of one of our users, if it is a UUID.
    pub reference_id: Option<String>,
    pub scopes: Option<String>,
}

/// An event, its measurements not read yet.
#[derive(Debug)]
pub struct Event<'a> {
    /// As it stands in `type`; empty where there is none.
    pub kind: String,
    pub handling: Handling,
    /// `user`, or `new_user` of a reauthentication.
    pub user: Option<TerraUser>,
    /// `old_user` of a reauthentication.
    pub old_user: Option<TerraUser>,
    /// The elements of `data`, or the one `athlete`; each still the text that it was.
    pub items: Vec<&'a RawValue>,
    /// Where a large delivery lies.
    pub url: Option<String>,
}

impl DataType {
    /// As in `type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Activity => "activity",
            Self::Athlete => "athlete",
            Self::Body => "body",
            Self::Daily => "daily",
            Self::Hormone => "hormone",
            Self::Menstruation => "menstruation",
            Self::Nutrition => "nutrition",
            Self::PlannedWorkout => "planned_workout",
            Self::Sleep => "sleep",
        }
    }
}

impl Handling {
    /// By the event's `type`.
    pub fn of(kind: &str) -> Self {
        match kind {
            "activity" => Self::Ingest(DataType::Activity),
            "athlete" => Self::Ingest(DataType::Athlete),
            "body" => Self::Ingest(DataType::Body),
            "daily" => Self::Ingest(DataType::Daily),
            "hormone" => Self::Ingest(DataType::Hormone),
            "menstruation" => Self::Ingest(DataType::Menstruation),
            "nutrition" => Self::Ingest(DataType::Nutrition),
            "planned_workout" => Self::Ingest(DataType::PlannedWorkout),
            "sleep" => Self::Ingest(DataType::Sleep),
            "auth" => Self::Connect(UserEvent::Auth),
            "deauth" => Self::Connect(UserEvent::Deauth),
            "user_reauth" => Self::Connect(UserEvent::Reauth),
            "access_revoked" => Self::Connect(UserEvent::AccessRevoked),
            "connection_error" => Self::Connect(UserEvent::ConnectionError),
            "permission_change" => Self::Connect(UserEvent::PermissionChange),
            "s3_payload" => Self::Fetch,
            "auth_cancelled"
            | "google_no_datasource"
            | "healthcheck"
            | "lab_report.completed"
            | "lab_report.failed"
            | "large_request_processing"
            | "large_request_sending"
            | "processing"
            | "rate_limit_hit"
            | "s3_upload" => Self::Record,
            _ => Self::Unknown,
        }
    }
}

impl<'a> Event<'a> {
    /// Reads a body. Faults name their fields: an event that can't be an event (no object; `data` that is no list of
    /// objects; a data or user event that names no user).
    ///
    /// The measurements stay text: of a body of many megabytes no tree is ever held, only one element's at a time.
    pub fn parse(body: &'a [u8]) -> Result<Self, Invalid> {
        let body = Body::parse(body)?;
        let kind = text(body.kind).unwrap_or_default();
        let handling = body.handling(&kind);
        let reauth = handling == Handling::Connect(UserEvent::Reauth);
        let (name, user) = if reauth { ("new_user", body.new_user) } else { ("user", body.user) };
        let mut user = user.and_then(TerraUser::read);
        if user.is_none() && matches!(handling, Handling::Ingest(_) | Handling::Connect(_)) {
            let rule = format!("is required and has at most {LONGEST_USER_ID} characters");
            return Err(Invalid::at(format!("/{name}/user_id"), rule));
        }
        if let Some(user) = &mut user {
            // An authentication says it outside its user, too.
            user.reference_id = user.reference_id.take().or_else(|| text(body.reference_id));
        }
        let items = match handling {
            Handling::Ingest(DataType::Athlete) => one_object("athlete", body.athlete)?,
            Handling::Ingest(_) => objects("data", body.data)?,
            _ => Vec::new(),
        };
        let old_user = body.old_user.filter(|_| reauth).and_then(TerraUser::read);
        Ok(Self { kind, handling, user, old_user, items, url: text(body.url) })
    }
}

/// The fields of a body, each still the text that it was: one of a wrong type is no reason to refuse the others.
#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    status: Option<&'a RawValue>,
    #[serde(borrow)]
    user: Option<&'a RawValue>,
    #[serde(borrow)]
    new_user: Option<&'a RawValue>,
    #[serde(borrow)]
    old_user: Option<&'a RawValue>,
    #[serde(borrow)]
    reference_id: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    athlete: Option<&'a RawValue>,
    #[serde(borrow)]
    url: Option<&'a RawValue>,
}

impl<'a> Body<'a> {
    fn parse(body: &'a [u8]) -> Result<Self, Invalid> {
        // A list of as many values would be read as the fields in their order.
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Err(Invalid::new("must be a JSON object"));
        }
        serde_json::from_slice(body).map_err(|err| Invalid::new(format!("must be a JSON object: {err}")))
    }

    /// By the `type`, and for an authentication by how it ended: one that failed connects nobody. Without a `status` it
    /// is a user that says that it came about.
    fn handling(&self, kind: &str) -> Handling {
        let handling = Handling::of(kind);
        let connected = || match text(self.status) {
            Some(status) => status.eq_ignore_ascii_case("success"),
            None => self.user.is_some(),
        };
        if handling == Handling::Connect(UserEvent::Auth) && !connected() { Handling::Record } else { handling }
    }
}

/// The fields of a user, each still the text that it was.
#[derive(Deserialize)]
struct UserFields<'a> {
    #[serde(borrow)]
    user_id: Option<&'a RawValue>,
    #[serde(borrow)]
    provider: Option<&'a RawValue>,
    #[serde(borrow)]
    reference_id: Option<&'a RawValue>,
    #[serde(borrow)]
    scopes: Option<&'a RawValue>,
}

impl TerraUser {
    /// `None` for what is no user: it has no id that could be one.
    fn read(raw: &RawValue) -> Option<Self> {
        let fields: UserFields<'_> = is_object(raw).then(|| serde_json::from_str(raw.get()).ok())??;
        Some(Self {
            user_id: text(fields.user_id).filter(|id| id.len() <= LONGEST_USER_ID)?,
            provider: text(fields.provider).map_or_else(|| "UNKNOWN".to_owned(), |name| name.to_uppercase()),
            reference_id: text(fields.reference_id),
            scopes: text(fields.scopes),
        })
    }
}

/// A string that says something.
fn text(raw: Option<&RawValue>) -> Option<String> {
    serde_json::from_str(raw?.get()).ok().filter(|text: &String| !text.trim().is_empty())
}

fn is_object(raw: &RawValue) -> bool {
    raw.get().starts_with('{')
}

/// The elements of a list of objects; none where there is no list.
fn objects<'a>(name: &str, list: Option<&'a RawValue>) -> Result<Vec<&'a RawValue>, Invalid> {
    let Some(list) = list else { return Ok(Vec::new()) };
    let items: Vec<&RawValue> =
        serde_json::from_str(list.get()).map_err(|_| Invalid::at(format!("/{name}"), "must be a list"))?;
    match items.iter().position(|item| !is_object(item)) {
        Some(at) => Err(Invalid::at(format!("/{name}/{at}"), "must be an object")),
        None => Ok(items),
    }
}

/// The object as the only element of a list; none where there is no object.
fn one_object<'a>(name: &str, object: Option<&'a RawValue>) -> Result<Vec<&'a RawValue>, Invalid> {
    match object {
        Some(object) if !is_object(object) => Err(Invalid::at(format!("/{name}"), "must be an object")),
        object => Ok(object.into_iter().collect()),
    }
}

#[cfg(test)]
mod tests;
