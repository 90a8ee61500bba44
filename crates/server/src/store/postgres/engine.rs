//! Which PostgreSQL this is, and whether what it acknowledges lasts, as far as an ordinary role may see.

use crate::{
    domain::durability::Durability,
    store::{StoreError, Tx, status::Engine},
};

/// A program that only speaks its protocol may not know these settings; then they are null.
const SETTINGS: &str = "SELECT current_setting('server_version', true), current_setting('fsync', true), \
                        current_setting('synchronous_commit', true), current_setting('synchronous_standby_names', true)";
/// A backup that is being made follows, too, and nobody fails over to it.
const STANDBYS: &str = "SELECT COUNT(*) FROM pg_stat_replication WHERE application_name <> 'pg_basebackup'";

pub async fn engine(tx: &mut Tx) -> Result<Engine, StoreError> {
    let row = tx.fetch_optional(SETTINGS, &[]).await?;
    let standbys = tx.fetch_optional(STANDBYS, &[]).await?;
    let (Some(row), Some(standbys)) = (row, standbys) else {
        return Err(StoreError::Broken("the database tells no settings".into()));
    };
    let setting = |column| row.get::<Option<String>>(column).map(Option::unwrap_or_default);
    let durability = Durability {
        fsync: setting(1)? != "off",
        commit: setting(2)?,
        synchronous: setting(3)?,
        standbys: standbys.get(0)?,
    };
    Ok(Engine { version: setting(0)?, problems: durability.problems() })
}
