//! Password hashing: argon2id on a few threads of its own, behind a bounded queue.
//!
//! Hashing takes tens of milliseconds and megabytes on purpose. It must neither hold up other requests nor take all memory,
//! however many sign-ins arrive: the ceiling is threads × memory per hash, and a full queue answers [`PoolError::Busy`].

mod imported;
mod phc;
mod queue;
mod worker;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::sync::oneshot;

use imported::Imported;
pub use phc::{BadHash, MAX_ITERATIONS, MAX_MEMORY_KIB, MAX_PARALLELISM, PasswordParams};
use phc::{HASH_BYTES, Phc, SALT_BYTES};
use queue::Queue;
use worker::{Job, Shared, Worker};

use crate::{config, domain::password::Password, random::Random, telemetry};

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// No such user, no password set, or another password: nobody can tell which, not even by the time it took.
    Wrong,
    /// The password is right. `rehashed` is its new hash, to be stored, if the old one is weaker than today's parameters.
    Right { rehashed: Option<String> },
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// Too many sign-ins wait already: 503 with `Retry-After`.
    #[error("the queue for password hashing is full")]
    Busy { retry_after: Duration },
    /// Out of memory or randomness, or the server is stopping.
    #[error("password hashing failed: {0}")]
    Failed(&'static str),
}

/// The hashing threads. Dropping the pool ends them after the hash they are at.
#[derive(Debug)]
pub struct PasswordPool {
    shared: Arc<Shared>,
    threads: usize,
    jobs: AtomicU64,
}

impl PasswordPool {
    /// Starts the threads: as many as configured, else one less than the machine has cores, at least one.
    ///
    /// # Errors
    /// The system gives no thread or no randomness.
    pub fn start(config: &config::Passwords, random: Random) -> io::Result<Self> {
        let threads = match config.workers {
            0 => thread::available_parallelism().map_or(1, |cores| cores.get().saturating_sub(1).max(1)),
            threads => threads,
        };
        let pool = Self::without_threads(config, threads, random)?;
        for _ in 0..threads {
            let worker = Worker::new(Arc::clone(&pool.shared));
            thread::Builder::new().name("password".to_owned()).spawn(move || worker.run())?;
        }
        Ok(pool)
    }

    /// Hashes a password with the current parameters and a new salt: a PHC string.
    ///
    /// # Errors
    /// [`PoolError`].
    pub async fn hash(&self, password: Password) -> Result<String, PoolError> {
        let (reply, answer) = oneshot::channel();
        self.submit(Job::Hash(password, reply))?;
        telemetry::child("password.hash", answer).await.unwrap_or(Err(PoolError::Failed("the server is stopping")))
    }

    /// Checks a password against a stored PHC string. `None` (no such user, or no password set) costs as much as a wrong
    /// password. A stored string that is malformed or asks for more than the documented maxima counts as `None` and is logged.
    ///
    /// # Errors
    /// [`PoolError`].
    pub async fn verify(&self, stored: Option<String>, password: Password) -> Result<Verdict, PoolError> {
        let (reply, answer) = oneshot::channel();
        self.submit(Job::Verify(stored, password, reply))?;
        telemetry::child("password.verify", answer).await.unwrap_or(Err(PoolError::Failed("the server is stopping")))
    }

    /// Whether a hash can be checked here, whoever has made it.
    ///
    /// # Errors
    /// [`BadHash`]: it is not known, or asks for more than the documented maxima.
    pub fn knows(&self, stored: &str) -> Result<(), BadHash> {
        Stored::parse(stored, self.shared.max_memory_kib).map(|_| ())
    }

    /// Whether a job could wait now. For those who have work to do before: overload is refused early (NET-07).
    ///
    /// # Errors
    /// [`PoolError::Busy`].
    pub fn room(&self) -> Result<(), PoolError> {
        if self.waiting() < self.shared.queue.capacity() {
            return Ok(());
        }
        Err(PoolError::Busy { retry_after: self.retry_after() })
    }

    /// Jobs that wait for a thread.
    pub fn waiting(&self) -> usize {
        self.shared.queue.waiting()
    }

    /// Hashing threads.
    pub fn threads(&self) -> usize {
        self.threads
    }

    fn without_threads(config: &config::Passwords, threads: usize, random: Random) -> io::Result<Self> {
        let params = PasswordParams {
            memory_kib: config.memory_kib,
            iterations: config.iterations,
            parallelism: config.parallelism,
        };
        let salt: [u8; SALT_BYTES] = random.bytes().map_err(io::Error::other)?;
        let hash: [u8; HASH_BYTES] = random.bytes().map_err(io::Error::other)?;
        let shared = Shared {
            queue: Queue::new(config.queue),
            params,
            max_memory_kib: MAX_MEMORY_KIB.max(params.memory_kib),
            dummy: Phc { params, salt: salt.to_vec(), hash: hash.to_vec() },
            random,
            job_micros: AtomicU64::new(0),
        };
        Ok(Self { shared: Arc::new(shared), threads, jobs: AtomicU64::new(0) })
    }

    /// Jobs since the start; each costs one hash.
    pub fn jobs(&self) -> u64 {
        self.jobs.load(Ordering::Relaxed)
    }

    fn submit(&self, job: Job) -> Result<(), PoolError> {
        self.jobs.fetch_add(1, Ordering::Relaxed);
        self.shared.queue.push(job).map_err(|_| PoolError::Busy { retry_after: self.retry_after() })
    }

    /// When the jobs that wait now will be done: 1 to 30 seconds.
    fn retry_after(&self) -> Duration {
        let jobs = u64::try_from(self.waiting() / self.threads.max(1) + 1).unwrap_or(u64::MAX);
        let micros = self.shared.job_micros.load(Ordering::Relaxed).saturating_mul(jobs);
        Duration::from_secs(micros.div_ceil(1_000_000).clamp(1, 30))
    }
}

/// A hash as the store has it.
#[derive(Debug)]
enum Stored {
    Own(Phc),
    Imported(Imported),
}

impl Stored {
    fn parse(text: &str, max_memory_kib: u32) -> Result<Self, BadHash> {
        match Phc::parse(text, max_memory_kib) {
            Ok(own) => Ok(Self::Own(own)),
            Err(BadHash::Parameters) => Err(BadHash::Parameters),
            Err(BadHash::Malformed) => Imported::parse(text, max_memory_kib).map(Self::Imported),
        }
    }
}

impl Drop for PasswordPool {
    fn drop(&mut self) {
        self.shared.queue.close();
    }
}

#[cfg(test)]
mod tests;
