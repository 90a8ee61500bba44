//! Authorization codes with PKCE: the client uses each once, or asks twice at the same time; somebody who got hold of code and
//! verifier tries them again.

use std::thread;

use serde_json::json;

use super::{Held, Person, World, password};
use crate::{
    history::{Call, Given, Outcome},
    wire::{Answer, Request, outcome},
};

/// Percent-encoded as in a form.
const REDIRECT: &str = "https%3A%2F%2Fshop.example%2Fcb";
/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A client that a person's browser brings codes to. It proves itself, so that nobody is asked whether they agree.
#[derive(Debug, Clone)]
pub(super) struct Shop {
    id: String,
    secret: String,
}

impl Shop {
    fn credentials(&self) -> String {
        format!("client_id={}&client_secret={}", self.id, self.secret)
    }
}

impl Person {
    /// Signs in with a browser, is sent back to the client, and the client uses the code.
    pub(super) fn use_code(&mut self) -> Outcome {
        let (outcome, cookie) = self.sign_in_with_a_browser();
        let Some(cookie) = cookie else { return outcome };
        let Some(shop) = self.shop() else { return Outcome::Lost };
        let Some(code) = self.authorize(&shop, &cookie) else { return Outcome::Lost };
        self.codes.push((shop.clone(), code.clone()));
        // Where an answer does not come, an impatient client has asked twice.
        let windows: Vec<_> = (0..=usize::from(self.dice.percent(20))).map(|_| self.replica()).collect();
        let (world, user) = (&self.world, &self.name);
        let answers: Vec<_> = thread::scope(|scope| {
            let calls: Vec<_> =
                windows.iter().map(|replica| scope.spawn(|| redeem(world, (user, &shop), *replica, &code))).collect();
            calls.into_iter().map(|call| call.join().unwrap()).collect()
        });
        let mut outcomes = Vec::new();
        for (outcome, held) in answers {
            self.alive.extend(held);
            outcomes.push(outcome);
        }
        outcomes.swap_remove(0)
    }

    /// A code that was used, or may have been, once more.
    pub(super) fn try_a_code_again(&mut self) -> Outcome {
        if self.codes.is_empty() {
            return self.use_code();
        }
        let (shop, code) = self.dice.pick(&self.codes).clone();
        let replica = self.replica();
        let (outcome, held) = redeem(&self.world, (&self.name, &shop), replica, &code);
        self.alive.extend(held);
        outcome
    }

    fn replica(&mut self) -> usize {
        self.dice.below(self.world.replicas.len())
    }

    /// The browser's sign-in cookie.
    fn sign_in_with_a_browser(&mut self) -> (Outcome, Option<String>) {
        let (world, user, number) = (self.world.clone(), self.name.clone(), *self.dice.pick(&self.passwords));
        let body = json!({ "email": self.email(), "password": password(number), "transport": "cookie" }).to_string();
        let (outcome, cookie) = world.history.call(Call::SignIn { user, password: number }, || {
            let request = Request {
                line: "POST /login",
                kind: "application/json",
                body: &body,
                cookie: Some(""),
                ..Request::default()
            };
            let answer = self.send(&request);
            let outcome = outcome(answer.as_ref(), |_| Given::Nothing);
            (outcome, answer.and_then(|answer| answer.cookie("signin")))
        });
        if outcome.is_done() {
            self.passwords = vec![number];
        }
        (outcome, cookie)
    }

    /// The code that the browser brings to the client.
    fn authorize(&mut self, shop: &Shop, cookie: &str) -> Option<String> {
        let line = format!(
            "GET /authorize?response_type=code&client_id={}&redirect_uri={REDIRECT}&scope=openid&state=s&prompt=none\
             &code_challenge={CHALLENGE}&code_challenge_method=S256",
            shop.id
        );
        let answer = self.send(&Request { line: &line, cookie: Some(cookie), ..Request::default() })?;
        Some(answer.header("location")?.split_once("?code=")?.1.split('&').next()?.to_owned())
    }

    /// This person's client, registered when it is needed first.
    fn shop(&mut self) -> Option<Shop> {
        if self.shop.is_none() {
            let id = format!("shop-{}-{:08x}", self.name, self.dice.next() >> 32);
            let body = json!({
                "client_id": id, "consent": "implied", "redirect_uris": ["https://shop.example/cb"],
                "grants": ["authorization_code", "refresh_token"], "audiences": ["api"], "scopes": ["openid"],
            });
            let (body, replica) = (body.to_string(), self.replica());
            let request = Request {
                line: "POST /api/admin/clients",
                kind: "application/json",
                body: &body,
                ..Request::default()
            };
            let answer = request.send_locally(&self.world.replicas[replica].socket)?;
            self.shop = (answer.status == 201).then(|| Shop { id, secret: answer.member("client_secret") });
        }
        self.shop.clone()
    }
}

fn redeem(world: &World, (user, shop): (&str, &Shop), replica: usize, code: &str) -> (Outcome, Option<Held>) {
    let body = format!(
        "grant_type=authorization_code&{}&code={code}&code_verifier={VERIFIER}&redirect_uri={REDIRECT}",
        shop.credentials()
    );
    let request =
        Request { line: "POST /token", kind: "application/x-www-form-urlencoded", body: &body, ..Request::default() };
    let call = Call::UseCode { code: code.to_owned(), user: user.to_owned() };
    world.history.call(call, || {
        let answer = request.send(world.replicas[replica].address);
        let outcome = match outcome(answer.as_ref(), |answer| Given::Session(answer.member("sid"))) {
            Outcome::Refused(_) => Outcome::Refused(answer.as_ref().map(reason).unwrap_or_default()),
            other => other,
        };
        let held = answer.filter(|_| outcome.is_done()).map(|answer| Held {
            sid: answer.member("sid"),
            client: shop.credentials(),
            refresh: answer.member("refresh_token"),
            access: answer.member("access_token"),
            committed: false,
            pending: None,
        });
        (outcome, held)
    })
}

/// Our own name of a refusal: the last part of its page's address.
fn reason(answer: &Answer) -> String {
    answer.member("error_uri").rsplit('#').next().unwrap_or_default().to_owned()
}
