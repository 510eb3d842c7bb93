//! Everything that is worded, in both languages.

use serde::Deserialize;

/// The language of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Language {
    #[default]
    En,
    Ru,
}

/// What is counted in sentences.
#[derive(Clone, Copy, Debug)]
pub(super) enum Noun {
    Dialogue,
    Message,
    Minute,
    Second,
    Part,
}

impl Noun {
    /// English singular and plural; Russian after 1, after 2 to 4, and after 5.
    fn forms(self) -> ([&'static str; 2], [&'static str; 3]) {
        match self {
            Self::Dialogue => (["dialogue", "dialogues"], ["диалог", "диалога", "диалогов"]),
            Self::Message => (["message", "messages"], ["сообщение", "сообщения", "сообщений"]),
            Self::Minute => (["minute", "minutes"], ["минута", "минуты", "минут"]),
            Self::Second => (["second", "seconds"], ["секунда", "секунды", "секунд"]),
            Self::Part => (["part", "parts"], ["часть", "части", "частей"]),
        }
    }
}

impl Language {
    /// The text of this language.
    pub(super) fn pick<T>(self, english: T, russian: T) -> T {
        match self {
            Self::En => english,
            Self::Ru => russian,
        }
    }

    /// A number with its noun in the right form.
    pub(super) fn count(self, number: usize, noun: Noun) -> String {
        let (english, russian) = noun.forms();
        let form = match self {
            Self::En => english[usize::from(number != 1)],
            Self::Ru => match (number % 10, number % 100) {
                (1, hundred) if hundred != 11 => russian[0],
                (2..=4, hundred) if !(12..=14).contains(&hundred) => russian[1],
                _ => russian[2],
            },
        };
        format!("{number} {form}")
    }

    /// A number with its noun after "of".
    pub(super) fn of(self, number: usize, noun: Noun) -> String {
        let ends_with_one = number % 10 == 1 && number % 100 != 11;
        match (self, noun.forms().1) {
            (Self::En, _) => self.count(number, noun),
            (Self::Ru, [_, singular, _]) if ends_with_one => format!("{number} {singular}"),
            (Self::Ru, [_, _, plural]) => format!("{number} {plural}"),
        }
    }

    /// A duration in its larger unit.
    pub(super) fn duration(self, seconds: i64) -> String {
        let seconds = usize::try_from(seconds).unwrap_or_default();
        if seconds < 120 { self.count(seconds, Noun::Second) } else { self.count(seconds / 60, Noun::Minute) }
    }

    /// `a, b and c`.
    pub(super) fn list(self, items: &[String]) -> String {
        match items {
            [] => String::new(),
            [only] => only.clone(),
            [first @ .., last] => format!("{} {} {last}", first.join(", "), self.pick("and", "и")),
        }
    }

    /// A phrase of somebody's, cut to one line of reasonable length.
    pub(super) fn quote(self, text: &str) -> String {
        const LONGEST: usize = 120;
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let cut: String = line.chars().take(LONGEST).collect();
        let ellipsis = if cut.len() < line.len() { "…" } else { "" };
        let (open, close) = self.pick(("“", "”"), ("«", "»"));
        format!("{open}{cut}{ellipsis}{close}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_agree_with_their_numbers() {
        let russian = |number| Language::Ru.count(number, Noun::Dialogue);
        let expected =
            ["1 диалог", "2 диалога", "5 диалогов", "11 диалогов", "21 диалог", "112 диалогов", "0 диалогов"];
        assert_eq!([1, 2, 5, 11, 21, 112, 0].map(russian), expected);
        assert_eq!(Language::En.count(1, Noun::Message), "1 message");
        let russian = |number| Language::Ru.of(number, Noun::Dialogue);
        assert_eq!([1, 2, 11, 101].map(russian), ["1 диалога", "2 диалогов", "11 диалогов", "101 диалога"]);
        assert_eq!(Language::En.duration(119), "119 seconds");
        assert_eq!(Language::Ru.duration(180), "3 минуты");
    }

    #[test]
    fn quotes_are_one_short_line() {
        assert_eq!(Language::Ru.quote("да\nнет"), "«да нет»");
        assert!(Language::En.quote(&"x".repeat(500)).ends_with("x…”"));
    }
}
