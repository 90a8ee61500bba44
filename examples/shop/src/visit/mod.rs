//! The visit: starts the shop, plays the chapters, and ends everything it started.

mod chapters;
mod forge;
mod setup;

use std::time::Duration;

use stage::{Failure, issuer::Issuer, part::Part, story::Story};

use setup::Keeper;

/// Everybody's in this story; nobody's elsewhere.
const PASSWORD: &str = "correct horse battery staple";
/// The longest that the whole visit may take.
const TIMEOUT: Duration = Duration::from_secs(180);

/// The running shop. Dropped from top to bottom: the issuer last.
struct Shop {
    order: Part,
    warehouse: Part,
    notification: Part,
    issuer: Issuer,
    keeper: Keeper,
}

/// Plays the visit.
///
/// # Errors
/// The shop could not be started, an answer was not the expected one, it took too long, or somebody stopped it.
pub async fn run() -> Result<(), Failure> {
    let mut story = Story::new();
    stage::play(play(&mut story), TIMEOUT).await?;
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
    let buyer = chapters::roles(story, &shop, buyer).await?;
    let buyer = chapters::issuer_away(story, &mut shop, buyer).await?;
    chapters::sign_out(story, &shop, &buyer).await;
    Ok(())
}

async fn open(story: &mut Story) -> Result<Shop, Failure> {
    let issuer = Issuer::start("shop-", &[]).await?;
    story.say(&format!("the issuer's data lies in {}", issuer.data().display()));
    story.place("issuer", &issuer.url);
    let keeper = Keeper(issuer.admin());
    let secret = keeper.set_up().await?;
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
    Ok(Shop { order, warehouse, notification, issuer, keeper })
}
