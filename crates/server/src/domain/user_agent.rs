//! What a person calls a browser or a program, from what it says of itself in `User-Agent`. Only ever words on a page: nothing is
//! decided by it.

/// Browsers, the most particular first: most of them claim to be the ones behind them, too.
const BROWSERS: [(&str, &str); 9] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];
const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];
/// The longest name of a program that is shown.
const MAX_NAME: usize = 40;

/// "Firefox on Linux", "curl", or "Unknown device".
pub fn words(user_agent: &str) -> String {
    let named = |names: &[(&str, &'static str)]| {
        names.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    match (named(&BROWSERS), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, _) => {
            let product = user_agent.split(['/', ' ', '(']).next().unwrap_or_default();
            let name: String = product.chars().filter(char::is_ascii_graphic).take(MAX_NAME).collect();
            if name.is_empty() { "Unknown device".to_owned() } else { name }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn a_device_is_called_as_its_owner_would() {
        const CHROMIUM: &str = "(KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
        for (agent, expected) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0".to_owned(), "Firefox on Linux"),
            (format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 {CHROMIUM}"), "Chrome on Windows"),
            (
                format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 {CHROMIUM} Edg/126.0"),
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1"
                    .to_owned(),
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36".to_owned(),
                "Chrome on Android",
            ),
            ("curl/8.5.0".to_owned(), "curl"),
            ("shop-app (build 7)".to_owned(), "shop-app"),
            (String::new(), "Unknown device"),
            ("\u{202e}evil".to_owned(), "evil"),
        ] {
            assert_eq!(words(&agent), expected, "{agent}");
        }
        assert_eq!(words(&"x".repeat(256)).len(), super::MAX_NAME);
    }
}
