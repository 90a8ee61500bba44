//! Writes compact JSON: members in the order given, texts copied whole where nothing needs an escape.

use serde_json::Value;

use super::{Member, scan::has_special};

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

    /// As [`member`](Self::member), with the name as it stands in the text, after a comma: `,"name":`.
    #[inline]
    pub(crate) fn quoted_member<T: Member>(&mut self, quoted: &'static str, value: &T) {
        if value.is_absent() {
            return;
        }
        let skipped = usize::from(self.out.len() == 1);
        self.out.extend_from_slice(&quoted.as_bytes()[skipped..]);
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
        if has_special(text.as_bytes()) {
            return self.value(&Value::String(text.into()));
        }
        self.out.reserve(text.len() + 2);
        self.out.push(b'"');
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'"');
    }

    pub(crate) fn integer(&mut self, value: i64) {
        let mut digits = [0; 20];
        let mut start = digits.len();
        let mut rest = value.unsigned_abs();
        // Two digits per division.
        while rest >= 10 {
            let two = (rest % 100) as u8;
            rest /= 100;
            start -= 2;
            digits[start] = b'0' + two / 10;
            digits[start + 1] = b'0' + two % 10;
        }
        if rest > 0 || start == digits.len() {
            start -= 1;
            digits[start] = b'0' + (rest % 10) as u8;
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
        for (name, value) in [("one", 9), ("two", 10), ("odd", 100), ("even", 1099), ("more", 70_009)] {
            writer.member(name, &value);
        }
        writer.member("absent", &None::<i64>);
        writer.member("large", &crate::limits::MAX_INTEGER);
        writer.member("list", &vec!["a".to_owned(), "b".to_owned()]);
        writer.entry("weird \"name\"", &serde_json::json!({"a": [1, null]}));
        let bytes = writer.finish();
        let expected = serde_json::json!({
            "text": "a\"\\\n\u{1F600}é", "plain": "plain", "zero": 0, "one": 9, "two": 10, "odd": 100, "even": 1099, "more": 70_009, "large": 9_007_199_254_740_992_i64,
            "list": ["a", "b"], "weird \"name\"": {"a": [1, null]},
        });
        assert_eq!(Reader::map(&bytes).map(Value::Object), Ok(expected));
    }
}
