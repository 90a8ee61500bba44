//! The rotation that every program here does, and how it is timed. The peers include this file.
#![allow(dead_code, reason = "each program uses a part of it")]

use std::{fs, time::Instant};

use serde::{Deserialize, Serialize};

pub const ROTATE: &str = include_str!("../rotate.sql");
/// Far more than any group, so that no two members of one meet on a row or a page by habit.
pub const SESSIONS: u64 = 20_000;
pub const CLIENT: &str = "first-party";
pub const GRACE: i64 = 0;
pub const IDLE: i64 = 30 * 86_400 * 1_000_000;
pub const NEVER: i64 = 1 << 60;

/// The session that comes `step`-th; neighbours in time are no neighbours in the table.
pub fn session(step: u64) -> u64 {
    step.wrapping_mul(7919) % SESSIONS
}

pub fn sid(session: u64) -> String {
    format!("{:024x}", session.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

/// What a session's token says in one generation: nobody has to remember it.
pub fn nonce(session: u64, generation: u64) -> [u8; 16] {
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&session.to_le_bytes());
    nonce[8..].copy_from_slice(&generation.to_le_bytes());
    nonce
}

/// What one run came to.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Sample {
    pub rotations: u64,
    pub seconds: f64,
    /// User and system time of the whole process.
    pub cpu_seconds: f64,
}

/// A stopwatch for time and CPU.
pub struct Watch {
    started: Instant,
    cpu: f64,
    seconds: f64,
}

impl Watch {
    pub fn start(seconds: f64) -> Self {
        Self { started: Instant::now(), cpu: cpu_seconds(), seconds }
    }

    pub fn is_over(&self) -> bool {
        self.started.elapsed().as_secs_f64() >= self.seconds
    }

    pub fn stop(&self, rotations: u64) -> Sample {
        Sample { rotations, seconds: self.started.elapsed().as_secs_f64(), cpu_seconds: cpu_seconds() - self.cpu }
    }
}

/// User and system time of this process, from the kernel, in hundredths of a second.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in parentheses may contain spaces; the numbers follow it.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok()).unwrap_or(f64::NAN);
    (ticks(11) + ticks(12)) / 100.0
}
