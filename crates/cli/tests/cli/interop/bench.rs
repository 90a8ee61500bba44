//! One peer and this program side by side.

use std::collections::HashMap;

use super::{
    keys::{Half, Key, Text},
    peer::Peer,
};
use crate::rig::{Rig, text};

/// No text, so that nothing takes it for one.
pub const PAYLOAD: &[u8] = b"made by one, read by the other \xf0\x28\x8c\0";

pub struct Bench {
    pub peer: &'static Peer,
    pub rig: Rig,
    /// RSA keys take long to draw: each side draws one for all algorithms.
    kept: HashMap<&'static str, Key>,
}

impl Bench {
    pub fn new(peer: &'static Peer) -> Self {
        let rig = Rig::new();
        std::fs::write(rig.folder.path().join("payload"), PAYLOAD).unwrap();
        Self { peer, rig, kept: HashMap::new() }
    }

    /// A key that the peer drew; `None` if it lacks the algorithm.
    pub fn theirs(&mut self, kty: &str, crv: Option<&str>, alg: &str, bits: usize) -> Option<Key> {
        if kty == "RSA"
            && let Some(key) = self.kept.get("theirs")
        {
            return Some(key.clone());
        }
        let key = Key::of_peer(&self.peer.generate(kty, crv, alg, bits)?);
        if kty == "RSA" {
            self.kept.insert("theirs", key.clone());
        }
        Some(key)
    }

    /// A key that this program drew.
    pub fn ours(&mut self, kty: &str, arguments: &[&str]) -> Key {
        if kty == "RSA" {
            return self.our_rsa();
        }
        let jwk = self.rig.expect(0, &[&["jwk", "generate"][..], arguments].concat(), "").0;
        Key::of_program(&self.rig, &jwk)
    }

    /// Through PEM, so that it names no algorithm.
    fn our_rsa(&mut self) -> Key {
        let rig = &self.rig;
        let draw = || {
            let pem = rig.expect(0, &["jwk", "generate", "--alg", "RS256", "--format", "pem"], "").0;
            Key::of_program(rig, &rig.expect(0, &["jwk", "convert", "--to", "jwk"], &pem).0)
        };
        self.kept.entry("ours").or_insert_with(draw).clone()
    }

    /// A message that this program writes.
    #[track_caller]
    pub fn run(&self, command: &[&str], key: (&Half, Text, &str), input: &str) -> String {
        let (code, out, err) = self.outcome(command, key, input);
        assert_eq!(code, 0, "{command:?} {}: {err}", key.2);
        text(&out).trim().to_owned()
    }

    /// The payload that this program reads out of a message, or its refusal.
    #[track_caller]
    pub fn read(&self, command: &[&str], key: (&Half, Text, &str), message: &str) -> Result<Vec<u8>, String> {
        match self.outcome(command, key, message) {
            (0, out, _) => Ok(out),
            (1, out, err) => {
                assert!(out.is_empty(), "something was printed of what is refused");
                Err(err)
            }
            (code, _, err) => panic!("{command:?} {} ended with {code}: {err}\n{message}", key.2),
        }
    }

    fn outcome(
        &self,
        command: &[&str],
        (half, text_form, alg): (&Half, Text, &str),
        input: &str,
    ) -> (i32, Vec<u8>, String) {
        let options = half.options(&self.rig, text_form, alg);
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let output = self.rig.run(&[command, &options].concat(), input);
        (output.status.code().unwrap(), output.stdout, text(&output.stderr))
    }
}
