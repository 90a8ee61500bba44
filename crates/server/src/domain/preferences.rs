//! How somebody wants the pages: in which language, and light or dark. What they leave open is for their browser to say.

use super::language::Language;

/// Light or dark, whatever the system has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    Light,
    Dark,
}

impl Theme {
    pub const ALL: [Self; 2] = [Self::Light, Self::Dark];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.as_str() == text)
    }
}

/// See the module.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Preferences {
    pub language: Option<Language>,
    pub theme: Option<Theme>,
}

impl Preferences {
    /// These, and the others' where they leave something open.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self { language: self.language.or(others.language), theme: self.theme.or(others.theme) }
    }

    /// As a browser keeps them: `de.dark`, `.dark`, `de.`.
    pub fn to_cookie(self) -> String {
        let language = self.language.map_or("", Language::as_str);
        format!("{language}.{}", self.theme.map_or("", Theme::as_str))
    }

    /// Reads what a browser kept; what is not known is left open.
    pub fn of_cookie(text: &str) -> Self {
        let (language, theme) = text.split_once('.').unwrap_or((text, ""));
        Self { language: Language::parse(language), theme: Theme::parse(theme) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_keeps_what_was_chosen() {
        for language in [None, Some(Language::Chinese)] {
            for theme in [None, Some(Theme::Dark), Some(Theme::Light)] {
                let chosen = Preferences { language, theme };
                assert_eq!(Preferences::of_cookie(&chosen.to_cookie()), chosen);
            }
        }
        for nonsense in ["", ".", "x.y", "de-AT.night", "\u{202e}"] {
            assert_eq!(Preferences::of_cookie(nonsense), Preferences::default(), "{nonsense}");
        }
    }

    #[test]
    fn what_is_left_open_is_filled_from_elsewhere() {
        let (german, dark) = (Some(Language::German), Some(Theme::Dark));
        let chosen = Preferences { language: german, theme: None };
        let others = Preferences { language: Some(Language::English), theme: dark };
        assert_eq!(chosen.or(others), Preferences { language: german, theme: dark });
    }
}
