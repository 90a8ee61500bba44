//! Statements that travel together: each is sent before the one ahead of it is answered, so that all of them cost one round
//! trip. The database runs them one after the other, and none after one that it refused.

use std::{future::Future, pin::Pin};

use deadpool_postgres::Object;
use futures_util::future::poll_immediate;
use tokio_postgres::Error;

use crate::store::{Param, value::Value};

/// A statement that is to be sent, and the values of its parameters.
pub(super) struct Waiting {
    sql: &'static str,
    params: Vec<Value>,
    /// Sent as it stands: a statement that frames the transaction.
    plain: bool,
}

/// Statements on their way, in their order.
pub(super) struct Flight<'c>(Vec<Answer<'c>>);

type Answer<'c> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'c>>;

/// Whether a statement changes nothing: locks, which end with the transaction, are no change.
pub(super) fn reads(sql: &str) -> bool {
    sql.starts_with("SELECT ") || sql == "COMMIT"
}

impl Waiting {
    pub(super) fn new(sql: &'static str, params: &[Param<'_>]) -> Self {
        Self { sql, params: params.iter().copied().map(Value::from).collect(), plain: false }
    }

    pub(super) fn begin(sql: &'static str) -> Self {
        Self { sql, params: Vec::new(), plain: true }
    }

    pub(super) fn reads(&self) -> bool {
        reads(self.sql)
    }

    /// Its answer. Nothing but the first poll is needed to send it.
    async fn prepared<'c>(self, client: &'c Object) -> Result<Answer<'c>, Error> {
        if self.plain {
            return Ok(Box::pin(client.batch_execute(self.sql)));
        }
        let statement = client.prepare_cached(self.sql).await?;
        Ok(Box::pin(async move { client.execute_raw(&statement, self.params.iter().map(Param::from)).await.map(drop) }))
    }
}

impl<'c> Flight<'c> {
    /// Sends these statements. Those that this connection has never seen are prepared first, which takes a round trip each.
    ///
    /// # Errors
    /// One of them could not be sent; none of those behind it was.
    pub(super) async fn launch(client: &'c Object, waiting: Vec<Waiting>) -> Result<Self, Error> {
        let mut answers = Vec::with_capacity(waiting.len());
        for one in waiting {
            answers.push(one.prepared(client).await?);
        }
        let mut sent = Vec::with_capacity(answers.len());
        for mut answer in answers {
            match poll_immediate(&mut answer).await {
                None => sent.push(answer),
                Some(outcome) => outcome?,
            }
        }
        Ok(Self(sent))
    }

    /// Sends `last` behind them, and waits for all. The first result is that of the first that failed.
    pub(super) async fn with<T>(
        self,
        last: impl Future<Output = Result<T, Error>>,
    ) -> (Result<(), Error>, Result<T, Error>) {
        let mut last = Box::pin(last);
        let at_once = poll_immediate(&mut last).await;
        let mut arrived = Ok(());
        for answer in self.0 {
            arrived = arrived.and(answer.await);
        }
        let last = match at_once {
            Some(outcome) => outcome,
            None => last.await,
        };
        (arrived, last)
    }
}
