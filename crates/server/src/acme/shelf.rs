//! What is shown to whoever connects: the certificate, or to an ACME server the answer to its challenge.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwapOption;
use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use crate::tls::CHALLENGE;

/// Without a certificate nobody gets through the handshake.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    certificate: ArcSwapOption<CertifiedKey>,
    answers: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl Shelf {
    /// For each connection that comes from now on.
    pub fn show(&self, certificate: CertifiedKey) {
        self.certificate.store(Some(Arc::new(certificate)));
    }

    /// Answers the challenge for a name for as long as the guard lives.
    pub fn answer(self: &Arc<Self>, name: &str, answer: CertifiedKey) -> Answering {
        let name = name.to_ascii_lowercase();
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), Arc::new(answer));
        Answering { shelf: Arc::clone(self), name }
    }
}

impl ResolvesServerCert for Shelf {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if !hello.alpn().is_some_and(|names| names.eq([CHALLENGE])) {
            return self.certificate.load_full();
        }
        let name = hello.server_name()?.to_ascii_lowercase();
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).get(&name).cloned()
    }
}

/// A challenge that is being answered.
#[derive(Debug)]
pub(super) struct Answering {
    shelf: Arc<Shelf>,
    name: String,
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.shelf.answers.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}
