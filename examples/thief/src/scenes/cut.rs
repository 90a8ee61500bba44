//! One verifier is cut off while its owner signs out: it may not know, and says so.

use stage::{
    Failure,
    client::Call,
    story::{Story, status},
};

use super::{
    all,
    verdict::{self, Revocation, millis},
};
use crate::{
    feed_log,
    fleet::{self, Fleet, VERIFIERS},
    house::{ADA, BOB, House, Tokens},
    road::Road,
    watch::{Seen, Watch, now},
};

pub async fn play(story: &mut Story, house: &House, fleet: &Fleet, road: &Road) -> Result<(), Failure> {
    story.chapter("The feed of one verifier is cut");
    let ada = house.sign_in(story, "Ada signs in; the thief copies her access token", ADA).await;
    let bob = house.sign_in(story, "Bob signs in", BOB).await;
    all(story, "the stolen access token is good", &fleet.doors, &ada, 200).await?;
    let (connected, lonely) = fleet.doors.split_at(VERIFIERS - 1);

    let watch = Watch::start(story.http(), &fleet.doors, &ada.access);
    road.cut();
    story.say(&format!("the feed of verifier {VERIFIERS} is cut; nobody tells it"));
    let before = now();
    house.sign_out_everywhere(story, &ada).await;
    let effective_by = Revocation::effective_by(now());
    let committed = feed_log::newest_after(story.http(), house.url(), before).await?;
    let seen = watch.end(effective_by, connected.len()).await?;
    let revocation = Revocation { committed, effective_by };
    verdict::refusals(story, &seen[..connected.len()], revocation);
    verdict::promise(story, &seen, revocation);
    for seen in &seen[connected.len()..] {
        cut_off(story, seen, committed);
    }
    for door in lonely {
        let call = Call::get(door).bearer(&bob.access);
        story.ask("it answers the same to Bob's good token: never 401, since it cannot tell", call, status(503)).await;
    }
    all(story, "Bob's token is good elsewhere", connected, &bob, 200).await?;
    mended(story, lonely, (&ada, &bob), road).await
}

fn cut_off(story: &mut Story, seen: &Seen, committed: i64) {
    let ended = seen.first_unable.is_some() && seen.first_refused.is_none();
    story.check(&format!("verifier {VERIFIERS} does not know, and answers 503 instead of 200"), ended);
    if let Some(sent) = seen.last_accepted {
        let after = millis(sent - committed);
        story.say(&format!("  it last accepted what was sent {after} ms after the commit: its view may be 1 s old"));
    }
    if let Some(came) = seen.first_unable {
        story.say(&format!("  its first 503 came {} ms after the commit", millis(came - committed)));
    }
}

async fn mended(
    story: &mut Story,
    lonely: &[String],
    (ada, bob): (&Tokens, &Tokens),
    road: &Road,
) -> Result<(), Failure> {
    road.mend();
    let since = now();
    story.say("its feed is back");
    for door in lonely {
        // 503 until it is ready again; the first thing it says then is no.
        let first = fleet::verdict(story.http(), door, &ada.access).await?;
        let after = millis(now() - since);
        story.check("it has read what it missed: the stolen token is refused with 401", first == 401);
        story.say(&format!("  {after} ms after the feed was back"));
    }
    all(story, "and Bob's token is good again", lonely, bob, 200).await
}
