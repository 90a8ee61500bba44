//! Links of mails that set a password.

use std::fs;

use serde_json::json;

use super::{Person, World, password};
use crate::{
    history::{Call, Given, Outcome},
    wire::outcome,
};

impl Person {
    /// Asks for a mail with a link that sets a password.
    pub(super) fn forget_password(&mut self) -> Outcome {
        let body = json!({ "email": self.email() }).to_string();
        outcome(self.post("POST /password/forgot", &body).as_ref(), |_| Given::Nothing)
    }

    /// Follows the link of a mail: one that was not used yet, or one that was, or may have been, once more.
    pub(super) fn use_link(&mut self) -> Outcome {
        let fresh = links(&self.world, &self.email()).into_iter().find(|link| !self.has_used(link));
        let (link, to) = match fresh {
            Some(link) if self.links.is_empty() || self.dice.percent(60) => {
                self.newest += 1;
                self.links.push((link.clone(), self.newest));
                (link, self.newest)
            }
            _ if self.links.is_empty() => return self.forget_password(),
            _ => self.dice.pick(&self.links).clone(),
        };
        let body = json!({ "token": link, "new_password": password(to) }).to_string();
        let (world, user) = (self.world.clone(), self.name.clone());
        let call = Call::UseLink { link, user, to };
        let reset = || (outcome(self.post("POST /password/reset", &body).as_ref(), |_| Given::Nothing), ());
        let (outcome, ()) = world.history.call(call, reset);
        self.password_set(&outcome, to);
        outcome
    }

    fn has_used(&self, link: &str) -> bool {
        self.links.iter().any(|(used, _)| used == link)
    }
}

/// The links in the mails to this address that set a password. Without a mail server the issuer writes mails into a folder.
fn links(world: &World, email: &str) -> Vec<String> {
    let folders = world.replicas.iter().filter_map(|replica| Some(replica.socket.parent()?.join("mails")));
    let files = folders.filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    let mails = files.filter_map(|file| fs::read_to_string(file.path()).ok());
    let mine = mails.filter(|mail| mail.lines().any(|line| line.starts_with("To: ") && line.contains(email)));
    mine.filter_map(|mail| reset_link(&mail)).collect()
}

/// The token of the link in a mail that sets a password.
pub fn reset_link(mail: &str) -> Option<String> {
    const BEFORE: &str = "/ui/password/reset?token=";
    // Quoted-printable: long lines go on, and an equals sign is written as a number.
    let plain = mail.replace("=\r\n", "").replace("=\n", "").replace("=3D", "=");
    let rest = plain.split_once(BEFORE)?.1;
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_')?;
    Some(rest[..end].to_owned())
}
