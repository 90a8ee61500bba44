use std::{future::Future, pin::pin, task::Context};

use super::{queue::Next, *};
use crate::secret::PlainSecret;

const SMALL: config::Passwords =
    config::Passwords { min_length: 15, memory_kib: 64, iterations: 2, parallelism: 1, workers: 1, queue: 3 };

fn password(text: &str) -> Password {
    Password::new(&PlainSecret::new(text.to_owned())).unwrap()
}

/// A pool whose jobs are done by the test itself, step by step.
fn manual(config: &config::Passwords) -> (PasswordPool, Worker) {
    let pool = PasswordPool::without_threads(config, 1, Random).unwrap();
    let worker = Worker::new(Arc::clone(&pool.shared));
    (pool, worker)
}

fn step(pool: &PasswordPool, worker: &mut Worker) -> bool {
    let Next::Job(job) = pool.shared.queue.next(Some(Duration::ZERO)) else { panic!("no job waits") };
    worker.work(job)
}

/// Lets a request go as far as it can without waiting.
fn poll<T>(request: std::pin::Pin<&mut impl Future<Output = T>>) -> Option<T> {
    match request.poll(&mut Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(value) => Some(value),
        std::task::Poll::Pending => None,
    }
}

// LOG-01: argon2id, PHC string with the configured parameters, a salt of its own for each.
#[tokio::test]
async fn hashes_and_verifies() {
    let pool = PasswordPool::start(&SMALL, Random).unwrap();
    let first = pool.hash(password("correct horse battery")).await.unwrap();
    let second = pool.hash(password("correct horse battery")).await.unwrap();
    assert!(first.starts_with("$argon2id$v=19$m=64,t=2,p=1$"), "{first}");
    assert_ne!(first, second);
    for stored in [first.clone(), second] {
        let right = pool.verify(Some(stored), password("correct horse battery")).await.unwrap();
        assert_eq!(right, Verdict::Right { rehashed: None });
    }
    assert_eq!(pool.verify(Some(first), password("correct horse batterx")).await.unwrap(), Verdict::Wrong);
}

// LOG-01: the reference implementation's own vector (phc-winner-argon2, test.c: t=2, m=65536, p=1).
#[tokio::test]
async fn agrees_with_the_reference_implementation() {
    let pool = PasswordPool::start(&SMALL, Random).unwrap();
    let stored = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    let verdict = pool.verify(Some(stored.to_owned()), password("password")).await.unwrap();
    assert!(matches!(verdict, Verdict::Right { .. }));
}

// LOG-01: a hash weaker than today's parameters comes back renewed; the new one is right and stays.
#[tokio::test]
async fn weak_hashes_are_renewed_at_the_next_sign_in() {
    let old = PasswordPool::start(&config::Passwords { memory_kib: 16, iterations: 1, ..SMALL }, Random).unwrap();
    let weak = old.hash(password("correct horse battery")).await.unwrap();
    let pool = PasswordPool::start(&SMALL, Random).unwrap();
    assert_eq!(pool.verify(Some(weak.clone()), password("wrong")).await.unwrap(), Verdict::Wrong);
    let Verdict::Right { rehashed: Some(new) } =
        pool.verify(Some(weak), password("correct horse battery")).await.unwrap()
    else {
        panic!("the weak hash was not renewed")
    };
    assert!(new.contains("m=64,t=2"), "{new}");
    let again = pool.verify(Some(new), password("correct horse battery")).await.unwrap();
    assert_eq!(again, Verdict::Right { rehashed: None });
}

// LOG-01: what another program has made is replaced at the next sign-in, whatever it cost.
#[tokio::test]
async fn hashes_of_other_programs_are_replaced_at_the_next_sign_in() {
    let pool = PasswordPool::start(&SMALL, Random).unwrap();
    let stored = [
        "$argon2i$v=19$m=4096,t=2,p=1$ak2aXAq9/mJZMDu39wQ6nw$oLadvlmDVGC15WWKhL/nGy+Zc63lZqJ5ZIiryjJuSUk",
        "argon2$argon2id$v=19$m=102400,t=2,p=8$VVU1eU9YYXlPelJ3eHM0akJhUnNaVw$QeivhDgiLPQQA0iRcevGK26+bMstcYsPHX8OU8SJs/M",
        "$2b$05$kGfHaSfejNlzErsnCII6iOycOZX.8tzLJ3rsM2G8wmCPPELUIoE/C",
    ];
    for stored in stored.map(str::to_owned) {
        pool.knows(&stored).unwrap();
        assert_eq!(pool.verify(Some(stored.clone()), password("wrong")).await.unwrap(), Verdict::Wrong);
        let right = pool.verify(Some(stored.clone()), password("correct horse battery staple ü")).await.unwrap();
        let Verdict::Right { rehashed: Some(new) } = right else { panic!("{stored} was not replaced") };
        assert!(new.starts_with("$argon2id$v=19$m=64,t=2,p=1$"), "{new}");
    }
    assert_eq!(pool.knows("md5$salt$5f4dcc3b5aa765d61d8327deb882cf99"), Err(BadHash::Malformed));
}

// LOG-05: nobody, no password and an unusable hash are a wrong password, after the same amount of work.
#[test]
fn an_unknown_user_costs_a_full_hash() {
    let hostile = "$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHRzb21lc2E$RdescudvJCsgt3ub+b4dWRWJTmaaJObG";
    for stored in [None, Some(hostile.to_owned()), Some("plain".to_owned())] {
        let (pool, mut worker) = manual(&SMALL);
        let mut request = pin!(pool.verify(stored, password("whatever it may be")));
        assert!(poll(request.as_mut()).is_none());
        assert_eq!(worker.kept_kib(), 0);
        assert!(step(&pool, &mut worker));
        assert_eq!(poll(request), Some(Ok(Verdict::Wrong)));
        assert_eq!(worker.kept_kib(), 64, "the memory of one full hash was used, and no more");
    }
}

// LOG-08: bounded queue; full is Busy with a time, and the slot is the job's, not the request's.
#[test]
fn a_full_queue_is_busy_and_a_dropped_request_frees_nothing_early() {
    let (pool, mut worker) = manual(&SMALL);
    {
        let mut requests: Vec<_> = (0..3).map(|_| Box::pin(pool.verify(None, password("guess")))).collect();
        for request in &mut requests {
            assert!(poll(request.as_mut()).is_none());
        }
        let refused = poll(pin!(pool.verify(None, password("guess"))));
        assert_eq!(refused, Some(Err(PoolError::Busy { retry_after: Duration::from_secs(1) })));
    }
    // All three requests have gone away: their jobs still hold the queue, and a thread passes over them without work.
    assert_eq!(pool.waiting(), 3);
    assert!(matches!(pool.room(), Err(PoolError::Busy { .. })));
    assert!(matches!(poll(pin!(pool.hash(password("guess")))), Some(Err(PoolError::Busy { .. }))));
    for _ in 0..3 {
        assert!(!step(&pool, &mut worker));
    }
    assert_eq!((pool.waiting(), worker.kept_kib(), pool.room()), (0, 0, Ok(())));
    assert!(poll(pin!(pool.hash(password("guess")))).is_none());
}

// LOG-08: memory ceiling. One thread keeps one hash's memory, also after a stored hash that needed more.
#[test]
fn a_thread_keeps_the_memory_of_one_hash() {
    let (big, mut big_worker) = manual(&config::Passwords { memory_kib: 1024, ..SMALL });
    let mut request = pin!(big.hash(password("correct horse battery")));
    assert!(poll(request.as_mut()).is_none());
    step(&big, &mut big_worker);
    let stored = poll(request).unwrap().unwrap();

    let (pool, mut worker) = manual(&SMALL);
    let mut request = pin!(pool.verify(Some(stored), password("correct horse battery")));
    assert!(poll(request.as_mut()).is_none());
    step(&pool, &mut worker);
    assert!(matches!(poll(request), Some(Ok(Verdict::Right { rehashed: None }))));
    assert!(worker.kept_kib() <= 64);
}

// LOG-08: a stopping server answers the sign-ins that wait.
#[test]
fn closing_answers_those_who_wait() {
    let (pool, _worker) = manual(&SMALL);
    let mut request = pin!(pool.hash(password("correct horse battery")));
    assert!(poll(request.as_mut()).is_none());
    pool.shared.queue.close();
    assert_eq!(poll(request), Some(Err(PoolError::Failed("the server is stopping"))));
    assert!(matches!(pool.shared.queue.next(None), Next::Closed));
}

#[test]
fn retry_after_grows_with_the_queue() {
    let (pool, _worker) = manual(&config::Passwords { queue: 100, ..SMALL });
    pool.shared.job_micros.store(500_000, Ordering::Relaxed);
    let mut requests: Vec<_> = (0..9).map(|_| Box::pin(pool.verify(None, password("guess")))).collect();
    for request in &mut requests {
        assert!(poll(request.as_mut()).is_none());
    }
    assert_eq!(pool.retry_after(), Duration::from_secs(5));
}
