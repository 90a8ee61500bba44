//! Squares that a telephone's camera reads (QR code, ISO/IEC 18004), as pictures that a page carries itself.

use std::fmt::Write;

use qrcodegen::{QrCode, QrCodeEcc};
use zeroize::Zeroizing;

/// Empty modules around the square, which cameras need.
const QUIET: i32 = 4;

/// The square as SVG, black on white whatever the page's colours are; `None` if the text is too long for any. The text may be a
/// secret, and then the picture is one.
pub fn svg(text: &str) -> Option<Zeroizing<String>> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let side = code.size() + 2 * QUIET;
    let mut path = Zeroizing::new(String::new());
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let run = (x..code.size()).take_while(|x| code.get_module(*x, y)).count();
            let run = i32::try_from(run).ok()?;
            if run > 0 {
                write!(path, "M{} {}h{run}v1h-{run}z", x + QUIET, y + QUIET).ok()?;
            }
            x += run.max(1);
        }
    }
    Some(Zeroizing::new(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}h-{side}z\"/><path fill=\"#000\" d=\"{}\"/></svg>",
        *path
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The modules that the picture paints, row by row.
    fn painted(svg: &str, side: usize) -> Vec<Vec<bool>> {
        let mut rows = vec![vec![false; side]; side];
        let path = svg.split("fill=\"#000\" d=\"").nth(1).unwrap().split('"').next().unwrap();
        for run in path.split('M').skip(1) {
            let (at, rest) = run.split_once('h').unwrap();
            let (x, y) = at.split_once(' ').unwrap();
            let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
            let length: usize = rest.split('v').next().unwrap().parse().unwrap();
            rows[y][x..x + length].fill(true);
        }
        rows
    }

    #[test]
    fn the_picture_is_the_square_with_its_quiet_zone() {
        let text = "otpauth://totp/id.example:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).unwrap();
        let side = usize::try_from(code.size() + 2 * QUIET).unwrap();
        let rows = painted(&svg(text).unwrap(), side);
        for (y, row) in (-QUIET..).zip(&rows) {
            for (x, dark) in (-QUIET..).zip(row) {
                assert_eq!(*dark, code.get_module(x, y), "{x} {y}");
            }
        }
        assert!(svg(&"x".repeat(5000)).is_none());
    }
}
