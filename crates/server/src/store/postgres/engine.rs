//! Which PostgreSQL this is, and whether what it acknowledges lasts.

use crate::store::{StoreError, Tx, status::Engine};

/// A program that only speaks its protocol may not know these settings; then they are null.
const SETTINGS: &str = "SELECT current_setting('server_version', true), current_setting('fsync', true), \
                        current_setting('synchronous_commit', true), \
                        CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE 'primary' END";

pub async fn engine(tx: &mut Tx) -> Result<Engine, StoreError> {
    let Some(row) = tx.fetch_optional(SETTINGS, &[]).await? else {
        return Err(StoreError::Broken("the database tells no settings".into()));
    };
    let off = |setting: Option<String>| setting.is_some_and(|setting| setting == "off");
    let (fsync, commit) = (off(row.get(1)?), off(row.get(2)?));
    let problem = match row.get::<String>(3)?.as_str() {
        "standby" => Some("it is a standby, which takes no writes; name the primary in `database`"),
        _ if fsync => Some("fsync is off: a crash of its machine may lose or damage everything; set fsync = on"),
        _ if commit => {
            Some("synchronous_commit is off: a crash may lose what was acknowledged; set synchronous_commit = on")
        }
        _ => None,
    };
    Ok(Engine { version: row.get::<Option<String>>(0)?.unwrap_or_default(), problem })
}
