//! Writes compact JSON: members in the order given, texts copied whole where nothing needs an escape.

use serde_json::Value;

use super::{Member, scan::first_special};

/// Writes one JSON object.
#[derive(Debug)]
pub struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// Opens the object, with room for `capacity` bytes.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        let mut out = Vec::with_capacity(capacity);
        out.push(b'{');
        Self { out }
    }

    /// Writes a member unless it is absent. `name` needs no escapes: it is a claim's name in this program.
    pub fn member<T: Member>(&mut self, name: &'static str, value: &T) {
        if value.is_absent() {
            return;
        }
        self.name(name);
        value.write(self);
    }

    /// Writes a member that is a text.
    pub(crate) fn text_member(&mut self, name: &'static str, text: &str) {
        self.name(name);
        self.text(text);
    }

    /// Writes a member of any name and value.
    pub fn entry(&mut self, name: &str, value: &Value) {
        self.separate();
        self.text(name);
        self.out.push(b':');
        self.value(value);
    }

    /// Closes the object.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.out.push(b'}');
        self.out
    }

    pub(crate) fn text(&mut self, text: &str) {
        if first_special(text.as_bytes()).is_some() {
            return self.value(&Value::String(text.into()));
        }
        self.out.push(b'"');
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'"');
    }

    pub(crate) fn integer(&mut self, value: i64) {
        let mut digits = [0; 20];
        let mut start = digits.len();
        let mut rest = value.unsigned_abs();
        loop {
            start -= 1;
            digits[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if value < 0 {
            self.out.push(b'-');
        }
        self.out.extend_from_slice(&digits[start..]);
    }

    pub(crate) fn boolean(&mut self, value: bool) {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
    }

    pub(crate) fn value(&mut self, value: &Value) {
        self.out.extend_from_slice(value.to_string().as_bytes());
    }

    pub(crate) fn array<T>(&mut self, items: &[T], mut item: impl FnMut(&mut Self, &T)) {
        self.out.push(b'[');
        for (index, each) in items.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            item(self, each);
        }
        self.out.push(b']');
    }

    fn name(&mut self, name: &'static str) {
        self.separate();
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    fn separate(&mut self) {
        if self.out.len() > 1 {
            self.out.push(b',');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Reader;

    #[test]
    fn what_is_written_is_read_back() {
        let mut writer = Writer::with_capacity(0);
        writer.member("text", &"a\"\\\n\u{1F600}é".to_owned());
        writer.member("plain", &"plain".to_owned());
        writer.member("zero", &0_i64);
        writer.member("absent", &None::<i64>);
        writer.member("large", &crate::limits::MAX_INTEGER);
        writer.member("list", &vec!["a".to_owned(), "b".to_owned()]);
        writer.entry("weird \"name\"", &serde_json::json!({"a": [1, null]}));
        let bytes = writer.finish();
        let expected = serde_json::json!({
            "text": "a\"\\\n\u{1F600}é", "plain": "plain", "zero": 0, "large": 9_007_199_254_740_992_i64,
            "list": ["a", "b"], "weird \"name\"": {"a": [1, null]},
        });
        assert_eq!(Reader::map(&bytes).map(Value::Object), Ok(expected));
    }
}
