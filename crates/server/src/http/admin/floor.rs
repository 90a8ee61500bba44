//! `/api/admin/floor`: access tokens of everybody end, in steps, and sessions live on.

use std::time::Duration;

use axum::{Json as Answer, extract::State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    event,
    revocations::{By, text},
};
use crate::{
    app::App,
    domain::{
        audit::Event,
        floor::{Refused, Rise, STEP},
        revocation::EffectiveBy,
    },
    errors,
    http::{
        body::{Json, LARGE_BODY},
        caller::Administrator,
        context::Context,
        error::ApiError,
    },
    store::{
        audit,
        revocations::{self, Head, floor},
    },
};

/// The body of `POST /api/admin/floor`.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Raise {
    /// Seconds within which the tokens of everybody end, the oldest first; 0 (default): at once. At most
    /// `access_token_ttl_cap`.
    #[serde(default)]
    pub over: u64,
}

/// Where the floor stands, and where it goes.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Floor {
    /// The head of the log.
    pub head: i64,
    /// Access tokens whose `rsn` is below it are dead.
    pub floor: i64,
    /// Where the floor will stand in the end.
    pub goal: i64,
    /// When it does, RFC 3339; null if it does by now.
    pub until: Option<String>,
    /// From when on no service accepts a token from before this call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_by: Option<By>,
}

/// `GET /api/admin/floor`
pub async fn show(State(app): State<App>) -> Result<Answer<Floor>, ApiError> {
    let now = app.steady_now();
    let read = app.store.read(move |tx| {
        Box::pin(async move {
            let head = revocations::head(tx).await?;
            Ok((head, revocations::time(tx, now).await?))
        })
    });
    let (head, t) = read.await?;
    let rising = head.rise.end > t && head.rise.goal > head.floor;
    Ok(Answer(Floor {
        head: head.rsn.get(),
        floor: head.floor_at(t).get(),
        goal: head.floor.max(head.rise.goal).get(),
        until: rising.then(|| text(head.rise.end)),
        effective_by: None,
    }))
}

/// `POST /api/admin/floor`: answers after the commit. Everything that exists by then is below the goal.
pub async fn raise(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Json(body): Json<Raise, LARGE_BODY>,
) -> Result<Answer<Floor>, ApiError> {
    let (over, cap) = (Duration::from_secs(body.over), app.config.access_token_ttl_cap);
    let (clock, event) = (app.steady_now(), event(&app, &context, admin.actor(), Event::TokenRevoked)?);
    let event = event.with("floor", "raised").with("over_s", body.over);
    let write = app.store.write(move |tx| {
        let event = event.clone();
        Box::pin(async move {
            let (head, now) = floor::advance(tx, clock).await?;
            let stands = head.floor_at(now);
            Ok(match Rise::begin((head.rise, stands), head.rsn, now, over, cap) {
                Ok(rise) => {
                    floor::raise(tx, stands.max(rise.at(now)), rise).await?;
                    audit::insert(tx, &event).await?;
                    Ok((head, rise, stands.max(rise.at(now))))
                }
                Err(refused) => Err(refused),
            })
        })
    });
    let (head, rise, floor): (Head, Rise, _) = write.await?.map_err(refused)?;
    // Services are told the floor of the log's time, a step late at most.
    let by = EffectiveBy::after(app.clock.now().plus(over).plus(if over.is_zero() { over } else { STEP }));
    Ok(Answer(Floor {
        head: head.rsn.get(),
        floor: floor.get(),
        goal: rise.goal.get(),
        until: (!over.is_zero()).then(|| text(rise.end)),
        effective_by: Some(By { strict: text(by.strict), balanced: text(by.balanced) }),
    }))
}

fn refused(refused: Refused) -> ApiError {
    match refused {
        Refused::UnderWay(_) => ApiError::new(errors::CONFLICT).detail(refused.to_string()),
        Refused::TooLong(_) => ApiError::field(errors::INVALID_VALUE, "over", refused.to_string()),
    }
}
