//! The scenes, and what they have in common.

mod bound;
mod control;
mod cut;
mod everywhere;
mod reuse;
mod verdict;

use std::time::Duration;

use stage::{Failure, story::Story};

use crate::{
    fleet::{self, Fleet, VERIFIERS},
    house::{House, Tokens},
    road::Road,
};

/// The longest that everything may take.
const TIMEOUT: Duration = Duration::from_secs(300);

/// What is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Programme {
    /// Every scene.
    Whole,
    /// The one without the feed.
    Control,
}

/// Plays it.
///
/// # Errors
/// Something could not be started, came otherwise than it should, took too long, or somebody stopped it.
pub async fn run(programme: Programme) -> Result<(), Failure> {
    let mut story = Story::new();
    stage::play(play(&mut story, programme), TIMEOUT).await?;
    match (story.tally(), programme) {
        ((_, unexpected @ 1..), _) => Err(format!("{unexpected} things were not as they should be").into()),
        ((steps, 0), Programme::Whole) => {
            println!("\nThe thief gives up: {steps} steps, each as expected.");
            println!("With the feed nothing was accepted that should not be.");
            Ok(())
        }
        ((steps, 0), Programme::Control) => {
            println!("\nThe control is over: {steps} steps, each as expected. Without the feed the thief goes on.");
            Ok(())
        }
    }
}

async fn play(story: &mut Story, programme: Programme) -> Result<(), Failure> {
    story.chapter("An issuer, and twenty services that check its tokens by themselves");
    let house = House::open(story).await?;
    if programme == Programme::Whole {
        let road = Road::to(house.url()).await?;
        let fleet = Fleet::following(house.url(), &format!("{}/revocations/0", road.url)).await?;
        story.say(&format!(
            "{VERIFIERS} verifiers that share nothing, in four processes, each with the profile `Strict`: they may go on\n   \
             for 1 s with what they know. The last one hears the feed over a road that can be cut."
        ));
        everywhere::play(story, &house, &fleet).await?;
        reuse::play(story, &house, &fleet).await?;
        bound::play(story, &house, &fleet).await?;
        cut::play(story, &house, &fleet, &road).await?;
    }
    let fleet = Fleet::without_feed(house.url()).await?;
    control::play(story, &house, &fleet).await
}

/// Each of these services answers this to the token.
async fn all(story: &mut Story, words: &str, doors: &[String], tokens: &Tokens, expected: u16) -> Result<(), Failure> {
    let mut others = Vec::new();
    for (number, door) in (1..).zip(doors) {
        let came = fleet::verdict(story.http(), door, &tokens.access).await?;
        if came != expected {
            others.push(format!("verifier {number}: {came}"));
        }
    }
    story.check(&format!("{words}: {expected} at {}", many(doors.len())), others.is_empty());
    if !others.is_empty() {
        story.say(&format!("  {}", others.join(", ")));
    }
    Ok(())
}

fn many(doors: usize) -> String {
    match doors {
        1 => "this verifier".to_owned(),
        VERIFIERS => format!("each of the {VERIFIERS} verifiers"),
        some => format!("the {some} others"),
    }
}
