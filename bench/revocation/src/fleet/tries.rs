//! One token, tried at every verifier again and again: what came, and when.

use std::{cell::RefCell, future::Future, time::Duration};

use countersign_verify::{Rejection, Verifier};
use serde::{Deserialize, Serialize};

use crate::time;

/// Between two tries at one verifier.
const PAUSE: Duration = Duration::from_millis(1);

/// What came from one verifier. Times are nanoseconds of the shared clock.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Tries {
    pub tries: u64,
    /// When the last try began that was accepted before the verifier first answered that it cannot tell.
    pub last_accepted: Option<u64>,
    /// When it first answered that it cannot tell (a service answers 503).
    pub unable: Option<u64>,
    /// When it first could tell again.
    pub able: Option<u64>,
    /// When it first answered that the token is revoked.
    pub revoked: Option<u64>,
    /// How often the token was accepted after that.
    pub revived: u64,
    /// Answers that nothing explains.
    pub odd: u64,
}

impl Tries {
    fn note<T>(&mut self, began: u64, came: u64, answer: &Result<T, Rejection>) {
        self.tries += 1;
        if !matches!(answer, Err(Rejection::Stale { .. })) && self.unable.is_some() {
            self.able = self.able.or(Some(came));
        }
        match answer {
            Ok(_) => {
                self.revived += u64::from(self.revoked.is_some());
                if self.unable.is_none() {
                    self.last_accepted = Some(began);
                }
            }
            Err(Rejection::Stale { .. }) => self.unable = self.unable.or(Some(came)),
            Err(Rejection::Revoked { .. }) => self.revoked = self.revoked.or(Some(came)),
            Err(_) => self.odd += 1,
        }
    }
}

/// Tries until `stop`.
pub async fn until(stop: impl Future<Output = ()>, verifiers: &[Verifier], token: &str) -> Vec<Tries> {
    let seen = RefCell::new(vec![Tries::default(); verifiers.len()]);
    let trying = async {
        loop {
            for (verifier, seen) in verifiers.iter().zip(seen.borrow_mut().iter_mut()) {
                let began = time::now();
                let answer = verifier.verify(token);
                seen.note(began, time::now(), &answer);
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::select! {
        () = stop => {}
        () = trying => {}
    }
    seen.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_accepted_counts_from_when_it_was_asked() {
        let stale = || Rejection::Stale { age: PAUSE, bound: PAUSE };
        let mut seen = Tries::default();
        seen.note(1, 2, &Ok(()));
        seen.note(3, 4, &Ok(()));
        seen.note(5, 6, &Err::<(), _>(stale()));
        seen.note(7, 8, &Err::<(), _>(stale()));
        seen.note(9, 10, &Ok(()));
        seen.note(11, 12, &Err::<(), _>(Rejection::NotReady { retry_after: 1, cause: String::new() }));
        assert_eq!((seen.last_accepted, seen.unable, seen.able), (Some(3), Some(6), Some(10)));
        assert_eq!((seen.tries, seen.revived, seen.odd), (6, 0, 1));
    }
}
