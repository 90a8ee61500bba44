//! Everything that runs, and what an administrator sets up once. `countersign client add` makes the same calls.

use std::{net::TcpListener, time::Duration};

use http::Method;
use serde_json::{Value, json};
use stage::{Failure, admin::Admin, issuer::Issuer, part::Part};

/// The person who tries it.
const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse battery staple";
/// Nobody looks at two pages for longer.
const LIMIT: Duration = Duration::from_hours(24);

/// One of the two applications.
struct House {
    /// Its client id, its audience, and the first part of its host.
    name: &'static str,
    title: &'static str,
    balance: &'static str,
}

const HOUSES: [House; 2] = [
    House { name: "bank", title: "The bank", balance: "1,204.50" },
    House { name: "retirement", title: "The retirement server", balance: "88,310.00" },
];

/// A house with its processes.
struct Open {
    _site: Part,
    _phone: Part,
}

pub async fn run() -> Result<(), Failure> {
    stage::play(open(), LIMIT).await
}

async fn open() -> Result<(), Failure> {
    // The clients of this example are inside: on this machine.
    let settings = [("outbound.allow", "127.0.0.1,::1"), ("log.level", "warn")];
    let issuer = Issuer::start_at("id.localhost", "countersign-bank-", &settings).await?;
    let admin = issuer.admin();
    let person = json!({ "email": EMAIL, "password": PASSWORD });
    admin.call(Method::POST, "/api/admin/users", &person).await?;
    println!("the issuer listens on {}", issuer.url);
    let mut open = Vec::new();
    for house in &HOUSES {
        open.push(start(&issuer, &admin, house).await?);
    }
    println!("\nSign in at one of them as {EMAIL} with the password: {PASSWORD}");
    println!("Then look at the other. Then sign out at one. Ctrl-C ends it all.");
    std::future::pending::<()>().await;
    drop(open);
    Ok(())
}

async fn start(issuer: &Issuer, admin: &Admin, house: &House) -> Result<Open, Failure> {
    let name = house.name;
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let url = format!("http://{name}.localhost:{}", address.port());
    admin.call(Method::POST, "/api/admin/audiences", &json!({ "audience": name })).await?;
    let added = admin.call(Method::POST, "/api/admin/clients", &web(house, &url)).await?;
    let secret = added["client_secret"].as_str().ok_or("the issuer showed no client secret")?;
    let phone = format!("{name}-phone");
    admin.call(Method::POST, "/api/admin/clients", &mobile(house, &phone)).await?;
    let address = address.to_string();
    let known = [("BANK_ISSUER", issuer.url.as_str()), ("BANK_TITLE", house.title), ("BANK_SITE", url.as_str())];
    let of_site =
        [("BANK_NAME", name), ("BANK_LISTEN", &address), ("BANK_SECRET", secret), ("BANK_BALANCE", house.balance)];
    let site = Part::start("site", &[&known[..], &of_site].concat()).await?;
    println!("{} listens on {url}", house.title);
    let phone = Part::start("phone", &[&known[..], &[("BANK_NAME", phone.as_str())]].concat()).await?;
    println!("{}'s telephone listens on {}", house.title, phone.url);
    Ok(Open { _site: site, _phone: phone })
}

/// An application with a server: it keeps a secret, and hears when a session of its people has ended.
fn web(house: &House, url: &str) -> Value {
    json!({
        "client_id": house.name,
        "name": house.title,
        "grants": ["authorization_code", "refresh_token"],
        "audiences": [house.name],
        "scopes": ["openid", "email"],
        "redirect_uris": [format!("{url}/callback")],
        "post_logout_redirect_uris": [format!("{url}/")],
        "backchannel_logout_uri": format!("{url}/logged-out"),
        // Both belong to the issuer's own house: nobody is asked.
        "consent": "implied",
    })
}

/// An application on a telephone: no secret, since it could not keep one. It is asked about each time, because any program
/// of the telephone could say that it is this one.
fn mobile(house: &House, id: &str) -> Value {
    json!({
        "client_id": id,
        "name": format!("{} on your telephone", house.title),
        "public": true,
        "grants": ["authorization_code", "refresh_token"],
        "audiences": [house.name],
        "scopes": ["openid", "email"],
        "redirect_uris": ["http://127.0.0.1/callback"],
    })
}
