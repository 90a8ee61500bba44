//! The security events of sessions, written with the change they tell of (AUD-04).

use aws_lc_rs::digest;

use super::{
    Act, StoreError, Tx,
    refresh::{RotatedRow, Stored},
};
use crate::{
    domain::{
        audit::{AuditEvent, Event},
        refresh::{Grant, Reuse, Riding, riding},
        refresh_token::Presented,
        session::EndReason,
    },
    store::audit,
};

/// A reuse that ends its session. Its details are kept with the session too: "why was I signed out?" is answered by which
/// token, from where, and how far apart.
pub(super) fn reused(act: &Act, shown: &Presented, stored: &Stored, reuse: &Reuse) -> AuditEvent {
    about(act, Event::TokenReuse, shown, stored)
        .with("reuse", reuse.theft.as_str())
        .with("generation", reuse.generation)
        .with("current_generation", reuse.current)
        .with("ms_since_rotation", u64::try_from(reuse.since_rotation.as_millis()).unwrap_or(u64::MAX))
        .with("ip", &*act.source.ip)
}

/// A token of a generation that the database does not know.
pub(super) async fn future(tx: &mut Tx, act: &Act, shown: &Presented, stored: &Stored) -> Result<(), StoreError> {
    let event = about(act, Event::TokenFromFuture, shown, stored)
        .with("generation", shown.generation())
        .with("current_generation", stored.session.family.generation);
    audit::insert(tx, &event).await
}

/// A token of a session that is bound to a key, shown without that key: somebody has a copy of the token.
pub(super) async fn other_key(tx: &mut Tx, act: &Act, shown: &Presented, stored: &Stored) -> Result<(), StoreError> {
    let event = about(act, Event::SessionSuspicious, shown, stored)
        .with("why", "other_key")
        .with("generation", shown.generation());
    audit::insert(tx, &event).await
}

/// A share that makes many: somebody may be riding the grace (REF-08).
pub(super) async fn shared(tx: &mut Tx, act: &Act, shown: &Presented, row: &RotatedRow) -> Result<(), StoreError> {
    let session = &row.session;
    if session.grant != Grant::Share {
        return Ok(());
    }
    let Some(riding) = riding(row.shares, row.shared_gens, session.generation) else { return Ok(()) };
    let event = event(act, Event::SessionSuspicious, shown.sid().as_str())
        .user(&session.user_id)
        .session(shown.sid().as_str())
        .with("generation", session.generation);
    let event = match riding {
        Riding::Generation { shares } => event.with("shares", shares),
        Riding::Session { shared_gens, .. } => event.with("shared_generations", shared_gens),
    };
    audit::insert(tx, &event).await
}

/// Whose sessions were ended.
#[derive(Clone, Copy)]
pub(in crate::store) struct Whose<'a> {
    pub user_id: &'a str,
    pub client_id: Option<&'a str>,
    pub sid: Option<&'a str>,
}

/// The end of sessions that somebody asked for.
pub(in crate::store) fn ended(act: &Act, reason: EndReason, whose: Whose<'_>) -> AuditEvent {
    let subject = whose.sid.or(whose.client_id).unwrap_or(whose.user_id);
    let mut event = event(act, Event::SessionEnded, subject).user(whose.user_id).with("reason", reason.as_str());
    if let Some(client_id) = whose.client_id {
        event = event.client(client_id);
    }
    if let Some(sid) = whose.sid {
        event = event.session(sid);
    }
    event
}

fn about(act: &Act, kind: Event, shown: &Presented, stored: &Stored) -> AuditEvent {
    let sid = shown.sid().as_str();
    event(act, kind, sid).user(&stored.user_id).client(&stored.session.client_id).session(sid)
}

/// An event of this act. Its id is the same when the transaction runs again, and differs from that of the act's other
/// events.
pub(in crate::store) fn event(act: &Act, kind: Event, subject: &str) -> AuditEvent {
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(&act.random);
    hash.update(kind.as_str().as_bytes());
    hash.update(subject.as_bytes());
    let mut random = [0; 8];
    random.copy_from_slice(&hash.finish().as_ref()[..8]);
    AuditEvent::new(kind, act.now, &act.source, random).with("device", &*act.device)
}
