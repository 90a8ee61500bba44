//! How revocations reach the verifier.

use std::sync::{Arc, Mutex};

use super::{BuildError, VerifierBuilder, fetchable};
#[cfg(feature = "test-issuer")]
use crate::test_issuer::TestFeed;
use crate::{
    feed::{Credentials, Follower, HttpTransport, Runner, Settings, Site},
    following::{Following, Source},
    keys::Told,
    net,
    random::Random,
    revocation::{Lease, Profile, Revocations, micros},
};

const SMALLEST_MAX_ENTRIES: usize = 16;

/// Whether the verifier follows the revocation log, and whose.
#[derive(Debug, Default)]
pub(super) enum Log {
    #[default]
    Issuer,
    Without,
    #[cfg(feature = "test-issuer")]
    Test(Arc<TestFeed>),
}

/// How revocations reach the verifier: from the feed that the issuer's metadata names, followed in the background.
impl VerifierBuilder {
    /// How long the service goes on with what it knows when it does not hear from the issuer:
    /// [`Profile::Balanced`], 10 s, by default. See also [`Verifier::with_profile`](crate::Verifier::with_profile).
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// Does without revocations: a token is accepted until it expires, whatever happens to its session, its user or its
    /// key. For issuers that have no revocation feed.
    pub fn without_revocation(mut self) -> Self {
        self.log = Log::Without;
        self
    }

    /// This service's own client at the issuer: to read the feed, where it is not open to everybody, and to ask about
    /// single tokens (RFC 7662) while the view of the log is too old. Sent in `Authorization: Basic`.
    pub fn client_credentials(mut self, client_id: impl AsRef<str>, secret: impl AsRef<str>) -> Self {
        self.credentials = Some(Credentials::new(client_id.as_ref(), secret.as_ref()));
        self
    }

    /// Another address of the issuer's metadata (RFC 8414), which names the feed; by default
    /// `{issuer}/.well-known/openid-configuration`. It must name the same `issuer` all the same.
    pub fn metadata_uri(mut self, uri: impl Into<String>) -> Self {
        self.metadata_uri = Some(uri.into());
        self
    }

    /// Reads the feed somewhere else than the metadata says: from a relay near this service. The relay needs no trust, since
    /// every line is signed with the keys that the issuer's own metadata names.
    pub fn revocation_feed(mut self, uri: impl Into<String>) -> Self {
        self.feed_uri = Some(uri.into());
        self
    }

    /// How many revocations are held at most: 2 million by default, about 80 bytes each. Beyond that the oldest are
    /// dropped, and every token that is older than they are is refused instead: correct, and its client refreshes.
    pub fn max_entries(mut self, entries: usize) -> Self {
        self.max_entries = entries.max(SMALLEST_MAX_ENTRIES);
        self
    }

    /// About how many verified tokens are remembered, so that their signatures are not checked at each request: 100,000
    /// by default, with about 2 KiB each; the table grows as it is needed. Whether a token is revoked, expired or stale is
    /// asked at each request all the same. 0: none.
    pub fn cached_tokens(mut self, tokens: usize) -> Self {
        self.cached_tokens = tokens;
        self
    }

    #[cfg(feature = "test-issuer")]
    pub(crate) fn test_feed(mut self, feed: Arc<TestFeed>) -> Self {
        self.log = Log::Test(feed);
        self
    }

    /// Where the issuer's feed is found, if it is followed.
    pub(super) fn site(&mut self) -> Result<Option<Arc<Site>>, BuildError> {
        if !matches!(self.log, Log::Issuer) {
            return Ok(None);
        }
        let default = || format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let text = self.metadata_uri.take().unwrap_or_else(default);
        let metadata = fetchable(&text).map_err(|reason| BuildError::MetadataUri { url: text, reason })?;
        let feed = self.feed_uri.take().map(|url| match fetchable(&url) {
            Ok(uri) => Ok(uri),
            Err(reason) => Err(BuildError::FeedUri { url, reason }),
        });
        let client = net::client(self.fetch_timeout, &self.extra_roots)
            .map_err(|error| BuildError::RootCertificate(error.to_string()))?;
        Ok(Some(Arc::new(Site {
            issuer: self.issuer.clone(),
            client,
            metadata,
            feed: feed.transpose()?,
            credentials: self.credentials.take(),
            timeout: self.fetch_timeout,
            found: Mutex::default(),
        })))
    }

    pub(super) fn following(
        &mut self,
        lease: Lease,
        site: Option<&Arc<Site>>,
        told: Told,
    ) -> Result<Option<Following>, BuildError> {
        let revocations = Arc::new(Revocations::new(self.max_entries));
        let source = match (std::mem::take(&mut self.log), site) {
            #[cfg(feature = "test-issuer")]
            (Log::Test(feed), _) => Source::Test(feed),
            (Log::Issuer, Some(site)) => {
                let settings = Arc::new(Settings {
                    revocations: Arc::clone(&revocations),
                    clock: self.clock.clone(),
                    random: Random::System,
                    tightest: micros(lease.bound).unsigned_abs().into(),
                    nudge: tokio::sync::Notify::new(),
                });
                let transport = HttpTransport::new(Arc::clone(site), told);
                let follower = Follower::new(transport, Arc::clone(&settings), &self.issuer);
                Source::Issuer(Runner::new(follower, settings))
            }
            (Log::Without | Log::Issuer, _) => return Ok(None),
        };
        Ok(Some(Following { revocations, source, issuer: self.issuer.clone(), bound: lease.bound }))
    }
}
