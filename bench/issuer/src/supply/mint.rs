//! The peer makes codes and tokens inside its process, as it makes its refresh chains: what its own pages would leave in its
//! store, without the pages. It is told so on another port, so that no measured request passes by anything of this.

use std::net::SocketAddr;

use anyhow::{Context, Result};

use crate::http;
use crate::servers::ask;

/// So many fit into one reply.
const BATCH: usize = 1_000;

pub struct Mint {
    pub addr: SocketAddr,
}

impl Mint {
    /// `codes`, `userinfo`: tokens that UserInfo takes, or `service`: tokens that a service may ask about.
    pub async fn made(&self, what: &str, count: usize) -> Result<Vec<String>> {
        let mut all = Vec::with_capacity(count);
        while all.len() < count {
            let batch = BATCH.min(count - all.len());
            let reply = ask(self.addr, http::get(&format!("/{what}?count={batch}"))).await?;
            all.extend(serde_json::from_slice::<Vec<String>>(&reply).context("the peer's mint")?);
        }
        Ok(all)
    }
}
