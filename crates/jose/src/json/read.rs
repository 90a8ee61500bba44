//! The pull parser: one pass, no allocation for a text without escapes.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

use super::{
    Member,
    scan::{first_special, leading_digits},
};
use crate::{Error, error::clip, limits::MAX_DEPTH};

/// Reads one JSON text from front to back.
#[derive(Debug)]
pub struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    /// Reads a whole text; `read` reads its one value.
    ///
    /// # Errors
    /// [`Error::Utf8`]; [`Error::Json`] if the text goes on after the value; what `read` answers.
    pub fn document<T>(bytes: &'a [u8], read: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        let text = str::from_utf8(bytes).map_err(|_| Error::Utf8)?;
        let mut reader = Self { text, at: 0, depth: 0 };
        reader.skip_space();
        let value = read(&mut reader)?;
        reader.skip_space();
        if reader.at == text.len() { Ok(value) } else { Err(reader.syntax()) }
    }

    /// Reads a text that is one object into a map.
    ///
    /// # Errors
    /// As [`document`](Self::document), and [`Error::Duplicate`], [`Error::Depth`], [`Error::Number`].
    pub fn map(bytes: &'a [u8]) -> Result<Map<String, Value>, Error> {
        Self::document(bytes, Self::object)
    }

    /// Opens an object; `true` if a member follows. Then read its [`name`](Self::name) and its value, and ask
    /// [`another`](Self::another).
    ///
    /// ```
    /// use countersign_jose::json::Reader;
    /// let mut names = Vec::new();
    /// Reader::document(br#"{"a":1,"b":[]}"#, |reader| {
    ///     let mut more = reader.enter()?;
    ///     while more {
    ///         names.push(reader.name()?);
    ///         reader.value()?;
    ///         more = reader.another()?;
    ///     }
    ///     Ok(())
    /// })?;
    /// assert_eq!(names, ["a", "b"]);
    /// # Ok::<(), countersign_jose::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Json`], [`Error::Depth`].
    pub fn enter(&mut self) -> Result<bool, Error> {
        self.open(b'{')?;
        Ok(!self.close(b'}'))
    }

    /// Reads a member's name and the colon after it.
    ///
    /// # Errors
    /// As [`string`](Self::string).
    pub fn name(&mut self) -> Result<Cow<'a, str>, Error> {
        let name = self.string()?;
        self.expect(b':')?;
        self.skip_space();
        Ok(name)
    }

    /// Whether the text goes on with exactly these bytes, a quoted name and its colon, which are then consumed: a writer that
    /// puts members in a known order is recognised without looking at each character.
    #[inline(always)]
    pub(crate) fn goes_on(&mut self, quoted: &str) -> bool {
        let goes_on = self.text.as_bytes()[self.at..].starts_with(quoted.as_bytes());
        if goes_on {
            self.at += quoted.len();
            self.skip_space();
        }
        goes_on
    }

    /// After a member: `true` if another follows, `false` if the object ends.
    ///
    /// # Errors
    /// [`Error::Json`].
    #[inline(always)]
    pub fn another(&mut self) -> Result<bool, Error> {
        if self.text.as_bytes()[self.at..].starts_with(b",\"") {
            self.at += 1;
            return Ok(true);
        }
        self.another_or_end()
    }

    fn another_or_end(&mut self) -> Result<bool, Error> {
        if self.close(b'}') {
            return Ok(false);
        }
        self.expect(b',')?;
        self.skip_space();
        Ok(true)
    }

    /// Reads an array, calling `item` to read each element. As soon as one is not what `item` wants (`false`), reading stops
    /// and the answer is `false`: the text is then refused as a whole.
    ///
    /// # Errors
    /// [`Error::Json`], [`Error::Depth`], and what `item` answers.
    pub fn array(&mut self, mut item: impl FnMut(&mut Self) -> Result<bool, Error>) -> Result<bool, Error> {
        self.open(b'[')?;
        if self.close(b']') {
            return Ok(true);
        }
        loop {
            self.skip_space();
            if !item(self)? {
                return Ok(false);
            }
            if self.close(b']') {
                return Ok(true);
            }
            self.expect(b',')?;
        }
    }

    /// Reads the value of the claim `name` into its empty slot.
    ///
    /// # Errors
    /// [`Error::Duplicate`] if the slot is full, [`Error::ClaimMalformed`] if the value is of another type.
    #[inline(always)]
    pub fn fill<T: Member>(&mut self, slot: &mut Option<T>, claim: &'static str) -> Result<(), Error> {
        if slot.is_some() {
            return Err(Error::Duplicate { name: claim.into() });
        }
        *slot = T::read(self)?;
        if slot.is_some() { Ok(()) } else { Err(Error::ClaimMalformed { claim, expected: T::EXPECTED }) }
    }

    /// Reads any value into a map.
    ///
    /// # Errors
    /// [`Error::Duplicate`] if the map has the name, else as [`value`](Self::value).
    pub fn insert(&mut self, map: &mut Map<String, Value>, name: Cow<'_, str>) -> Result<(), Error> {
        if map.contains_key(name.as_ref()) {
            return Err(Error::Duplicate { name: clip(&name) });
        }
        let value = self.value()?;
        map.insert(name.into_owned(), value);
        Ok(())
    }

    /// Reads any value.
    ///
    /// # Errors
    /// [`Error::Json`], [`Error::Duplicate`], [`Error::Depth`], [`Error::Number`].
    pub fn value(&mut self) -> Result<Value, Error> {
        match self.peek() {
            Some(b'{') => self.object().map(Value::Object),
            Some(b'[') => {
                let mut items = Vec::new();
                self.array(|reader| {
                    items.push(reader.value()?);
                    Ok(true)
                })?;
                Ok(Value::Array(items))
            }
            Some(b'"') => Ok(Value::String(self.string()?.into_owned())),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => self.number().map(Value::Number),
        }
    }

    /// Reads a string; borrowed unless it has escapes.
    ///
    /// # Errors
    /// [`Error::Json`] for anything else, a control character, a bad escape or half of a surrogate pair.
    pub fn string(&mut self) -> Result<Cow<'a, str>, Error> {
        if let Some(text) = self.plain_string() {
            return Ok(Cow::Borrowed(text));
        }
        if self.peek() != Some(b'"') {
            return Err(self.syntax());
        }
        let stop = self.string_stop(self.at + 1)?;
        self.escaped_string(stop)
    }

    /// A string without escapes; nothing is consumed if what follows is anything else.
    #[inline(always)]
    pub(crate) fn plain_string(&mut self) -> Option<&'a str> {
        if self.peek() != Some(b'"') {
            return None;
        }
        let start = self.at + 1;
        let stop = start + first_special(&self.text.as_bytes()[start..])?;
        if self.text.as_bytes()[stop] != b'"' {
            return None;
        }
        self.at = stop + 1;
        self.text.get(start..stop)
    }

    /// The next byte, not consumed.
    #[inline]
    pub fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Digits that are an integer from 0 to `max`; `None` for every other number.
    pub(crate) fn integer(&mut self, max: i64) -> Option<i64> {
        let rest = &self.text.as_bytes()[self.at..];
        let (value, len) = digits(rest)?;
        let fraction = matches!(rest.get(len), Some(b'.' | b'e' | b'E'));
        let leading_zero = len > 1 && rest[0] == b'0';
        if len == 0 || fraction || leading_zero || value > max {
            return None;
        }
        self.at += len;
        Some(value)
    }

    /// Consumes `true` or `false`.
    pub(crate) fn boolean(&mut self) -> Result<Option<bool>, Error> {
        match self.peek() {
            Some(b't') => self.word("true", Some(true)),
            Some(b'f') => self.word("false", Some(false)),
            _ => Ok(None),
        }
    }

    fn object(&mut self) -> Result<Map<String, Value>, Error> {
        let mut map = Map::new();
        let mut more = self.enter()?;
        while more {
            let name = self.name()?;
            self.insert(&mut map, name)?;
            more = self.another()?;
        }
        Ok(map)
    }

    /// The next quote or backslash.
    fn string_stop(&self, from: usize) -> Result<usize, Error> {
        let bytes = &self.text.as_bytes()[from..];
        match first_special(bytes) {
            Some(stop) if bytes[stop] >= 0x20 => Ok(from + stop),
            Some(stop) => Err(Error::Json { at: from + stop }),
            None => Err(Error::Json { at: self.text.len() }),
        }
    }

    fn escaped_string(&mut self, mut stop: usize) -> Result<Cow<'a, str>, Error> {
        while self.text.as_bytes()[stop] == b'\\' {
            let escaped = stop + 1;
            match self.text.as_bytes().get(escaped) {
                Some(byte) if byte.is_ascii() => stop = self.string_stop(escaped + 1)?,
                _ => return Err(Error::Json { at: escaped }),
            }
        }
        let literal = &self.text[self.at..=stop];
        let text: String = serde_json::from_str(literal).map_err(|_| self.syntax())?;
        self.at = stop + 1;
        Ok(Cow::Owned(text))
    }

    fn number(&mut self) -> Result<Number, Error> {
        let bytes = &self.text.as_bytes()[self.at..];
        let len =
            bytes.iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')).count();
        let text = &self.text[self.at..self.at + len];
        let number = self.number_value(text)?;
        self.at += len;
        Ok(number)
    }

    /// The general parser knows the grammar; fractions are read by the standard library, which rounds correctly.
    fn number_value(&self, text: &str) -> Result<Number, Error> {
        let float = text.parse::<f64>().ok();
        let number: Number = serde_json::from_str(text).map_err(|_| match float {
            Some(value) if value.is_infinite() => Error::Number,
            _ => self.syntax(),
        })?;
        match float {
            Some(value) if text.contains(['.', 'e', 'E']) => Number::from_f64(value).ok_or(Error::Number),
            _ if number.is_f64() && text != "-0" => Err(Error::Number),
            _ => Ok(number),
        }
    }

    fn word<T>(&mut self, word: &str, value: T) -> Result<T, Error> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.syntax());
        }
        self.at += word.len();
        Ok(value)
    }

    fn open(&mut self, bracket: u8) -> Result<(), Error> {
        self.expect(bracket)?;
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(Error::Depth) } else { Ok(()) }
    }

    #[inline]
    fn close(&mut self, bracket: u8) -> bool {
        self.skip_space();
        let closes = self.peek() == Some(bracket);
        if closes {
            self.at += 1;
            self.depth -= 1;
        }
        closes
    }

    fn expect(&mut self, byte: u8) -> Result<(), Error> {
        self.skip_space();
        if self.peek() != Some(byte) {
            return Err(self.syntax());
        }
        self.at += 1;
        Ok(())
    }

    #[inline]
    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn syntax(&self) -> Error {
        Error::Json { at: self.at }
    }
}

/// The digits that a text begins with, and how many they are; `None` if they are more than an integer that is exact has.
#[inline]
fn digits(text: &[u8]) -> Option<(i64, usize)> {
    const POWERS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];
    let (mut value, mut len) = (0, 0);
    while len < 24
        && let Some(chunk) = text[len..].first_chunk()
    {
        let (next, count) = leading_digits(*chunk);
        value = u64::checked_add(u64::checked_mul(value, POWERS[count])?, next)?;
        len += count;
        if count < 8 {
            return Some((value.try_into().ok()?, len));
        }
    }
    // Near the end of the text, where no eight bytes are left.
    for byte in text[len..].iter().take_while(|byte| byte.is_ascii_digit()) {
        value = value.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
        len += 1;
    }
    Some((value.try_into().ok()?, len))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Value, Error> {
        Reader::map(text.as_bytes()).map(Value::Object)
    }

    #[test]
    fn what_the_grammar_allows_is_read() {
        let text = " {\"a\" : [ ] , \"b\":[1,-2,3.5,-0,1e3,18446744073709551615],\r\n\"c\":{\"\\u00e9\\ud83d\\ude00\\\"\":\"\\n\\\\\"},\t\"d\":[true,false,null,{}]} ";
        assert_eq!(read(text).unwrap(), serde_json::from_str::<Value>(text).unwrap());
    }

    // TOK-09
    #[test]
    fn duplicates_are_refused_at_every_level_and_under_every_spelling() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"x":{"a":1,"a":2}}"#,
            r#"{"x":[{"y":[{"a":1,"b":2,"a":3}]}]}"#,
        ] {
            assert_eq!(read(text), Err(Error::Duplicate { name: "a".into() }), "{text}");
        }
        assert!(read(r#"{"a":{"a":{"a":1}}}"#).is_ok());
    }

    // TOK-09
    #[test]
    fn other_encodings_are_refused() {
        assert_eq!(read("\u{feff}{}"), Err(Error::Json { at: 0 }));
        assert_eq!(Reader::map(b"{\0\"\0a\0\"\0:\x001\0}\0"), Err(Error::Json { at: 1 }));
        for bytes in [&b"{\"a\":\"\xff\"}"[..], b"{\"a\":\"\xc0\xaf\"}", b"{\"a\":\"\xed\xa0\x80\"}"] {
            assert_eq!(Reader::map(bytes), Err(Error::Utf8));
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        assert!(read(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(read(&nested(MAX_DEPTH + 1)), Err(Error::Depth));
        assert_eq!(read(&format!("{{\"a\":{}", "[".repeat(100_000))), Err(Error::Depth));
    }

    #[test]
    fn numbers_that_would_change_are_refused() {
        for text in ["1e400", "-1e400", "18446744073709551616", "99999999999999999999999999", "-9223372036854775809"] {
            assert_eq!(read(&format!("{{\"a\":{text}}}")), Err(Error::Number), "{text}");
        }
        for text in ["01", "+1", "1.", ".5", "0x1", "1e", "--1", "NaN", "Infinity", "1_0", "-", ""] {
            assert!(matches!(read(&format!("{{\"a\":{text}}}")), Err(Error::Json { .. })), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_in_a_string_is_found_where_it_stands() {
        for (text, at) in
            [("{\"a\":\"b\u{1}c\"}", 7), ("{\"a\":\"b\\nc\u{1f}\"}", 10), ("{\"a\":\"\\é\"}", 7), ("{\"a\":\"b", 7)]
        {
            assert_eq!(read(text), Err(Error::Json { at }), "{text:?}");
        }
    }

    #[test]
    fn what_the_grammar_forbids_is_refused() {
        for text in [
            "",
            " ",
            "1",
            "[]",
            "\"a\"",
            "null",
            "{",
            "}",
            "{}{}",
            "{} x",
            "{,}",
            "{\"a\":1,}",
            "{\"a\" 1}",
            "{a:1}",
            "{'a':1}",
            "{\"a\":tru}",
            "{\"a\":truex}",
            "{\"a\":[1,]}",
            "{\"a\":[1 2]}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":\"\\udc00\\ud800\"}",
            "{\"a\":\"\\u12\"}",
            "{\"a\":\"\n\"}",
            "{\"a\":\"\\é\"}",
            "{\"a\":1}//",
            "{/**/}",
            "{\"a\":\"",
        ] {
            assert!(matches!(read(text), Err(Error::Json { .. })), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_a_known_parser_reads_it_or_refused(text in r#"[{}\[\]",:\\ 0-9a-eu.+-]{0,40}"#) {
            if let Ok(value) = read(&text) {
                prop_assert_eq!(value, serde_json::from_str::<Value>(&text).unwrap());
            }
        }

        #[test]
        fn any_bytes_are_safe(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Reader::map(&bytes);
        }
    }
}
