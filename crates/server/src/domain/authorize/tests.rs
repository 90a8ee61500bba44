use std::time::Duration;

use super::*;
use crate::domain::{
    assurance::Level,
    audience_id::AudienceId,
    client::{AccessTokenFormat, Consent, SignInSettings},
    redirect::RedirectUri,
    time::Timestamp,
};

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CB: &str = "https://app.example/cb";

fn client() -> ClientSettings {
    ClientSettings {
        name: "App".to_owned(),
        scopes: "openid profile orders:read".parse().unwrap(),
        audiences: AudienceId::parse_list("api orders").unwrap(),
        grants: [Grant::AuthorizationCode].into_iter().collect(),
        roles: Vec::new(),
        alg: None,
        serves: Vec::new(),
        exchanges: Vec::new(),
        access_token_ttl: None,
        refresh_idle: None,
        refresh_absolute: None,
        dpop_bound: false,
        access_token_format: AccessTokenFormat::Signed,
        sign_in: SignInSettings { redirect_uris: vec![RedirectUri::parse(CB).unwrap()], ..SignInSettings::default() },
    }
}

const GOOD: &[(&str, &str)] = &[
    ("client_id", "app"),
    ("redirect_uri", CB),
    ("response_type", "code"),
    ("scope", "openid orders:read"),
    ("state", "s"),
    ("code_challenge", CHALLENGE),
    ("code_challenge_method", "S256"),
];

/// The good request with some parameters instead of others; an empty value is as good as none.
fn parameters(changes: &[(&str, &str)]) -> Parameters {
    let kept = GOOD.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(kept.chain(changes)).finish();
    Parameters::parse(text.as_bytes()).unwrap()
}

fn asked(changes: &[(&str, &str)]) -> Result<AuthorizationRequest, &'static str> {
    check(&parameters(changes), &client()).map_err(|problem| problem.error)
}

#[test]
fn a_plain_request_is_understood() {
    let request =
        asked(&[("nonce", "n"), ("max_age", "60"), ("prompt", "login consent"), ("unknown", "x"), ("unknown", "y")])
            .unwrap();
    assert_eq!(request.scope.to_string(), "openid orders:read");
    assert_eq!((request.audience.as_str(), request.nonce.as_deref()), ("api", Some("n")));
    assert_eq!(request.max_age, Some(Duration::from_secs(60)));
    assert_eq!(request.prompt.into_iter().collect::<Vec<_>>(), [Prompt::Login, Prompt::Consent]);
    assert_eq!(asked(&[("resource", "orders")]).unwrap().audience.as_str(), "orders");
}

// OAU-02: without a client and a place to go there is no redirect.
#[test]
fn what_has_nowhere_to_go_stays_here() {
    let id = |changes: &[(&str, &str)]| client_id(&parameters(changes));
    assert!(id(&[]).is_ok());
    for bad in [&[("client_id", "")][..], &[("client_id", "usr_x")], &[("client_id", "app"), ("client_id", "app")]] {
        assert_eq!(id(bad), Err(NowhereToGo::Client), "{bad:?}");
    }
    let path = |changes: &[(&str, &str)]| return_path(&parameters(changes), &client());
    let good = path(&[]).unwrap();
    assert_eq!((good.redirect.as_str(), good.mode, good.state.as_deref()), (CB, ResponseMode::Query, Some("s")));
    assert_eq!(path(&[("redirect_uri", CB), ("redirect_uri", CB)]), Err(NowhereToGo::Repeated));
    assert_eq!(path(&[("redirect_uri", "https://evil.example/cb")]), Err(NoRedirect::Unknown.into()));
    assert!(path(&[("redirect_uri", "")]).is_ok());
    assert_eq!(path(&[("response_mode", "form_post")]).unwrap().mode, ResponseMode::FormPost);
    assert_eq!(path(&[("state", "a"), ("state", "b")]).unwrap().state, None);
}

// OAU-03, OAU-04, OAU-07 and RFC 6749 §4.1.2.1: each mistake has its error.
#[test]
fn what_is_wrong_goes_back_with_its_own_error() {
    for (error, changes) in [
        ("invalid_request", &[("response_type", "")][..]),
        ("unsupported_response_type", &[("response_type", "token")]),
        ("unsupported_response_type", &[("response_type", "code id_token")]),
        ("unsupported_response_type", &[("response_type", "id_token token")]),
        ("unsupported_response_type", &[("response_type", "none")]),
        ("unsupported_response_type", &[("response_type", "Code")]),
        ("invalid_request", &[("response_mode", "fragment")]),
        ("invalid_request", &[("response_mode", "web_message")]),
        ("invalid_request", &[("code_challenge", "")]),
        ("invalid_request", &[("code_challenge", "short")]),
        ("invalid_request", &[("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN")]),
        ("invalid_request", &[("code_challenge_method", "")]),
        ("invalid_request", &[("code_challenge_method", "plain")]),
        ("invalid_request", &[("code_challenge_method", "s256")]),
        ("invalid_request", &[("prompt", "none login")]),
        ("invalid_request", &[("prompt", "create")]),
        ("invalid_request", &[("max_age", "-1")]),
        ("invalid_request", &[("max_age", "1.5")]),
        ("invalid_request", &[("max_age", "99999999999")]),
        ("invalid_request", &[("redirect_uri", "")]),
        ("invalid_request", &[("dpop_jkt", "x")]),
        ("invalid_request", &[("scope", "openid"), ("scope", "openid")]),
        ("invalid_request", &[("state", "a"), ("state", "a")]),
        ("invalid_scope", &[("scope", "openid admin")]),
        ("invalid_scope", &[("scope", "a\"b")]),
        ("invalid_target", &[("resource", "admin")]),
        ("request_not_supported", &[("request", "e30.e30.")]),
        ("request_uri_not_supported", &[("request_uri", "https://app.example/r")]),
        ("registration_not_supported", &[("registration", "{}")]),
    ] {
        assert_eq!(asked(changes).map(|_| ()), Err(error), "{changes:?}");
    }
    let other = ClientSettings { grants: [Grant::RefreshToken].into_iter().collect(), ..client() };
    assert_eq!(check(&parameters(&[]), &other).unwrap_err().error, "unauthorized_client");
    let long = "n".repeat(513);
    assert_eq!(asked(&[("nonce", &long)]).map(|_| ()), Err("invalid_request"));
}

#[test]
fn scopes_about_the_person_are_asked_for_by_name() {
    assert_eq!(asked(&[("scope", "")]).unwrap().scope.to_string(), "orders:read");
    assert!(!asked(&[("scope", "")]).unwrap().is_openid());
    assert!(asked(&[("scope", "profile openid")]).unwrap().is_openid());
}

// OAU-07, NET-03
#[test]
fn parameters_are_bounded_and_clean() {
    let many = (0..101).map(|n| format!("p{n}=1")).collect::<Vec<_>>().join("&");
    assert_eq!(Parameters::parse(many.as_bytes()), Err(Malformed::TooMany));
    assert_eq!(Parameters::parse(&vec![b'a'; 8193]), Err(Malformed::TooLong));
    for bad in ["state=%00", "state=%0a", "state=%ff", "%7f=1"] {
        assert_eq!(Parameters::parse(bad.as_bytes()), Err(Malformed::Text), "{bad}");
    }
    let parameters = Parameters::parse(b"state=%26a&utm=1&client_id=app").unwrap();
    assert_eq!(parameters.encode(), "state=%26a&client_id=app");
    assert_eq!(Parameters::parse(parameters.encode().as_bytes()).unwrap().one("state"), Ok(Some("&a")));
}

const MINUTE: Duration = Duration::from_secs(60);

/// Somebody who signed in an hour before the request came, which was a minute ago.
fn person<'a>() -> Person<'a> {
    let auth_time = NOW.minus(MINUTE * 61);
    Person {
        user_id: "usr_a",
        auth_time,
        level: Level::One,
        second_factor: false,
        remembered: None,
        agrees: true,
        member: true,
        expected: None,
    }
}

fn step(
    changes: &[(&str, &str)],
    client: &ClientSettings,
    confidential: bool,
    person: Option<Person<'_>>,
) -> Result<Step, &'static str> {
    let parameters = parameters(changes);
    let path = return_path(&parameters, client).unwrap();
    let request = check(&parameters, client).unwrap();
    let facts = Facts { client, confidential, redirect: &path.redirect, since: NOW.minus(MINUTE) };
    next(&request, &facts, person.as_ref(), NOW).map_err(|problem| problem.error)
}

// MFA-06, OAU-12
#[test]
fn a_sign_in_counts_unless_the_request_wants_a_newer_one_or_another_person() {
    let step = |changes: &[(&str, &str)], person| step(changes, &client(), true, person);
    let young = Person { auth_time: NOW.minus(MINUTE / 2), ..person() };
    let expected = |user| Person { expected: Some(user), ..person() };
    for (changes, person, wanted) in [
        (&[][..], None, Ok(Step::SignIn)),
        (&[], Some(person()), Ok(Step::Grant)),
        (&[("prompt", "none")], None, Err("login_required")),
        (&[("prompt", "none")], Some(person()), Ok(Step::Grant)),
        (&[("prompt", "login")], Some(person()), Ok(Step::SignIn)),
        (&[("prompt", "login")], Some(young), Ok(Step::Grant)),
        (&[("prompt", "select_account")], Some(person()), Ok(Step::SignIn)),
        (&[("max_age", "3659")], Some(person()), Ok(Step::SignIn)),
        (&[("max_age", "3660")], Some(person()), Ok(Step::Grant)),
        (&[("max_age", "0")], Some(person()), Ok(Step::SignIn)),
        (&[("max_age", "0")], Some(young), Ok(Step::Grant)),
        (&[("max_age", "0"), ("prompt", "none")], Some(person()), Err("login_required")),
        (&[], Some(expected("usr_a")), Ok(Step::Grant)),
        (&[], Some(expected("usr_b")), Ok(Step::SignIn)),
        (&[("prompt", "none")], Some(expected("usr_b")), Err("login_required")),
    ] {
        assert_eq!(step(changes, person), wanted, "{changes:?} {person:?}");
    }
}

// MFA-06: what must be is asked for, or refused; what is only wished is asked for where it can be had.
#[test]
fn a_sign_in_is_made_as_strong_as_the_request_wants() {
    let strict =
        ClientSettings { sign_in: SignInSettings { required_level: Level::Two, ..client().sign_in }, ..client() };
    let weak = person();
    let able = Person { second_factor: true, ..weak };
    let strong = Person { level: Level::Two, ..able };
    let essential = r#"{"id_token":{"acr":{"essential":true,"value":"2"}}}"#;
    let unmet = Err("unmet_authentication_requirements");
    for (client, changes, person, wanted) in [
        (client(), &[("acr_values", "2")][..], weak, Ok(Step::Grant)),
        (client(), &[("acr_values", "2")], able, Ok(Step::SecondFactor)),
        (client(), &[("acr_values", "9 2 1")], able, Ok(Step::SecondFactor)),
        (client(), &[("acr_values", "1 2")], able, Ok(Step::Grant)),
        (client(), &[("acr_values", "2")], strong, Ok(Step::Grant)),
        (client(), &[("acr_values", "2"), ("prompt", "none")], able, Ok(Step::Grant)),
        (client(), &[("claims", essential)], weak, unmet),
        (client(), &[("claims", essential)], able, Ok(Step::SecondFactor)),
        (client(), &[("claims", essential)], strong, Ok(Step::Grant)),
        (client(), &[("claims", essential), ("prompt", "none")], able, Err("login_required")),
        (client(), &[("claims", essential), ("prompt", "none")], weak, unmet),
        (strict.clone(), &[], weak, unmet),
        (strict.clone(), &[], able, Ok(Step::SecondFactor)),
        (strict.clone(), &[("acr_values", "1")], able, Ok(Step::SecondFactor)),
        (strict.clone(), &[], strong, Ok(Step::Grant)),
        (strict, &[("max_age", "0")], strong, Ok(Step::SignIn)),
    ] {
        assert_eq!(step(changes, &client, true, Some(person)), wanted, "{changes:?} {person:?}");
    }
}

// OAU-11, OAU-12
#[test]
fn what_was_agreed_to_is_remembered_for_clients_that_prove_themselves() {
    let all: Scope = "openid orders:read profile".parse().unwrap();
    let some: Scope = "openid".parse().unwrap();
    let implied = |redirect: &str| {
        let sign_in = SignInSettings {
            consent: Consent::Implied,
            redirect_uris: vec![RedirectUri::parse(redirect).unwrap()],
            ..SignInSettings::default()
        };
        ClientSettings { sign_in, ..client() }
    };
    let new = Person { agrees: false, ..person() };
    let known = Person { remembered: Some(&all), ..new };
    let partly = Person { remembered: Some(&some), ..new };
    let loopback = "http://127.0.0.1:9/cb";
    for (confidential, client, changes, person, wanted) in [
        (true, client(), &[][..], new, Ok(Step::Agree)),
        (true, client(), &[], known, Ok(Step::Grant)),
        (true, client(), &[], partly, Ok(Step::Agree)),
        (true, client(), &[], Person { agrees: true, ..new }, Ok(Step::Grant)),
        (true, client(), &[("prompt", "consent")], known, Ok(Step::Agree)),
        (true, client(), &[("prompt", "consent")], Person { agrees: true, ..known }, Ok(Step::Grant)),
        (true, client(), &[("prompt", "none")], new, Err("consent_required")),
        (true, client(), &[("prompt", "none")], known, Ok(Step::Grant)),
        (true, implied(CB), &[], new, Ok(Step::Grant)),
        (true, implied(CB), &[("prompt", "consent")], new, Ok(Step::Agree)),
        (false, client(), &[], known, Ok(Step::Agree)),
        (false, client(), &[("prompt", "none")], known, Err("consent_required")),
        (false, implied(CB), &[], new, Ok(Step::Grant)),
        (false, implied(loopback), &[("redirect_uri", loopback)], known, Ok(Step::Agree)),
        (false, implied(loopback), &[("redirect_uri", loopback)], Person { agrees: true, ..new }, Ok(Step::Grant)),
    ] {
        assert_eq!(step(changes, &client, confidential, Some(person)), wanted, "{confidential} {changes:?} {person:?}");
    }
}
