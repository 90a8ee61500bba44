//! Finds what ends or escapes a JSON string, eight bytes at a time.

/// The first quote, backslash or control character.
#[inline]
pub(super) fn first_special(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(chunk) = bytes[at..].first_chunk::<8>() {
        let stops = specials(u64::from_le_bytes(*chunk));
        if stops != 0 {
            return Some(at + (stops.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    bytes[at..].iter().position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20).map(|stop| at + stop)
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Sets the high bit of each byte that is special. A borrow can set it in bytes above the first special one, too, but never in a
/// byte below it.
fn specials(word: u64) -> u64 {
    let zero_where = |word: u64| word.wrapping_sub(ONES) & !word;
    let quotes = zero_where(word ^ (ONES * u64::from(b'"')));
    let backslashes = zero_where(word ^ (ONES * u64::from(b'\\')));
    let controls = word.wrapping_sub(ONES * 0x20) & !word;
    (quotes | backslashes | controls) & HIGHS
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
                    }
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
