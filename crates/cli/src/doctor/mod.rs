//! `countersign doctor`: everything that can be looked at, one line each, with what to do. Exit code 0: all well; 1: something
//! is wrong; 3: it could not be found out.

mod places;
mod server;

use countersign_server::{config::Config, mail::Mailer};
use serde_json::{Value, json};

use crate::{
    Global,
    admin::{self, Admin},
    output::{Failure, Output, say, text},
};

struct Finding {
    what: &'static str,
    well: bool,
    detail: String,
}

fn finding(what: &'static str, well: bool, detail: impl Into<String>) -> Finding {
    Finding { what, well, detail: detail.into() }
}

pub async fn run(global: &Global, output: Output) -> Result<(), Failure> {
    let config = admin::config(global)?;
    let mut findings = vec![finding("configuration", true, format!("issuer {}", config.issuer.as_str()))];
    findings.extend(places::look(&config).await);
    findings.extend(mail_server(&config).await);
    let (mut undecided, mut served) = (None, None);
    match status(global).await {
        Ok((running, status)) => {
            findings.extend(server::of_status(running, &status));
            if running {
                findings.push(server::listens(&config).await);
            }
            served = status["tls_certificate_expires"].as_i64();
            findings.push(issuer(&config, &status));
        }
        Err(failure) => {
            findings.push(finding("server", false, format!("cannot be asked: {}", failure.message())));
            undecided = Some(failure);
        }
    }
    findings.extend(places::certificate(&config, served));
    show(&findings, output);
    match undecided {
        Some(failure) => Err(failure),
        None if findings.iter().all(|one| one.well) => Ok(()),
        None => Err(Failure::refused("something is wrong; see above")),
    }
}

fn show(findings: &[Finding], output: Output) {
    let rows: Vec<Value> =
        findings.iter().map(|one| json!({ "what": one.what, "ok": one.well, "detail": one.detail })).collect();
    output.show(&json!({ "findings": rows }), |_| {
        for one in findings {
            say!("{:<5} {:<20} {}", if one.well { "ok" } else { "WRONG" }, one.what, one.detail);
        }
    });
}

async fn status(global: &Global) -> Result<(bool, Value), Failure> {
    let mut admin = Admin::open(global).await?;
    let running = matches!(admin, Admin::Socket(_));
    let status = admin.get("/api/admin/status").await;
    admin.close().await;
    Ok((running, status?))
}

fn issuer(config: &Config, status: &Value) -> Finding {
    let (served, configured) = (text(status, "issuer"), config.issuer.as_str());
    finding("issuer", served == configured, format!("{served} is served, {configured} configured"))
}

/// Speaks with the mail server, from here.
async fn mail_server(config: &Config) -> Option<Finding> {
    config.mail.smtp.as_ref()?;
    let what = "mail server";
    let mailer = match Mailer::new(config) {
        Ok(mailer) => mailer,
        Err(reason) => return Some(finding(what, false, reason)),
    };
    Some(match mailer.try_server().await {
        Ok(()) => finding(what, true, format!("{} takes our word", mailer.name())),
        Err(reason) => finding(what, false, format!("{}: {reason}; see mail.smtp and docs/mail.md", mailer.name())),
    })
}
