//! The issuer: the same server that `countersign serve` starts, with its data in the visit's temporary folder.

use countersign_server::{
    config::{Config, Origin, Settings},
    serve::serve,
};

use crate::{Failure, process};

pub async fn run() -> Result<(), Failure> {
    let mut settings = Settings::default();
    for (key, variable) in [("issuer", "SHOP_ISSUER"), ("listen", "SHOP_LISTEN"), ("data", "SHOP_DATA")] {
        settings.set(key, process::variable(variable)?, Origin::Environment(variable.to_owned()))?;
    }
    let config = Config::new(&settings)?;
    serve(config, process::stdin_closed(), |ready| process::announce(ready.listen)).await?;
    Ok(())
}
