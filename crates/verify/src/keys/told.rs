//! Which keys a verifier has, told to the issuer with every question for the feed: a new key signs when those who check
//! tokens have it.

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::watch;

use super::Keys;

const HEADER: HeaderName = HeaderName::from_static("countersign-keys");

/// What is to be told; nothing while no keys were fetched. Remembers what it said.
#[derive(Debug, Clone)]
pub(crate) struct Told(watch::Receiver<Option<HeaderValue>>);

/// Where the fetched keys are put.
#[derive(Debug)]
pub(crate) struct Teller(watch::Sender<Option<HeaderValue>>);

impl Teller {
    pub(crate) fn new() -> (Self, Told) {
        let (teller, told) = watch::channel(None);
        (Self(teller), Told(told))
    }

    /// These are the keys from now on.
    pub(super) fn tell(&self, keys: &Keys) {
        let mut kids: Vec<&str> = keys.set().iter().filter_map(|key| key.kid()).collect();
        kids.sort_unstable();
        // A key whose id is no text for a header is not told, and not waited for.
        let text = HeaderValue::from_str(&kids.join(" ")).ok();
        self.0.send_if_modified(|current| {
            let changed = *current != text;
            *current = text;
            changed
        });
    }
}

impl Told {
    /// Says it.
    pub(crate) fn say(&mut self, headers: &mut HeaderMap) {
        if let Some(text) = self.0.borrow_and_update().clone() {
            headers.insert(HEADER, text);
        }
    }

    /// Waits until there is something else to say than was said.
    pub(crate) async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            // The keys are gone, and the verifier with them.
            std::future::pending::<()>().await;
        }
    }
}
