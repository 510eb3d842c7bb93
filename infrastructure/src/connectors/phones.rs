//! Phone numbers as people and messengers write them, to E.164: the key that joins deals and chats.

use domain::values::Phone;
use phonenumber::PhoneNumber;

/// The country in whose way numbers without a country code are read.
pub(super) use phonenumber::country::Id as Country;

/// The codes of all countries whose numbers the library reads (ISO 3166-1, and a few that it has by itself).
pub(super) const REGIONS: &[&str] = &[
    "AC", "AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AR", "AS", "AT", "AU", "AW", "AX", "AZ", "BA", "BB", "BD",
    "BE", "BF", "BG", "BH", "BI", "BJ", "BL", "BM", "BN", "BO", "BQ", "BR", "BS", "BT", "BW", "BY", "BZ", "CA", "CC",
    "CD", "CF", "CG", "CH", "CI", "CK", "CL", "CM", "CN", "CO", "CR", "CU", "CV", "CW", "CX", "CY", "CZ", "DE", "DJ",
    "DK", "DM", "DO", "DZ", "EC", "EE", "EG", "EH", "ER", "ES", "ET", "FI", "FJ", "FK", "FM", "FO", "FR", "GA", "GB",
    "GD", "GE", "GF", "GG", "GH", "GI", "GL", "GM", "GN", "GP", "GQ", "GR", "GT", "GU", "GW", "GY", "HK", "HN", "HR",
    "HT", "HU", "ID", "IE", "IL", "IM", "IN", "IO", "IQ", "IR", "IS", "IT", "JE", "JM", "JO", "JP", "KE", "KG", "KH",
    "KI", "KM", "KN", "KP", "KR", "KW", "KY", "KZ", "LA", "LB", "LC", "LI", "LK", "LR", "LS", "LT", "LU", "LV", "LY",
    "MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK", "ML", "MM", "MN", "MO", "MP", "MQ", "MR", "MS", "MT", "MU", "MV",
    "MW", "MX", "MY", "MZ", "NA", "NC", "NE", "NF", "NG", "NI", "NL", "NO", "NP", "NR", "NU", "NZ", "OM", "PA", "PE",
    "PF", "PG", "PH", "PK", "PL", "PM", "PR", "PS", "PT", "PW", "PY", "QA", "RE", "RO", "RS", "RU", "RW", "SA", "SB",
    "SC", "SD", "SE", "SG", "SH", "SI", "SJ", "SK", "SL", "SM", "SN", "SO", "SR", "SS", "ST", "SV", "SX", "SY", "SZ",
    "TA", "TC", "TD", "TG", "TH", "TJ", "TK", "TL", "TM", "TN", "TO", "TR", "TT", "TV", "TW", "TZ", "UA", "UG", "US",
    "UY", "UZ", "VA", "VC", "VE", "VG", "VI", "VN", "VU", "WF", "WS", "XK", "YE", "YT", "ZA", "ZM", "ZW",
];

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

/// A messenger's number: international, mostly without its `+`. Where the company says of which country its customers are, what
/// somebody typed there, with spaces or too short for an international number, is read as it is in the CRM.
pub(super) fn of_messenger(text: &str, region: Option<Country>) -> Option<Phone> {
    let digits = digits_of(text);
    let international = phonenumber::parse(None, format!("+{digits}")).ok();
    let Some(region) = region else { return e164(&international?) };
    let enough = digits.len() >= FEWEST_UNMARKED_DIGITS;
    let is_bare = enough && digits == text.trim();
    let certain = international.clone().filter(|number| is_bare && number.is_valid());
    let certain = certain.as_ref().and_then(e164);
    certain.or_else(|| typed(text, Some(region))).or_else(|| e164(&international.filter(|_| enough)?))
}

/// The country of a code; none for a code that the library does not know.
pub(super) fn region(code: Option<&str>) -> Option<Country> {
    code?.parse().ok()
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
    fn local_numbers_of_both_sides_meet_in_the_region() {
        for (region, local, expected) in [
            (Country::RU, "8 912 345-67-89", "+79123456789"),
            (Country::RU, "8 (912) 345-67-89", "+79123456789"),
            (Country::UZ, "90 123-45-67", "+998901234567"),
            (Country::UZ, "(90) 123 45 67", "+998901234567"),
        ] {
            assert_eq!(text(typed(local, Some(region))).as_deref(), Some(expected), "{local}");
            assert_eq!(text(of_messenger(local, Some(region))).as_deref(), Some(expected), "{local}");
            let (contact, chat) = (typed(local, None), of_messenger(local, None));
            assert!(contact.is_none() || contact != chat, "{local} must not match without a region");
        }
    }

    /// `84956768051` and `4956768051` would be numbers of Vietnam and Germany.
    #[test]
    fn what_somebody_typed_into_a_messenger_is_read_as_in_the_crm() {
        for (region, local, expected) in [
            (Country::UZ, "901234567", "+998901234567"),
            (Country::RU, "8 (495) 676-80-51", "+74956768051"),
            (Country::RU, "495 676 80 51", "+74956768051"),
            (Country::US, "(201) 555-0123", "+12015550123"),
        ] {
            assert_eq!(text(typed(local, Some(region))).as_deref(), Some(expected), "{local}");
            assert_eq!(text(of_messenger(local, Some(region))).as_deref(), Some(expected), "{local}");
        }
    }

    #[test]
    fn a_messenger_s_international_number_stays_so_in_any_region() {
        for region in [Country::RU, Country::UZ, Country::US, Country::DE] {
            for number in ["998901234567", "79123456789", "12015550100", "4915112345678"] {
                let expected = format!("+{number}");
                assert_eq!(text(of_messenger(number, Some(region))), Some(expected), "{region:?}");
            }
        }
        assert_eq!(of_messenger("555-0100", Some(Country::RU)), None);
    }

    #[test]
    fn the_list_of_regions_is_the_library_s() {
        let letters = || 'A'..='Z';
        let codes = letters().flat_map(|first| letters().map(move |second| format!("{first}{second}")));
        let known: Vec<String> = codes.filter(|code| region(Some(code)).is_some()).collect();
        assert_eq!(known, REGIONS);
    }

    #[test]
    fn a_messengers_digits_are_international() {
        assert_eq!(of_messenger("998901234567", None).unwrap().as_str(), "+998901234567");
        assert_eq!(of_messenger("+1 201 555 0100", None).unwrap().as_str(), "+12015550100");
        assert_eq!(of_messenger("not a number", None), None);
    }
}
