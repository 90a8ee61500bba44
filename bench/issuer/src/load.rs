//! The load generator. Each connection runs one job in a closed loop, or at fixed times; latencies go to one histogram
//! per lane. Everything runs on the one thread of the generator's core.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use hdrhistogram::Histogram;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, LocalSet};

use crate::http::Connection;
use crate::job::{Job, Jobs, Outcome};
use crate::plan::Span;
use crate::process;

/// Connections that are counted together.
pub struct Lane<'a> {
    pub jobs: &'a mut Jobs,
    /// `None`: the next request leaves when the reply arrived. Otherwise requests are due at these intervals, and the
    /// latency runs from the time a request was due, so that a stalled server is not spared the requests it delayed.
    pub every: Option<Duration>,
}

/// What one lane saw in the window.
pub struct Counts {
    pub done: u64,
    pub refused: u64,
    pub latency: Histogram<u64>,
}

/// The window as a whole.
pub struct Window {
    pub lanes: Vec<Counts>,
    pub wall: Duration,
    pub server_cpu: Duration,
    pub generator_cpu: Duration,
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Warm,
    Measure,
    Stop,
}

struct Recorder {
    phase: Rc<Cell<Phase>>,
    /// What requests are made of has run out: the window ends here.
    exhausted: Rc<Notify>,
    counts: RefCell<Counts>,
    failure: RefCell<Option<String>>,
}

/// Runs all lanes at once against the server with this process id.
///
/// # Errors
/// A connection that cannot be made, or any reply that is neither a success nor a refusal of overload.
pub async fn run(addr: SocketAddr, pid: u32, lanes: Vec<Lane<'_>>, span: Span) -> Result<Window> {
    let local = LocalSet::new();
    local.run_until(drive(addr, pid, lanes, span)).await
}

async fn drive(addr: SocketAddr, pid: u32, lanes: Vec<Lane<'_>>, span: Span) -> Result<Window> {
    let (phase, exhausted) = (Rc::new(Cell::new(Phase::Warm)), Rc::new(Notify::new()));
    let mut running = Vec::new();
    for lane in lanes {
        let recorder = Rc::new(Recorder::new(Rc::clone(&phase), Rc::clone(&exhausted))?);
        let mut tasks = Vec::new();
        for job in lane.jobs.drain(..) {
            let connection = Connection::open(addr).await.context("connect")?;
            tasks.push(tokio::task::spawn_local(work(connection, job, lane.every, Rc::clone(&recorder))));
        }
        running.push((lane.jobs, recorder, tasks));
    }
    tokio::time::sleep(span.warm).await;
    let before = (Instant::now(), process::cpu_time(pid)?, process::cpu_time(std::process::id())?);
    phase.set(Phase::Measure);
    tokio::select! {
        () = tokio::time::sleep(span.measure) => {}
        () = exhausted.notified() => {}
    }
    phase.set(Phase::Stop);
    let wall = before.0.elapsed();
    let server_cpu = process::cpu_time(pid)? - before.1;
    let generator_cpu = process::cpu_time(std::process::id())? - before.2;

    let mut counted = Vec::new();
    for (jobs, recorder, tasks) in running {
        collect(jobs, tasks).await?;
        if let Some(failure) = recorder.failure.take() {
            bail!("a request failed: {failure}");
        }
        let recorder = Rc::into_inner(recorder).context("a connection still runs")?;
        counted.push(recorder.counts.into_inner());
    }
    Ok(Window { lanes: counted, wall, server_cpu, generator_cpu })
}

/// Waits for the connections' last replies and puts the jobs back where they came from, in their order.
async fn collect(jobs: &mut Jobs, tasks: Vec<JoinHandle<Box<dyn Job>>>) -> Result<()> {
    for task in tasks {
        jobs.push(task.await.context("a connection's task died")?);
    }
    Ok(())
}

async fn work(
    mut connection: Connection,
    mut job: Box<dyn Job>,
    every: Option<Duration>,
    to: Rc<Recorder>,
) -> Box<dyn Job> {
    let mut due = Instant::now();
    while to.phase.get() != Phase::Stop && to.failure.borrow().is_none() {
        let since = next_start(&mut due, every).await;
        let Some(request) = job.request() else {
            to.run_out();
            break;
        };
        match connection.exchange(request).await {
            Ok(reply) => to.record(since, job.reply(&reply)),
            Err(error) => to.record(since, Outcome::Failed(error.to_string())),
        }
    }
    job
}

/// When the next request's latency begins: when it was due, if the reply before it came too late for that; otherwise now,
/// because a timer that fires late is the generator's fault and not the server's.
async fn next_start(due: &mut Instant, every: Option<Duration>) -> Instant {
    let Some(every) = every else { return Instant::now() };
    *due += every;
    if *due < Instant::now() {
        return *due;
    }
    tokio::time::sleep_until((*due).into()).await;
    Instant::now()
}

impl Recorder {
    fn new(phase: Rc<Cell<Phase>>, exhausted: Rc<Notify>) -> Result<Self> {
        // Nanoseconds from 1 µs to 1 min, within 0.1 %.
        let latency = Histogram::new_with_bounds(1_000, 60_000_000_000, 3)?;
        let counts = Counts { done: 0, refused: 0, latency };
        Ok(Self { phase, exhausted, counts: RefCell::new(counts), failure: RefCell::new(None) })
    }

    fn run_out(&self) {
        match self.phase.get() {
            Phase::Warm => *self.failure.borrow_mut() = Some("nothing was left when the window began".to_owned()),
            Phase::Measure => self.exhausted.notify_one(),
            Phase::Stop => {}
        }
    }

    fn record(&self, since: Instant, outcome: Outcome) {
        if self.phase.get() != Phase::Measure && !matches!(outcome, Outcome::Failed(_)) {
            return;
        }
        let counts = &mut *self.counts.borrow_mut();
        match outcome {
            Outcome::Done => {
                counts.done += 1;
                counts.latency.saturating_record(u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX));
            }
            Outcome::Refused => counts.refused += 1,
            Outcome::Failed(reason) => *self.failure.borrow_mut() = Some(reason),
        }
    }
}
