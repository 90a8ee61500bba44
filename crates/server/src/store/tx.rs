//! One transaction on either database: three verbs, parameters and rows of a few plain types.

use super::StoreError;

/// A statement's parameter. `From` exists for what the store holds: `i64`, `&str`, `&[u8]`, and `Option` of them.
#[derive(Debug, Clone, Copy)]
pub enum Param<'a> {
    Null,
    Int(i64),
    Text(&'a str),
    Blob(&'a [u8]),
}

/// A fetched row; columns are read by position, in the order of the statement's list.
#[derive(Debug)]
pub struct Row {}

impl Row {
    /// Column `index` as `i64`, `String`, `Vec<u8>` or `Option` of these.
    ///
    /// # Errors
    /// [`StoreError::Broken`] if the column is missing or of another type.
    pub fn get<T: FromColumn>(&self, index: usize) -> Result<T, StoreError> {
        let _ = index;
        todo!()
    }
}

/// A type that a column can be read as.
pub trait FromColumn: Sized {}

/// One transaction.
#[derive(Debug)]
pub struct Tx {}

impl Tx {
    /// Runs a statement; returns the number of rows it changed.
    pub async fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        let _ = (sql, params);
        todo!()
    }

    /// Fetches at most one row.
    pub async fn fetch_optional(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Option<Row>, StoreError> {
        let _ = (sql, params);
        todo!()
    }

    /// Fetches all rows.
    pub async fn fetch_all(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>, StoreError> {
        let _ = (sql, params);
        todo!()
    }
}
