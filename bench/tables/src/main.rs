//! `cargo xtask bench tables`: what it would gain to keep a table of multiples for each public key.
//!
//! A service sees the same few public keys again and again, so the doublings of each verification could be computed once. Both
//! signature schemes are built here on the point arithmetic of kept libraries, checked against AWS-LC on signatures that hold
//! and that do not, and measured beside it, in turns. The product does not contain this; the book says why.

mod ed25519;
mod es256;
#[path = "../../page.rs"]
mod page;
mod report;

use std::{hint::black_box, path::Path};

use anyhow::{Result, ensure};
use aws_lc_rs::{
    rand::{SecureRandom, SystemRandom},
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
        ParsedPublicKey,
    },
};
use rustix::time::{ClockId, clock_gettime};

use report::{Report, Row};

/// The size of what is signed in a usual access token.
const MESSAGE: usize = 560;
const ROUNDS: usize = 120;
const TIMES: u32 = 200;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let cases = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => 100_000,
        ["--cases", number] => number.parse()?,
        _ => anyhow::bail!("usage: bench-tables [--cases N]"),
    };
    let random = SystemRandom::new();
    let ed25519 = Ed25519KeyPair::generate()?;
    let es256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
    let (table, ed25519_build) = cost_of(|| ed25519::Key::new(ed25519.public_key().as_ref()));
    let ed25519_table = table?;
    let (table, es256_build) = cost_of(|| es256::Key::new(es256.public_key().as_ref()));
    let es256_table = table?;
    let schemes = [
        Scheme {
            name: "Ed25519",
            bytes: ed25519::BYTES,
            build: ed25519_build,
            sign: Box::new(|message| Ok(ed25519.sign(message).as_ref().to_vec())),
            primitive: ParsedPublicKey::new(&ED25519, ed25519.public_key().as_ref())?,
            table: Box::new(|message, signature| ed25519_table.accepts(message, signature)),
        },
        Scheme {
            name: "ES256",
            bytes: es256::BYTES,
            // Half of it is the generator's, which all keys share.
            build: es256_build / 2,
            sign: Box::new(|message| Ok(es256.sign(&random, message)?.as_ref().to_vec())),
            primitive: ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, es256.public_key().as_ref())?,
            table: Box::new(|message, signature| es256_table.accepts(message, signature)),
        },
    ];
    let rows: Vec<Row> = schemes.iter().map(|scheme| scheme.measure(cases, &random)).collect::<Result<_>>()?;
    let report = Report::new(cases, rows);
    println!("{}", report.page());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    report.write(&root.join("bench/results/tables.json"))?;
    page::place(&root.join("docs/benchmarks.md"), "tables", &report.page())?;
    eprintln!("written: bench/results/tables.json, docs/benchmarks.md");
    Ok(())
}

struct Scheme<'a> {
    name: &'static str,
    bytes: usize,
    build: u64,
    sign: Box<dyn Fn(&[u8]) -> Result<Vec<u8>> + 'a>,
    primitive: ParsedPublicKey,
    table: Box<dyn Fn(&[u8], &[u8]) -> bool + 'a>,
}

impl Scheme<'_> {
    fn measure(&self, cases: u64, random: &SystemRandom) -> Result<Row> {
        let left_to_primitive = self.compare(cases, random)?;
        let message = [b'x'; MESSAGE];
        let signature = (self.sign)(&message)?;
        let (mut primitive, mut table) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            primitive.push(cost_of(|| (0..TIMES).all(|_| self.holds(&message, black_box(&signature)))).1);
            table.push(cost_of(|| (0..TIMES).all(|_| (self.table)(&message, black_box(&signature)))).1);
        }
        Ok(Row {
            scheme: self.name.to_owned(),
            primitive_us: median(primitive),
            table_us: median(table),
            table_bytes: self.bytes,
            build_us: self.build as f64 / 1e3,
            left_to_primitive,
        })
    }

    /// Signatures that hold, and the same with one bit of the message or of the signature changed: the table may never accept
    /// what the primitive refuses. Returns how many good ones it did not recognise.
    fn compare(&self, cases: u64, random: &SystemRandom) -> Result<u64> {
        let mut left = 0;
        for _ in 0..cases.div_ceil(2) {
            let mut bytes = [0_u8; 40];
            random.fill(&mut bytes)?;
            let (message, place) = bytes.split_at_mut(32);
            let mut signature = (self.sign)(message)?;
            ensure!(self.holds(message, &signature), "{}: the primitive refuses its own signature", self.name);
            left += u64::from(!(self.table)(message, &signature));
            let bit = usize::from(place[0]) << 2 | usize::from(place[1]) & 3;
            let changed = if bit < 512 { &mut signature[bit / 8] } else { &mut message[bit / 8 % 32] };
            *changed ^= 1 << (bit % 8);
            let accepted = (self.table)(message, &signature);
            ensure!(
                !accepted || self.holds(message, &signature),
                "{}: accepted {message:x?} {signature:x?}",
                self.name
            );
        }
        Ok(left)
    }

    fn holds(&self, message: &[u8], signature: &[u8]) -> bool {
        self.primitive.verify_sig(message, signature).is_ok()
    }
}

/// Microseconds of one verification.
fn median(mut nanoseconds: Vec<u64>) -> f64 {
    nanoseconds.sort_unstable();
    nanoseconds[nanoseconds.len() / 2] as f64 / f64::from(TIMES) / 1e3
}

/// CPU time of this thread, in nanoseconds: what other processes do at the same time is not in it.
fn cost_of<T>(run: impl FnOnce() -> T) -> (T, u64) {
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
    };
    let before = now();
    let made = black_box(run());
    (made, now() - before)
}
