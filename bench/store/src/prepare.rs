//! A database with sessions to rotate.

use anyhow::{Context, Result};
use countersign_server::store::{Store, StoreConfig};

use crate::work::{CLIENT, NEVER, SESSIONS, nonce, sid};

const USER: &str =
    "INSERT INTO users (user_id, tenant, email, email_key, created_at) VALUES ($1, 'default', $1, $1, 0)";
const CLIENT_ROW: &str = "INSERT INTO clients (client_id, tenant, name, audiences, grants, created_at) \
                          VALUES ($1, 'default', 'First party', 'api', 'refresh_token', 0) ON CONFLICT DO NOTHING";
const SESSION: &str = "INSERT INTO sessions (sid, signin_id, user_id, client_id, tenant, scope, audience, auth_rsn, nonce, \
                       prev_nonce, at_exp, created_at, last_seen_at, expires_at, idle_expires_at) \
                       VALUES ($1, $2, $3, $4, 'default', 'openid', 'api', 1, $5, $6, 0, 0, 0, $7, $8)";
/// Sessions per user.
const PER_USER: u64 = 4;
const BATCH: u64 = 500;

/// Opens a store and fills it.
pub async fn store(config: &StoreConfig) -> Result<Store> {
    let store = Store::open(config).await?;
    store.write(|tx| Box::pin(async move { tx.execute(CLIENT_ROW, &[CLIENT.into()]).await })).await?;
    for first in (0..SESSIONS).step_by(usize::try_from(BATCH)?) {
        let fill = store.write(move |tx| {
            Box::pin(async move {
                for session in first..first + BATCH {
                    let user = format!("user-{}", session / PER_USER);
                    if session % PER_USER == 0 {
                        tx.execute(USER, &[(&user).into()]).await?;
                    }
                    let (sid, first, none) = (sid(session), nonce(session, 0), nonce(session, u64::MAX));
                    let signin = session.to_le_bytes();
                    tx.execute(
                        SESSION,
                        &[
                            (&sid).into(),
                            (&signin).into(),
                            (&user).into(),
                            CLIENT.into(),
                            (&first).into(),
                            (&none).into(),
                            NEVER.into(),
                            NEVER.into(),
                        ],
                    )
                    .await?;
                }
                Ok(())
            })
        });
        fill.await.context("filling the database")?;
    }
    Ok(store)
}
