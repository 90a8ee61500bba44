//! A hashing thread: takes jobs, computes argon2id in memory that it keeps for the next job, lets go of it when idle.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::oneshot;

use super::{
    Imported, PasswordParams, PoolError, Stored, Verdict,
    phc::{HASH_BYTES, Phc, SALT_BYTES},
    queue::{Next, Queue},
};
use crate::{domain::password::Password, random::Random};

/// A thread that had nothing to do for this long gives its memory back.
const IDLE: Duration = Duration::from_secs(5);
/// By how much the hashing threads are less urgent than the others, of 19.
#[cfg(target_os = "linux")]
const LESS_URGENT: i32 = 5;
/// Memory is reserved (not touched) in pieces above the size from which the C library always maps it separately, so that
/// freeing it gives it back to the system instead of keeping it in a heap.
const RESERVED_BLOCKS: usize = 34 * 1024;

/// One password to hash or to check, and where the answer goes.
#[derive(Debug)]
pub(super) enum Job {
    Hash(Password, Reply<String>),
    Verify(Option<String>, Password, Reply<Verdict>),
}

type Reply<T> = oneshot::Sender<Result<T, PoolError>>;

/// What the threads and the pool share.
#[derive(Debug)]
pub(super) struct Shared {
    pub queue: Queue,
    pub params: PasswordParams,
    /// The most memory a stored hash may ask for, KiB.
    pub max_memory_kib: u32,
    /// Stands for the hash of users that do not exist or have none: no password matches it.
    pub dummy: Phc,
    pub random: Random,
    /// How long a job takes, microseconds, averaged over the last few.
    pub job_micros: AtomicU64,
}

/// One thread's state.
pub(super) struct Worker {
    shared: Arc<Shared>,
    memory: Vec<Block>,
}

impl Worker {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, memory: Vec::new() }
    }

    /// Works until the queue is closed.
    pub(super) fn run(mut self) {
        step_back();
        loop {
            let patience = Some(IDLE).filter(|_| self.memory.capacity() > 0);
            match self.shared.queue.next(patience) {
                Next::Job(job) => self.measure(job),
                Next::Idle => self.memory = Vec::new(),
                Next::Closed => return,
            }
        }
    }

    fn measure(&mut self, job: Job) {
        #[expect(clippy::disallowed_methods, reason = "an interval, measured where the work is done")]
        let start = Instant::now();
        if !self.work(job) {
            return;
        }
        let took = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
        let before = self.shared.job_micros.load(Ordering::Relaxed);
        let average = if before == 0 { took } else { before - before / 8 + took / 8 };
        self.shared.job_micros.store(average, Ordering::Relaxed);
    }

    /// Does one job, unless its request has gone away; false if so.
    pub(super) fn work(&mut self, job: Job) -> bool {
        match job {
            Job::Hash(_, reply) if reply.is_closed() => return false,
            Job::Verify(_, _, reply) if reply.is_closed() => return false,
            Job::Hash(password, reply) => {
                let result = self.guarded(|worker| worker.hash(&password));
                // The request may have gone away during the work.
                let _ = reply.send(result);
            }
            Job::Verify(stored, password, reply) => {
                let result = self.guarded(|worker| worker.verify(stored.as_deref(), &password));
                let _ = reply.send(result);
            }
        }
        self.shrink();
        true
    }

    /// A panic ends one job, not the thread.
    fn guarded<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, PoolError>) -> Result<T, PoolError> {
        catch_unwind(AssertUnwindSafe(|| work(self))).unwrap_or(Err(PoolError::Failed("hashing panicked")))
    }

    fn hash(&mut self, password: &Password) -> Result<String, PoolError> {
        let salt: [u8; SALT_BYTES] = self.shared.random.bytes().map_err(|_| PoolError::Failed("no randomness"))?;
        let mut hash = vec![0; HASH_BYTES];
        let params = self.shared.params;
        self.compute(params, password, &salt, &mut hash)?;
        Ok(Phc { params, salt: salt.to_vec(), hash }.to_string())
    }

    fn verify(&mut self, stored: Option<&str>, password: &Password) -> Result<Verdict, PoolError> {
        let shared = Arc::clone(&self.shared);
        let parsed = stored.and_then(|text| match Stored::parse(text, shared.max_memory_kib) {
            Ok(Stored::Own(phc)) => Some(Ok(phc)),
            Ok(Stored::Imported(imported)) => Some(Err(imported)),
            Err(reason) => {
                tracing::error!(%reason, "a stored password hash cannot be used; its user cannot sign in");
                None
            }
        });
        let own = match parsed {
            Some(Err(imported)) => return self.verify_imported(&imported, password),
            Some(Ok(phc)) => Some(phc),
            None => None,
        };
        let phc = own.as_ref().unwrap_or(&shared.dummy);
        let right = self.is_of(Algorithm::Argon2id, phc, password)?;
        if !(right && own.is_some()) {
            self.make_up(phc.params, password)?;
            return Ok(Verdict::Wrong);
        }
        let weak = phc.params.weaker_than(shared.params) || phc.hash.len() < HASH_BYTES || phc.salt.len() < SALT_BYTES;
        Ok(Verdict::Right { rehashed: if weak { Some(self.hash(password)?) } else { None } })
    }

    /// A right password gets a hash of ours. A wrong one costs as much on top, so that it never costs less than no user does; that it
    /// may cost more, as long as the other program's hash is there, is written down.
    fn verify_imported(&mut self, imported: &Imported, password: &Password) -> Result<Verdict, PoolError> {
        let right = match imported {
            Imported::Argon2i(phc) => self.is_of(Algorithm::Argon2i, phc, password)?,
            Imported::Argon2id(phc) => self.is_of(Algorithm::Argon2id, phc, password)?,
            other => other.matches(password),
        };
        let new = self.hash(password)?;
        Ok(if right { Verdict::Right { rehashed: Some(new) } } else { Verdict::Wrong })
    }

    fn is_of(&mut self, algorithm: Algorithm, phc: &Phc, password: &Password) -> Result<bool, PoolError> {
        let mut hash = vec![0; phc.hash.len()];
        self.compute_as(algorithm, phc.params, password, (&phc.salt, &mut hash))?;
        Ok(aws_lc_rs::constant_time::verify_slices_are_equal(&hash, &phc.hash).is_ok())
    }

    /// A wrong password against an old, cheaper hash takes as long as against none: else the time would tell who exists.
    fn make_up(&mut self, used: PasswordParams, password: &Password) -> Result<(), PoolError> {
        let Some(missing) = used.missing_to(self.shared.params) else { return Ok(()) };
        self.compute(missing, password, &[0; SALT_BYTES], &mut [0; HASH_BYTES])
    }

    fn compute(
        &mut self,
        params: PasswordParams,
        password: &Password,
        salt: &[u8],
        out: &mut [u8],
    ) -> Result<(), PoolError> {
        self.compute_as(Algorithm::Argon2id, params, password, (salt, out))
    }

    fn compute_as(
        &mut self,
        algorithm: Algorithm,
        params: PasswordParams,
        password: &Password,
        (salt, out): (&[u8], &mut [u8]),
    ) -> Result<(), PoolError> {
        let PasswordParams { memory_kib, iterations, parallelism } = params;
        let params = Params::new(memory_kib, iterations, parallelism, Some(out.len()))
            .map_err(|_| PoolError::Failed("argon2 refuses the parameters"))?;
        let memory = self.memory(params.block_count())?;
        Argon2::new(algorithm, Version::V0x13, params)
            .hash_password_into_with_memory(password.expose().as_bytes(), salt, out, memory)
            .map_err(|_| PoolError::Failed("argon2 failed"))
    }

    /// At least `blocks` blocks of 1 KiB; what lies in them does not matter, argon2 writes before it reads.
    fn memory(&mut self, blocks: usize) -> Result<&mut [Block], PoolError> {
        if self.memory.len() < blocks {
            if self.memory.capacity() < blocks {
                self.memory = Vec::new();
                self.memory
                    .try_reserve_exact(blocks.max(RESERVED_BLOCKS))
                    .map_err(|_| PoolError::Failed("no memory for hashing"))?;
            }
            self.memory.resize(blocks, Block::new());
        }
        Ok(&mut self.memory[..blocks])
    }

    /// Keeps no more than the current parameters need.
    fn shrink(&mut self) {
        if self.memory.len() > usize::try_from(self.shared.params.memory_kib).unwrap_or(usize::MAX) {
            self.memory = Vec::new();
        }
    }

    #[cfg(test)]
    pub(super) fn kept_kib(&self) -> usize {
        self.memory.len()
    }
}

/// Lets every other thread go first: on a busy machine sign-ins wait, refreshes and keys do not (NET-07).
fn step_back() {
    // On Linux this is a thread's own; elsewhere it would be the whole process's.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(LESS_URGENT) {
        tracing::warn!(%error, "the hashing threads could not lower their priority");
    }
}
