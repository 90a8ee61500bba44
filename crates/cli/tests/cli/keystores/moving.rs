//! `countersign key move`: from a file to each store and back, while people refresh and sign in.

use std::time::Duration;

use super::{Held, House, bao::Bao, kms::Moto, pkcs11::Token};

/// One move: wrapped while the server runs with the old configuration, restarted with the new one, finished.
struct Mover {
    house: House,
    /// How each store is reached, without `[keys]`.
    sections: String,
    held: Held,
}

impl Mover {
    fn configure(&self, store: &str, sign: &str) {
        self.house.configure(&[&format!("[keys]\nstore = \"{store}\"\nsign = \"{sign}\"\n{}", self.sections)]);
    }

    /// Whoever was signed in still is, and others can sign in.
    #[track_caller]
    fn all_is_well(&mut self) {
        let before = self.held.clone();
        self.held = self.house.refresh(&before);
        // A token from before holds as long as it would have, and the new one is verified with the published keys.
        self.house.verify(&before.access);
        self.house.verify(&self.held.access);
        assert_eq!(self.house.rig.session(&before.access), Some(200));
        self.house.verify(&self.house.sign_in().access);
    }
}

// KEY-08, I-2, I-9
#[test]
fn keys_move_from_a_file_through_every_store_and_back_and_nobody_notices() {
    let (bao, token, moto) = (Bao::start(), Token::new(), Moto::start());
    let mut house = House::new();
    let opens_bao = house.secret("token", &bao.token());
    let mut sections = bao.section(&opens_bao).replace("[keys]\n", "");
    sections += &token.section(&mut house, "").replace("[keys]\n", "");
    sections += &moto.section(&house, "").replace("[keys]\n", "");
    // `ca_file` is of [keys].
    let (ca, rest) = sections.split_once('\n').map(|(ca, rest)| (ca.to_owned(), rest.to_owned())).unwrap();
    let sections = format!("{ca}\n{rest}");
    let mut mover = Mover { house, sections, held: Held { access: String::new(), refresh: String::new() } };

    mover.configure("file", "here");
    let mut server = mover.house.serve();
    mover.held = mover.house.enter();
    let ways = [("transit", "there"), ("pkcs11", "there"), ("kms", "there"), ("file", "here")];
    for (store, sign) in ways {
        // Beside the present guard; both configurations start from here on.
        let told = mover.house.expect(0, &["key", "move", "--to", store]);
        assert!(told.contains("gave the key back"), "{told}");
        mover.all_is_well();
        drop(server);
        server = mover.house.serve();
        mover.all_is_well();
        mover.configure(store, sign);
        // The server that runs would keep the old guard.
        let early = mover.house.expect(1, &["key", "move", "--finish", "--yes"]);
        assert!(early.contains("restart it with the new configuration"), "{early}");
        drop(server);
        server = mover.house.serve();
        mover.all_is_well();
        // The next key of tokens is made where it belongs by itself, and signs at its time: hastened here.
        let wanted = (sign == "there").then_some(store);
        let staged = |mover: &Mover| {
            let keys = mover.house.token_keys();
            keys.iter().any(|(_, state, at)| state == "published" && at.as_deref() == wanted)
        };
        // Two minutes, which only end a broken test.
        assert!((0..600).any(|_| staged(&mover) || {
            std::thread::sleep(Duration::from_millis(200));
            false
        }));
        if store != "transit" {
            let early = mover.house.expect(1, &["key", "move", "--finish", "--yes"]);
            assert!(early.contains("signs, or will"), "{early}");
        }
        mover.all_is_well();
        mover.house.expect(0, &["key", "rotate", "--alg", "ES256", "--now"]);
        assert_eq!(mover.house.signing_store().as_deref(), wanted);
        mover.all_is_well();
        let unasked = mover.house.expect(2, &["key", "move", "--finish"]);
        assert!(unasked.contains("--yes"), "{unasked}");
        let told = mover.house.expect(0, &["key", "move", "--finish", "--yes"]);
        assert!(told.contains("has one guard"), "{told}");
        assert_eq!(mover.house.kek().exists(), store == "file", "{told}");
        mover.all_is_well();
        drop(server);
        server = mover.house.serve();
        mover.all_is_well();
    }
    // All of it is in the audit trail: four guards added, four moves ended.
    let audit = mover.house.rig.admin("GET", "/api/admin/audit?limit=500", "").unwrap().1;
    assert_eq!(audit.matches("key_guard_added").count(), 4, "{audit}");
    assert_eq!(audit.matches("key_guard_removed").count(), 4, "{audit}");
    drop(server);
    // The guards from before open nothing any more.
    mover.configure("transit", "here");
    let told = mover.house.expect(1, &["serve"]);
    assert!(told.contains("not wrapped by transit"), "{told}");
}
