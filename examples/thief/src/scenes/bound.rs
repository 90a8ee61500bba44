//! Tokens that are bound to a key (RFC 9449): the thief copies everything but the key.

use stage::{
    Failure,
    client::Call,
    story::{Story, status},
};

use crate::{
    fleet::{self, Fleet},
    house::{ADA, House, Tokens},
    key::Key,
};

pub async fn play(story: &mut Story, house: &House, fleet: &Fleet) -> Result<(), Failure> {
    story.chapter("Tokens that are bound to a key: the thief copies both, and has nothing");
    let (ada, thief) = (Key::new()?, Key::new()?);
    let tokens = house.sign_in_with(story, "Ada signs in, and her browser proves a key", (ADA, &ada)).await?;
    story.say("the thief copies both tokens, and a request of Ada's on its way; the key cannot be copied");

    let mut seen = Vec::new();
    for door in &fleet.doors {
        seen.push(ada.proof_at(door, &tokens.access)?);
    }
    let with = |proofs: &[String]| -> Vec<Call> {
        let calls = fleet.doors.iter().zip(proofs);
        calls.map(|(door, proof)| Call::get(door).bound(&tokens.access, proof)).collect()
    };
    everywhere(story, "Ada's token is good with a proof by her key", with(&seen), 200).await?;
    let alone = fleet.doors.iter().map(|door| Call::get(door).bearer(&tokens.access)).collect();
    everywhere(story, "the thief shows the token alone", alone, 401).await?;
    let mut own = Vec::new();
    for door in &fleet.doors {
        own.push(thief.proof_at(door, &tokens.access)?);
    }
    everywhere(story, "the thief shows it with a key of their own", with(&own), 401).await?;
    everywhere(story, "the thief repeats Ada's request, proof and all", with(&seen), 401).await?;

    let proof = thief.proof(&format!("{}/token", house.url()))?;
    for (words, call) in [
        ("the stolen refresh token alone gets nothing", house.refreshing(&tokens)),
        ("nor with the thief's key", house.refreshing(&tokens).proof(&proof)),
    ] {
        story.ask(words, call, status(400).with("/error", "invalid_grant")).await;
    }
    let proof = ada.proof(&format!("{}/token", house.url()))?;
    let renewed = house.refreshing(&tokens).proof(&proof);
    let renewed: Tokens = story.ask("and Ada, who noticed nothing, refreshes", renewed, status(200)).await.into();
    let mut fresh = Vec::new();
    for door in &fleet.doors {
        fresh.push(Call::get(door).bound(&renewed.access, &ada.proof_at(door, &renewed.access)?));
    }
    everywhere(story, "her new token is good", fresh, 200).await
}

/// One call to each service; every one must be answered with this.
async fn everywhere(story: &mut Story, words: &str, calls: Vec<Call>, expected: u16) -> Result<(), Failure> {
    let (count, mut others) = (calls.len(), Vec::new());
    for (number, call) in (1..).zip(calls) {
        let came = fleet::status_of(story.http(), call).await?;
        if came != expected {
            others.push(format!("verifier {number}: {came}"));
        }
    }
    story.check(&format!("{words}: {expected} at {}", super::many(count)), others.is_empty());
    if !others.is_empty() {
        story.say(&format!("  {}", others.join(", ")));
    }
    Ok(())
}
