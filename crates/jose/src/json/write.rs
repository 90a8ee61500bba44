//! Writes compact JSON: members in the order given, texts copied whole where nothing needs an escape.

use serde_json::Value;

use super::{
    Member,
    scan::{eight_digits_of, has_special},
};

/// Writes one JSON object.
#[derive(Debug)]
pub struct Writer {
    /// Each member with a comma before it; the first comma becomes the brace.
    out: Vec<u8>,
}

impl Writer {
    /// Opens the object, with room for `capacity` bytes.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { out: Vec::with_capacity(capacity) }
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
    #[inline(always)]
    pub(crate) fn quoted_member<T: Member>(&mut self, quoted: &'static str, value: &T) {
        if value.is_absent() {
            return;
        }
        self.out.extend_from_slice(quoted.as_bytes());
        value.write(self);
    }

    /// Writes a member that is a text.
    pub(crate) fn text_member(&mut self, name: &'static str, text: &str) {
        self.name(name);
        self.text(text);
    }

    /// Writes a member of any name and value.
    pub fn entry(&mut self, name: &str, value: &Value) {
        self.out.push(b',');
        self.text(name);
        self.out.push(b':');
        self.value(value);
    }

    /// Closes the object.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        match self.out.first_mut() {
            Some(first) => *first = b'{',
            None => self.out.push(b'{'),
        }
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
        // Times have ten digits, positions in the log sixteen; what is longer, or negative, is not in any token.
        let Some(value) = u64::try_from(value).ok().filter(|value| *value < 10_000_000_000_000_000) else {
            return self.out.extend_from_slice(value.to_string().as_bytes());
        };
        let mut digits = [0; 16];
        digits[..8].copy_from_slice(&eight_digits_of(value / 100_000_000));
        digits[8..].copy_from_slice(&eight_digits_of(value % 100_000_000));
        let zeros = (u128::from_be_bytes(digits) & !ZEROS).leading_zeros() / 8;
        // The last digit stays, whatever it is.
        self.out.extend_from_slice(&digits[(zeros as usize).min(15)..]);
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
        self.out.extend_from_slice(b",\"");
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }
}

/// Sixteen times the digit 0.
const ZEROS: u128 = u128::from_be_bytes([b'0'; 16]);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Reader;

    #[test]
    fn integers_have_their_digits_and_no_others() {
        let powers = (0..19).map(|exponent| 10_i64.pow(exponent));
        let near = powers.flat_map(|power| [power - 1, power, power + 1, power * 7 / 3]);
        for value in near.chain([i64::MAX, i64::MIN, -1, -10, crate::limits::MAX_INTEGER, 1_790_000_000]) {
            let mut writer = Writer::with_capacity(0);
            writer.integer(value);
            assert_eq!(writer.out, value.to_string().as_bytes());
        }
    }

    #[test]
    fn an_object_without_members_is_an_object() {
        assert_eq!(Writer::with_capacity(0).finish(), b"{}");
    }

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
