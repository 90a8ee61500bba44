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

/// Who that is, as far as it can be seen; `http/ui/words/` has the words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// "Firefox" on "Linux".
    On(&'static str, &'static str),
    /// "curl", as it calls itself.
    Named(String),
    Unknown,
}

/// What is said of itself in `User-Agent`.
pub fn program(user_agent: &str) -> Program {
    let named = |names: &[(&str, &'static str)]| {
        names.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    match (named(&BROWSERS), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => Program::On(browser, system),
        (Some(browser), None) => Program::Named(browser.to_owned()),
        (None, _) => {
            let product = user_agent.split(['/', ' ', '(']).next().unwrap_or_default();
            let name: String = product.chars().filter(char::is_ascii_graphic).take(MAX_NAME).collect();
            if name.is_empty() { Program::Unknown } else { Program::Named(name) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_called_as_its_owner_would() {
        const CHROMIUM: &str = "(KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
        for (agent, expected) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0".to_owned(),
                Program::On("Firefox", "Linux"),
            ),
            (
                format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 {CHROMIUM}"),
                Program::On("Chrome", "Windows"),
            ),
            (
                format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 {CHROMIUM} Edg/126.0"),
                Program::On("Edge", "Windows"),
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1"
                    .to_owned(),
                Program::On("Safari", "iPhone"),
            ),
            (
                "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36".to_owned(),
                Program::On("Chrome", "Android"),
            ),
            ("curl/8.5.0".to_owned(), Program::Named("curl".to_owned())),
            ("shop-app (build 7)".to_owned(), Program::Named("shop-app".to_owned())),
            (String::new(), Program::Unknown),
            ("\u{202e}evil".to_owned(), Program::Named("evil".to_owned())),
        ] {
            assert_eq!(program(&agent), expected, "{agent}");
        }
        assert_eq!(program(&"x".repeat(256)), Program::Named("x".repeat(MAX_NAME)));
    }
}
