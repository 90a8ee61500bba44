//! The one task that reads the log and signs it. It looks when this process has committed something, and every 50 ms for
//! what other replicas have.

use std::{future::Future, mem, sync::Arc, time::Duration};

use tokio::{
    sync::Notify,
    task::JoinHandle,
    time::{MissedTickBehavior, interval, sleep},
};
use tracing::{debug, error, warn};

use super::{chain::Voice, hub::Hub, line::Line};
use crate::{
    app::App,
    domain::{
        feed::{LINE_ENTRIES, rewrite},
        rsn::Rsn,
        time::Timestamp,
    },
    keys::KeyRingError,
    store::{
        StoreError, StoreKind,
        revocations::{self, FeedPage},
    },
};

/// How often the head is read when nobody says that there is news.
const POLL: Duration = Duration::from_millis(50);
/// Polls without a newer time after which one is shown as soon as there is one: a heartbeat every 200 ms at the latest.
const QUIET: u32 = 3;
/// Polls after which this replica raises the time itself (200 ms), if no other has.
const DUE: u32 = 4;
/// How far `t` moves while the database's clock is behind it; less than the time between two ticks.
const STEP: Duration = Duration::from_millis(100);
/// The shortest time between two lines with news.
const SPACING: Duration = Duration::from_millis(20);
/// A database that takes longer is not heard.
const SLOW: Duration = Duration::from_secs(1);
/// How long readers have to read the end of their streams.
const FAREWELL: Duration = Duration::from_secs(5);

/// Publishes the feed until told to stop, then ends every stream.
pub async fn publish(app: App, stop: impl Future<Output = ()>) {
    let hub = Arc::clone(&app.feed);
    tokio::select! {
        () = stop => {}
        () = Publisher::new(app).run() => {}
    }
    close(&hub).await;
}

/// Ends every stream in good order; who does not read is cut off.
pub async fn close(hub: &Hub) {
    hub.close();
    let gone = async {
        while hub.view().readers > 0 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(FAREWELL, gone).await.is_err() {
        hub.cut_all();
    }
}

/// Why a round did not come to its end. The next one tries again.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Keys(#[from] KeyRingError),
    #[error("a line cannot be signed: {0}")]
    Sign(#[from] countersign_jose::Error),
}

/// What the last line said.
#[derive(Debug, Clone, Copy)]
struct At {
    head: Rsn,
    floor: Rsn,
    t: Timestamp,
}

type Tidied = Result<Vec<Arc<Line>>, countersign_jose::Error>;

struct Publisher {
    app: App,
    hub: Arc<Hub>,
    at: Option<At>,
    /// Polls since `t` was last seen to move.
    quiet: u32,
    in_trouble: bool,
    ticking: Option<JoinHandle<()>>,
    ticked: Arc<Notify>,
    /// How many lines are being written anew, and what becomes of them.
    tidying: Option<(usize, JoinHandle<Tidied>)>,
}

impl Publisher {
    fn new(app: App) -> Self {
        let hub = Arc::clone(&app.feed);
        let ticked = Arc::new(Notify::new());
        Self { app, hub, at: None, quiet: DUE, in_trouble: false, ticking: None, ticked, tidying: None }
    }

    async fn run(mut self) {
        let mut polls = interval(POLL);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = polls.tick() => self.quiet += 1,
                () = self.app.store.appended() => {}
                () = self.ticked.notified() => {}
            }
            match self.round().await {
                Ok(news) => {
                    if mem::take(&mut self.in_trouble) {
                        warn!("the revocation feed goes on");
                    }
                    if news {
                        sleep(SPACING).await;
                    }
                }
                Err(trouble) => {
                    self.hub.darken();
                    if !mem::replace(&mut self.in_trouble, true) {
                        error!(%trouble, "the revocation feed stands still; trying again");
                    }
                }
            }
        }
    }

    /// Reads once and says what is new. True if there was more than the time.
    async fn round(&mut self) -> Result<bool, Trouble> {
        let voice = self.voice()?;
        let Some(at) = self.at else {
            self.load(&voice).await?;
            return Ok(false);
        };
        let page = self.page(at.head).await?;
        if page.head < at.head {
            error!(before = %at.head, now = %page.head, "the database has lost revocations that it had committed");
            self.load(&voice).await?;
            return Ok(true);
        }
        let t = page.t;
        let news = page.head > at.head || page.floor != at.floor;
        if news {
            self.tell(&voice, at.head, page).await?;
        } else if t > at.t && self.quiet >= QUIET {
            self.hub.publish(Arc::new(voice.heartbeat(page.head, page.floor, t)?));
            self.moved(At { head: page.head, floor: page.floor, t });
            self.tidy(&voice).await?;
        }
        self.tick_if_due(t);
        Ok(news)
    }

    /// The whole feed, from the beginning of the log.
    async fn load(&mut self, voice: &Voice) -> Result<(), Trouble> {
        self.tidying = None;
        let (mut lines, mut head) = (Vec::new(), Rsn::default());
        loop {
            let page = self.page(head).await?;
            if page.head > head {
                let line = voice.page(head, &page, true)?;
                head = line.head;
                lines.push(Arc::new(line));
            }
            if !page.more {
                let latest = voice.heartbeat(page.head, page.floor, page.t)?;
                self.hub.restart(lines, Arc::new(latest));
                self.moved(At { head: page.head, floor: page.floor, t: page.t });
                return Ok(());
            }
        }
    }

    /// News, in as many lines as it takes; only the last says that the feed is complete.
    async fn tell(&mut self, voice: &Voice, mut head: Rsn, mut page: FeedPage) -> Result<(), Trouble> {
        loop {
            let line = voice.page(head, &page, false)?;
            head = line.head;
            self.hub.publish(Arc::new(line));
            self.moved(At { head, floor: page.floor, t: page.t });
            if !page.more {
                return Ok(());
            }
            page = self.page(head).await?;
        }
    }

    fn moved(&mut self, at: At) {
        if self.at.is_some_and(|before| at.t > before.t) {
            self.quiet = 0;
        }
        self.at = Some(at);
    }

    fn voice(&self) -> Result<Voice, Trouble> {
        let key = self.app.ring.snapshot().feed_signer()?;
        Ok(Voice { issuer: Arc::from(self.app.config.issuer.as_str()), key })
    }

    async fn page(&self, after: Rsn) -> Result<FeedPage, StoreError> {
        // Before the snapshot: where the process's clock is the tick, everything committed by then is in it.
        let now = self.app.steady_now();
        let limit = u32::try_from(LINE_ENTRIES).unwrap_or(u32::MAX);
        let read = self.app.store.read(move |tx| Box::pin(revocations::feed_page(tx, now, after, limit)));
        tokio::pin!(read);
        tokio::select! {
            page = &mut read => return page,
            () = sleep(SLOW) => self.hub.darken(),
        }
        read.await
    }

    /// Raises `t` in the database, beside the reading: a write may wait where reads do not.
    fn tick_if_due(&mut self, seen: Timestamp) {
        let busy = self.ticking.as_ref().is_some_and(|ticking| !ticking.is_finished());
        if self.app.store.kind() == StoreKind::Sqlite || self.quiet < DUE || busy {
            return;
        }
        let (app, ticked) = (self.app.clone(), Arc::clone(&self.ticked));
        self.ticking = Some(tokio::spawn(async move {
            let now = app.clock.now();
            match app.store.write(move |tx| Box::pin(revocations::tick(tx, now, seen, STEP))).await {
                Ok(_) => ticked.notify_one(),
                Err(error) => debug!(%error, "the feed's time could not be raised"),
            }
        }));
    }

    /// Joins and renews lines (`domain/feed.rs`) on a thread of its own: a large feed takes a while to sign.
    async fn tidy(&mut self, voice: &Voice) -> Result<(), Trouble> {
        if let Some((count, work)) = self.tidying.take() {
            if !work.is_finished() {
                self.tidying = Some((count, work));
                return Ok(());
            }
            if let Ok(tidied) = work.await {
                self.hub.replace(count, tidied?);
            }
        }
        let (lines, now) = (self.hub.lines(), self.at.map_or(Timestamp::default(), |at| at.t));
        let extents: Vec<_> = lines.iter().map(|line| line.extent(voice.key.kid())).collect();
        let runs = rewrite(&extents, now.secs());
        if !runs.is_empty() {
            let voice = voice.clone();
            let count = lines.len();
            self.tidying = Some((count, tokio::task::spawn_blocking(move || voice.rewrite(&lines, &runs, now))));
        }
        Ok(())
    }
}
