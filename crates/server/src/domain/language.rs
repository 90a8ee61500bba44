//! The languages of pages and mails, and which of them somebody wants: what an application asks for, what a person chose, or what
//! their browser says (RFC 4647, RFC 9110 §12.5.4).

/// See the module.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    English,
    German,
    Spanish,
    /// In simplified characters.
    Chinese,
}

/// The most entries of a list that are looked at.
const MOST: usize = 32;

impl Language {
    pub const ALL: [Self; 4] = [Self::English, Self::German, Self::Spanish, Self::Chinese];

    /// BCP 47.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::Spanish => "es",
            Self::Chinese => "zh-Hans",
        }
    }

    /// What those who speak it call it.
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
            Self::Spanish => "Español",
            Self::Chinese => "简体中文",
        }
    }

    /// The language with exactly this tag.
    pub fn parse(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.as_str() == tag)
    }

    /// The language of a tag that somebody else wrote: `de-AT` is German, `zh-CN` Chinese.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        let wanted = primary(tag);
        Self::ALL.into_iter().find(|language| primary(language.as_str()) == wanted)
    }

    /// The first known one of `ui_locales` (OpenID Connect Core §3.1.2.1).
    pub fn of_locales(locales: &str) -> Option<Self> {
        locales.split(' ').take(MOST).find_map(Self::of_tag)
    }

    /// The known one that `Accept-Language` likes best; the first of those that it likes equally.
    pub fn accepted(header: &str) -> Option<Self> {
        let mut best: Option<(f32, Self)> = None;
        for entry in header.split(',').take(MOST) {
            let (tag, weight) = entry.split_once(';').map_or((entry, 1.0), |(tag, weight)| (tag, quality(weight)));
            let Some(language) = Self::of_tag(tag.trim()) else { continue };
            if weight > best.map_or(0.0, |(best, _)| best) {
                best = Some((weight, language));
            }
        }
        best.map(|(_, language)| language)
    }
}

/// `q=0.8`; what is malformed counts as "not at all".
fn quality(text: &str) -> f32 {
    let value = text.trim().strip_prefix("q=").and_then(|value| value.trim().parse::<f32>().ok());
    value.filter(|value| (0.0..=1.0).contains(value)).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_that_a_browser_likes_best_is_found() {
        use Language::{Chinese, English, German, Spanish};
        for (header, expected) in [
            ("de", Some(German)),
            ("de-AT,de;q=0.9,en;q=0.8", Some(German)),
            ("DE-at", Some(German)),
            ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", Some(English)),
            ("en;q=0.3, es-MX;q=0.7", Some(Spanish)),
            ("es, de", Some(Spanish)),
            ("zh-CN,zh;q=0.9,en;q=0.8", Some(Chinese)),
            ("zh-Hans-SG", Some(Chinese)),
            ("de;q=0, en;q=0.1", Some(English)),
            ("de;q=0", None),
            ("de;q=2, es;q=x, zh;q=NaN", None),
            ("de ; q=0.5 , en;q=0.4", Some(German)),
            ("*", None),
            ("", None),
            ("fr, it;q=0.9", None),
            ("deutsch", None),
            (",;,;q=1,-,", None),
        ] {
            assert_eq!(Language::accepted(header), expected, "{header}");
        }
        // However long a list is, little of it is read.
        assert_eq!(Language::accepted(&("fr,".repeat(MOST) + "de")), None);
    }

    #[test]
    fn an_application_names_languages_in_its_order() {
        assert_eq!(Language::of_locales("fr-CA fr es en"), Some(Language::Spanish));
        assert_eq!(Language::of_locales("zh-TW"), Some(Language::Chinese));
        assert_eq!(Language::of_locales("fr  it"), None);
        assert_eq!(Language::of_locales(""), None);
    }

    #[test]
    fn every_language_is_read_back_by_its_tag_alone() {
        for language in Language::ALL {
            assert_eq!(Language::parse(language.as_str()), Some(language));
            assert_eq!(Language::of_tag(language.as_str()), Some(language));
        }
        assert_eq!(Language::parse("de-AT"), None);
        assert_eq!(Language::parse(""), None);
    }
}
