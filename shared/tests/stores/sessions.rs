//! The Sessions table: what is written holds only for what was read.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json, value::to_raw_value};
use shared::{
    domain::{
        advice::advise,
        position::Position,
        session::{End, EndReason, FrameNumber, Session, SessionStart},
        shot::Shot,
        statistics::Statistics,
    },
    error::Error,
    ids::{Ids, SessionId, UserId},
    store::sessions::{Ending, FrameRow, FrameWrite, Idempotency, Inserted, Loaded, Origin, Sessions, Written},
};

use crate::database::{Database, SESSIONS};

struct Table {
    database: Database,
    sessions: Sessions,
    now: DateTime<Utc>,
}

impl Table {
    async fn new() -> Self {
        let database = Database::start().await;
        let sessions = Sessions::new(database.aws.clone(), SESSIONS.into());
        Self { database, sessions, now: "2026-11-21T09:00:00Z".parse().unwrap() }
    }

    async fn session(&self) -> Session {
        let session = new_session(self.now);
        assert!(matches!(self.sessions.insert(&session, &Origin::default(), None).await, Ok(Inserted::New)));
        session
    }

    async fn load(&self, id: SessionId) -> Loaded {
        self.sessions.load(id).await.unwrap().unwrap()
    }

    async fn write(&self, session: &Session, number: u32, new: &[Shot], earlier: &[Shot]) -> Written {
        let frame = frame(number);
        let write = FrameWrite { session, frame: &frame, new_shots: new, earlier, now: self.now };
        self.sessions.write_frame(&write).await.unwrap()
    }

    async fn idempotent(&self, key: &str, metadata: Value, now: DateTime<Utc>) -> Result<Inserted, Error> {
        let session = new_session(now);
        let control = self.database.control();
        let answer = json!({ "id": session.id });
        let idempotency = Idempotency::new(&control, UserId(uuid::Uuid::nil()), key, &metadata, &answer, now).unwrap();
        self.sessions.insert(&session, &Origin::default(), Some(&idempotency)).await
    }
}

fn new_session(now: DateTime<Utc>) -> Session {
    let user = UserId(Ids.uuid());
    let metadata = json!({ "target_type": "air_pistol_10m", "distance": 10.5 });
    let body = json!({ "user_id": user, "session_type": "practice", "metadata": metadata });
    Session::start(SessionStart::parse(&body).unwrap(), Ids.session(), user, now)
}

fn number(number: u32) -> FrameNumber {
    FrameNumber::try_from(number).unwrap()
}

fn frame(at: u32) -> FrameRow {
    FrameRow {
        number: number(at),
        sha256: format!("{at:064x}"),
        object_key: format!("frames/{at}"),
        analysed_at: "2026-11-21T09:00:01Z".parse().unwrap(),
        analysis: to_raw_value(&json!({ "frame_number": at, "detections": [1.25] })).unwrap(),
    }
}

fn shot(session: &Session, x_mm: f64, first_frame: u32) -> Shot {
    let rings = session.target_type().rings();
    Shot::scored(Ids.uuid(), Position::new(x_mm, -1.5), rings, number(first_frame), 0.875, 4.25)
}

#[tokio::test]
async fn what_was_written_is_read_back() {
    let table = Table::new().await;
    let session = table.session().await;
    assert_eq!(table.sessions.find(session.id).await.unwrap(), Some(session.clone()));
    let shots = [shot(&session, 3.25, 1), shot(&session, -20.0, 1)];
    assert_eq!(table.write(&session, 1, &shots, &[]).await, Written::Done);

    let loaded = table.load(session.id).await;
    assert_eq!(loaded.session.version, session.version + 1);
    assert_eq!(loaded.session.total_shots, 2);
    assert_eq!(loaded.session.total_tenths, shots.iter().fold(0, |sum, shot| sum + shot.score));
    assert_eq!(loaded.session.last_frame_at, Some(table.now));
    for shot in shots {
        assert!(loaded.shots.contains(&shot), "{shot:?} in {:?}", loaded.shots);
    }
    let row = table.sessions.frame(session.id, number(1)).await.unwrap().unwrap();
    assert_eq!((row.sha256, row.analysis.get()), (frame(1).sha256, frame(1).analysis.get()));
    assert!(table.sessions.frame(session.id, number(2)).await.unwrap().is_none());
}

#[tokio::test]
async fn an_unknown_session_is_none() {
    let table = Table::new().await;
    assert!(table.sessions.load(Ids.session()).await.unwrap().is_none());
    assert!(table.sessions.find(Ids.session()).await.unwrap().is_none());
}

#[tokio::test]
async fn of_two_frames_that_read_the_same_version_one_is_written() {
    let table = Table::new().await;
    let session = table.session().await;
    let (one, two) = ([shot(&session, 1.0, 1)], [shot(&session, 2.0, 2)]);
    let outcomes = tokio::join!(table.write(&session, 1, &one, &[]), table.write(&session, 2, &two, &[]));
    assert!(matches!(outcomes, (Written::Done, Written::Conflict) | (Written::Conflict, Written::Done)));
    let loaded = table.load(session.id).await;
    assert_eq!((loaded.session.total_shots, loaded.shots.len()), (1, 1));
}

#[tokio::test]
async fn a_frame_is_written_once_whatever_the_version_says() {
    let table = Table::new().await;
    let session = table.session().await;
    table.write(&session, 1, &[], &[]).await;
    let moved = table.load(session.id).await.session;
    assert_eq!(table.write(&moved, 1, &[shot(&session, 1.0, 1)], &[]).await, Written::Conflict);
    assert_eq!(table.load(session.id).await.session.total_shots, 0);
}

#[tokio::test]
async fn an_earlier_frame_is_kept_and_a_later_one_never_takes_its_place() {
    let table = Table::new().await;
    let session = table.session().await;
    let seen = shot(&session, 1.0, 9);
    table.write(&session, 9, &[seen], &[]).await;
    let session = table.load(session.id).await.session;
    assert_eq!(table.write(&session, 4, &[], &[Shot { first_frame: number(4), ..seen }]).await, Written::Done);
    let session = table.load(session.id).await.session;
    assert_eq!(table.write(&session, 6, &[], &[Shot { first_frame: number(6), ..seen }]).await, Written::Conflict);
    assert_eq!(table.load(session.id).await.shots[0].first_frame, number(4));
}

#[tokio::test]
async fn a_late_frame_may_show_more_shots_earlier_than_one_transaction_takes() {
    let table = Table::new().await;
    let session = table.session().await;
    let mut known = Vec::new();
    for at in 10..=12 {
        let shots: Vec<Shot> = (0..90).map(|x| shot(&session, f64::from(x), at)).collect();
        let session = table.load(session.id).await.session;
        assert_eq!(table.write(&session, at, &shots, &[]).await, Written::Done);
        known.extend(shots);
    }
    let session = table.load(session.id).await.session;
    let earlier: Vec<Shot> = known.iter().map(|shot| Shot { first_frame: number(2), ..*shot }).collect();
    assert_eq!(table.write(&session, 2, &[shot(&session, 99.0, 2)], &earlier).await, Written::Done);
    let loaded = table.load(session.id).await;
    assert_eq!(loaded.shots.len(), 271);
    assert!(loaded.shots.iter().all(|shot| shot.first_frame == number(2)));
}

#[tokio::test]
async fn a_session_ends_once_and_takes_no_frame_after_it() {
    let table = Table::new().await;
    let session = table.session().await;
    let ending = |reason| {
        let end = End { at: table.now + TimeDelta::minutes(30), reason };
        let statistics = Statistics::of(&[], session.target_type().rings(), TimeDelta::minutes(30));
        Ending { end, statistics, advice: advise(&[], session.target_type()) }
    };
    let (first, second) = (ending(EndReason::Completed), ending(EndReason::Cancelled));
    assert_eq!(table.sessions.count_active().await.unwrap(), 1);
    assert_eq!(table.sessions.end(&session, &first).await.unwrap(), Written::Done);
    assert_eq!(table.sessions.end(&session, &second).await.unwrap(), Written::Conflict);
    let loaded = table.load(session.id).await;
    assert_eq!(loaded.ending, Some(first.clone()));
    assert_eq!(loaded.session.end, Some(first.end));
    assert_eq!(table.write(&loaded.session, 1, &[], &[]).await, Written::Conflict);
    assert_eq!(table.sessions.count_active().await.unwrap(), 0);
}

#[tokio::test]
async fn an_end_that_read_before_a_frame_came_is_a_conflict() {
    let table = Table::new().await;
    let session = table.session().await;
    table.write(&session, 1, &[shot(&session, 1.0, 1)], &[]).await;
    let end = End { at: table.now, reason: EndReason::Completed };
    let statistics = Statistics::of(&[], session.target_type().rings(), TimeDelta::zero());
    let ending = Ending { end, statistics, advice: advise(&[], session.target_type()) };
    assert_eq!(table.sessions.end(&session, &ending).await.unwrap(), Written::Conflict);
}

#[tokio::test]
async fn a_key_gives_its_first_answer_for_a_day_and_only_to_the_same_request() {
    let table = Table::new().await;
    let body = json!({ "equipment": "pistol" });
    assert!(matches!(table.idempotent("k", body.clone(), table.now).await, Ok(Inserted::New)));
    let again = table.idempotent("k", body.clone(), table.now + TimeDelta::hours(23)).await.unwrap();
    let Inserted::Before(answer) = again else { panic!("a new session") };
    assert!(answer["id"].is_string());
    let other = table.idempotent("k", json!({}), table.now).await;
    assert!(matches!(other, Err(Error::Invalid(_))));
    // TTL deletes late: the row is still there, and as good as gone.
    assert!(matches!(table.idempotent("k", body, table.now + TimeDelta::hours(25)).await, Ok(Inserted::New)));
    assert_eq!(table.sessions.count_active().await.unwrap(), 2);
}

#[tokio::test]
async fn a_database_that_is_away_is_unavailable_and_not_an_empty_answer() {
    let aws = Table::new().await.database.stop().await;
    let sessions = Sessions::new(aws, SESSIONS.into());
    assert!(matches!(sessions.load(Ids.session()).await, Err(Error::Unavailable { .. })));
}
