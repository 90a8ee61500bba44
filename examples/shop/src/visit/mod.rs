//! The visit: starts the shop, plays the chapters, and ends everything it started.

mod chapters;
mod child;
mod forge;
mod setup;
mod story;

use std::{net::TcpListener, path::PathBuf, time::Duration};

use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};

use crate::Failure;
use child::Part;
use setup::Admin;
use story::Story;

/// Everybody's in this story; nobody's elsewhere.
const PASSWORD: &str = "correct horse battery staple";
/// The longest that the whole visit may take.
const TIMEOUT: Duration = Duration::from_secs(180);

/// The running shop. Dropped from top to bottom: first the processes, then the folder that one of them writes to.
struct Shop {
    order: Part,
    warehouse: Part,
    notification: Part,
    issuer: Part,
    admin: Admin,
    data: PathBuf,
    _folder: TempDir,
}

/// Plays the visit.
///
/// # Errors
/// The shop could not be started, an answer was not the expected one, it took too long, or somebody stopped it.
pub async fn run() -> Result<(), Failure> {
    let mut story = Story::new();
    let mut terminate = signal(SignalKind::terminate())?;
    // Whichever ends first: the others are dropped, and with them the shop.
    let played = tokio::select! {
        played = tokio::time::timeout(TIMEOUT, play(&mut story)) => {
            played.map_err(|_| format!("the visit took longer than {TIMEOUT:?}"))?
        }
        _ = tokio::signal::ctrl_c() => Err("stopped".into()),
        _ = terminate.recv() => Err("stopped".into()),
    };
    played?;
    match story.tally() {
        (steps, 0) => println!("\nThe visit is over: {steps} steps, each as expected."),
        (steps, unexpected) => return Err(format!("{unexpected} of {steps} steps were not as expected").into()),
    }
    Ok(())
}

async fn play(story: &mut Story) -> Result<(), Failure> {
    story.chapter("The shop opens");
    let mut shop = open(story).await?;
    let buyer = chapters::sign_in(story, &shop).await?;
    chapters::doors(story, &shop, &buyer).await;
    chapters::forgeries(story, &shop, &buyer).await?;
    chapters::expiry(story, &shop).await;
    chapters::two_tabs(story, &shop).await;
    let buyer = chapters::issuer_away(story, &mut shop, buyer).await?;
    chapters::sign_out(story, &shop, &buyer).await;
    Ok(())
}

async fn open(story: &mut Story) -> Result<Shop, Failure> {
    let folder = tempfile::Builder::new().prefix("shop-").tempdir()?;
    let data = folder.path().join("data");
    // The issuer's URL is written into every token, so it must be known before the issuer starts.
    let issuer = format!("http://{}", TcpListener::bind("127.0.0.1:0")?.local_addr()?);
    let admin = Admin { socket: data.join(countersign_server::serve::ADMIN_SOCKET) };
    story.say(&format!("the issuer's data lies in {}", data.display()));
    let issuer = start_issuer(&issuer, &data).await?;
    story.place("issuer", &issuer.url);
    let secret = admin.set_up().await?;
    story.say("its administrator has added the audiences, the clients and a manager (setup.rs)");

    let variable = ("SHOP_ISSUER", issuer.url.as_str());
    let warehouse = Part::start("warehouse", &[variable]).await?;
    story.place("warehouse", &warehouse.url);
    let notification = Part::start("notification", &[variable]).await?;
    story.place("notification", &notification.url);
    let variables = [
        variable,
        ("SHOP_WAREHOUSE", &warehouse.url),
        ("SHOP_NOTIFICATION", &notification.url),
        ("SHOP_CLIENT_SECRET", &secret),
    ];
    let order = Part::start("order", &variables).await?;
    story.place("order", &order.url);
    Ok(Shop { order, warehouse, notification, issuer, admin, data, _folder: folder })
}

/// Starts the issuer, for the first time or again: the URL and the folder are the same.
async fn start_issuer(url: &str, data: &std::path::Path) -> Result<Part, Failure> {
    let listen = url.trim_start_matches("http://");
    let data = data.to_str().ok_or("the name of the temporary folder is not UTF-8")?;
    Part::start("issuer", &[("SHOP_ISSUER", url), ("SHOP_LISTEN", listen), ("SHOP_DATA", data)]).await
}
