//! Transactions in one line: `write!(store, [user], |tx| users::insert(tx, &user))`. What stands in brackets is cloned into
//! the closure, which may run more than once.

/// Runs one call in a write transaction and unwraps the store's result.
macro_rules! write {
    ($store:expr, [$($name:ident),*], |$tx:ident| $call:expr) => {
        run!(write, $store, [$($name),*], |$tx| $call)
    };
}

/// Runs one call in a read transaction and unwraps the store's result.
macro_rules! read {
    ($store:expr, [$($name:ident),*], |$tx:ident| $call:expr) => {
        run!(read, $store, [$($name),*], |$tx| $call)
    };
}

macro_rules! run {
    ($verb:ident, $store:expr, [$($name:ident),*], |$tx:ident| $call:expr) => {{
        $(let $name = $name.clone();)*
        $store
            .$verb(move |$tx| {
                $(let $name = $name.clone();)*
                Box::pin(async move { $call.await })
            })
            .await
            .unwrap()
    }};
}
