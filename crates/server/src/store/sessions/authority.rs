//! What an access token of a session may say: one statement, so one snapshot on every database, and the last of the
//! transaction that opens, rotates or renews the session.

use std::sync::LazyLock;

use countersign_jose::Algorithm;
use serde_json::{Map, Value};

use super::{StoreError, Tx};
use crate::{
    domain::{
        roles::{Role, RoleGrant},
        rsn::{self, MinRsn, Rsn, TokenRsn},
        session::Sid,
        subject::Sector,
        time::Timestamp,
    },
    store::each::{Each, Kind},
};

/// The authority of a session at one moment: who it is, what they may do, and the numbers of R2 and R3.
#[derive(Debug, Clone, PartialEq)]
pub struct Authority {
    pub sid: Sid,
    pub user_id: String,
    pub client_id: String,
    pub tenant: String,
    /// Space-separated: what the session was granted.
    pub scope: String,
    /// Space-separated.
    pub audience: String,
    pub dpop_jkt: Option<String>,
    pub expires_at: Timestamp,
    pub auth_time: Timestamp,
    /// Space-separated, RFC 8176.
    pub amr: String,
    pub acr: String,
    /// For the client alone, at `/userinfo` and in ID tokens; no access token says it.
    pub email: String,
    pub email_verified: bool,
    /// The user's attributes, which audiences may map into claims.
    pub attributes: Map<String, Value>,
    /// The user's roles: their own, those of their groups, and those that they have by the organisation. Not those that ask for
    /// a stronger sign-in than the session began with.
    pub roles: Vec<RoleGrant>,
    /// The organisation that the session speaks for.
    pub organisation: Option<String>,
    /// The user is not its member any more.
    pub outside: bool,
    /// Space-separated: what UserInfo tells besides the claims of the scope.
    pub claims: String,
    /// Space-separated: what the client may ask for now.
    pub client_scopes: String,
    /// What signs the answers of `/userinfo` for the client; none: they are plain JSON.
    pub userinfo_alg: Option<Algorithm>,
    /// The client knows people by pairwise ids of this sector.
    pub sector: Option<Sector>,
    /// The client registered itself.
    pub registered: bool,
    /// The client's own token lifetime, seconds.
    pub client_ttl: Option<i64>,
    pub auth_rsn: Rsn,
    pub token_rsn: TokenRsn,
    pub min_rsn: MinRsn,
    /// The session has ended, or its user or client is disabled.
    pub over: bool,
}

impl Authority {
    /// R2 again, after the statement: a refresh that waited for its row while somebody signed out everywhere has passed the
    /// statement, but must not get a token. Nor does whoever left the organisation that the session speaks for.
    pub fn stands(&self) -> bool {
        !self.over && !self.outside && rsn::stands(self.auth_rsn, self.min_rsn)
    }

    /// R3: the number of a token that is signed now; `head` was read before the statement.
    pub fn token_rsn(&self, head: Rsn) -> Rsn {
        rsn::of_token(head, self.auth_rsn, self.token_rsn)
    }
}

/// Reads the authority of a session; `None` if the session, its user, client or tenant does not exist.
///
/// # Errors
/// As any statement.
pub async fn authority(tx: &mut Tx, sid: &Sid) -> Result<Option<Authority>, StoreError> {
    const ONE: &str = "SELECT s.user_id, s.client_id, s.tenant, s.scope, s.audience, s.dpop_jkt, s.expires_at, \
        s.auth_time, s.amr, s.acr, u.attributes, c.scopes, c.access_token_ttl, \
        s.auth_rsn, u.token_rsn, c.token_rsn, u.min_rsn, c.min_rsn, t.min_rsn, \
        s.revoked_at, u.disabled_at, c.disabled_at, \
        (SELECT string_agg(r.role || ' ' || r.audience, ' ') FROM (\
            SELECT d.role, d.audience FROM user_roles d WHERE d.user_id = s.user_id UNION ALL \
            SELECT g.role, g.audience FROM group_members m JOIN group_roles g ON g.group_id = m.group_id \
            WHERE m.user_id = s.user_id UNION ALL \
            SELECT o.role, o.audience FROM organisation_roles o \
            WHERE o.user_id = s.user_id AND o.organisation = s.organisation) r \
            LEFT JOIN roles q ON q.role = r.role WHERE q.required_acr IS NULL OR q.required_acr <= s.acr), c.sector, \
        CASE WHEN c.registration_hash IS NULL THEN 0 ELSE 1 END, s.claims, \
        u.email, u.email_verified_at, c.userinfo_alg, s.organisation, \
        (SELECT m.joined_at FROM organisation_members m \
            WHERE m.user_id = s.user_id AND m.organisation = s.organisation) \
        FROM sessions s JOIN users u ON u.user_id = s.user_id \
        JOIN clients c ON c.client_id = s.client_id JOIN tenants t ON t.tenant = s.tenant WHERE s.sid = $1";
    static SQL: LazyLock<Each> = LazyLock::new(|| Each::new(ONE, &[Kind::Text]));
    let Some(row) = tx.fetch_each(&SQL, &[sid.as_str().into()]).await? else { return Ok(None) };
    let rsn = |index| row.get(index).map(Rsn::new);
    let past = |index| row.get::<Option<i64>>(index).map(|at| at.is_some());
    let alg = row.get::<Option<String>>(28)?.map(|alg| alg.parse()).transpose();
    Ok(Some(Authority {
        sid: sid.clone(),
        user_id: row.get(0)?,
        client_id: row.get(1)?,
        tenant: row.get(2)?,
        scope: row.get(3)?,
        audience: row.get(4)?,
        dpop_jkt: row.get(5)?,
        expires_at: row.get(6)?,
        auth_time: row.get(7)?,
        amr: row.get(8)?,
        acr: row.get(9)?,
        email: row.get(26)?,
        email_verified: past(27)?,
        userinfo_alg: alg.map_err(|_| StoreError::Broken("a stored algorithm is malformed".into()))?,
        attributes: serde_json::from_str(&row.get::<String>(10)?)
            .map_err(|_| StoreError::Broken("the attributes of a user are not a JSON object".into()))?,
        client_scopes: row.get(11)?,
        sector: sector(row.get::<Option<String>>(23)?.as_deref())?,
        registered: row.get::<i64>(24)? != 0,
        client_ttl: row.get(12)?,
        auth_rsn: rsn(13)?,
        token_rsn: TokenRsn { user: rsn(14)?, client: rsn(15)? },
        min_rsn: MinRsn { user: rsn(16)?, client: rsn(17)?, tenant: rsn(18)? },
        outside: row.get::<Option<String>>(29)?.is_some() && !past(30)?,
        organisation: row.get(29)?,
        over: past(19)? || past(20)? || past(21)?,
        claims: row.get::<Option<String>>(25)?.unwrap_or_default(),
        roles: row.get::<Option<String>>(22)?.as_deref().map(roles).transpose()?.unwrap_or_default(),
    }))
}

fn sector(stored: Option<&str>) -> Result<Option<Sector>, StoreError> {
    let parsed = stored.map(Sector::parse).transpose();
    parsed.map_err(|_| StoreError::Broken("a stored sector is malformed".into()))
}

/// Role and audience in turns, separated by spaces, which neither can contain; an empty audience is everywhere.
fn roles(text: &str) -> Result<Vec<RoleGrant>, StoreError> {
    let mut words = text.split(' ');
    let mut roles = Vec::new();
    while let (Some(role), Some(audience)) = (words.next(), words.next()) {
        let role = Role::parse(role).map_err(|_| StoreError::Broken("a stored role is malformed".into()))?;
        roles.push(RoleGrant { audience: Some(audience.to_owned()).filter(|name| !name.is_empty()), role });
    }
    Ok(roles)
}
