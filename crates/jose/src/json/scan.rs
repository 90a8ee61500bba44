//! Finds what ends or escapes a JSON string, eight bytes at a time.

/// The first quote, backslash or control character.
#[inline(always)]
pub(super) fn first_special(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(chunk) = bytes[at..].first_chunk::<8>() {
        let stops = specials(u64::from_le_bytes(*chunk));
        if stops != 0 {
            return Some(at + (stops.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    first_special_of_few(&bytes[at..]).map(|stop| at + stop)
}

/// Near the end of the text. Not a part of every place that reads a string.
#[inline(never)]
fn first_special_of_few(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20)
}

/// Whether there is a quote, a backslash or a control character.
pub(super) fn has_special(bytes: &[u8]) -> bool {
    let Some(last) = bytes.last_chunk::<8>() else { return first_special_of_few(bytes).is_some() };
    // The last eight may overlap with those before.
    let (chunks, _) = bytes.as_chunks::<8>();
    chunks.iter().chain([last]).any(|chunk| specials(u64::from_le_bytes(*chunk)) != 0)
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Sets the high bit of each byte that is special. A borrow can set it in bytes above the first special one, too, but never in a
/// byte below it.
#[inline]
fn specials(word: u64) -> u64 {
    // With bit 1 flipped, the quote (0x22) becomes 0x20 and stands next to the control characters, which stay below it, while
    // the space (0x20) and the exclamation mark leave: one comparison finds both.
    let flipped = word ^ (ONES * 0x02);
    let quotes_and_controls = flipped.wrapping_sub(ONES * 0x21) & !flipped;
    let backslash = word ^ (ONES * u64::from(b'\\'));
    let backslashes = backslash.wrapping_sub(ONES) & !backslash;
    (quotes_and_controls | backslashes) & HIGHS
}

/// The value of eight decimal digits; `None` if one of the bytes is none.
#[inline]
pub(super) fn eight_digits(text: [u8; 8]) -> Option<u64> {
    let word = u64::from_le_bytes(text) ^ (ONES * u64::from(b'0'));
    // A digit is now 0 to 9: nothing in the high half, and nothing that six more would carry into it.
    if (word | (word & (HIGHS - ONES)).wrapping_add(ONES * 0x06)) & (ONES * 0xf0) != 0 {
        return None;
    }
    // Neighbours are joined three times: to pairs, fours, and the whole.
    let pairs = (word * 10 + (word >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some((fours * 10_000 + (fours >> 32)) & 0xffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_position_is_judged_alone() {
        for len in 0..20 {
            for at in 0..len {
                for byte in 0..=u8::MAX {
                    for filler in [b'a', b' ', b'#', b'!', 0x7f, 0x80, 0xa2, 0xdc, 0xff] {
                        let mut bytes = vec![filler; len];
                        bytes[at] = byte;
                        let special = byte < 0x20 || byte == b'"' || byte == b'\\';
                        assert_eq!(first_special(&bytes), special.then_some(at), "{byte} at {at} of {len}");
                        assert_eq!(has_special(&bytes), special, "{byte} at {at} of {len}");
                    }
                }
            }
        }
    }

    #[test]
    fn eight_digits_and_nothing_else_are_a_number() {
        for value in [0, 1, 9, 10, 12_345_678, 98_765_432, 99_999_999, 90_000_000, 10_203_040] {
            assert_eq!(eight_digits(format!("{value:08}").into_bytes().try_into().unwrap()), Some(value));
        }
        for at in 0..8 {
            for byte in 0..=u8::MAX {
                for filler in [b'0', b'9'] {
                    let mut text = [filler; 8];
                    text[at] = byte;
                    let expected = str::from_utf8(&text).ok().filter(|_| byte.is_ascii_digit());
                    assert_eq!(eight_digits(text), expected.map(|text| text.parse().unwrap()), "{byte} at {at}");
                }
            }
        }
    }

    #[test]
    fn the_first_of_several_wins() {
        assert_eq!(first_special(b"abc\"\\\n\"\\\n"), Some(3));
        assert_eq!(first_special(b"0123456789\n\""), Some(10));
    }
}
