use serde::{Deserialize, Serialize};

use crate::money::{Currency, TokenPrice};

/// The highest price for a million tokens, in minor units.
const HIGHEST: u64 = 1_000_000_000_000;

/// What the company says that the model's tokens cost: all of it, or nothing. No provider tells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenPrices {
    /// For a million tokens that the model reads, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_price_minor: Option<u64>,
    /// For a million tokens that it writes, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_price_minor: Option<u64>,
    /// The currency's code (ISO 4217).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_currency: Option<String>,
}

impl TokenPrices {
    /// The price, where all of it is there.
    pub fn price(&self) -> Option<TokenPrice> {
        let currency = self.price_currency.as_ref()?.parse().ok()?;
        Some(TokenPrice { currency, input_minor: self.input_price_minor?, output_minor: self.output_price_minor? })
    }

    /// Every bad field, and why.
    pub(super) fn problems(&self) -> Vec<(&'static str, String)> {
        let Self { input_price_minor, output_price_minor, price_currency } = self;
        let fields = [
            ("input_price_minor", input_price_minor.is_some()),
            ("output_price_minor", output_price_minor.is_some()),
            ("price_currency", price_currency.is_some()),
        ];
        let mut problems = Vec::new();
        if fields.iter().any(|(_, given)| *given) {
            let message = "must be given with the other two of the price, or leave all three out";
            let missing = fields.iter().filter(|(_, given)| !given);
            problems.extend(missing.map(|(field, _)| (*field, message.to_owned())));
        }
        for (field, price) in [("input_price_minor", input_price_minor), ("output_price_minor", output_price_minor)] {
            if price.is_some_and(|price| price > HIGHEST) {
                problems.push((field, format!("must be {HIGHEST} at most")));
            }
        }
        if let Some(Err(error)) = price_currency.as_ref().map(|code| code.parse::<Currency>()) {
            problems.push(("price_currency", error.to_string()));
        }
        problems
    }
}
