//! The answers of amoCRM, as far as they are read. Everything but ids may be missing.

use std::collections::BTreeSet;

use application::ports::services::{Contact, Deal};
use chrono::{DateTime, Utc};
use domain::metrics::Outcome;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::{Number, Value};

use crate::connectors::phones::{self, Country};

/// Closed statuses that every pipeline has (sheet §3.1).
const WON: i64 = 142;
const LOST: i64 = 143;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Links {
    /// Only that there is one counts.
    pub(super) next: Option<IgnoredAny>,
}

/// A page of a list, with what it lists under a name of its own.
#[derive(Debug, Deserialize)]
pub(super) struct Page<T> {
    #[serde(rename = "_links", default)]
    pub(super) links: Links,
    #[serde(rename = "_embedded")]
    pub(super) embedded: T,
}

#[derive(Debug, Deserialize)]
pub(super) struct Leads {
    pub(super) leads: Vec<LeadDto>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Contacts {
    pub(super) contacts: Vec<ContactDto>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Users {
    pub(super) users: Vec<UserDto>,
}

#[derive(Debug, Deserialize)]
pub(super) struct EntityLinks {
    links: Vec<EntityLink>,
}

#[derive(Debug, Deserialize)]
pub(super) struct AccountDto {
    #[serde(default)]
    country: Option<String>,
}

impl AccountDto {
    /// Where the company is (ISO 3166-1), if it says so.
    pub(super) fn country(&self) -> Option<Country> {
        self.country.as_deref()?.parse().ok()
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct UserDto {
    pub(super) id: i64,
    #[serde(default)]
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct EntityLink {
    to_entity_id: i64,
    to_entity_type: String,
}

impl EntityLinks {
    pub(super) fn contact_ids(self) -> Vec<i64> {
        let contacts = self.links.into_iter().filter(|link| link.to_entity_type == "contacts");
        contacts.map(|link| link.to_entity_id).collect()
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct LeadDto {
    pub(super) id: i64,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    price: Option<Number>,
    #[serde(default)]
    responsible_user_id: Option<i64>,
    #[serde(default)]
    status_id: i64,
    #[serde(default)]
    pipeline_id: i64,
    #[serde(default)]
    created_at: Option<i64>,
    #[serde(default)]
    pub(super) updated_at: Option<i64>,
    #[serde(default)]
    closed_at: Option<i64>,
    #[serde(default)]
    pub(super) is_deleted: bool,
    #[serde(rename = "_embedded", default)]
    embedded: LeadEmbedded,
}

#[derive(Debug, Default, Deserialize)]
struct LeadEmbedded {
    #[serde(default)]
    contacts: Option<Vec<ContactRef>>,
}

#[derive(Debug, Deserialize)]
struct ContactRef {
    id: i64,
}

impl LeadDto {
    /// Ids of its contacts; `None` where the answer does not say.
    pub(super) fn contact_ids(&self) -> Option<Vec<i64>> {
        let contacts = self.embedded.contacts.as_ref()?;
        Some(contacts.iter().map(|contact| contact.id).collect())
    }

    /// `otherwise` stands in for a missing time of change: the answer is for the window that begins there.
    pub(super) fn into_deal(
        self,
        contacts: Vec<Contact>,
        name_of: impl Fn(i64) -> Option<String>,
        otherwise: DateTime<Utc>,
    ) -> Deal {
        let updated_at = self.updated_at.and_then(instant).unwrap_or(otherwise);
        Deal {
            id: self.id,
            name: self.name.unwrap_or_default(),
            outcome: match self.status_id {
                WON => Outcome::Won,
                LOST => Outcome::Lost,
                _ => Outcome::Open,
            },
            status_id: self.status_id,
            pipeline_id: self.pipeline_id,
            price_minor: self.price.as_ref().map_or(0, minor_units),
            responsible: self.responsible_user_id.and_then(name_of),
            created_at: self.created_at.and_then(instant).unwrap_or(updated_at),
            updated_at,
            closed_at: self.closed_at.filter(|seconds| *seconds > 0).and_then(instant),
            contacts,
        }
    }
}

fn instant(seconds: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(seconds, 0)
}

/// A price in whole units, mostly without a fraction, in hundredths of the unit.
fn minor_units(price: &Number) -> i64 {
    if let Some(units) = price.as_i64() {
        return units.saturating_mul(100);
    }
    let text = price.to_string();
    let (units, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let hundredths: String = fraction.chars().chain("00".chars()).take(2).collect();
    format!("{units}{hundredths}").parse().unwrap_or(0)
}

#[derive(Debug, Deserialize)]
pub(super) struct ContactDto {
    pub(super) id: i64,
    #[serde(default)]
    name: Option<String>,
    #[serde(default, deserialize_with = "null_is_empty")]
    custom_fields_values: Vec<CustomField>,
}

#[derive(Debug, Deserialize)]
struct CustomField {
    #[serde(default)]
    field_code: Option<String>,
    #[serde(default, deserialize_with = "null_is_empty")]
    values: Vec<FieldValue>,
}

#[derive(Debug, Deserialize)]
struct FieldValue {
    #[serde(default)]
    value: Value,
}

impl ContactDto {
    /// Numbers of people without a country code are read as numbers of `country`.
    pub(super) fn into_contact(self, country: Option<Country>) -> Contact {
        let phones: BTreeSet<_> = self.phones().filter_map(|text| phones::typed(text, country)).collect();
        Contact { id: self.id, name: self.name.unwrap_or_default(), phones: phones.into_iter().collect() }
    }

    /// Phones as they were typed. The field is known by its code: names and ids differ between accounts (sheet §3.3).
    fn phones(&self) -> impl Iterator<Item = &str> {
        let fields = self.custom_fields_values.iter();
        let phones = fields.filter(|field| field.field_code.as_deref() == Some("PHONE"));
        phones.flat_map(|field| &field.values).filter_map(|value| value.value.as_str())
    }
}

fn null_is_empty<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::values::Phone;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_lead_is_read_with_what_it_says_and_without_what_it_does_not() {
        let lead: LeadDto = serde_json::from_value(json!({
            "id": 19_619, "name": "Deal", "price": 46_333, "responsible_user_id": 7, "status_id": 142,
            "pipeline_id": 1_300, "created_at": 1_763_600_001, "updated_at": 1_763_600_900, "closed_at": 1_763_600_900,
            "is_deleted": false, "custom_fields_values": null, "unknown": {"x": 1},
            "_embedded": {"tags": [], "contacts": [{"id": 5, "is_main": true}]}
        }))
        .unwrap();
        assert_eq!(lead.contact_ids(), Some(vec![5]));
        let users = BTreeMap::from([(7, "Ann".to_owned())]);
        let deal = lead.into_deal(Vec::new(), |user| users.get(&user).cloned(), DateTime::UNIX_EPOCH);
        assert_eq!(
            (deal.price_minor, deal.outcome, deal.responsible.as_deref()),
            (4_633_300, Outcome::Won, Some("Ann"))
        );
        assert_eq!(deal.closed_at.unwrap().timestamp(), 1_763_600_900);

        let bare: LeadDto = serde_json::from_value(json!({"id": 1})).unwrap();
        assert_eq!(bare.contact_ids(), None);
        let deal = bare.into_deal(Vec::new(), |user| users.get(&user).cloned(), DateTime::UNIX_EPOCH);
        assert_eq!((deal.outcome, deal.price_minor, deal.updated_at), (Outcome::Open, 0, DateTime::UNIX_EPOCH));
    }

    #[test]
    fn prices_become_minor_units_exactly() {
        for (price, expected) in [("46333", 4_633_300), ("0.1", 10), ("19.99", 1_999), ("5.5", 550), ("-2.25", -225)] {
            assert_eq!(minor_units(&serde_json::from_str(price).unwrap()), expected, "{price}");
        }
    }

    #[test]
    fn phones_are_found_by_the_fields_code() {
        let contact: ContactDto = serde_json::from_value(json!({
            "id": 10, "custom_fields_values": [
                {"field_id": 3, "field_name": "Telephone", "field_code": "PHONE", "values": [
                    {"value": "+998901234567", "enum_code": "WORK"}, {"value": "8 (90) 765-43-21", "enum": "MOB"}]},
                {"field_id": 4, "field_name": "PHONE", "field_code": null, "values": [{"value": "+998900000000"}]},
                {"field_id": 5, "field_code": "AGE", "values": [{"value": 33}]}
            ]
        }))
        .unwrap();
        assert_eq!(contact.phones().collect::<Vec<_>>(), ["+998901234567", "8 (90) 765-43-21"]);
        let contact = contact.into_contact(None);
        assert_eq!(contact.phones.iter().map(Phone::as_str).collect::<Vec<_>>(), ["+998901234567"]);
        let account: AccountDto = serde_json::from_value(json!({"id": 1, "country": "UZ"})).unwrap();
        assert_eq!(account.country(), Some(Country::UZ));
        let nowhere: AccountDto = serde_json::from_value(json!({"id": 1, "country": ""})).unwrap();
        assert_eq!(nowhere.country(), None);
        let bare: ContactDto = serde_json::from_value(json!({"id": 1, "custom_fields_values": null})).unwrap();
        assert_eq!(bare.phones().count(), 0);
    }

    #[test]
    fn only_contacts_count_among_a_leads_links() {
        let page: Page<EntityLinks> = serde_json::from_value(json!({"_embedded": {"links": [
            {"to_entity_id": 1, "to_entity_type": "contacts", "metadata": {"main_contact": true}},
            {"to_entity_id": 2, "to_entity_type": "companies", "metadata": null}
        ]}}))
        .unwrap();
        assert_eq!(page.embedded.contact_ids(), [1]);
    }
}
