//! Chats are found by the phones of deals, and a phone without a country code is of the country that the company says.

use domain::integration::{IntegrationKind, IntegrationSettings};
use testkit::{Actor, TestApp};

async fn chats_in(app: &TestApp, owner: &Actor, region: Option<&str>) -> u64 {
    let mut settings = app.settings(IntegrationKind::Radist);
    if let IntegrationSettings::Radist { phone_region, .. } = &mut settings {
        *phone_region = region.map(str::to_owned);
    }
    app.connect(settings, app.secret(IntegrationKind::Radist)).await;
    let run = owner.run_report(app.days()).await;
    run.assert_completed();
    run.count("fetch_chats", "chats")
}

/// The account in amoCRM says that it is in the United States, and some of its phones have no country code.
#[tokio::test]
async fn phones_without_a_country_code_are_of_the_company_s_region() {
    let (app, _, owner) = TestApp::start().await;
    let all = app.dialogues.len() as u64;
    assert_eq!(chats_in(&app, &owner, None).await, all, "the account's own country");
    let elsewhere = chats_in(&app, &owner, Some("UZ")).await;
    assert!(elsewhere > 0 && elsewhere < all, "{elsewhere} of {all}");
    assert_eq!(chats_in(&app, &owner, Some("US")).await, all);
}
