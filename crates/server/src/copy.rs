//! `countersign store copy`: everything that is in one database, in another one, so that nobody notices the move.
//!
//! Rows go over as they are, sealed keys and the revocation log with its head among them: the same key-encryption key opens
//! them there, and the same high-water mark fits. The source is frozen meanwhile and nothing in it changes; the target can
//! be used once both were compared.

use std::{fmt, fs, io, path::Path, sync::Arc, time::Duration};

use crate::{
    app::{StartError, data_folder},
    failpoint,
    store::{
        DataDirLock, Frozen, LockError, Row, Schema, Store, StoreConfig, StoreError, StoreKind, Value,
        copy::{self, Digest, Note, Rows},
        revocations,
    },
};

/// Replicas raise the log's time several times in this time, if any runs.
const QUIET: Duration = Duration::from_secs(1);
/// Bytes that a page should have, about.
const PAGE: usize = 1 << 20;
/// Rows of the smallest and of the largest page.
const LEAST: i64 = 16;
const MOST: i64 = 4096;

/// Why nothing was copied, or not all. What was copied stays, and the same command goes on behind it.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error("one database must be a file of SQLite, the other one on PostgreSQL; {0}")]
    SameKind(&'static str),
    #[error("cannot use {}: {error}", path.display())]
    File { path: std::path::PathBuf, error: io::Error },
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Folder(#[from] Box<StartError>),
    #[error("the {end}: {error}")]
    Store { end: End, error: StoreError },
    #[error("a server uses the {0}: stop every server of it, and run this again")]
    InUse(End),
    #[error("the source is not whole: a copy into it, or the acceptance of a backup, was begun and not finished")]
    HalfSource,
    #[error("the target is not empty, its table {0} has rows: name an empty database")]
    NotEmpty(&'static str),
    #[error(
        "the target is the half of a copy of something else: of another database, or of this one before it was used \
         again. Name an empty database"
    )]
    OtherCopy,
    #[error("the target is half a copy; run this without --verify, which goes on with it")]
    HalfTarget,
    #[error("another copy into this target is under way")]
    Rival,
}

/// Which of the two databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Source,
    Target,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Source { "source" } else { "target" })
    }
}

/// How far it has come.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    pub phase: Phase,
    pub table: &'static str,
    /// Rows of all tables.
    pub done: u64,
    pub of: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Copying,
    Comparing,
}

/// One table in both databases.
#[derive(Debug, Clone, Copy)]
pub struct Compared {
    pub table: &'static str,
    pub source: Digest,
    pub target: Digest,
}

impl Compared {
    pub fn is_same(&self) -> bool {
        self.source == self.target
    }
}

/// What came of it. If a table differs the target stays unusable.
#[derive(Debug)]
pub struct Outcome {
    pub tables: Vec<Compared>,
    /// Rows that an earlier run had written.
    pub resumed: u64,
}

impl Outcome {
    pub fn is_same(&self) -> bool {
        self.tables.iter().all(Compared::is_same)
    }
}

/// Copies everything, or goes on where it was interrupted, and compares.
///
/// # Errors
/// [`CopyError`]
pub async fn copy(from: &StoreConfig, to: &StoreConfig, tell: &mut dyn FnMut(Progress)) -> Result<Outcome, CopyError> {
    let ends = Ends::open(from, to, Schema::NewOrNewest).await?;
    let outcome = ends.copy(tell).await;
    ends.close().await;
    outcome
}

/// Compares, and writes nothing.
///
/// # Errors
/// [`CopyError`]
pub async fn verify(
    from: &StoreConfig,
    to: &StoreConfig,
    tell: &mut dyn FnMut(Progress),
) -> Result<Outcome, CopyError> {
    let ends = Ends::open(from, to, Schema::AsItIs).await?;
    let outcome = ends.verify(tell).await;
    ends.close().await;
    outcome
}

/// Refuses a database that is half a copy.
///
/// # Errors
/// [`StartError::CopyUnfinished`]
pub(crate) async fn check_finished(store: &Store) -> Result<(), StartError> {
    match store.read(|tx| Box::pin(copy::begun(tx))).await? {
        Some(_) => Err(StartError::CopyUnfinished),
        None => Ok(()),
    }
}

/// Both databases, and the folders that no server may use meanwhile.
struct Ends {
    source: Store,
    target: Store,
    _locks: Vec<DataDirLock>,
}

impl Ends {
    async fn open(from: &StoreConfig, to: &StoreConfig, schema: Schema) -> Result<Self, CopyError> {
        match (from, to) {
            (StoreConfig::Sqlite { path }, StoreConfig::Postgres { .. }) => exists(path)?,
            (StoreConfig::Postgres { .. }, StoreConfig::Sqlite { path }) if schema == Schema::AsItIs => exists(path)?,
            (StoreConfig::Postgres { .. }, StoreConfig::Sqlite { path }) => {
                data_folder(folder(path)).map_err(Box::new)?;
            }
            (StoreConfig::Sqlite { .. }, StoreConfig::Sqlite { .. }) => {
                return Err(CopyError::SameKind("between files use countersign backup"));
            }
            (StoreConfig::Postgres { .. }, StoreConfig::Postgres { .. }) => {
                return Err(CopyError::SameKind("between servers of PostgreSQL use pg_dump"));
            }
        }
        let files = [from, to].into_iter().filter_map(|config| match config {
            StoreConfig::Sqlite { path } => Some(path),
            StoreConfig::Postgres { .. } => None,
        });
        let locks = files.map(|path| DataDirLock::acquire(folder(path))).collect::<Result<_, _>>()?;
        let source = Store::open_with(from, Schema::AsItIs).await.map_err(at(End::Source))?;
        let target = Store::open_with(to, schema).await.map_err(at(End::Target))?;
        Ok(Self { source, target, _locks: locks })
    }

    async fn close(self) {
        self.source.close().await;
        self.target.close().await;
    }

    async fn copy(&self, tell: &mut dyn FnMut(Progress)) -> Result<Outcome, CopyError> {
        let mut frozen = freeze(&self.source, End::Source).await?;
        if !self.source.read(|tx| Box::pin(copy::is_whole(tx))).await.map_err(at(End::Source))? {
            return Err(CopyError::HalfSource);
        }
        let of = total(&mut frozen).await.map_err(at(End::Source))?;
        let mut note = self.begin().await?;
        let resumed = note.done;
        let begun = copy::all().iter().skip_while(|rows| rows.name() != note.table);
        for rows in begun.collect::<Vec<_>>() {
            let mut tell = |done| tell(Progress { phase: Phase::Copying, table: rows.name(), done, of });
            tell(note.done);
            note = self.move_table(rows, note, &mut tell).await?;
        }
        let outcome = Outcome { tables: self.compare(of, tell).await?, resumed };
        frozen.still().await.map_err(at(End::Source))?;
        if outcome.is_same() {
            let finish = self.target.write(move |tx| {
                let note = note.clone();
                Box::pin(async move { copy::finish(tx, &note).await })
            });
            finish.await.map_err(at(End::Target))?.then_some(()).ok_or(CopyError::Rival)?;
        }
        Ok(outcome)
    }

    async fn verify(&self, tell: &mut dyn FnMut(Progress)) -> Result<Outcome, CopyError> {
        let mut source = freeze(&self.source, End::Source).await?;
        let mut target = freeze(&self.target, End::Target).await?;
        if self.target.read(|tx| Box::pin(copy::begun(tx))).await.map_err(at(End::Target))?.is_some() {
            return Err(CopyError::HalfTarget);
        }
        let of = total(&mut source).await.map_err(at(End::Source))?;
        let outcome = Outcome { tables: self.compare(of, tell).await?, resumed: 0 };
        source.still().await.map_err(at(End::Source))?;
        target.still().await.map_err(at(End::Target))?;
        Ok(outcome)
    }

    /// The note of a copy that goes on, or of a new one.
    async fn begin(&self) -> Result<Note, CopyError> {
        let from = fingerprint(&self.source).await.map_err(at(End::Source))?;
        match self.target.read(|tx| Box::pin(copy::begun(tx))).await.map_err(at(End::Target))? {
            Some(note) if note.from == from => return Ok(note),
            Some(_) => return Err(CopyError::OtherCopy),
            None => {}
        }
        let table = copy::all().first().map(Rows::name).unwrap_or_default().to_owned();
        let note = Note { from, table, after: Vec::new(), done: 0 };
        let first = note.clone();
        let begin = self.target.write(move |tx| {
            let first = first.clone();
            Box::pin(async move { copy::begin(tx, &first).await })
        });
        match begin.await.map_err(at(End::Target))? {
            Some(table) => Err(CopyError::NotEmpty(table)),
            None => Ok(note),
        }
    }

    /// Copies what a table has behind the note; the note as it is then.
    async fn move_table(
        &self,
        rows: &'static Rows,
        mut note: Note,
        tell: &mut dyn FnMut(u64),
    ) -> Result<Note, CopyError> {
        let mut after = if note.table == rows.name() { note.after.clone() } else { Vec::new() };
        let mut size = LEAST;
        loop {
            let page = page(&self.source, rows, &after, size).await.map_err(at(End::Source))?;
            let Some(last) = page.last() else { return Ok(note) };
            after = rows.key(last);
            let is = Note {
                from: note.from.clone(),
                table: rows.name().to_owned(),
                after: after.clone(),
                done: note.done + page.len() as u64,
            };
            let (was, written, full) = (note, Arc::new(page), size);
            size = next_size(&written, size);
            note = is.clone();
            let count = written.len();
            let write = self.target.write(move |tx| {
                let (was, is, written) = (was.clone(), is.clone(), Arc::clone(&written));
                Box::pin(async move {
                    let mine = copy::note(tx, &was, &is).await?;
                    if mine {
                        rows.insert(tx, &written).await?;
                    }
                    Ok(mine)
                })
            });
            write.await.map_err(at(End::Target))?.then_some(()).ok_or(CopyError::Rival)?;
            failpoint::hit("copy.page");
            tell(note.done);
            if i64::try_from(count).is_ok_and(|count| count < full) {
                return Ok(note);
            }
        }
    }

    /// Reads all of both databases.
    async fn compare(&self, of: u64, tell: &mut dyn FnMut(Progress)) -> Result<Vec<Compared>, CopyError> {
        let mut done = 0;
        let mut tables = Vec::new();
        for rows in copy::all() {
            let table = rows.name();
            let mut tell = |more: u64| tell(Progress { phase: Phase::Comparing, table, done: done + more, of });
            tell(0);
            let source = digest(&self.source, rows, &mut tell).await.map_err(at(End::Source))?;
            let target = digest(&self.target, rows, &mut |_| {}).await.map_err(at(End::Target))?;
            done += source.rows;
            tables.push(Compared { table, source, target });
        }
        Ok(tables)
    }
}

fn at(end: End) -> impl Fn(StoreError) -> CopyError {
    move |error| CopyError::Store { end, error }
}

fn exists(path: &Path) -> Result<(), CopyError> {
    match fs::metadata(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(CopyError::File { path: path.to_owned(), error }),
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Freezes a database that no server uses: on SQLite the lock of its folder says so; the replicas of a PostgreSQL keep the
/// log's time going.
async fn freeze(store: &Store, end: End) -> Result<Frozen, CopyError> {
    let head = || async { store.read(|tx| Box::pin(revocations::head(tx))).await.map_err(at(end)) };
    if store.kind() == StoreKind::Postgres {
        let before = head().await?;
        tokio::time::sleep(QUIET).await;
        if head().await? != before {
            return Err(CopyError::InUse(end));
        }
    }
    store.freeze().await.map_err(at(end))
}

async fn total(frozen: &mut Frozen) -> Result<u64, StoreError> {
    let mut total = 0;
    for rows in copy::all() {
        total += u64::try_from(frozen.number(rows.count()).await?).unwrap_or(0);
    }
    Ok(total)
}

/// What a database says of itself: another one, or this one after a server has run on it, says something else.
async fn fingerprint(store: &Store) -> Result<String, StoreError> {
    let mut words = Vec::new();
    for rows in copy::all().iter().filter(|rows| matches!(rows.name(), "meta" | "rev_head")) {
        words.push(digest(store, rows, &mut |_| {}).await?.to_string());
    }
    Ok(words.join("/"))
}

async fn digest(store: &Store, rows: &'static Rows, tell: &mut dyn FnMut(u64)) -> Result<Digest, StoreError> {
    let (mut digest, mut after, mut size) = (Digest::default(), Vec::new(), LEAST);
    loop {
        let page = page(store, rows, &after, size).await?;
        rows.digest(&mut digest, &page);
        tell(digest.rows);
        let Some(last) = page.last().filter(|_| i64::try_from(page.len()).is_ok_and(|count| count >= size)) else {
            return Ok(digest);
        };
        after = rows.key(last);
        size = next_size(&page, size);
    }
}

async fn page(store: &Store, rows: &'static Rows, after: &[Value], size: i64) -> Result<Vec<Row>, StoreError> {
    let after = after.to_vec();
    let read = store.read(move |tx| {
        let after = after.clone();
        Box::pin(async move { rows.page(tx, &after, size).await })
    });
    read.await
}

/// As many rows as make a page of about the right size, judging by the last one.
fn next_size(page: &[Row], size: i64) -> i64 {
    let bytes: usize = page.iter().map(Row::size).sum();
    let each = (bytes / page.len().max(1)).max(1);
    i64::try_from(PAGE / each).unwrap_or(MOST).min(size * 4).clamp(LEAST, MOST)
}
