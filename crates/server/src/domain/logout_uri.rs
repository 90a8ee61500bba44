//! Where a client takes logout tokens (OpenID Connect Back-Channel Logout §2.2).

use std::fmt;

use super::redirect::RedirectUri;

/// A URI that the issuer calls: `https`, or `http` on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LogoutUri(RedirectUri);

/// Why a URI cannot be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no URI that can be called: https://, or http:// on a loopback host, and neither fragment nor user name")]
pub struct BadLogoutUri;

impl LogoutUri {
    /// # Errors
    /// [`BadLogoutUri`]
    pub fn parse(text: &str) -> Result<Self, BadLogoutUri> {
        // What may be called is a part of what a browser may be sent to.
        let uri = RedirectUri::parse(text).map_err(|_| BadLogoutUri)?;
        if text.starts_with("https://") || text.starts_with("http://") { Ok(Self(uri)) } else { Err(BadLogoutUri) }
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for LogoutUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // OAU-14
    #[test]
    fn only_what_can_be_called_is_registered() {
        for good in ["https://shop.example/out", "https://shop.example:8443/out?t=1", "http://shop.localhost:3000/out"]
        {
            assert_eq!(LogoutUri::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "/out",
            "http://shop.example/out",
            "http://10.0.0.1/out",
            "com.example.app:/out",
            "file:///etc/passwd",
            "ftp://shop.example/out",
            "https://shop.example/out#x",
            "https://user@shop.example/out",
        ] {
            assert_eq!(LogoutUri::parse(bad), Err(BadLogoutUri), "{bad}");
        }
    }
}
