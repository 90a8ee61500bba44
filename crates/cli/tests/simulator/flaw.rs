//! Rules that can be left out, to see that the simulation notices.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// The product's rules.
    None,
    /// A parent shares its successor for ever, also when that was used.
    ParentForEver,
    /// Every token is good once: a lost answer or a second tab is taken for a thief.
    NoGrace,
    /// A replica saves what it decided, whatever was saved meanwhile.
    SavesBlindly,
    /// An answer leaves before what it says is on the disk.
    AnswersBeforeSync,
    /// A batch after a gap counts as fresh.
    IgnoresGaps,
    /// The view's age is counted from when a batch arrived.
    FreshByArrival,
    /// What is over by the clock is removed, although the clock may have jumped.
    TrimsByTheClock,
    /// A database behind its mark is served.
    ForgetsTheMark,
    /// A key signs as soon as it is published.
    SignsAtOnce,
    /// The user's revocation does not reach sessions: only the log has it.
    RefreshesTheRevoked,
    /// The rights of a token are read before the head of the log that it names.
    ReadsTheHeadLast,
    /// A change of rights is not in the log.
    KeepsOldRights,
    /// A revoked key is not in the log.
    ForgetsTheKey,
    /// Rule B without its point: whoever shows the parent gets the successor.
    TakesAnySuccessor,
}

impl Flaw {
    pub const ALL: [Self; 14] = [
        Self::ParentForEver,
        Self::NoGrace,
        Self::SavesBlindly,
        Self::AnswersBeforeSync,
        Self::IgnoresGaps,
        Self::FreshByArrival,
        Self::TrimsByTheClock,
        Self::ForgetsTheMark,
        Self::SignsAtOnce,
        Self::RefreshesTheRevoked,
        Self::ReadsTheHeadLast,
        Self::KeepsOldRights,
        Self::ForgetsTheKey,
        Self::TakesAnySuccessor,
    ];
}
