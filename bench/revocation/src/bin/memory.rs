//! What a verifier holds when it has taken the log in: every byte that was allocated and not given back. Its argument is
//! the issuer's URL; everything runs on the one thread that is counted.

use std::time::Duration;

use countersign_verify::Verifier;
use serde_json::json;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = std::env::args().nth(1).ok_or("usage: bench-revocation-memory ISSUER")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut verifier = None;
    let counted = allocation_counter::measure(|| verifier = Some(runtime.block_on(ready(&issuer))));
    let status = verifier.ok_or("not measured")??.revocation_status().ok_or("no revocation")?;
    let held = json!({ "entries": status.entries, "held": counted.bytes_current, "peak": counted.bytes_max });
    println!("{held}");
    Ok(())
}

async fn ready(issuer: &str) -> Result<Verifier, Box<dyn std::error::Error>> {
    let verifier = Verifier::builder(issuer).audience("api").build()?;
    verifier.ready().await?;
    // What was only needed to take the log in is given back by then.
    tokio::time::sleep(Duration::from_secs(1)).await;
    Ok(verifier)
}
