//! The theft is noticed because a refresh token that was replaced comes back.

use std::time::Duration;

use stage::{Failure, story::Story};

use super::{
    all,
    verdict::{self, Revocation},
};
use crate::{
    feed_log,
    fleet::{Fleet, VERIFIERS},
    house::{ADA, GRACE, House},
    watch::{Watch, now},
};

pub async fn play(story: &mut Story, house: &House, fleet: &Fleet) -> Result<(), Failure> {
    story.chapter("The theft is noticed: a refresh token comes back that was replaced");
    let stolen = house.sign_in(story, "Ada signs in; the thief copies both tokens", ADA).await;
    all(story, "the stolen access token is good", &fleet.doors, &stolen, 200).await?;
    let mut ada = stolen.clone();
    for words in ["Ada's browser refreshes", "and again, later"] {
        // Longer than the grace, or the refresh token would stay the same.
        tokio::time::sleep(Duration::from_millis(GRACE * 1_000 + 100)).await;
        let renewed = house.refresh(story, words, &ada).await;
        story.check("her refresh token is a new one", renewed.refresh != ada.refresh);
        ada = renewed;
    }

    let watch = Watch::start(story.http(), &fleet.doors, &stolen.access);
    let before = now();
    let words = "the thief uses the stolen refresh token: two hold copies, the session ends";
    house.refresh_is_refused(story, words, &stolen).await;
    let effective_by = Revocation::effective_by(now());
    let committed = feed_log::newest_after(story.http(), house.url(), before).await?;
    let seen = watch.end(effective_by, VERIFIERS).await?;
    let revocation = Revocation { committed, effective_by };
    verdict::refusals(story, &seen, revocation);
    verdict::promise(story, &seen, revocation);
    house.refresh_is_refused(story, "Ada has to sign in again", &ada).await;
    let ada = house.sign_in(story, "she does", ADA).await;
    all(story, "and is welcome at once", &fleet.doors, &ada, 200).await
}
