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

/// The digits that a text begins with, eight at most: their value and how many they are. The text has at least eight bytes.
#[inline]
pub(super) fn leading_digits(text: [u8; 8]) -> (u64, usize) {
    let word = u64::from_le_bytes(text) ^ (ONES * u64::from(b'0'));
    // As in `eight_digits`; the lowest byte that is no digit is found, since a carry only goes to the bytes above it.
    let others = (word | (word & (HIGHS - ONES)).wrapping_add(ONES * 0x06)) & (ONES * 0xf0);
    let count = others.trailing_zeros() / 8;
    if count == 0 {
        return (0, 0);
    }
    // The digits move to the end, and zeros come before them.
    (joined(word << (64 - 8 * count)), count as usize)
}

/// Neighbours are joined three times: to pairs, fours, and the whole.
#[inline]
fn joined(digits: u64) -> u64 {
    let pairs = (digits * 10 + (digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    (fours * 10_000 + (fours >> 32)) & 0xffff_ffff
}

/// The eight decimal digits of a number below 10^8, the other way round: parted three times.
#[inline]
pub(super) fn eight_digits_of(value: u64) -> [u8; 8] {
    // The more significant half of each is the lower one. For these small numbers a multiplication and a shift divide exactly.
    let fours = (value / 10_000) | ((value % 10_000) << 32);
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let pairs = hundreds | ((fours - hundreds * 100) << 16);
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    let digits = tens | ((pairs - tens * 10) << 8);
    (digits | (ONES * u64::from(b'0'))).to_le_bytes()
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
    fn digits_up_to_the_first_other_byte_are_a_number() {
        for value in [0, 1, 9, 10, 12_345_678, 98_765_432, 99_999_999, 90_000_000, 10_203_040] {
            assert_eq!(leading_digits(format!("{value:08}").into_bytes().try_into().unwrap()), (value, 8));
        }
        for at in 0..8 {
            for byte in (0..=u8::MAX).filter(|byte| !byte.is_ascii_digit()) {
                for (filler, after) in [(b'0', 0xff), (b'9', b'9'), (b'7', 0), (b'5', b'/'), (b'1', b':')] {
                    let mut text = [after; 8];
                    text[..at].fill(filler);
                    text[at] = byte;
                    let value = str::from_utf8(&text[..at]).unwrap().parse().unwrap_or(0);
                    assert_eq!(leading_digits(text), (value, at), "{byte} at {at} of {text:?}");
                }
            }
        }
    }

    #[test]
    fn every_number_below_ten_thousand_is_parted_into_its_digits_in_both_halves() {
        for value in 0..10_000 {
            for value in [value, value * 10_000, value * 10_001, value * 10_000 + 9_999 - value] {
                assert_eq!(eight_digits_of(value), format!("{value:08}").as_bytes());
            }
        }
    }

    #[test]
    fn the_first_of_several_wins() {
        assert_eq!(first_special(b"abc\"\\\n\"\\\n"), Some(3));
        assert_eq!(first_special(b"0123456789\n\""), Some(10));
    }
}
