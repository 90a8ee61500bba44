//! What crosses the line to the database: parameters on the way in, rows on the way out.

use std::any::type_name;

use super::StoreError;
use crate::domain::{rsn::Rsn, time::Timestamp};

/// A statement's parameter. `From` exists for what the store holds: integers, text, bytes, times, positions in the log, and `Option` of them.
#[derive(Debug, Clone, Copy)]
pub enum Param<'a> {
    Null,
    Int(i64),
    Text(&'a str),
    Blob(&'a [u8]),
}

impl From<i64> for Param<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<Timestamp> for Param<'_> {
    fn from(value: Timestamp) -> Self {
        Self::Int(value.micros())
    }
}

impl From<Rsn> for Param<'_> {
    fn from(value: Rsn) -> Self {
        Self::Int(value.get())
    }
}

impl<'a> From<&'a str> for Param<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a String> for Param<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a [u8]> for Param<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Blob(value)
    }
}

impl<'a> From<&'a Vec<u8>> for Param<'a> {
    fn from(value: &'a Vec<u8>) -> Self {
        Self::Blob(value)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Param<'a> {
    fn from(value: &'a [u8; N]) -> Self {
        Self::Blob(value)
    }
}

impl<'a, T: Into<Param<'a>>> From<Option<T>> for Param<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// What a column of a fetched row holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Null,
    Int(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl From<Param<'_>> for Value {
    fn from(param: Param<'_>) -> Self {
        match param {
            Param::Null => Self::Null,
            Param::Int(number) => Self::Int(number),
            Param::Text(text) => Self::Text(text.to_owned()),
            Param::Blob(bytes) => Self::Blob(bytes.to_owned()),
        }
    }
}

impl<'a> From<&'a Value> for Param<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Int(number) => Self::Int(*number),
            Value::Text(text) => Self::Text(text),
            Value::Blob(bytes) => Self::Blob(bytes),
        }
    }
}

impl Value {
    fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Int(_) => "an integer",
            Self::Text(_) => "text",
            Self::Blob(_) => "bytes",
        }
    }
}

/// A fetched row; columns are read by position, in the order of the statement's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row(Vec<Value>);

impl Row {
    pub(super) fn new(values: Vec<Value>) -> Self {
        Self(values)
    }

    pub(super) fn values(&self) -> &[Value] {
        &self.0
    }

    /// The row without its last column, and the number that this holds.
    pub(super) fn split_last(mut self) -> Result<(Self, i64), StoreError> {
        let number = self.get(self.0.len().saturating_sub(1))?;
        self.0.pop();
        Ok((self, number))
    }

    /// How many bytes its values have, about.
    pub fn size(&self) -> usize {
        let size = |value: &Value| match value {
            Value::Null | Value::Int(_) => size_of::<Value>(),
            Value::Text(text) => size_of::<Value>() + text.len(),
            Value::Blob(bytes) => size_of::<Value>() + bytes.len(),
        };
        self.0.iter().map(size).sum()
    }

    /// Column `index` (from 0) as `i64`, `String`, `Vec<u8>`, `[u8; N]`, `Timestamp`, `Rsn` or `Option` of these.
    ///
    /// # Errors
    /// [`StoreError::Broken`] if the column is missing or of another type.
    pub fn get<T: FromColumn>(&self, index: usize) -> Result<T, StoreError> {
        let value = self
            .0
            .get(index)
            .ok_or_else(|| StoreError::Broken(format!("column {index} was read from a row of {}", self.0.len())))?;
        // The value itself stays out of the message: it may be a secret.
        T::from_column(value).ok_or_else(|| {
            StoreError::Broken(format!("column {index} holds {}, not {}", value.type_name(), type_name::<T>()))
        })
    }
}

/// A type that a column can be read as.
pub trait FromColumn: Sized {
    /// `None` if the column holds something else.
    fn from_column(value: &Value) -> Option<Self>;
}

impl FromColumn for i64 {
    fn from_column(value: &Value) -> Option<Self> {
        match value {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }
}

impl FromColumn for Timestamp {
    fn from_column(value: &Value) -> Option<Self> {
        i64::from_column(value).map(Self::from_micros)
    }
}

impl FromColumn for Rsn {
    fn from_column(value: &Value) -> Option<Self> {
        i64::from_column(value).map(Self::new)
    }
}

impl FromColumn for String {
    fn from_column(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        }
    }
}

impl FromColumn for Vec<u8> {
    fn from_column(value: &Value) -> Option<Self> {
        match value {
            Value::Blob(bytes) => Some(bytes.clone()),
            _ => None,
        }
    }
}

impl<const N: usize> FromColumn for [u8; N] {
    fn from_column(value: &Value) -> Option<Self> {
        match value {
            Value::Blob(bytes) => bytes.as_slice().try_into().ok(),
            _ => None,
        }
    }
}

impl<T: FromColumn> FromColumn for Option<T> {
    fn from_column(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            other => T::from_column(other).map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_read_as_what_they_hold_and_nothing_else() {
        let row = Row::new(vec![Value::Int(7), Value::Text("a".into()), Value::Blob(vec![1, 2]), Value::Null]);
        assert_eq!(row.get::<i64>(0).unwrap(), 7);
        assert_eq!(row.get::<Timestamp>(0).unwrap(), Timestamp::from_micros(7));
        assert_eq!(row.get::<Option<String>>(1).unwrap().as_deref(), Some("a"));
        assert_eq!(row.get::<[u8; 2]>(2).unwrap(), [1, 2]);
        assert_eq!(row.get::<Option<i64>>(3).unwrap(), None);

        for wrong in [
            row.get::<String>(0).unwrap_err(),
            row.get::<i64>(1).unwrap_err(),
            row.get::<[u8; 3]>(2).map(|_| ()).unwrap_err(),
            row.get::<i64>(3).unwrap_err(),
            row.get::<i64>(4).unwrap_err(),
        ] {
            assert!(matches!(wrong, StoreError::Broken(_)), "{wrong}");
        }
    }
}
