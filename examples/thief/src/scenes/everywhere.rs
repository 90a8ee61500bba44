//! The owner signs out everywhere.

use stage::{Failure, story::Story};

use super::{
    all,
    verdict::{self, Revocation},
};
use crate::{
    feed_log,
    fleet::{Fleet, VERIFIERS},
    house::{ADA, BOB, House},
    watch::{Watch, now},
};

pub async fn play(story: &mut Story, house: &House, fleet: &Fleet) -> Result<(), Failure> {
    story.chapter("A thief uses stolen tokens beside their owner; she signs out everywhere");
    let ada = house.sign_in(story, "Ada signs in", ADA).await;
    let bob = house.sign_in(story, "Bob signs in; nobody steals anything from him", BOB).await;
    story.say("the thief copies what Ada's browser keeps: an access token and a refresh token");
    all(story, "Ada's access token is good", &fleet.doors, &ada, 200).await?;
    let stolen = house.refresh(story, "the stolen refresh token gets the thief an access token as well", &ada).await;
    all(story, "which is just as good", &fleet.doors, &stolen, 200).await?;

    let watch = Watch::start(story.http(), &fleet.doors, &stolen.access);
    let before = now();
    house.sign_out_everywhere(story, &ada).await;
    let effective_by = Revocation::effective_by(now());
    let committed = feed_log::newest_after(story.http(), house.url(), before).await?;
    let seen = watch.end(effective_by, VERIFIERS).await?;
    let revocation = Revocation { committed, effective_by };
    verdict::refusals(story, &seen, revocation);
    verdict::promise(story, &seen, revocation);
    all(story, "the access token that was copied is dead, too", &fleet.doors, &ada, 401).await?;
    house.refresh_is_refused(story, "and so is the stolen refresh token", &stolen).await;
    all(story, "Bob has noticed nothing", &fleet.doors, &bob, 200).await
}
