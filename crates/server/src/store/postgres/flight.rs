//! Statements that travel together: each is sent before the one ahead of it is answered, so that all of them cost one round
//! trip. The database runs them one after the other, and none after one that it refused.

use std::{
    future::Future,
    pin::{Pin, pin},
};

use deadpool_postgres::Object;
use futures_util::{TryStreamExt, future::poll_immediate};
use tokio_postgres::{
    Error, Row,
    types::{ToSql, Type},
};

use super::connect::Pooler;
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
    async fn prepared(self, (client, pooler): (&Object, Pooler)) -> Result<Answer<'_>, Error> {
        if self.plain {
            return Ok(Box::pin(client.batch_execute(self.sql)));
        }
        if pooler == Pooler::Transaction {
            return Ok(Box::pin(async move {
                let params: Vec<Param<'_>> = self.params.iter().map(Param::from).collect();
                client.execute_typed(self.sql, &stated(&params)).await.map(drop)
            }));
        }
        let statement = client.prepare_cached(self.sql).await?;
        Ok(Box::pin(async move { client.execute_raw(&statement, self.params.iter().map(Param::from)).await.map(drop) }))
    }
}

/// Runs a statement; the number of rows that it changed.
pub(super) async fn changed(
    client: &Object,
    pooler: Pooler,
    sql: &'static str,
    params: &[Param<'_>],
) -> Result<u64, Error> {
    match pooler {
        Pooler::None => {
            let statement = client.prepare_cached(sql).await?;
            client.execute_raw(&statement, params.iter().copied()).await
        }
        Pooler::Transaction => client.execute_typed(sql, &stated(params)).await,
    }
}

/// Runs a statement; its rows.
pub(super) async fn rows(
    client: &Object,
    pooler: Pooler,
    sql: &'static str,
    params: &[Param<'_>],
) -> Result<Vec<Row>, Error> {
    let rows = match pooler {
        Pooler::None => {
            let statement = client.prepare_cached(sql).await?;
            client.query_raw(&statement, params.iter().copied()).await?
        }
        Pooler::Transaction => client.query_typed_raw(sql, params.iter().map(|param| (*param, param.stated()))).await?,
    };
    pin!(rows).try_collect().await
}

fn stated<'p>(params: &'p [Param<'_>]) -> Vec<(&'p (dyn ToSql + Sync), Type)> {
    params.iter().map(|param| (param as &(dyn ToSql + Sync), param.stated())).collect()
}

impl<'c> Flight<'c> {
    /// Sends these statements. Those that this connection has never seen are prepared first, which takes a round trip each.
    ///
    /// # Errors
    /// One of them could not be sent; none of those behind it was.
    pub(super) async fn launch(link: (&'c Object, Pooler), waiting: Vec<Waiting>) -> Result<Self, Error> {
        let mut answers = Vec::with_capacity(waiting.len());
        for one in waiting {
            answers.push(one.prepared(link).await?);
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
