//! Asking the issuer about one token (RFC 7662), for the time in which the verifier itself cannot judge: bounded, once per
//! token at a time, and for a moment only.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::Method;
use serde_json::Value;
use tokio::sync::{Semaphore, watch};

use crate::{
    clock::{Clock, Moment},
    feed::Site,
};

/// An answer counts for this long from the moment the question was sent: not longer than the strictest lease.
const KEPT: Duration = Duration::from_secs(1);
/// After a failure nobody asks for this long: the callers hear 503 at once instead of waiting one after the other.
const REST: Duration = Duration::from_secs(1);
const AT_A_TIME: usize = 32;
const MAX_KEPT: usize = 4_096;
const MAX_ANSWER: usize = 64 * 1024;

/// Asks one issuer.
#[derive(Debug)]
pub(crate) struct Introspector {
    site: Arc<Site>,
    clock: Clock,
    max_wait: Duration,
    permits: Arc<Semaphore>,
    table: Arc<Mutex<Table>>,
}

#[derive(Debug, Default)]
struct Table {
    questions: HashMap<Box<str>, Question>,
    failed_at: Option<Moment>,
}

#[derive(Debug, Clone)]
struct Question {
    asked_at: Moment,
    answer: watch::Receiver<Option<bool>>,
}

impl Introspector {
    pub(crate) fn new(site: Arc<Site>, clock: Clock, max_wait: Duration) -> Self {
        Self { site, clock, max_wait, permits: Arc::new(Semaphore::new(AT_A_TIME)), table: Arc::default() }
    }

    /// Whether the issuer calls the token active; `None` if it did not say. The caller has checked everything else of the
    /// token, so that strangers cannot make this service ask.
    pub(crate) async fn is_active(&self, token: &str) -> Option<bool> {
        let mut answer = self.question(token)?.answer;
        let heard = tokio::time::timeout(self.max_wait, answer.wait_for(Option::is_some)).await;
        *heard.ok()?.ok()?
    }

    /// The question that is on its way or was answered a moment ago, or a new one.
    fn question(&self, token: &str) -> Option<Question> {
        let now = self.clock.now();
        let mut table = self.table();
        let counts = |question: &Question| now.since(question.asked_at) <= KEPT;
        if let Some(question) = table.questions.get(token).filter(|question| counts(question)) {
            return Some(question.clone());
        }
        if table.questions.len() >= MAX_KEPT {
            table.questions.retain(|_, question| counts(question));
        }
        if table.failed_at.is_some_and(|at| now.since(at) <= REST) || table.questions.len() >= MAX_KEPT {
            return None;
        }
        let permit = Arc::clone(&self.permits).try_acquire_owned().ok()?;
        let (sender, answer) = watch::channel(None);
        let question = Question { asked_at: now, answer };
        table.questions.insert(token.into(), question.clone());
        drop(table);
        // A task of its own, so that a caller who goes away does not stop it for the others.
        let (site, clock, table, token) =
            (Arc::clone(&self.site), self.clock.clone(), Arc::clone(&self.table), token.to_owned());
        tokio::spawn(async move {
            let heard = ask(&site, &token).await;
            drop(permit);
            if let Err(error) = &heard {
                tracing::warn!(%error, "the issuer could not be asked about a token");
                let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
                table.questions.remove(token.as_str());
                table.failed_at = Some(clock.now());
            }
            sender.send_replace(heard.ok());
        });
        Some(question)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn ask(site: &Site, token: &str) -> Result<bool, String> {
    let endpoints = site.endpoints().await.map_err(|error| error.to_string())?;
    let uri = endpoints.introspection.as_ref().ok_or("the issuer's metadata names no introspection endpoint")?;
    // A token has no character that a form would encode.
    let form = Bytes::from(format!("token={token}&token_type_hint=access_token"));
    let request = site.request(Method::POST, uri, "application/json", form).map_err(|error| error.to_string())?;
    let body = site.read("the introspection endpoint", request, MAX_ANSWER).await.map_err(|error| error.to_string())?;
    let answer = countersign_jose::json::Reader::map(&body).map_err(|error| error.to_string())?;
    // RFC 7662 §2.2: required, a boolean.
    answer.get("active").and_then(Value::as_bool).ok_or_else(|| "an answer without `active`".to_owned())
}
