//! The example is a test: two applications and two telephones, in a real browser.
#![cfg(test)]

mod webdriver;

use std::{
    collections::HashMap,
    io::{BufRead, BufReader},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::Duration,
};

use webdriver::Browser;

/// The running example.
struct Bank {
    process: Child,
    /// Where each part listens, by its name in the program's words.
    at: HashMap<String, String>,
}

impl Bank {
    fn start() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_bank")).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut at = HashMap::new();
        for line in lines.by_ref() {
            if let Some((name, url)) = line.split_once(" listens on ") {
                at.insert(name.to_owned(), url.to_owned());
            }
            if at.len() == 5 {
                break;
            }
        }
        assert_eq!(at.len(), 5, "{at:?}");
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, at }
    }

    fn url(&self, name: &str) -> &str {
        &self.at[name]
    }
}

impl Drop for Bank {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const PASSWORD: &str = "correct horse battery staple";
const ISSUER: &str = "the issuer";
const BANK: &str = "The bank";
const RETIREMENT: &str = "The retirement server";
const BANK_PHONE: &str = "The bank's telephone";
const RETIREMENT_PHONE: &str = "The retirement server's telephone";

async fn enter_password(browser: &Browser, password: &str) {
    browser.write("input[name=email]", "ada@example.com").await;
    browser.write("input[name=password]", password).await;
    browser.click("form button").await;
}

/// Signs the telephone in by the browser that is signed in already: no password, but a question.
async fn pick_up(browser: &Browser, url: &str) {
    browser.go(url).await;
    browser.click("#sign-in").await;
    browser.click("button[value=allow]").await;
    browser.text("#balance").await;
}

// One sign-in for two applications on two hosts, one sign-out for both and for their telephones (RLO-01, RLO-04).
#[tokio::test]
async fn in_at_one_is_in_at_both_and_out_at_one_is_out_at_both() {
    let bank = Bank::start();
    let browser = Browser::start().await;
    let (here, there) = (bank.url(BANK), bank.url(RETIREMENT));

    browser.go(here).await;
    browser.click("#sign-in").await;
    enter_password(&browser, PASSWORD).await;
    assert_eq!(browser.text("#who").await, "Hello, ada@example.com.");
    assert_eq!(browser.text("#balance").await, "1,204.50");

    // The other application, on a host that has none of these cookies: signed in without a password.
    browser.go(there).await;
    browser.click("#sign-in").await;
    assert_eq!(browser.text("#who").await, "Hello, ada@example.com.");
    assert_eq!(browser.text("#balance").await, "88,310.00");
    assert!(browser.url().await.starts_with("http://retirement.localhost:"));

    pick_up(&browser, bank.url(BANK_PHONE)).await;
    pick_up(&browser, bank.url(RETIREMENT_PHONE)).await;

    // Out at the retirement server; the browser comes back there.
    browser.go(there).await;
    browser.click("#sign-out").await;
    browser.text("#sign-in").await;
    assert!(browser.url().await.starts_with(there), "{}", browser.url().await);

    // The bank hears by its back channel; the telephones' tokens are dead at the banks' servers, and nothing renews them.
    for place in [here, bank.url(BANK_PHONE), bank.url(RETIREMENT_PHONE)] {
        browser.until(place, "#sign-in").await;
    }
    // And the issuer asks for the password again.
    browser.click("#sign-in").await;
    browser.text("input[name=password]").await;
}

/// What holds of every page of the issuer: its style passes its own policy, and nothing has to be scrolled sideways.
async fn fits(browser: &Browser, page: &str, scheme: &str) {
    browser.picture(&format!("{page}-{scheme}")).await;
    assert_eq!(browser.style("main", "border-top-left-radius").await, "12px", "{page} has no style");
    assert!(browser.width().await <= 360, "{page} is {} px wide", browser.width().await);
    let paper = if scheme == "dark" { "20, 23, 28" } else { "246, 247, 249" };
    let color = browser.style("body", "background-color").await;
    assert!(color.contains(paper), "{page}: {color}");
}

// CSR-09: the pages under their policy in a real browser, on a telephone's screen, in light and in dark.
#[tokio::test]
async fn every_page_fits_a_telephone_in_light_and_in_dark() {
    let bank = Bank::start();
    let browser = Browser::start().await;
    for scheme in ["light", "dark"] {
        browser.hold(360, scheme).await;
        browser.go(&format!("{}/authorize?client_id=nobody", bank.url(ISSUER))).await;
        browser.until_text("h1", "The application's request cannot be answered").await;
        fits(&browser, "error", scheme).await;

        browser.go(&format!("{}/sign-in", bank.url(BANK))).await;
        browser.text("input[name=password]").await;
        fits(&browser, "sign-in", scheme).await;
        enter_password(&browser, "not the right one").await;
        browser.until_text("[role=alert]", "E-mail or password is wrong.").await;
        fits(&browser, "wrong-password", scheme).await;
        // The address stands there still.
        browser.write("input[name=password]", PASSWORD).await;
        browser.click("form button").await;
        browser.text("#who").await;

        browser.go(&format!("{}/sign-in", bank.url(BANK_PHONE))).await;
        browser.until_text("h1", "Allow The bank on your telephone?").await;
        fits(&browser, "consent", scheme).await;
        browser.click("button[value=deny]").await;
        browser.until_text("h1", "That did not work").await;

        browser.go(&format!("{}/logout", bank.url(ISSUER))).await;
        browser.until_text("h1", "Sign out?").await;
        fits(&browser, "sign-out", scheme).await;
        browser.click("form button").await;
        browser.until_text("h1", "You are signed out").await;
        fits(&browser, "signed-out", scheme).await;
    }
}

#[test]
fn no_process_outlives_it() {
    let mut bank = Bank::start();
    bank.process.kill().unwrap();
    bank.process.wait().unwrap();
    for url in bank.at.values() {
        let port = url.rsplit(':').next().unwrap();
        let gone = (0..1_000).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            TcpStream::connect(format!("127.0.0.1:{port}")).is_err()
        });
        assert!(gone, "somebody still listens at {url}");
    }
}

#[test]
fn an_unknown_part_is_a_usage_error() {
    let output = Command::new(env!("CARGO_BIN_EXE_bank")).arg("vault").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}
