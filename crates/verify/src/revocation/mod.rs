//! The revocation log as a verifier sees it: what is dead, and how fresh that knowledge is. No I/O and no clock in here;
//! the feed client and the simulation of the tests drive the same code.

mod batch;
mod entries;
mod event;
mod index;
mod keyed;
mod lease;
mod marks;
mod published;
mod shared;
mod state;
mod sync;
#[cfg(test)]
mod tests;
#[cfg(feature = "test-issuer")]
mod view;

pub(crate) use batch::Batch;
#[cfg(test)]
use batch::{Entry, NEVER, number};
pub use event::{RevocationEvent, RevocationStatus};
pub(crate) use keyed::Keyed;
pub use lease::Profile;
pub(crate) use lease::{Anchor, Lease, micros};
pub(crate) use marks::{Cleared, Marks, of_key};
pub(crate) use shared::{Revocations, Standing};
pub(crate) use state::State;
pub(crate) use sync::Guard;
#[cfg(feature = "test-issuer")]
pub use view::{Names, Verdict, View};
