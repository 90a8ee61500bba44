//! An HSM, or what looks like one, by PKCS#11. Its calls block for as long as it likes, so they have a thread of their own, which
//! is started by the first call and holds the one session.

mod objects;
mod token;

use std::{
    mem::ManuallyDrop,
    sync::{
        Mutex, PoisonError,
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
};

use countersign_jose::{Algorithm, b64};
use cryptoki::{
    mechanism::{Mechanism, aead::GcmParams},
    types::Ulong,
};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use self::token::Token;
use super::{
    kek::KekBytes,
    remote::{Fault, MadeThere, Plain},
};
use crate::config;

/// Calls that may wait for the thread; more are refused, so that a token that hangs collects nobody.
const WAITING: usize = 64;
/// Of AES-GCM, bytes.
const IV: usize = 12;
const TAG_BITS: u64 = 128;

type Job = Box<dyn FnOnce(&mut Token) + Send>;

/// The module, and the thread that calls it.
pub(super) struct Pkcs11 {
    config: config::Pkcs11,
    thread: Mutex<Option<SyncSender<Job>>>,
}

impl std::fmt::Debug for Pkcs11 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pkcs11").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Pkcs11 {
    pub fn new(config: config::Pkcs11) -> Self {
        Self { config, thread: Mutex::default() }
    }

    pub fn place(&self) -> String {
        format!("pkcs11 (token {}, key {})", self.config.token, self.config.key)
    }

    pub async fn wrap(&self, kek: &KekBytes, context: &str, iv: [u8; IV]) -> Result<String, Fault> {
        let (kek, context, label) = (kek.clone(), context.to_owned(), self.config.key.clone());
        let sealed = self.run(move |token| {
            let key = token.wrapping_key(&label)?;
            let mut given = iv;
            let params = GcmParams::new(&mut given, context.as_bytes(), tag_bits())?;
            Ok([&iv[..], &token.session()?.encrypt(&Mechanism::AesGcm(params), key, &kek[..])?].concat())
        });
        sealed.await.map(b64::encode)
    }

    pub async fn unwrap(&self, wrapped: &str, context: &str) -> Result<Plain, Fault> {
        let damaged = || Fault::Refused("the wrapped key in the database is damaged".to_owned());
        let sealed = b64::decode(wrapped).map_err(|_| damaged())?;
        let (iv, sealed) = sealed.split_first_chunk::<IV>().ok_or_else(damaged)?;
        let (mut iv, sealed, context, label) = (*iv, sealed.to_vec(), context.to_owned(), self.config.key.clone());
        self.run(move |token| {
            let key = token.wrapping_key(&label)?;
            let params = GcmParams::new(&mut iv, context.as_bytes(), tag_bits())?;
            Ok(Zeroizing::new(token.session()?.decrypt(&Mechanism::AesGcm(params), key, &sealed)?))
        })
        .await
    }

    pub async fn make(&self, alg: Algorithm, id: &str) -> Result<MadeThere, Fault> {
        let name = format!("{}-{id}", self.config.key);
        self.run(move |token| objects::make(token, alg, name)).await
    }

    pub async fn sign(&self, name: &str, alg: Algorithm, message: &[u8]) -> Result<Vec<u8>, Fault> {
        let (name, message) = (name.to_owned(), message.to_vec());
        self.run(move |token| objects::sign(token, &name, alg, &message)).await
    }

    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Token) -> Result<T, token::Broken> + Send + 'static,
    ) -> Result<T, Fault> {
        let (tell, told) = oneshot::channel();
        self.submit(Box::new(move |token: &mut Token| {
            // Whoever asked may have gone while this waited.
            if !tell.is_closed() {
                let _ = tell.send(token.attempt(job));
            }
        }))?;
        told.await.map_err(|_| Fault::Down("its thread ended".to_owned()))?
    }

    fn submit(&self, job: Job) -> Result<(), Fault> {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(queue) = thread.as_ref() else { return self.start(&mut thread, job) };
        match queue.try_send(job) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => Err(Fault::Down(format!("{WAITING} calls wait for it already"))),
            // The module took the thread with it: a new one.
            Err(TrySendError::Disconnected(job)) => self.start(&mut thread, job),
        }
    }

    fn start(&self, thread: &mut Option<SyncSender<Job>>, first: Job) -> Result<(), Fault> {
        let (queue, jobs) = sync_channel::<Job>(WAITING);
        // It is never closed: the thread ends when the process does, and the module may be gone before it then.
        let mut token = ManuallyDrop::new(Token::new(self.config.clone()));
        let run = move || {
            for job in jobs {
                job(&mut token);
            }
        };
        let started = std::thread::Builder::new().name("pkcs11".to_owned()).spawn(run);
        started.map_err(|error| Fault::Down(format!("no thread for it: {error}")))?;
        let sent = queue.try_send(first).map_err(|_| Fault::Down("its thread ended".to_owned()));
        *thread = Some(queue);
        sent
    }
}

fn tag_bits() -> Ulong {
    TAG_BITS.into()
}
