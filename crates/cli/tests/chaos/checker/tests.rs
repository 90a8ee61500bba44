//! The checker finds each kind of violation in made-up histories, and nothing in a good one.

use super::*;

const GRACE: Duration = Duration::from_millis(300);

/// Calls one after the other, a tenth of a second each.
#[derive(Default)]
struct Story(Vec<Event>);

impl Story {
    fn then(mut self, call: Call, outcome: Outcome) -> Self {
        let n = self.0.len() as u64;
        let at = |tenths: u64| Timestamp::from_micros(i64::try_from(tenths).unwrap() * 100_000);
        self.0.push(Event { begin: n * 2, end: n * 2 + 1, from: at(n), to: at(n + 1), call, outcome });
        self
    }

    /// The last call began before the one ahead of it ended.
    fn overlapping(mut self) -> Self {
        let n = self.0.len();
        let (first, second) = (self.0[n - 2].end, self.0[n - 1].begin);
        (self.0[n - 2].end, self.0[n - 1].begin) = (second, first);
        self
    }

    /// Nothing happens for a while before the last call.
    fn after(mut self, pause: Duration) -> Self {
        let last = self.0.last_mut().unwrap();
        (last.from, last.to) = (last.from.plus(pause), last.to.plus(pause));
        self
    }

    fn begun() -> Self {
        Self::default().then(Call::Register { user: "ada".into() }, done()).then(sign_in(0), session("s"))
    }

    fn invariants(&self) -> Vec<&'static str> {
        check(&self.0, GRACE).iter().map(|violation| violation.invariant).collect()
    }
}

fn done() -> Outcome {
    Outcome::Done(Given::Nothing)
}

fn session(name: &str) -> Outcome {
    Outcome::Done(Given::Session(name.into()))
}

fn next(token: &str) -> Outcome {
    Outcome::Done(Given::Token(token.into()))
}

fn refused(why: &str) -> Outcome {
    Outcome::Refused(why.into())
}

fn sign_in(password: u32) -> Call {
    Call::SignIn { user: "ada".into(), password }
}

fn refresh(presented: &str) -> Call {
    Call::Refresh { session: "s".into(), presented: presented.into() }
}

fn change(to: u32) -> Call {
    Call::ChangePassword { user: "ada".into(), to }
}

fn ask() -> Call {
    Call::Ask { session: "s".into() }
}

fn verify(lease: Lease) -> Call {
    Call::Verify { session: "s".into(), lease }
}

fn end() -> Call {
    Call::EndSession { session: "s".into() }
}

#[test]
fn a_good_history_is_good() {
    let story = Story::begun()
        .then(refresh("a"), Outcome::Lost)
        .then(refresh("a"), next("b"))
        .then(refresh("b"), next("b"))
        .then(refresh("b"), next("c"))
        .then(change(1), Outcome::Lost)
        .then(refresh("c"), refused("invalid_grant"))
        .then(sign_in(0), refused("invalid-credentials"))
        .then(sign_in(1), session("t"))
        .then(Call::EndUser { user: "ada".into() }, Outcome::Unavailable)
        .then(Call::Ask { session: "t".into() }, refused("token-invalid"))
        .then(Call::StartOnOld, refused("older"));
    assert!(story.invariants().is_empty(), "{:?}", check(&story.0, GRACE));
}

// I-1
#[test]
fn a_lost_password_is_found() {
    assert_eq!(Story::begun().then(sign_in(0), refused("invalid-credentials")).invariants(), ["I-1"]);
    let changed = || Story::begun().then(change(1), done());
    assert_eq!(changed().then(sign_in(0), session("t")).invariants(), ["I-1"]);
    assert_eq!(changed().then(sign_in(1), refused("invalid-credentials")).invariants(), ["I-1"]);
    // Whoever signs in while everything of theirs is ended may be refused, and nobody after that.
    let ended = || Story::begun().then(Call::EndUser { user: "ada".into() }, done());
    assert!(ended().then(sign_in(0), refused("invalid-credentials")).overlapping().invariants().is_empty());
    assert_eq!(ended().then(sign_in(0), refused("invalid-credentials")).invariants(), ["I-1"]);
    // Under way, or with an unknown outcome: both may be right.
    assert!(changed().then(sign_in(0), session("t")).overlapping().invariants().is_empty());
    let unknown = || Story::begun().then(change(1), Outcome::Lost);
    assert!(unknown().then(sign_in(0), refused("invalid-credentials")).invariants().is_empty());
    assert!(unknown().then(sign_in(1), refused("invalid-credentials")).invariants().is_empty());
    // It may be committed a little later than another one that began after it; not much later.
    let next = |pause| unknown().then(change(2), done()).after(pause).then(sign_in(1), session("t"));
    assert!(next(Duration::from_secs(8)).invariants().is_empty());
    assert_eq!(next(Duration::from_secs(20)).invariants(), ["I-1"]);
}

// I-2
#[test]
fn a_spurious_sign_out_is_found() {
    assert_eq!(Story::begun().then(refresh("a"), refused("invalid_grant")).invariants(), ["I-2"]);
    assert_eq!(Story::begun().then(ask(), refused("token-invalid")).invariants(), ["I-2"]);
    let lost = Story::begun().then(refresh("a"), Outcome::Lost).then(refresh("a"), refused("invalid_grant"));
    assert_eq!(lost.invariants(), ["I-2"]);
    // A refused end ends nothing; one of another session neither.
    assert_eq!(Story::begun().then(end(), refused("no")).then(ask(), refused("token-invalid")).invariants(), ["I-2"]);
    let other = Call::EndSession { session: "t".into() };
    assert_eq!(Story::begun().then(other, done()).then(ask(), refused("token-invalid")).invariants(), ["I-2"]);
    assert!(
        Story::begun().then(ask(), refused("token-invalid")).then(end(), done()).overlapping().invariants().is_empty()
    );
    // A sign-in that was asked for after the end is not meant by it.
    let end_user = Call::EndUser { user: "ada".into() };
    let later = Story::default().then(Call::Register { user: "ada".into() }, done()).then(end_user, done());
    assert_eq!(later.then(sign_in(0), session("s")).then(ask(), refused("token-invalid")).invariants(), ["I-2"]);
}

// I-3
#[test]
fn a_fork_is_found() {
    let forked = Story::begun()
        .then(refresh("a"), next("b"))
        .then(refresh("a"), next("c"))
        .after(Duration::from_secs(9))
        .then(refresh("b"), next("d"))
        .then(refresh("c"), next("e"));
    assert_eq!(forked.invariants(), ["I-3"]);
    assert_eq!(Story::begun().then(refresh("a"), next("b")).then(refresh("a"), next("c")).invariants(), ["I-3"]);
    // After the grace a successor that nobody used may be replaced.
    let replaced = Story::begun().then(refresh("a"), next("b")).then(refresh("a"), next("c"));
    assert!(replaced.after(Duration::from_secs(1)).invariants().is_empty());
}

// I-4
#[test]
fn a_resurrection_is_found() {
    assert_eq!(Story::begun().then(end(), done()).then(refresh("a"), next("b")).invariants(), ["I-4"]);
    assert_eq!(Story::begun().then(end(), done()).then(ask(), done()).invariants(), ["I-4"]);
    assert_eq!(Story::begun().then(change(1), done()).then(ask(), done()).invariants(), ["I-4"]);
    assert_eq!(Story::begun().then(Call::EndAll, done()).then(ask(), done()).invariants(), ["I-4"]);
    assert!(Story::begun().then(end(), Outcome::Lost).then(ask(), done()).invariants().is_empty());
    assert!(Story::begun().then(end(), done()).then(ask(), done()).overlapping().invariants().is_empty());
    // It was seen dead once.
    let seen = Story::begun().then(end(), Outcome::Lost).then(refresh("a"), refused("invalid_grant"));
    assert_eq!(seen.then(refresh("a"), next("b")).invariants(), ["I-4"]);
    let until = |tenths: i64| Outcome::Done(Given::Until(Timestamp::from_micros(tenths * 100_000)));
    assert!(Story::begun().then(end(), until(9)).then(verify(Lease::Open), done()).invariants().is_empty());
    assert_eq!(Story::begun().then(end(), until(2)).then(verify(Lease::Open), done()).invariants(), ["I-4"]);
}

// I-5
#[test]
fn an_unnoticed_restore_is_found() {
    assert_eq!(Story::begun().then(Call::StartOnOld, done()).invariants(), ["I-5"]);
}

// I-7
#[test]
fn a_verifier_that_goes_on_in_the_dark_is_found() {
    let cut = Lease::CutSince(Timestamp::from_micros(200_000));
    assert!(Story::begun().then(verify(cut), done()).invariants().is_empty());
    let late = || Story::begun().then(verify(cut), done()).after(Duration::from_secs(2));
    assert_eq!(late().invariants(), ["I-7"]);
    assert!(
        Story::begun().then(verify(cut), Outcome::Unavailable).after(Duration::from_secs(2)).invariants().is_empty()
    );
}

// I-8
#[test]
fn a_link_that_is_used_twice_is_found() {
    let link = |to| Call::UseLink { link: "l".into(), user: "ada".into(), to };
    assert!(Story::begun().then(link(1), Outcome::Lost).then(link(2), done()).invariants().is_empty());
    assert_eq!(Story::begun().then(link(1), done()).then(link(2), done()).invariants(), ["I-8"]);
}

// I-8, OAU-05
#[test]
fn a_code_that_is_used_twice_is_found_and_ends_its_session() {
    let code = || Call::UseCode { code: "c".into(), user: "ada".into() };
    let signed_in = || Story::begun().then(sign_in(0), done());
    let opened = |name| signed_in().then(code(), session(name));
    assert_eq!(opened("t").then(code(), session("u")).invariants(), ["I-8"]);
    assert!(signed_in().then(code(), Outcome::Lost).then(code(), session("u")).invariants().is_empty());
    let ask = || Call::Ask { session: "t".into() };
    // Nobody else used it: it must live. Somebody did: it must not.
    assert_eq!(opened("t").then(ask(), refused("token-invalid")).invariants(), ["I-2"]);
    let reused = || opened("t").then(code(), refused("code-reused"));
    assert!(reused().then(ask(), refused("token-invalid")).invariants().is_empty());
    assert_eq!(reused().then(ask(), done()).invariants(), ["I-4"]);
    // What was refused for another reason, or is not known, proves nothing.
    assert_eq!(
        opened("t").then(code(), refused("code-invalid")).then(ask(), refused("token-invalid")).invariants(),
        ["I-2"]
    );
    for outcome in [done(), refused("token-invalid")] {
        assert!(opened("t").then(code(), Outcome::Lost).then(ask(), outcome).invariants().is_empty());
    }
    // Whoever signs everybody out between the sign-in and the code means this session, too.
    let end_user = Call::EndUser { user: "ada".into() };
    let between = signed_in().then(end_user, done()).then(code(), session("t"));
    assert!(between.then(ask(), refused("token-invalid")).invariants().is_empty());
}

// I-1, I-2: a call of unknown outcome may be committed after its answer, for a while.
#[test]
fn an_end_that_nobody_knows_of_may_come_a_little_late() {
    let link = || Call::UseLink { link: "l".into(), user: "ada".into(), to: 1 };
    let over = |story: Story| story.then(Call::Ask { session: "t".into() }, refused("token-invalid")).invariants();
    for end in [Call::EndUser { user: "ada".into() }, change(1), link()] {
        for unknown in [Outcome::Unavailable, Outcome::Lost] {
            let ended = || Story::begun().then(end.clone(), unknown.clone());
            assert!(over(ended().then(sign_in(0), session("t"))).is_empty(), "{end:?} {unknown:?}");
            let long_after = ended().then(sign_in(0), session("t")).after(Duration::from_secs(20));
            assert_eq!(over(long_after), ["I-2"], "{end:?} {unknown:?}");
        }
    }
    // What was acknowledged, or refused, has had its effect.
    let end_user = || Call::EndUser { user: "ada".into() };
    assert_eq!(over(Story::begun().then(end_user(), done()).then(sign_in(0), session("t"))), ["I-2"]);
    assert_eq!(over(Story::begun().then(link(), refused("link-invalid")).then(sign_in(0), session("t"))), ["I-2"]);
    // The end of everything that a row notes is no call: it means what began before.
    assert_eq!(over(Story::begun().then(Call::EndAll, Outcome::Lost).then(sign_in(0), session("t"))), ["I-2"]);
    // A sign-in that it comes in between of is refused.
    let turned_away =
        |outcome| Story::begun().then(end_user(), outcome).then(sign_in(0), refused("invalid-credentials"));
    assert!(turned_away(Outcome::Unavailable).invariants().is_empty());
    assert_eq!(turned_away(Outcome::Unavailable).after(Duration::from_secs(20)).invariants(), ["I-1"]);
    assert_eq!(turned_away(done()).invariants(), ["I-1"]);
}

// I-12
#[test]
fn an_answer_that_is_never_right_is_found() {
    assert_eq!(Story::begun().then(ask(), Outcome::Wrong("500".into())).invariants(), ["I-12"]);
}
