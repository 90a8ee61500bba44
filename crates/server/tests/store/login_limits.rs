//! Failed sign-ins per account.

use std::time::Duration;

use countersign_server::{
    domain::{
        limits::{AccountLimit, account_key},
        time::Timestamp,
    },
    store::{
        Store,
        login_limits::{self, Attempt},
    },
};

use crate::both_databases;

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);
const LIMIT: AccountLimit = AccountLimit { free: 5 };

async fn attempt(store: &Store, email: &str, now: Timestamp) -> Attempt {
    let account = account_key("default", email);
    write!(store, [account], |tx| login_limits::count(tx, &account, LIMIT, now))
}

both_databases! {
    // LOG-06: the statement computes what the rule says, for existing and unknown accounts alike.
    async fn delays_follow_the_rule(store: Store) {
        let mut now = NOW;
        for failures in 1..=20_u32 {
            assert_eq!(attempt(&store, "nobody@example.com", now).await, Attempt::Counted { failures: failures.into() });
            let delay = LIMIT.delay_after(failures);
            if delay > Duration::ZERO {
                let early = attempt(&store, "nobody@example.com", now.plus(delay / 4)).await;
                assert_eq!(early, Attempt::TooEarly { retry_after: delay - delay / 4 }, "after {failures}");
            }
            now = now.plus(delay);
        }
        assert_eq!(attempt(&store, "other@example.com", NOW).await, Attempt::Counted { failures: 1 });
    }

    // LOG-06: a right password ends the delays.
    async fn success_starts_afresh(store: Store) {
        for _ in 0..5 {
            attempt(&store, "ada@example.com", NOW).await;
        }
        assert!(matches!(attempt(&store, "ada@example.com", NOW).await, Attempt::TooEarly { .. }));
        let account = account_key("default", "ada@example.com");
        write!(store, [account], |tx| login_limits::reset(tx, &account));
        assert_eq!(attempt(&store, "ada@example.com", NOW).await, Attempt::Counted { failures: 1 });
    }

    // LOG-08: an attempt that found the hashing threads busy was no attempt.
    async fn an_attempt_that_was_not_looked_at_is_taken_back(store: Store) {
        let account = account_key("default", "ada@example.com");
        for _ in 0..9 {
            attempt(&store, "ada@example.com", NOW).await;
            write!(store, [account], |tx| login_limits::give_back(tx, &account));
        }
        let mut now = NOW;
        for failures in 1..=8_u32 {
            assert_eq!(attempt(&store, "ada@example.com", now).await, Attempt::Counted { failures: failures.into() });
            now = now.plus(LIMIT.delay_after(failures));
        }
        write!(store, [account], |tx| login_limits::give_back(tx, &account));
        now = now.plus(Duration::from_secs(1));
        assert_eq!(attempt(&store, "ada@example.com", now).await, Attempt::Counted { failures: 8 });
        let early = attempt(&store, "ada@example.com", now).await;
        assert_eq!(early, Attempt::TooEarly { retry_after: LIMIT.delay_after(8) });
    }

    // LOG-07: however many guesses arrive together, no more than the free ones are looked at.
    async fn guesses_at_the_same_time_are_counted_one_by_one(store: Store) {
        let tasks: Vec<_> = (0..40)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { attempt(&store, "ada@example.com", NOW).await })
            })
            .collect();
        let mut counted = Vec::new();
        for task in tasks {
            if let Attempt::Counted { failures } = task.await.unwrap() {
                counted.push(failures);
            }
        }
        counted.sort_unstable();
        assert_eq!(counted, [1, 2, 3, 4, 5]);
    }

    // I-6: a clock that was set back does not lock anybody out.
    async fn a_backward_clock_locks_nobody_out(store: Store) {
        for _ in 0..5 {
            attempt(&store, "ada@example.com", NOW).await;
        }
        let earlier = Timestamp::from_secs(1_700_000_000);
        assert_eq!(attempt(&store, "ada@example.com", earlier).await, Attempt::Counted { failures: 6 });
    }

    // NET-06: counts of accounts at which nobody tries any more do not pile up; they go a few at a time, the oldest first.
    async fn old_counts_are_purged(store: Store) {
        let minute = Duration::from_mins(1);
        for (at, email) in [(0, "a@example.com"), (1, "b@example.com"), (2, "c@example.com"), (9, "new@example.com")] {
            attempt(&store, email, NOW.plus(minute * at)).await;
        }
        let before = NOW.plus(minute * 9);
        for removed in [2, 1, 0] {
            assert_eq!(write!(store, [], |tx| login_limits::purge(tx, before, 2)), removed);
        }
        assert_eq!(attempt(&store, "new@example.com", before).await, Attempt::Counted { failures: 2 });
        assert_eq!(attempt(&store, "a@example.com", before).await, Attempt::Counted { failures: 1 });
    }
}
