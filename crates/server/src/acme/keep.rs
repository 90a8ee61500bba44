//! The certificate's life: read at the start, fetched if there is none, renewed in time.

use std::{future::Future, sync::Arc, time::Duration};

use rustls::{pki_types::ServerName, server::ParsedCertificate, sign::CertifiedKey};
use tokio::sync::Notify;
use tracing::{error, info, warn};

use super::{Folder, TROUBLE, calls::Calls, of, order, shelf::Shelf};
use crate::{
    app::{App, StartError},
    config::Acme,
    domain::{
        acme::{Trouble, renew_at},
        time::Timestamp,
    },
    http::serve::Server,
    tls::{self, CHALLENGE, Shown},
};

/// The clock is looked at so often: machines sleep, and clocks are set.
const LOOK: Duration = Duration::from_mins(10);

/// Keeps the certificate.
#[derive(Debug)]
pub(crate) struct Fetching {
    app: App,
    acme: Acme,
    folder: Folder,
    shelf: Arc<Shelf>,
    /// Somebody wants it to be tried again.
    again: Arc<Notify>,
    /// What is shown, if it is from the right place and for all names.
    good: Option<Shown>,
    trouble: Option<Trouble>,
}

/// Secures a server with what was fetched before, or with nothing: then nobody gets through.
///
/// # Errors
/// TLS cannot be set up at all.
pub(crate) fn begin(app: &App, server: &Server, again: &Arc<Notify>) -> Result<Option<Fetching>, StartError> {
    let Some(acme) = app.config.acme.clone() else { return Ok(None) };
    let (folder, shelf) = (Folder::of(&app.config), Arc::<Shelf>::default());
    let files = folder.certificate();
    let config = tls::speaking(shelf.clone(), &[CHALLENGE])
        .map_err(|error| tls::TlsError::Pair { tls: files.clone(), reason: error.to_string() })?;
    server.secure(Some(config));
    let mut good = None;
    if files.certificate.exists() {
        match tls::certified(&files, &app.config.issuer) {
            Ok((certified, shown)) => {
                app.metrics.certificate(Some(&shown));
                good = (folder.is_from(&acme) && covers(&certified, &acme)).then_some(shown);
                shelf.show(certified);
            }
            Err(error) => error!(%error, "the certificate that was fetched cannot be used; fetching another one"),
        }
    }
    if app.metrics.certificate_expires().is_none() {
        warn!(
            domains = acme.domains.join(", "),
            directory = acme.directory.as_str(),
            "no certificate yet: nobody can connect until the ACME server has given one"
        );
    }
    let trouble = folder.trouble(&acme);
    Ok(Some(Fetching { app: app.clone(), acme, folder, shelf, again: Arc::clone(again), good, trouble }))
}

fn covers(certified: &CertifiedKey, acme: &Acme) -> bool {
    let Some(parsed) = certified.cert.first().and_then(|der| ParsedCertificate::try_from(der).ok()) else {
        return false;
    };
    let named = |name: &String| {
        ServerName::try_from(name.as_str()).is_ok_and(|name| rustls::client::verify_server_name(&parsed, &name).is_ok())
    };
    acme.domains.iter().all(named)
}

impl Fetching {
    /// Until `stop`.
    pub async fn keep(mut self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let mut asked = false;
        loop {
            let wait = self.due(asked).since(self.app.clock.now());
            if wait.is_zero() {
                asked = false;
                tokio::select! {
                    () = Box::pin(self.attempt()) => continue,
                    () = &mut stop => return,
                }
            }
            tokio::select! {
                () = tokio::time::sleep(wait.min(LOOK)) => {}
                () = self.again.notified() => asked = self.trouble.is_some(),
                () = &mut stop => return,
            }
        }
    }

    /// When it is time for an attempt.
    fn due(&self, asked: bool) -> Timestamp {
        let wanted =
            self.good.as_ref().map_or(Timestamp::default(), |shown| renew_at(shown.not_before, shown.not_after));
        let allowed = self.trouble.as_ref().map_or(Timestamp::default(), |trouble| trouble.next(asked));
        wanted.max(allowed)
    }

    async fn attempt(&mut self) {
        let app = self.app.newest();
        let now = app.clock.now();
        let calls = Calls::new(&app.config, &self.acme, now);
        let (fetched, told) = match calls {
            Ok(calls) => {
                let fetched = order::fetch(&self.acme, &app.config.issuer, &self.folder, &self.shelf, &calls).await;
                (fetched, calls.told())
            }
            Err(error) => (Err(error.into()), None),
        };
        match fetched {
            Ok(shown) => {
                info!(
                    domains = self.acme.domains.join(", "),
                    until = shown.not_after.secs(),
                    "a certificate was fetched and is in use"
                );
                app.metrics.certificate(Some(&shown));
                (self.good, self.trouble) = (Some(shown), None);
                if let Err(error) = self.folder.forget(TROUBLE) {
                    warn!(%error, "a former failure could not be forgotten");
                }
            }
            Err(failed) => self.failed(failed.to_string(), told),
        }
    }

    /// What is shown stays as it is.
    fn failed(&mut self, reason: String, told: Option<Duration>) {
        let now = self.app.clock.now();
        let trouble = Trouble::after(self.trouble.as_ref(), &of(&self.acme), reason, told, now);
        error!(
            reason = trouble.reason,
            failures = trouble.failures,
            again_in_s = trouble.next(false).since(now).as_secs(),
            shown_until = self.app.metrics.certificate_expires().map(Timestamp::secs),
            "no certificate could be fetched; what was shown before is shown on"
        );
        if let Err(error) = self.folder.keep_trouble(&trouble) {
            warn!(%error, "the failure could not be kept: a restart will not know of it");
        }
        self.trouble = Some(trouble);
    }
}
