//! Many endings in one transaction: a mass sign-out is durable, or has not happened, as a whole.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::LazyLock,
    time::Duration,
};

use super::{Entry, Rsn, StoreError, Tx, append, head};
use crate::{
    domain::{
        audit::{AuditEvent, Event},
        revocation::{EntryId, Scope},
        session::EndReason,
        time::Timestamp,
    },
    store::{
        Param, audit,
        dialect::{RowKey, lock_rows},
        notices,
        sessions::{
            Act, end,
            events::{self, Whose, event},
        },
        wide::Wide,
    },
};

/// What to end. Signing keys are not here: the key ring ends them, with a successor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Targets {
    pub tenants: Vec<String>,
    pub clients: Vec<String>,
    pub users: Vec<String>,
    /// By `sid`.
    pub sessions: Vec<String>,
    /// `jti` and `exp` (Unix seconds).
    pub tokens: Vec<(String, i64)>,
    /// The tenant of the tokens.
    pub tenant: String,
    /// The administrator's own words for why, by what they end.
    pub notes: HashMap<String, String>,
}

impl Targets {
    fn note(&self, id: &str, event: AuditEvent) -> AuditEvent {
        match self.notes.get(id) {
            Some(note) => event.with("note", note.as_str()),
            None => event,
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// A verifier that knows the log up to here knows all of these ends, those that had happened before included.
    pub rsn: Rsn,
    /// How many entries were appended: 0 if everything had ended before.
    pub appended: usize,
    /// What there is no row of.
    pub unknown: Vec<String>,
}

/// Who bears a mark, as its row says.
struct Bearer {
    id: String,
    tenant: String,
}

/// What the transaction collects before the head of the log is locked.
#[derive(Default)]
struct Plan {
    entries: Vec<Entry>,
    events: Vec<AuditEvent>,
    unknown: Vec<String>,
}

/// Ends everything that is named, whatever of it has not ended yet. Whoever is disabled has ended already.
///
/// # Errors
/// As any statement.
pub async fn end(tx: &mut Tx, targets: &Targets, act: &Act) -> Result<Ended, StoreError> {
    static TENANTS: LazyLock<Wide> =
        LazyLock::new(|| Wide::keys("SELECT tenant, tenant, 0 FROM tenants WHERE tenant IN", 0, ""));
    static CLIENTS: LazyLock<Wide> = LazyLock::new(|| {
        let head = "SELECT client_id, tenant, CASE WHEN disabled_at IS NULL THEN 0 ELSE 1 END FROM clients \
                    WHERE client_id IN";
        Wide::keys(head, 0, "")
    });
    static USERS: LazyLock<Wide> = LazyLock::new(|| {
        let head = "SELECT user_id, tenant, CASE WHEN disabled_at IS NULL THEN 0 ELSE 1 END FROM users \
                    WHERE user_id IN";
        Wide::keys(head, 0, "")
    });
    lock_rows(tx, &mut locks(targets)).await?;
    let mut plan = Plan::default();
    let tenants = bearers(tx, &TENANTS, &targets.tenants, &mut plan).await?;
    let clients = bearers(tx, &CLIENTS, &targets.clients, &mut plan).await?;
    let users = bearers(tx, &USERS, &targets.users, &mut plan).await?;
    for tenant in &tenants {
        plan.entries.push(Entry::tenant(act.scope(&tenant.id), act.now, act.ttl_cap));
        let event = event(act, Event::TokenRevoked, &tenant.id).with("tenant", &*tenant.id);
        plan.events.push(targets.note(&tenant.id, event));
    }
    for client in &clients {
        plan.entries.push(Entry::client(act.scope(&client.tenant), &client.id, act.now, act.ttl_cap));
        plan.events.push(targets.note(&client.id, event(act, Event::TokenRevoked, &client.id).client(&client.id)));
    }
    for user in &users {
        plan.entries.push(Entry::user(act.scope(&user.tenant), &user.id, act.now, act.ttl_cap));
        let whose = Whose { user_id: &user.id, client_id: None, sid: None };
        plan.events.push(targets.note(&user.id, events::ended(act, EndReason::Admin, whose)));
    }
    let ids: Vec<&str> = users.iter().map(|user| &*user.id).collect();
    notices::add_of_users(tx, &ids, act.now).await?;
    sessions(tx, targets, act, &mut plan).await?;
    tokens(tx, targets, act, &mut plan).await?;
    commit(tx, plan, act, [&tenants, &clients, &users]).await
}

/// Appends, and writes what carries the position.
async fn commit(
    tx: &mut Tx,
    plan: Plan,
    act: &Act,
    [tenants, clients, users]: [&[Bearer]; 3],
) -> Result<Ended, StoreError> {
    static TENANTS: LazyLock<Wide> =
        LazyLock::new(|| Wide::keys("UPDATE tenants SET min_rsn = $1 WHERE tenant IN", 1, ""));
    static CLIENTS: LazyLock<Wide> =
        LazyLock::new(|| Wide::keys("UPDATE clients SET min_rsn = $1 WHERE client_id IN", 1, ""));
    static USERS: LazyLock<Wide> =
        LazyLock::new(|| Wide::keys("UPDATE users SET min_rsn = $1 WHERE user_id IN", 1, ""));
    let Plan { entries, events, unknown } = plan;
    // Before the head is locked: whoever waits for it waits for what follows.
    audit::insert_all(tx, &events).await?;
    let rsn = if entries.is_empty() { head(tx).await?.rsn } else { append(tx, act.now, &entries).await? };
    crate::failpoint::hit("revocation.appended");
    for (set, bearers) in [(&*TENANTS, tenants), (&*CLIENTS, clients), (&*USERS, users)] {
        mark(tx, set, bearers, rsn).await?;
    }
    Ok(Ended { rsn, appended: entries.len(), unknown })
}

fn locks(targets: &Targets) -> Vec<RowKey<'_>> {
    let tenants = targets.tenants.iter().map(|id| RowKey::Tenant(id));
    let clients = targets.clients.iter().map(|id| RowKey::Client(id));
    let users = targets.users.iter().map(|id| RowKey::User(id));
    let sessions = targets.sessions.iter().map(|sid| RowKey::Session(sid));
    tenants.chain(clients).chain(users).chain(sessions).collect()
}

/// Those of these that exist and are not disabled, each once, in the order they were named in.
async fn bearers(tx: &mut Tx, find: &'static Wide, ids: &[String], plan: &mut Plan) -> Result<Vec<Bearer>, StoreError> {
    let mut found: HashMap<String, (String, bool)> = HashMap::with_capacity(ids.len());
    for (sql, piece) in find.pieces(ids) {
        let keys: Vec<Param<'_>> = piece.iter().map(Param::from).collect();
        for row in tx.fetch_all(sql, &keys).await? {
            found.insert(row.get(0)?, (row.get(1)?, row.get::<i64>(2)? == 1));
        }
    }
    let mut seen = HashSet::with_capacity(ids.len());
    let mut bearers = Vec::with_capacity(ids.len());
    for id in ids.iter().filter(|id| seen.insert(id.as_str())) {
        match found.remove(id) {
            None => plan.unknown.push(id.clone()),
            Some((_, true)) => {}
            Some((tenant, false)) => bearers.push(Bearer { id: id.clone(), tenant }),
        }
    }
    Ok(bearers)
}

async fn sessions(tx: &mut Tx, targets: &Targets, act: &Act, plan: &mut Plan) -> Result<(), StoreError> {
    let found = end::by_sids(tx, &targets.sessions).await?;
    let known: HashSet<&str> = found.iter().map(end::OpenSession::sid).collect();
    plan.unknown.extend(targets.sessions.iter().filter(|sid| !known.contains(sid.as_str())).cloned());
    // Each session keeps the words of its own end.
    let mut open: BTreeMap<Option<&String>, Vec<end::OpenSession>> = BTreeMap::new();
    let mut seen = HashSet::with_capacity(found.len());
    for session in found {
        if !session.is_over() && seen.insert(session.sid().to_owned()) {
            open.entry(targets.notes.get(session.sid())).or_default().push(session);
        }
    }
    for (note, open) in open {
        let mut why = event(act, Event::SessionEnded, "").with("reason", EndReason::Admin.as_str());
        if let Some(note) = note {
            why = why.with("note", note.as_str());
        }
        let (_, entries) = end::mark(tx, &open, EndReason::Admin, &why, act).await?;
        plan.entries.extend(entries);
        let ended = open.iter().map(|open| (open.sid(), events::ended(act, EndReason::Admin, open.whose())));
        plan.events.extend(ended.map(|(sid, event)| targets.note(sid, event)));
    }
    Ok(())
}

async fn tokens(tx: &mut Tx, targets: &Targets, act: &Act, plan: &mut Plan) -> Result<(), StoreError> {
    let scope = act.scope(&targets.tenant);
    let mut seen = HashSet::with_capacity(targets.tokens.len());
    let mut wanted = Vec::with_capacity(targets.tokens.len());
    for (jti, exp) in &targets.tokens {
        let entry = Entry::token(scope, jti, *exp);
        // A token that is over needs no entry.
        if entry.exp > act.now.secs() && seen.insert(entry.id) {
            wanted.push((jti, entry));
        }
    }
    let ids: Vec<EntryId> = wanted.iter().map(|(_, entry)| entry.id).collect();
    let revoked = revoked_tokens(tx, &ids).await?;
    for (jti, entry) in wanted.into_iter().filter(|(_, entry)| !revoked.contains(&entry.id)) {
        plan.entries.push(entry);
        plan.events.push(targets.note(jti, event(act, Event::TokenRevoked, jti).with("jti", jti.as_str())));
    }
    Ok(())
}

/// Those of these access tokens that an entry of their own has ended.
///
/// # Errors
/// As any statement.
pub async fn revoked_tokens(tx: &mut Tx, ids: &[EntryId]) -> Result<HashSet<EntryId>, StoreError> {
    // The number of the kind stands in the text so that the database finds the index that has these rows alone.
    static FIND: LazyLock<Wide> =
        LazyLock::new(|| Wide::keys("SELECT id FROM rev_log WHERE kind = 1 AND id IN", 0, ""));
    let mut found = HashSet::new();
    for (sql, piece) in FIND.pieces(ids) {
        let keys: Vec<Param<'_>> = piece.iter().map(|id| id.as_bytes().into()).collect();
        for row in tx.fetch_all(sql, &keys).await? {
            found.insert(EntryId::from_bytes(row.get(0)?));
        }
    }
    Ok(found)
}

/// A soft end for many clients at once: their tokens are outdated, sessions live on, and the next refresh says what holds
/// now. Returns the position, `None` if there were none to outdate.
///
/// # Errors
/// As any statement.
pub async fn outdate_clients(tx: &mut Tx, clients: &[String], act: &Act) -> Result<Option<Rsn>, StoreError> {
    static FIND: LazyLock<Wide> =
        LazyLock::new(|| Wide::keys("SELECT client_id, tenant, 0 FROM clients WHERE client_id IN", 0, ""));
    static MARK: LazyLock<Wide> =
        LazyLock::new(|| Wide::keys("UPDATE clients SET token_rsn = $1 WHERE client_id IN", 1, ""));
    lock_rows(tx, &mut clients.iter().map(|id| RowKey::Client(id)).collect::<Vec<_>>()).await?;
    let bearers = bearers(tx, &FIND, clients, &mut Plan::default()).await?;
    outdate(tx, &MARK, &bearers, (Entry::client, act)).await
}

/// The same for many users at once.
///
/// # Errors
/// As any statement.
pub async fn outdate_users(tx: &mut Tx, users: &[String], act: &Act) -> Result<Option<Rsn>, StoreError> {
    static FIND: LazyLock<Wide> =
        LazyLock::new(|| Wide::keys("SELECT user_id, tenant, 0 FROM users WHERE user_id IN", 0, ""));
    static MARK: LazyLock<Wide> =
        LazyLock::new(|| Wide::keys("UPDATE users SET token_rsn = $1 WHERE user_id IN", 1, ""));
    lock_rows(tx, &mut users.iter().map(|id| RowKey::User(id)).collect::<Vec<_>>()).await?;
    let bearers = bearers(tx, &FIND, users, &mut Plan::default()).await?;
    outdate(tx, &MARK, &bearers, (Entry::user, act)).await
}

type MakeEntry = fn(Scope<'_>, &str, Timestamp, Duration) -> Entry;

/// For bearers whose rows are locked.
async fn outdate(
    tx: &mut Tx,
    set: &'static Wide,
    bearers: &[Bearer],
    (entry, act): (MakeEntry, &Act),
) -> Result<Option<Rsn>, StoreError> {
    if bearers.is_empty() {
        return Ok(None);
    }
    let entry = |bearer: &Bearer| entry(act.scope(&bearer.tenant), &bearer.id, act.now, act.ttl_cap);
    let rsn = append(tx, act.now, &bearers.iter().map(entry).collect::<Vec<_>>()).await?;
    mark(tx, set, bearers, rsn).await?;
    Ok(Some(rsn))
}

async fn mark(tx: &mut Tx, set: &'static Wide, bearers: &[Bearer], rsn: Rsn) -> Result<(), StoreError> {
    for (sql, piece) in set.pieces(bearers) {
        let mut params = vec![rsn.into()];
        params.extend(piece.iter().map(|bearer| Param::from(&bearer.id)));
        tx.send(sql, &params).await?;
    }
    Ok(())
}
