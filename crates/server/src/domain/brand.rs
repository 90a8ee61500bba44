//! How a client looks on the pages: nothing that could be markup, a style or a request to anybody. A logo is a picture that the page
//! carries itself, so that nobody but the issuer learns who is about to sign in where.

use std::fmt;

use base64_simd::STANDARD;

use super::redirect::RedirectUri;

/// See the module. What is missing looks as the issuer does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Brand {
    pub logo: Option<Logo>,
    pub colour: Option<Colour>,
    pub policy: Option<PageUri>,
    pub terms: Option<PageUri>,
}

/// A page of the client that people may go to: `https` alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageUri(RedirectUri);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no https URL as browsers write it, without fragment and user name")]
pub struct BadPageUri;

impl PageUri {
    /// # Errors
    /// [`BadPageUri`]
    pub fn parse(text: &str) -> Result<Self, BadPageUri> {
        let uri = RedirectUri::parse(text).map_err(|_| BadPageUri)?;
        if text.starts_with("https://") { Ok(Self(uri)) } else { Err(BadPageUri) }
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The host, for people to read before they go there.
    pub fn host(&self) -> &str {
        let rest = self.as_str().trim_start_matches("https://");
        rest.split(['/', '?']).next().unwrap_or(rest)
    }
}

/// A colour, `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour([u8; 3]);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a colour is # and six hexadecimal digits, such as #1f4fd1")]
pub struct BadColour;

const WHITE: Colour = Colour([0xff; 3]);
const BLACK: Colour = Colour([0; 3]);
/// What the accent stands on: the style's paper in light, its card in dark. The other one of each pair is easier to read from.
const LIGHT: Colour = Colour([0xf6, 0xf7, 0xf9]);
const DARK: Colour = Colour([0x1e, 0x23, 0x2b]);
/// The least contrast of text (WCAG 2.2, 1.4.3).
const LEAST: f64 = 4.5;

impl Colour {
    /// # Errors
    /// [`BadColour`]
    pub fn parse(text: &str) -> Result<Self, BadColour> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6).ok_or(BadColour)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(BadColour);
        }
        let [_, red, green, blue] = u32::from_str_radix(digits, 16).map_err(|_| BadColour)?.to_be_bytes();
        Ok(Self([red, green, blue]))
    }

    /// The style of pages in this colour: darkened or lightened until it can be read on the page in light and in dark, and
    /// what is written on it.
    pub fn style(self) -> String {
        let (light, dark) = (self.readable_on(LIGHT, BLACK), self.readable_on(DARK, WHITE));
        format!(":root {{ --accent: light-dark({light}, {dark}); --on-accent: light-dark({WHITE}, {BLACK}); }}\n")
    }

    /// The nearest to this one, on the way to `end`, that can be read on a ground.
    fn readable_on(self, ground: Self, end: Self) -> Self {
        let mixed = (0..=100).map(|percent| self.mixed(end, percent));
        mixed.into_iter().find(|mixed| mixed.contrast(ground) >= LEAST).unwrap_or(end)
    }

    fn mixed(self, end: Self, percent: u16) -> Self {
        let mut channels = self.0;
        for (own, end) in channels.iter_mut().zip(end.0) {
            let sum = u16::from(*own) * (100 - percent) + u16::from(end) * percent;
            *own = u8::try_from(sum / 100).unwrap_or(u8::MAX);
        }
        Self(channels)
    }

    /// WCAG 2.2: from 1 (none) to 21.
    fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let channel = f64::from(channel) / 255.0;
            if channel <= 0.040_45 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// A picture: PNG, with nothing in it but the picture.
#[derive(Clone, PartialEq, Eq)]
pub struct Logo(Vec<u8>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadLogo {
    #[error("a logo is a PNG picture")]
    NoPng,
    #[error("a logo has at most {max} bytes", max = Logo::MAX_BYTES)]
    Bytes,
    #[error("a logo is at most {max} by {max} pixels", max = Logo::MAX_SIDE)]
    Pixels,
}

/// What begins every PNG.
const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// What a picture is made of. Texts, times, places and animations are left out.
const PICTURE: [&[u8; 4]; 7] = [b"IHDR", b"PLTE", b"tRNS", b"gAMA", b"sRGB", b"IDAT", b"IEND"];

impl Logo {
    pub const MAX_BYTES: usize = 32 * 1024;
    pub const MAX_SIDE: u32 = 512;

    /// Reads a picture, and keeps nothing but the picture of it.
    ///
    /// # Errors
    /// [`BadLogo`]
    pub fn parse(bytes: &[u8]) -> Result<Self, BadLogo> {
        if bytes.len() > Self::MAX_BYTES {
            return Err(BadLogo::Bytes);
        }
        let mut rest = bytes.strip_prefix(SIGNATURE).ok_or(BadLogo::NoPng)?;
        let mut kept = SIGNATURE.to_vec();
        let mut seen = Vec::new();
        while seen.last() != Some(b"IEND") {
            let (chunk, after) = Chunk::read(rest).ok_or(BadLogo::NoPng)?;
            if seen.is_empty() {
                chunk.check_size()?;
            }
            if PICTURE.contains(&&chunk.kind) {
                kept.extend_from_slice(chunk.whole);
            } else if chunk.kind[0].is_ascii_uppercase() {
                // PNG §5.4: without it the picture cannot be drawn.
                return Err(BadLogo::NoPng);
            }
            seen.push(chunk.kind);
            rest = after;
        }
        let is_one = seen.iter().filter(|kind| *kind == b"IHDR").count() == 1 && seen.contains(b"IDAT");
        if is_one { Ok(Self(kept)) } else { Err(BadLogo::NoPng) }
    }

    /// What was stored: it was checked when it came.
    pub fn stored(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The picture as an address that holds it.
    pub fn data_uri(&self) -> String {
        format!("data:image/png;base64,{}", STANDARD.encode_to_string(&self.0))
    }
}

impl fmt::Debug for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Logo({} bytes)", self.0.len())
    }
}

/// A part of a PNG (PNG §5.3).
struct Chunk<'a> {
    kind: [u8; 4],
    data: &'a [u8],
    /// With length and checksum.
    whole: &'a [u8],
}

impl<'a> Chunk<'a> {
    fn read(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (kind, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let data = rest.get(..length)?;
        let (whole, after) = bytes.split_at_checked(length.checked_add(12)?)?;
        Some((Self { kind: *kind, data, whole }, after))
    }

    fn check_size(&self) -> Result<(), BadLogo> {
        if self.kind != *b"IHDR" || self.data.len() != 13 {
            return Err(BadLogo::NoPng);
        }
        let side = |at: usize| self.data.get(at..at + 4).and_then(|side| side.try_into().ok()).map(u32::from_be_bytes);
        let fits = |side: Option<u32>| side.is_some_and(|side| (1..=Logo::MAX_SIDE).contains(&side));
        if fits(side(0)) && fits(side(4)) { Ok(()) } else { Err(BadLogo::Pixels) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).unwrap().to_be_bytes();
        [&length[..], kind, data, b"csum"].concat()
    }

    fn head(width: u32, height: u32) -> Vec<u8> {
        chunk(b"IHDR", &[&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat())
    }

    fn png(chunks: &[Vec<u8>]) -> Vec<u8> {
        [SIGNATURE, &chunks.concat()].concat()
    }

    #[test]
    fn a_logo_is_a_picture_and_nothing_else() {
        let (data, end) = (chunk(b"IDAT", b"pixels"), chunk(b"IEND", b""));
        let plain = png(&[head(64, 64), data.clone(), end.clone()]);
        assert_eq!(Logo::parse(&plain).unwrap().as_bytes(), plain);
        let text = chunk(b"tEXt", b"Comment\0<script>alert(1)</script>");
        let moving = chunk(b"acTL", &[0; 8]);
        let more = [&png(&[head(64, 64), text, moving, data.clone(), end.clone()])[..], b"<script>"].concat();
        assert_eq!(Logo::parse(&more).unwrap().as_bytes(), plain);
        assert!(Logo::parse(&plain).unwrap().data_uri().starts_with("data:image/png;base64,iVBORw0KGgo"));
        for (width, height) in [(0, 1), (1, 0), (513, 1), (1, 513), (u32::MAX, 1)] {
            let large = png(&[head(width, height), data.clone(), end.clone()]);
            assert_eq!(Logo::parse(&large), Err(BadLogo::Pixels), "{width} {height}");
        }
        let long = png(&[head(64, 64), chunk(b"IDAT", &vec![0; Logo::MAX_BYTES]), end.clone()]);
        assert_eq!(Logo::parse(&long), Err(BadLogo::Bytes));
        for bad in [
            b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".to_vec(),
            b"GIF89a".to_vec(),
            SIGNATURE.to_vec(),
            png(&[data.clone(), head(64, 64), end.clone()]),
            png(&[head(64, 64), end.clone()]),
            png(&[head(64, 64), data.clone()]),
            png(&[head(64, 64), head(64, 64), data.clone(), end.clone()]),
            png(&[head(64, 64), chunk(b"EVIL", b""), data.clone(), end.clone()]),
            plain[..plain.len() - 1].to_vec(),
        ] {
            assert_eq!(Logo::parse(&bad), Err(BadLogo::NoPng), "{bad:?}");
        }
    }

    #[test]
    fn a_colour_is_six_digits() {
        assert_eq!(Colour::parse("#1F4fd1").unwrap().to_string(), "#1f4fd1");
        for bad in [
            "",
            "#",
            "1f4fd1",
            "#fff",
            "#1f4fd1ff",
            "#1f4fd",
            "#+f4fd1",
            "#1f4fdg",
            "red",
            "#ffffff;}body{display:none",
            "url(https://evil.example)",
            "#ééé",
        ] {
            assert_eq!(Colour::parse(bad), Err(BadColour), "{bad}");
        }
    }

    #[test]
    fn a_page_of_a_client_is_https() {
        assert_eq!(PageUri::parse("https://shop.example:8443/privacy?a=1").unwrap().host(), "shop.example:8443");
        for bad in [
            "",
            "http://shop.example/",
            "http://localhost/",
            "javascript:alert(1)",
            "data:text/html,x",
            "https://shop.example/\" onmouseover=\"alert(1)",
            "https://me@shop.example/",
            "https://shop.example/#x",
            "//shop.example",
            "com.example.app:/x",
        ] {
            assert_eq!(PageUri::parse(bad), Err(BadPageUri), "{bad}");
        }
    }

    proptest! {
        // WCAG 2.2, 1.4.3: whatever colour somebody likes, its pages can be read.
        #[test]
        fn every_colour_can_be_read(channels: [u8; 3]) {
            let colour = Colour(channels);
            let (light, dark) = (colour.readable_on(LIGHT, BLACK), colour.readable_on(DARK, WHITE));
            prop_assert!(light.contrast(LIGHT) >= LEAST && light.contrast(WHITE) >= LEAST);
            prop_assert!(dark.contrast(DARK) >= LEAST && dark.contrast(BLACK) >= LEAST);
            prop_assert_eq!(Colour::parse(&colour.to_string()), Ok(colour));
        }

        #[test]
        fn no_bytes_are_too_strange(bytes: Vec<u8>) {
            let _ = Logo::parse(&[SIGNATURE, &bytes].concat());
        }
    }
}
