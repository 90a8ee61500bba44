//! The control: the same sign-out at verifiers without the feed, which is how tokens are usually checked.

use stage::{Failure, story::Story};

use super::{
    all,
    verdict::{Revocation, millis},
};
use crate::{
    feed_log,
    fleet::Fleet,
    house::{ADA, House},
    watch::{Watch, now},
};

pub async fn play(story: &mut Story, house: &House, fleet: &Fleet) -> Result<(), Failure> {
    story.chapter("The control: twenty verifiers without the feed");
    let ada = house.sign_in(story, "Ada signs in; the thief copies both tokens", ADA).await;
    all(story, "the stolen access token is good", &fleet.doors, &ada, 200).await?;
    let watch = Watch::start(story.http(), &fleet.doors, &ada.access);
    let before = now();
    house.sign_out_everywhere(story, &ada).await;
    let effective_by = Revocation::effective_by(now());
    let committed = feed_log::newest_after(story.http(), house.url(), before).await?;
    let seen = watch.end(effective_by, 0).await?;
    let accepted_late = seen.iter().filter(|seen| seen.last_accepted.is_some_and(|sent| sent > effective_by)).count();
    let all_accept = accepted_late == fleet.doors.len() && seen.iter().all(|seen| seen.first_refused.is_none());
    story.check("each of them still accepts the stolen access token: the feed makes the difference", all_accept);
    let last = seen.iter().filter_map(|seen| seen.last_accepted).max().unwrap_or(committed);
    let after = millis(last - committed);
    story.say(&format!("  the last time {after} ms after the commit; it goes on until the token expires"));
    house.refresh_is_refused(story, "the stolen refresh token is dead all the same: the issuer is asked", &ada).await;
    all(story, "the access token lives on", &fleet.doors, &ada, 200).await
}
