//! Phone numbers as people and messengers write them, to E.164: the key that joins deals and chats.

use domain::values::Phone;
use phonenumber::PhoneNumber;

/// The country in whose way numbers without a country code are read.
pub(super) use phonenumber::country::Id as Country;

/// Digits without a `+` that are taken for an international number where no country is known: fewer are a national
/// number somewhere, and `(201) 555-0103` is not Egypt's `+20 15550103`. A wrong join is worse than a missing one.
const FEWEST_UNMARKED_DIGITS: usize = 11;

/// A number from a form that people fill in: international with `+` or `00`, national in the account's own country, or
/// the digits of an international number alone. What cannot be placed is dropped.
pub(super) fn typed(text: &str, country: Option<Country>) -> Option<Phone> {
    let text = text.trim();
    if text.starts_with('+') {
        return e164(&phonenumber::parse(None, text).ok()?);
    }
    let digits = digits_of(text);
    if let Some(international) = digits.strip_prefix("00") {
        return e164(&phonenumber::parse(None, format!("+{international}")).ok()?);
    }
    let national = country.and_then(|country| valid(phonenumber::parse(Some(country), text)));
    let unmarked = || {
        let enough = digits.len() >= FEWEST_UNMARKED_DIGITS;
        enough.then(|| phonenumber::parse(None, format!("+{digits}"))).and_then(valid)
    };
    e164(&national.or_else(unmarked)?)
}

/// A messenger's number: always international, mostly without its `+`.
pub(super) fn of_messenger(text: &str) -> Option<Phone> {
    e164(&phonenumber::parse(None, format!("+{}", digits_of(text))).ok()?)
}

fn digits_of(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn valid<E>(parsed: Result<PhoneNumber, E>) -> Option<PhoneNumber> {
    parsed.ok().filter(PhoneNumber::is_valid)
}

/// Without an extension, which is not part of the number.
fn e164(number: &PhoneNumber) -> Option<Phone> {
    format!("+{}{}", number.code().value(), number.national()).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(phone: Option<Phone>) -> Option<String> {
        phone.map(String::from)
    }

    #[test]
    fn the_ways_people_type_a_number_give_one_number() {
        let expected = Some("+12015550100".to_owned());
        for typing in ["+1 201 555-0100", "1 (201) 555-01-00", "12015550100", " +12015550100 ", "001 201 555 0100"] {
            for country in [None, Some(Country::US), Some(Country::UZ)] {
                assert_eq!(text(typed(typing, country)), expected, "{typing} in {country:?}");
            }
        }
        for typing in ["(201) 555-0100", "201.555.0100"] {
            assert_eq!(text(typed(typing, Some(Country::US))), expected, "{typing}");
        }
        assert_eq!(text(typed("+39 06 6982 1234", None)).as_deref(), Some("+390669821234"));
    }

    #[test]
    fn national_numbers_are_read_in_the_accounts_country() {
        assert_eq!(text(typed("90 123-45-67", Some(Country::UZ))).as_deref(), Some("+998901234567"));
        assert_eq!(text(typed("8 (912) 345-67-89", Some(Country::RU))).as_deref(), Some("+79123456789"));
        assert_eq!(text(typed("998 90 123 45 67", Some(Country::RU))).as_deref(), Some("+998901234567"));
    }

    #[test]
    fn a_national_number_is_not_another_countrys_international_one() {
        for country in [None, Some(Country::UZ)] {
            assert_eq!(typed("(201) 555-0103", country), None, "{country:?}");
        }
    }

    #[test]
    fn an_extension_is_not_part_of_the_number() {
        assert_eq!(text(typed("+1 201 555-0100 ext. 12", None)).as_deref(), Some("+12015550100"));
    }

    #[test]
    fn what_cannot_be_placed_is_dropped() {
        for typing in ["", "ask Ann", "8 (90) 765-43-21", "555-0100", "+", "+1"] {
            assert_eq!(typed(typing, None), None, "{typing}");
        }
    }

    #[test]
    fn a_messengers_digits_are_international() {
        assert_eq!(of_messenger("998901234567").unwrap().as_str(), "+998901234567");
        assert_eq!(of_messenger("+1 201 555 0100").unwrap().as_str(), "+12015550100");
        assert_eq!(of_messenger("not a number"), None);
    }
}
