//! `rsn`: positions in the revocation log, and the rules by which authority carries them (revocation rules R1 to R3).
//!
//! The log head is read **before** the state that it stands for. Whatever happens between the two reads then carries a
//! higher number than the authority that missed it, and a verifier can tell.

use std::fmt;

/// A position in the revocation log: microseconds of the database's clock that never run backwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Rsn(i64);

impl Rsn {
    pub const fn new(position: i64) -> Self {
        Self(position)
    }

    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Rsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The `min_rsn` of everybody a session hangs on: sessions and tokens with a smaller number are dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MinRsn {
    pub user: Rsn,
    pub client: Rsn,
    pub tenant: Rsn,
}

impl MinRsn {
    /// The strictest of them wins (RLO-09).
    pub fn highest(self) -> Rsn {
        self.user.max(self.client).max(self.tenant)
    }
}

/// The `token_rsn` of user and client: *tokens* with a smaller number are dead, sessions live on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenRsn {
    pub user: Rsn,
    pub client: Rsn,
}

/// R1: the number that a sign-in carries. `head` was read when the ceremony started; `min_rsn` of the user came with the
/// credentials, in one read. Kept through everything that follows, and never raised.
pub fn of_sign_in(head: Rsn, min_rsn: Rsn) -> Rsn {
    head.max(min_rsn)
}

/// R2: may authority of this number still be used? Asked at each refresh by the statement, and again after its commit.
pub fn stands(auth_rsn: Rsn, min_rsn: MinRsn) -> bool {
    auth_rsn >= min_rsn.highest()
}

/// R3: the number of an access token. `head` was read before the rotation or redemption statement; `token_rsn` comes from
/// the one snapshot after it, which also gave the roles and answered R2 again. Never the maximum with `min_rsn`: that
/// would lift a token over the very revocation that should kill it.
pub fn of_token(head: Rsn, auth_rsn: Rsn, token_rsn: TokenRsn) -> Rsn {
    head.max(auth_rsn).max(token_rsn.user).max(token_rsn.client)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strictest_min_rsn_wins() {
        // RLO-09
        let all = |user, client, tenant| MinRsn { user: Rsn(user), client: Rsn(client), tenant: Rsn(tenant) };
        assert!(stands(Rsn(5), all(5, 0, 0)));
        for min_rsn in [all(6, 0, 0), all(0, 6, 0), all(0, 0, 6)] {
            assert!(!stands(Rsn(5), min_rsn));
        }
    }

    #[test]
    fn a_token_is_as_new_as_what_it_was_checked_against() {
        let soft = TokenRsn { user: Rsn(20), client: Rsn(10) };
        assert_eq!(of_token(Rsn(5), Rsn(7), soft), Rsn(20));
        assert_eq!(of_token(Rsn(30), Rsn(7), soft), Rsn(30));
        assert_eq!(of_sign_in(Rsn(3), Rsn(4)), Rsn(4));
    }
}
