//! What documents change, worked out in memory: which rows come and go, and what the latest values become.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use shared::{
    domain::metric::{AsOf, Fit, Latest},
    ids::{Ids, UserId},
    store::metrics::{
        DocumentKey, DocumentWrite, LatestKey, LatestWrite, MOST_WRITES, RowKey, Segment, StoredDocument, StoredLatest,
        StoredRow,
    },
};

use super::Version;

/// What is stored of a user, as far as it was read.
#[derive(Debug, Clone, Default)]
pub struct Mine {
    pub documents: HashMap<DocumentKey, StoredDocument>,
    pub latest: HashMap<LatestKey, StoredLatest>,
    /// What was asked for, there or not.
    pub asked: HashSet<LatestKey>,
}

/// Documents that are written together.
#[derive(Debug)]
pub struct Draft {
    /// The latest values come to it last.
    segment: Segment,
    latest: BTreeMap<LatestKey, Latest>,
    lacking: BTreeSet<LatestKey>,
}

impl Mine {
    /// Whether a version says what is not known yet.
    pub fn is_news(&self, version: &Version) -> bool {
        self.documents
            .get(&version.key)
            .is_none_or(|stored| stored.as_of < version.as_of || (stored.as_of == version.as_of && stored.unfinished))
    }

    /// The rows that a version no longer has.
    fn gone(&self, version: &Version) -> BTreeSet<RowKey> {
        let stored = self.documents.get(&version.key).into_iter().flat_map(|stored| &stored.rows);
        stored.filter(|row| !version.rows.contains_key(row)).cloned().collect()
    }

    /// The latest values that a version concerns.
    pub fn concerned(&self, version: &Version) -> BTreeSet<LatestKey> {
        self.gone(version).iter().chain(version.rows.keys()).map(RowKey::latest).collect()
    }

    fn as_of(&self, key: &DocumentKey) -> Option<AsOf> {
        self.documents.get(key).map(|stored| stored.as_of.clone())
    }

    /// Takes over what was written.
    pub fn learn(&mut self, written: Segment) {
        self.documents.extend(written.documents.into_iter().map(|write| (write.key, write.document)));
        for write in written.latest {
            if write.says_nothing() {
                self.latest.remove(&write.key);
            } else {
                self.latest.insert(write.key, StoredLatest::new(write.latest, write.version));
            }
        }
    }
}

impl Draft {
    pub fn new(user: UserId) -> Self {
        Self { segment: Segment::new(user), latest: BTreeMap::new(), lacking: BTreeSet::new() }
    }

    /// Takes in a version that is news, if one transaction still takes it all.
    pub fn take(&mut self, mine: &Mine, version: &Version) -> bool {
        let gone = mine.gone(version);
        let more_latest = mine.concerned(version).iter().filter(|key| !self.latest.contains_key(key)).count();
        let more = 1 + version.rows.len() + gone.len() + more_latest;
        if self.segment.len() + self.latest.len() + more > MOST_WRITES {
            return false;
        }
        self.offer(mine, version);
        self.segment.puts.extend(version.stored_rows());
        self.segment.deletes.extend(gone);
        self.segment.documents.push(version.finished(mine.as_of(&version.key)));
        true
    }

    fn offer(&mut self, mine: &Mine, version: &Version) {
        for row in mine.gone(version) {
            let fit = self.latest(mine, row.latest()).retract(&row.sk());
            self.note(row.latest(), fit);
        }
        for (row, observation) in &version.rows {
            let fit = self.latest(mine, row.latest()).offer(&row.sk(), observation, &version.as_of);
            self.note(row.latest(), fit);
        }
    }

    fn latest(&mut self, mine: &Mine, key: LatestKey) -> &mut Latest {
        let stored = || mine.latest.get(&key).map_or_else(|| Latest::new(key.metric), |stored| stored.latest.clone());
        self.latest.entry(key).or_insert_with(stored)
    }

    fn note(&mut self, key: LatestKey, fit: Fit) {
        if fit == Fit::Lacking {
            self.lacking.insert(key);
        }
    }

    /// Latest values that only all rows of their metric can tell; they are to be made new with [`Draft::rebuild`].
    pub fn lacking(&self) -> impl Iterator<Item = LatestKey> {
        self.lacking.iter().copied()
    }

    /// Makes one of the latest values new out of the rows that are stored, as they will be once this is written.
    pub fn rebuild(&mut self, key: LatestKey, stored: Vec<StoredRow>) {
        let mut rows: HashMap<&RowKey, &StoredRow> = stored.iter().map(|row| (&row.key, row)).collect();
        rows.extend(self.segment.puts.iter().filter(|row| row.key.latest() == key).map(|row| (&row.key, row)));
        for gone in &self.segment.deletes {
            rows.remove(gone);
        }
        let mut latest = Latest::new(key.metric);
        for row in rows.values() {
            // Nothing can be lacking: each row is offered once.
            let _ = latest.offer(&row.key.sk(), &row.observation, &row.as_of);
        }
        self.latest.insert(key, latest);
    }

    /// What is to be written, with a new version for each of the latest values.
    pub fn finish(mut self, mine: &Mine) -> Segment {
        for (key, latest) in self.latest {
            let read = mine.latest.get(&key).map(|stored| stored.version);
            self.segment.latest.push(LatestWrite { key, latest, read, version: Ids.uuid() });
        }
        self.segment
    }
}

/// What to write of a document that is more than one transaction takes.
///
/// Its own row is claimed for the new version first, together with some of the others, and holds the rows of both versions until all
/// are written: so an older version no longer gets in between, and whoever takes over from a crash knows what there may be.
pub fn oversize(user: UserId, mine: &Mine, version: &Version) -> (Vec<Segment>, Draft) {
    let gone = mine.gone(version);
    let rows = gone.iter().chain(version.rows.keys()).cloned().collect();
    let claim = StoredDocument { as_of: version.as_of.clone(), rows, unfinished: true };
    let mut read = mine.as_of(&version.key);
    let mut segment = || {
        let claim = DocumentWrite {
            key: version.key.clone(),
            document: claim.clone(),
            read: read.replace(version.as_of.clone()),
        };
        Segment { documents: vec![claim], ..Segment::new(user) }
    };
    let (puts, gone): (Vec<_>, Vec<_>) = (version.stored_rows().collect(), gone.into_iter().collect());
    let mut segments = Vec::new();
    for puts in puts.chunks(MOST_WRITES - 1) {
        segments.push(Segment { puts: puts.to_vec(), ..segment() });
    }
    for deletes in gone.chunks(MOST_WRITES - 1) {
        segments.push(Segment { deletes: deletes.to_vec(), ..segment() });
    }
    let mut last = Draft::new(user);
    last.offer(mine, version);
    last.segment.documents.push(version.finished(Some(version.as_of.clone())));
    (segments, last)
}

impl Version {
    fn stored_rows(&self) -> impl Iterator<Item = StoredRow> {
        self.rows.iter().map(|(key, observation)| StoredRow {
            key: key.clone(),
            observation: observation.clone(),
            as_of: self.as_of.clone(),
        })
    }

    /// The document's own row, where it was as of `read`.
    fn finished(&self, read: Option<AsOf>) -> DocumentWrite {
        let rows = self.rows.keys().cloned().collect();
        let document = StoredDocument { as_of: self.as_of.clone(), rows, unfinished: false };
        DocumentWrite { key: self.key.clone(), document, read }
    }
}
