//! What members of a group ask for at the same time, as one statement ([`Each`]).

use std::{
    mem, ptr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use deadpool_postgres::Object;
use tokio::sync::{Notify, oneshot};
use tokio_postgres::{
    Error,
    types::{ToSql, Type},
};

use super::{PgTx, connect::Pooler};
use crate::store::{
    Param, Row, StoreError,
    each::{Each, Kind},
    value::Value,
};

type Answer = Result<Option<Row>, StoreError>;

/// What members have asked for and nobody has run yet.
#[derive(Default)]
pub(super) struct Calls {
    waiting: Mutex<Vec<Asked>>,
    added: Notify,
}

/// One statement, and who asked for it.
pub(super) struct Asked {
    pub each: &'static Each,
    pub calls: Vec<Call>,
}

/// One member's row of parameters.
pub(super) struct Call {
    params: Vec<Value>,
    reply: oneshot::Sender<Answer>,
}

impl Calls {
    /// Asks, and waits for whoever runs the group.
    pub(super) async fn ask(&self, each: &'static Each, params: &[Param<'_>]) -> Answer {
        let (reply, answer) = oneshot::channel();
        self.add(each, Call { params: params.iter().copied().map(Value::from).collect(), reply });
        self.added.notify_one();
        answer.await.unwrap_or_else(|_| Err(StoreError::unavailable("the group broke")))
    }

    fn add(&self, each: &'static Each, call: Call) {
        let mut waiting = self.lock();
        match waiting.iter_mut().find(|asked| ptr::eq(asked.each, each)) {
            Some(asked) => asked.calls.push(call),
            None => waiting.push(Asked { each, calls: vec![call] }),
        }
    }

    /// All that was asked for. Waits until there is something.
    pub(super) async fn next(&self) -> Vec<Asked> {
        loop {
            self.added.notified().await;
            let asked = mem::take(&mut *self.lock());
            if !asked.is_empty() {
                return asked;
            }
        }
    }

    // No code runs under this lock that could panic.
    fn lock(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asked {
    /// Runs it, and tells those who asked.
    pub(super) async fn run(self, tx: &mut PgTx) {
        let (each, calls) = (self.each, self.calls);
        let answers: Vec<Answer> = match calls.as_slice() {
            [only] => {
                let params: Vec<_> = only.params.iter().map(Param::from).collect();
                vec![tx.fetch_optional(each.one(), &params).await]
            }
            many => match tx.fetch_many(each, many).await {
                Ok(rows) => rows.into_iter().map(Ok).collect(),
                Err(error) => many.iter().map(|_| Err(error.clone())).collect(),
            },
        };
        // A member that was given up wants none.
        calls.into_iter().zip(answers).for_each(|(call, answer)| drop(call.reply.send(answer)));
    }
}

/// Runs a statement for these calls; its rows, in no order.
pub(super) async fn rows(
    (client, pooler): (&Object, Pooler),
    each: &'static Each,
    calls: &[Call],
) -> Result<Vec<tokio_postgres::Row>, Error> {
    let numbers: Vec<i64> = (0..).take(calls.len()).collect();
    let columns: Vec<Column<'_>> = (0..).zip(each.kinds()).map(|(at, kind)| Column::new(*kind, calls, at)).collect();
    let arrays = columns.iter().map(Column::stated).chain([(&numbers as &(dyn ToSql + Sync), Type::INT8_ARRAY)]);
    match pooler {
        Pooler::None => {
            let statement = client.prepare_cached(each.many()).await?;
            client.query(&statement, &arrays.map(|(array, _)| array).collect::<Vec<_>>()).await
        }
        Pooler::Transaction => client.query_typed(each.many(), &arrays.collect::<Vec<_>>()).await,
    }
}

/// The values of one parameter.
enum Column<'a> {
    Ints(Vec<Option<i64>>),
    Texts(Vec<Option<&'a str>>),
    Blobs(Vec<Option<&'a [u8]>>),
}

impl<'a> Column<'a> {
    /// Parameter `at` of all of them, which are of this kind.
    fn new(kind: Kind, calls: &'a [Call], at: usize) -> Self {
        let values = calls.iter().map(|call| call.params.get(at));
        match kind {
            Kind::Int => Self::Ints(
                values.map(|value| if let Some(Value::Int(number)) = value { Some(*number) } else { None }).collect(),
            ),
            Kind::Text => Self::Texts(
                values.map(|value| if let Some(Value::Text(text)) = value { Some(&**text) } else { None }).collect(),
            ),
            Kind::Blob => Self::Blobs(
                values.map(|value| if let Some(Value::Blob(bytes)) = value { Some(&**bytes) } else { None }).collect(),
            ),
        }
    }

    fn stated(&self) -> (&(dyn ToSql + Sync), Type) {
        match self {
            Self::Ints(numbers) => (numbers, Type::INT8_ARRAY),
            Self::Texts(texts) => (texts, Type::TEXT_ARRAY),
            Self::Blobs(blobs) => (blobs, Type::BYTEA_ARRAY),
        }
    }
}
