//! `countersign client brand`

use std::path::{Path, PathBuf};

use base64_simd::STANDARD;
use clap::Args;
use serde_json::{Value, json};

use super::file_or_none;
use crate::{
    admin::{Admin, segment},
    output::{Failure, Output, say, text},
};

#[derive(Debug, Args)]
pub struct Brand {
    client_id: String,
    /// A PNG of at most 32 KiB and 512 by 512 pixels; `--logo ''`: none
    #[arg(long, value_name = "FILE", value_parser = file_or_none)]
    logo: Option<PathBuf>,
    /// `#rrggbb`; the pages darken or lighten it until it can be read; `--colour ''`: the issuer's own
    #[arg(long)]
    colour: Option<String>,
    /// Its privacy policy, https; `--policy-uri ''`: none
    #[arg(long, value_name = "URL")]
    policy_uri: Option<String>,
    /// Its terms of service, https; `--tos-uri ''`: none
    #[arg(long, value_name = "URL")]
    tos_uri: Option<String>,
}

impl Brand {
    pub async fn call(self, admin: &mut Admin, output: Output) -> Result<(), Failure> {
        let Self { client_id, logo, colour, policy_uri, tos_uri } = self;
        let path = format!("/api/admin/clients/{}/brand", segment(&client_id));
        let change = json!({
            "logo": picture(logo.as_deref())?, "colour": colour, "policy_uri": policy_uri, "tos_uri": tos_uri,
        });
        let says_nothing = change.as_object().is_some_and(|change| change.values().all(Value::is_null));
        let answer = if says_nothing { admin.get(&path).await? } else { admin.put(&path, &change).await? };
        output.show(&answer, shown);
        Ok(())
    }
}

/// A picture in base64; an empty path stands for none any more.
fn picture(path: Option<&Path>) -> Result<Option<String>, Failure> {
    let Some(path) = path else { return Ok(None) };
    if path.as_os_str().is_empty() {
        return Ok(Some(String::new()));
    }
    let bytes = std::fs::read(path).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    Ok(Some(STANDARD.encode_to_string(bytes)))
}

fn shown(brand: &Value) {
    say!("logo        {}", if brand["logo"].is_null() { "none" } else { "a picture" });
    for member in ["colour", "policy_uri", "tos_uri"] {
        say!("{member:<11} {}", text(brand, member));
    }
}
