//! What the pages say, in every language: a file per language, and in it one value of [`Words`]. What is not translated does not
//! compile. No text holds markup; what stands out in a sentence is [`Around`] it.

mod chinese;
mod english;
mod german;
mod problems;
mod spanish;
#[cfg(test)]
mod tests;

pub use self::problems::{Problems, Told};
use crate::{
    domain::{
        activity::Happened, ago::Ago, language::Language, password::Weakness, scope::Scope, upstream::NoAccount,
        user_agent::Program,
    },
    errors::Code,
};

/// A sentence around something that is shown in another way: what is before it, and what is behind.
#[derive(Debug, Clone, Copy)]
pub struct Around(pub &'static str, pub &'static str);

/// What has happened: a page of its own, with a few sentences.
#[derive(Debug)]
pub struct Note {
    pub title: &'static str,
    pub sentences: &'static [&'static str],
}

/// See the module.
#[derive(Debug)]
pub struct Words {
    pub shared: Shared,
    pub sign_in: SignIn,
    pub second: SecondStep,
    pub consent: Consent,
    pub wishes: Wishes,
    pub device: Device,
    pub register: Register,
    pub forgot: Forgot,
    pub reset: Reset,
    pub address: Address,
    pub invitation: Invitation,
    pub sign_out: SignOut,
    pub back: Back,
    pub mailed: Mailed,
    pub security: Security,
    pub passkey: Passkey,
    pub account: Account,
    pub email: EmailAddress,
    pub settings: Settings,
    pub delete: Delete,
    pub happened: Happened,
    pub problem: Problem,
    pub problems: Problems,
    pub weakness: fn(Weakness) -> String,
    pub no_account: fn(&str, NoAccount) -> String,
    pub ago: fn(Ago) -> String,
    pub program: fn(Program) -> String,
}

impl Words {
    /// What went wrong, in a sentence beside a form; and after how many seconds to try again.
    pub fn sentence(&self, code: Code, retry_after: Option<u64>) -> String {
        let title = self.problems.of(code).map_or(code.title, |told| told.title);
        match retry_after {
            Some(seconds) => (self.problem.wait)(title, seconds),
            None => format!("{title}{}", self.problem.stop),
        }
    }

    /// What scopes mean.
    pub fn wishes(&self, scope: &Scope) -> Vec<String> {
        let words = &self.wishes;
        let meaning = |scope: &str| match scope {
            "openid" => words.openid.to_owned(),
            "profile" => words.profile.to_owned(),
            "email" => words.email.to_owned(),
            "address" => words.address.to_owned(),
            "phone" => words.phone.to_owned(),
            "roles" => words.roles.to_owned(),
            "offline_access" => words.offline_access.to_owned(),
            other => (words.other)(other),
        };
        match scope.is_empty() {
            true => vec![words.none.to_owned()],
            false => scope.words().map(meaning).collect(),
        }
    }
}

/// The words of a language.
pub fn words(language: Language) -> &'static Words {
    match language {
        Language::English => &english::WORDS,
        Language::German => &german::WORDS,
        Language::Spanish => &spanish::WORDS,
        Language::Chinese => &chinese::WORDS,
    }
}

/// What is on more than one page.
#[derive(Debug)]
pub struct Shared {
    /// Behind a page's title, if something went wrong in its form.
    pub again: &'static str,
    pub email: &'static str,
    pub password: &'static str,
    pub code: &'static str,
    pub go_on: &'static str,
    pub sign_in: &'static str,
    pub sign_out: &'static str,
    pub other_account: &'static str,
    /// The application's.
    pub policy: &'static str,
    pub terms: &'static str,
    /// How many characters a password needs.
    pub rule: fn(usize) -> String,
    /// What a person signs in to for the sake of the account page.
    pub your_account: &'static str,
}

#[derive(Debug)]
pub struct SignIn {
    pub go_on_to: Around,
    /// An account has this address, and this provider is to open it.
    pub link: fn(&str) -> String,
    pub forgot: &'static str,
    pub new_here: &'static str,
    pub make: &'static str,
    pub others: &'static str,
    pub with: fn(&str) -> String,
    /// This provider did not answer as it should.
    pub failed: fn(&str) -> String,
}

#[derive(Debug)]
pub struct SecondStep {
    pub title: &'static str,
    /// With the code of an app.
    pub by_app: Around,
    /// With that, or a passkey.
    pub by_either: Around,
    pub by_passkey: Around,
    pub not_at_hand: &'static str,
    pub nothing_at_hand: &'static str,
    pub recovery: &'static str,
    pub use_it: &'static str,
    pub once: &'static str,
}

impl SecondStep {
    /// What to do, for whoever has an app, a passkey or both.
    pub const fn go_on_to(&self, app: bool, passkey: bool) -> &Around {
        match (app, passkey) {
            (true, true) => &self.by_either,
            (false, true) => &self.by_passkey,
            (_, false) => &self.by_app,
        }
    }
}

#[derive(Debug)]
pub struct Consent {
    pub title: Around,
    pub signed_in_as: Around,
    pub asks: Around,
    /// For so many days.
    pub lasts: fn(u64) -> String,
    pub allow: &'static str,
    pub deny: &'static str,
}

/// What a scope means.
#[derive(Debug)]
pub struct Wishes {
    pub openid: &'static str,
    pub profile: &'static str,
    pub email: &'static str,
    pub address: &'static str,
    pub phone: &'static str,
    pub roles: &'static str,
    pub offline_access: &'static str,
    pub none: &'static str,
    pub other: fn(&str) -> String,
}

#[derive(Debug)]
pub struct Device {
    pub title: &'static str,
    pub what: &'static str,
    pub unknown: &'static str,
    pub let_in: Around,
    pub shows: &'static str,
    pub asks: &'static str,
    pub warning: &'static str,
    /// For so many days.
    pub lasts: fn(u64) -> String,
    pub allow: &'static str,
    pub deny: &'static str,
    pub allowed: Note,
    pub denied: Note,
}

#[derive(Debug)]
pub struct Register {
    pub title: &'static str,
    pub make: &'static str,
    pub have_one: &'static str,
    pub one_more: &'static str,
    pub mail: &'static str,
    pub nothing: &'static str,
    pub then: &'static str,
}

#[derive(Debug)]
pub struct Forgot {
    pub title: &'static str,
    pub what: &'static str,
    pub send: &'static str,
    pub sent: Note,
}

#[derive(Debug)]
pub struct Reset {
    pub title: &'static str,
    pub what: Around,
    pub password: &'static str,
    pub set: &'static str,
    pub done: Note,
}

/// Confirming an address.
#[derive(Debug)]
pub struct Address {
    pub title: &'static str,
    pub made: Around,
    pub yes: &'static str,
    pub not_you: Around,
    pub own_password: &'static str,
    pub confirmed: Note,
    pub new_title: &'static str,
    pub new_what: Around,
    pub new_confirm: &'static str,
    pub changed: Note,
}

#[derive(Debug)]
pub struct Invitation {
    pub title: fn(&str) -> String,
    pub what: Around,
    pub join: &'static str,
    pub or_not: &'static str,
    pub not_signed_in: &'static str,
    /// With this address.
    pub sign_in_first: fn(&str) -> String,
    pub then: &'static str,
    pub welcome: &'static str,
    /// To this organisation.
    pub belongs: fn(&str) -> String,
    pub go_back: &'static str,
}

#[derive(Debug)]
pub struct SignOut {
    pub title: &'static str,
    pub what: &'static str,
    pub or_not: &'static str,
    pub done_title: &'static str,
    pub done: &'static str,
    pub close: &'static str,
}

/// Signing in by a mail.
#[derive(Debug)]
pub struct Mailed {
    pub send: &'static str,
    pub what: Around,
    pub other: &'static str,
    pub sign_in_as: Around,
    pub go_on_to: Around,
    pub elsewhere: Note,
}

/// How somebody signs in, and changing it.
#[derive(Debug)]
pub struct Security {
    pub change: &'static str,
    pub first: &'static str,
    /// No second step.
    pub none_yet: &'static str,
    pub nothing_yet: &'static str,
    pub kind_app: &'static str,
    pub since: fn(&str) -> String,
    pub last_used: fn(&str) -> String,
    pub never_used: &'static str,
    pub remove: fn(&str) -> String,
    pub password_alone: &'static str,
    pub others: &'static str,
    pub yes_remove: &'static str,
    pub add_app: &'static str,
    pub read_square: &'static str,
    pub square: &'static str,
    pub cannot_read: &'static str,
    pub type_key: &'static str,
    pub six_digits: &'static str,
    pub add: &'static str,
    pub rather_not: &'static str,
    pub codes: &'static str,
    pub codes_left: fn(i64) -> String,
    pub make_codes: &'static str,
    pub old_codes: &'static str,
    pub yes_make: &'static str,
    pub your_codes: &'static str,
    pub new_codes: &'static str,
    pub app_added: &'static str,
    pub write_down: &'static str,
    pub each_once: &'static str,
    pub have_them: &'static str,
    pub done_added: &'static str,
    pub done_removed: &'static str,
}

#[derive(Debug)]
pub struct Passkey {
    pub sign_in: &'static str,
    pub use_one: &'static str,
    pub add: &'static str,
    pub what: &'static str,
    pub needs_script: &'static str,
    pub name_label: &'static str,
    /// What it is called at first.
    pub name: &'static str,
    pub kind: &'static str,
    pub added: &'static str,
    pub done: &'static str,
    /// A bad name, or too many of them.
    pub bad_value: &'static str,
    /// What the browser says, when it does not do it.
    pub known_here: &'static str,
    pub not_shown: &'static str,
    pub no_site: &'static str,
    pub failed: &'static str,
}

/// On the way back to an application.
#[derive(Debug)]
pub struct Back {
    pub title: &'static str,
    pub what: &'static str,
}

#[derive(Debug)]
pub struct Account {
    pub title: &'static str,
    /// Whether the address is.
    pub confirmed: &'static str,
    pub not_confirmed: &'static str,
    pub here_since: fn(&str) -> String,
    pub going: fn(&str) -> String,
    pub keep: &'static str,
    pub devices: &'static str,
    pub this_device: &'static str,
    /// Since when, and when last.
    pub seen: fn(&str, &str) -> String,
    /// Which applications.
    pub in_applications: fn(&str) -> String,
    pub sign_out_here: &'static str,
    /// Which device, since when.
    pub sign_out_of: fn(&str, &str) -> String,
    pub more: fn(usize) -> String,
    pub sign_out_others: &'static str,
    pub ways: &'static str,
    pub password_set: fn(&str) -> String,
    pub no_password: &'static str,
    pub new_password: &'static str,
    pub applications: &'static str,
    pub no_applications: &'static str,
    pub may_since: fn(&str) -> String,
    pub take_back: &'static str,
    /// From which application.
    pub take_back_from: fn(&str) -> String,
    pub activity: &'static str,
    pub data: &'static str,
    pub data_what: &'static str,
    pub save: &'static str,
    pub delete: &'static str,
    pub done_signed_out: &'static str,
    pub done_others: &'static str,
    pub done_kept: &'static str,
    pub done_withdrawn: &'static str,
    pub done_settings: &'static str,
}

/// The account's address, and another one for it.
#[derive(Debug)]
pub struct EmailAddress {
    pub title: &'static str,
    pub verify: &'static str,
    pub verify_sent: Note,
    pub new: &'static str,
    pub what: &'static str,
    pub change: &'static str,
    pub change_sent: Note,
    pub password_first: &'static str,
}

/// Language and look.
#[derive(Debug)]
pub struct Settings {
    pub title: &'static str,
    pub language: &'static str,
    /// As the browser says.
    pub browser: &'static str,
    pub theme: &'static str,
    pub system: &'static str,
    pub light: &'static str,
    pub dark: &'static str,
    pub save: &'static str,
}

#[derive(Debug)]
pub struct Delete {
    pub title: &'static str,
    /// After so many days.
    pub what: fn(u64) -> String,
    pub back: &'static str,
    pub done_title: &'static str,
    pub done: &'static str,
    /// Before this day.
    pub until: fn(&str) -> String,
}

/// What goes wrong.
#[derive(Debug)]
pub struct Problem {
    /// So many seconds from now.
    pub wait: fn(&str, u64) -> String,
    pub bad_email: &'static str,
    /// Behind a sentence.
    pub stop: &'static str,
    /// Above what is said in English alone.
    pub technical: &'static str,
    pub code: &'static str,
    pub request: &'static str,
}
