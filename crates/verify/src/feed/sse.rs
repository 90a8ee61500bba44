//! Server-sent events (WHATWG HTML §9.2), as far as the feed uses them: the data of each event, in bounded memory.

/// Reads a stream of events piece by piece.
#[derive(Debug)]
pub(super) struct EventParser {
    line: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    /// The event has a name of its own, so that it is no message.
    named: bool,
    /// The last piece ended with CR: an LF that follows belongs to it.
    after_return: bool,
    limit: usize,
}

/// A line or an event is longer than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLong;

impl EventParser {
    /// Accepts events of at most `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { line: Vec::new(), data: Vec::new(), has_data: false, named: false, after_return: false, limit }
    }

    /// Reads a piece and hands over the data of every event that it completes.
    pub(super) fn feed(&mut self, piece: &[u8], mut event: impl FnMut(Vec<u8>)) -> Result<(), TooLong> {
        for byte in piece {
            let after_return = std::mem::replace(&mut self.after_return, *byte == b'\r');
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => {
                    if let Some(data) = self.end_line()? {
                        event(data);
                    }
                }
                _ if self.line.len() > self.limit => return Err(TooLong),
                byte => self.line.push(*byte),
            }
        }
        Ok(())
    }

    fn end_line(&mut self) -> Result<Option<Vec<u8>>, TooLong> {
        if self.line.is_empty() {
            let data = std::mem::take(&mut self.data);
            let is_message = std::mem::take(&mut self.has_data) && !std::mem::take(&mut self.named);
            self.named = false;
            return Ok(is_message.then_some(data));
        }
        // Comments, `id` and `retry` carry nothing that the batch does not say itself, signed.
        if let Some(value) = field(&self.line, b"event") {
            self.named = !matches!(value, b"" | b"message");
        } else if let Some(value) = field(&self.line, b"data") {
            if self.data.len() + value.len() > self.limit {
                return Err(TooLong);
            }
            if self.has_data {
                self.data.push(b'\n');
            }
            self.data.extend_from_slice(value);
            self.has_data = true;
        }
        self.line.clear();
        Ok(None)
    }
}

/// The value of the line if it is this field's.
fn field<'l>(line: &'l [u8], name: &[u8]) -> Option<&'l [u8]> {
    let rest = line.strip_prefix(name)?;
    if rest.is_empty() {
        return Some(rest);
    }
    let value = rest.strip_prefix(b":")?;
    Some(value.strip_prefix(b" ").unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn events(text: &str, at: usize) -> Result<Vec<String>, TooLong> {
        let mut parser = EventParser::new(64);
        let mut found = Vec::new();
        let (first, second) = text.as_bytes().split_at(at.min(text.len()));
        for piece in [first, second] {
            parser.feed(piece, |data| found.push(String::from_utf8(data).expect("UTF-8")))?;
        }
        Ok(found)
    }

    #[test]
    fn events_are_found_however_they_are_cut() {
        let text = "\u{3a} hello\nid: 7\ndata: a.b.c\n\n\r\ndata:x\r\ndata:  y\r\n\r\nevent: message\rdata\r\rdatum: no\n\nevent: end\ndata: closing\n\ndata: cut";
        for at in 0..text.len() {
            assert_eq!(events(text, at), Ok(vec!["a.b.c".into(), "x\n y".into(), String::new()]), "cut at {at}");
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut parser = EventParser::new(64);
        assert_eq!(parser.feed(&[b'x'; 1_000], |_| {}), Err(TooLong));
        let mut parser = EventParser::new(64);
        assert_eq!(parser.feed("data: 0123456789\n".repeat(10).as_bytes(), |_| {}), Err(TooLong));
    }

    proptest! {
        #[test]
        fn any_bytes_are_safe(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..20)) {
            let mut parser = EventParser::new(100);
            for piece in pieces {
                if parser.feed(&piece, |data| assert!(data.len() <= 120)).is_err() {
                    break;
                }
            }
        }
    }
}
