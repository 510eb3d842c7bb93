//! A contact of the CRM and a chat of the messenger meet by their phones, also where nobody typed the country code.

use application::ports::services::Connectors;
use domain::integration::{IntegrationSettings, SecretName};
use domain::values::Phone;
use futures::TryStreamExt;
use serde_json::json;

use super::scripted::{Answer, Scripted};
use super::world::{account, connectors, quick};

/// The contact's phone, where it could be read, by what the company says of its region and amoCRM of its country.
async fn of_contact(typed: &str, region: Option<&str>, country: &str) -> Option<Phone> {
    let lead = json!({"id": 1, "name": "A table", "updated_at": 1_780_000_000, "_embedded": {"contacts": [{"id": 5}]}});
    let phone = json!({"field_code": "PHONE", "values": [{"value": typed}]});
    let contact = json!({"id": 5, "name": "Ann", "custom_fields_values": [phone]});
    let leads = json!({"_embedded": {"leads": [lead]}});
    let account_of = json!({"id": 1, "country": country});
    let contacts = json!({"_embedded": {"contacts": [contact]}});
    let users = json!({"_embedded": {"users": []}});
    let answers = match region {
        Some(_) => vec![leads, contacts, users],
        None => vec![leads, account_of, contacts, users],
    };
    let ok = |body: &serde_json::Value| Answer::json("200 OK", &body.to_string());
    let server = Scripted::answering(answers.iter().map(ok).collect()).await;
    let settings = IntegrationSettings::Amocrm { base_url: server.base.parse().unwrap(), client_id: None };
    let mut account = account(settings, SecretName::AccessToken, "a-token");
    account.phone_region = region.map(str::to_owned);
    let deals = connectors(quick()).crm(account).unwrap().latest(1).await.unwrap();
    deals[0].contacts[0].phones.first().cloned()
}

async fn of_chat(number: &str, region: Option<&str>) -> Option<Phone> {
    let chat = json!({"chat_id": 10, "phone": number});
    let page = json!({"data": [{"contact_name": "Ann", "chats": [chat]}], "response_metadata": {"next_cursor": ""}});
    let server = Scripted::answering(vec![Answer::json("200 OK", &page.to_string())]).await;
    let settings = IntegrationSettings::Radist {
        base_url: server.base.parse().unwrap(),
        company_id: 7,
        requests_per_second: 1_000,
        phone_region: region.map(str::to_owned),
    };
    let account = account(settings, SecretName::ApiKey, "a-key");
    connectors(quick()).conversations(account).unwrap().chats().try_concat().await.unwrap()[0].phone.clone()
}

#[tokio::test]
async fn local_numbers_match_in_the_company_s_region_and_nowhere_else() {
    for (region, local, international) in
        [("RU", "8 912 345-67-89", "+79123456789"), ("UZ", "90 123-45-67", "+998901234567")]
    {
        let chat = of_chat(local, Some(region)).await;
        assert_eq!(chat.as_ref().map(Phone::as_str), Some(international));
        assert_eq!(of_contact(local, Some(region), "").await, chat);
        assert_eq!(of_contact(local, Some(region), "US").await, chat, "what the company says goes before its account");
        let (contact, chat) = (of_contact(local, None, "").await, of_chat(local, None).await);
        assert!(contact.is_none() || contact != chat, "{contact:?} {chat:?}");
    }
}
