//! `countersign ready`: whether the running server can serve, for health checks of containers, which have no other program.
//! Exit code 0: it can; 1: it cannot, or none runs.

use crate::{
    Global,
    admin::{self, Admin},
    output::{Failure, Output, say, text},
};

pub async fn run(global: &Global, output: Output) -> Result<(), Failure> {
    let config = admin::config(global)?;
    let Some(mut admin) = Admin::running(&config).await else {
        return Err(Failure::refused("no server runs on this data folder"));
    };
    let answer = admin.get("/readyz").await.map_err(Failure::refusal)?;
    output.show(&answer, |answer| say!("ready, {}", text(answer, "database")));
    Ok(())
}
