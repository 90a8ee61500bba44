//! Foreign text on its way into an error or a log line.

const LONGEST: usize = 80;

/// At most 80 characters, control and other unprintable characters escaped, so that a header of a stranger's token
/// can neither forge nor flood a log (AUD-03).
pub(crate) fn shown(text: &str) -> String {
    let mut out: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::shown;

    // AUD-03
    #[test]
    fn foreign_text_is_bounded_and_escaped() {
        assert_eq!(shown("key-1"), "key-1");
        assert_eq!(shown("a\r\nlevel=error \u{1b}[31m"), "a\\r\\nlevel=error \\u{1b}[31m");
        assert_eq!(shown(&"x".repeat(500)).chars().count(), 81);
    }
}
