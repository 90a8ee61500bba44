//! Whether an access token still stands: the same question that a verifier answers from the feed, answered from the store.

use super::rsn::{MinRsn, Rsn, TokenRsn};

/// What the store says about the authority behind a token, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// The token itself, its session, its user or its client has ended or is disabled.
    pub over: bool,
    /// Everything below is dead.
    pub floor: Rsn,
    pub min_rsn: MinRsn,
    pub token_rsn: TokenRsn,
}

impl Standing {
    /// Whether a token of this number stands (revocation rule R4).
    pub fn holds(&self, rsn: Rsn) -> bool {
        let marks = [self.floor, self.min_rsn.highest(), self.token_rsn.user, self.token_rsn.client];
        !self.over && marks.into_iter().all(|mark| rsn >= mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_counts() {
        // I12, RLO-09
        let at = Rsn::new(10);
        assert!(Standing::default().holds(Rsn::new(0)));
        let marks = [
            Standing { floor: at, ..Standing::default() },
            Standing { min_rsn: MinRsn { user: at, ..MinRsn::default() }, ..Standing::default() },
            Standing { min_rsn: MinRsn { client: at, ..MinRsn::default() }, ..Standing::default() },
            Standing { min_rsn: MinRsn { tenant: at, ..MinRsn::default() }, ..Standing::default() },
            Standing { token_rsn: TokenRsn { user: at, ..TokenRsn::default() }, ..Standing::default() },
            Standing { token_rsn: TokenRsn { client: at, ..TokenRsn::default() }, ..Standing::default() },
        ];
        for standing in marks {
            assert!(standing.holds(at) && !standing.holds(Rsn::new(9)), "{standing:?}");
        }
        assert!(!Standing { over: true, ..Standing::default() }.holds(at));
    }
}
