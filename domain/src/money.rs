//! Money: whole minor units with their currency, and what a model's tokens cost.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::values::ValueError;

/// The codes in use (ISO 4217), without those of metals, bonds and funds.
const CODES: &str = "\
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP \
    CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF \
    IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD \
    MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB \
    RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD \
    UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG";

/// How many tokens a price is for.
const TOKENS: u128 = 1_000_000;

/// A currency, by its code (ISO 4217). One that was stored is read by its form alone: countries give currencies up, and events
/// stay.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(String);

impl Currency {
    /// The code.
    pub fn code(&self) -> &str {
        &self.0
    }
}

impl FromStr for Currency {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let known = CODES.split_whitespace().find(|code| *code == text);
        let known = known.ok_or_else(|| ValueError("must be the code of a currency, such as USD or UZS".into()))?;
        Ok(Self(known.to_owned()))
    }
}

impl TryFrom<String> for Currency {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let is_code = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        if is_code { Ok(Self(text)) } else { Err(ValueError("must be three capital letters".into())) }
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.0
    }
}

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// In which currency.
    pub currency: Currency,
    /// How much, in its minor units.
    pub amount_minor: u64,
}

impl Cost {
    /// Both together; none in two currencies. What no log can hold is the most that one can.
    pub fn plus(&self, other: &Self) -> Option<Self> {
        let sum = self.amount_minor.saturating_add(other.amount_minor).min(i64::MAX.unsigned_abs());
        (self.currency == other.currency).then(|| Self { currency: self.currency.clone(), amount_minor: sum })
    }
}

/// What a model's tokens cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenPrice {
    /// In which currency.
    pub currency: Currency,
    /// For a million tokens that the model reads, in minor units.
    pub input_minor: u64,
    /// For a million tokens that it writes, in minor units.
    pub output_minor: u64,
}

impl TokenPrice {
    /// What so many tokens cost, rounded up to a whole minor unit. What no log can hold is the most that one can.
    pub fn of(&self, input_tokens: u64, output_tokens: u64) -> Cost {
        let part = |tokens: u64, price: u64| u128::from(tokens) * u128::from(price);
        let exact = part(input_tokens, self.input_minor).saturating_add(part(output_tokens, self.output_minor));
        let amount = i64::try_from(exact.div_ceil(TOKENS)).unwrap_or(i64::MAX);
        Cost { currency: self.currency.clone(), amount_minor: amount.unsigned_abs() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(input_minor: u64, output_minor: u64, input: u64, output: u64) -> u64 {
        let price = TokenPrice { currency: "USD".parse().unwrap(), input_minor, output_minor };
        price.of(input, output).amount_minor
    }

    /// Seen to fail: with a fraction that is left out.
    #[test]
    fn a_cost_is_rounded_up_once() {
        assert_eq!(cost(30, 250, 1_000_000, 1_000_000), 280);
        assert_eq!(cost(30, 250, 1, 0), 1);
        assert_eq!(cost(30, 250, 20_000, 1_600), 1, "0.6 and 0.4 are one");
        assert_eq!(cost(30, 250, 20_001, 1_600), 2);
        assert_eq!((cost(30, 250, 0, 0), cost(0, 0, 5_000, 5_000)), (0, 0));
    }

    #[test]
    fn a_cost_beyond_all_bounds_is_the_most_that_there_is() {
        assert_eq!(cost(u64::MAX, u64::MAX, u64::MAX, u64::MAX), i64::MAX.unsigned_abs());
        assert_eq!(cost(1_000_000_000_000, 0, u64::MAX, 0), i64::MAX.unsigned_abs());
    }

    #[test]
    fn a_currency_is_one_that_there_is() {
        assert_eq!("UZS".parse::<Currency>().unwrap().code(), "UZS");
        for wrong in ["", "usd", "US", "USDT", "XAU", "USD "] {
            assert!(wrong.parse::<Currency>().is_err(), "{wrong}");
        }
        let stored = |code: &str| serde_json::from_value::<Currency>(code.into());
        assert_eq!(stored("DEM").unwrap().code(), "DEM", "one that was given up");
        assert!(stored("dem").is_err() && stored("").is_err());
    }
}
