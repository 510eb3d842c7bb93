//! `synkro access report` on the roles of every preset.

use domain::access::Preset;
use synkro::access_report;
use testkit::TestApp;

/// Seen to fail: with a list that asks for another right than its operation names.
#[tokio::test]
async fn every_role_of_every_preset_can_do_exactly_what_it_may() {
    for preset in Preset::ALL {
        let (app, _, _) = TestApp::build().preset(preset).start().await;
        let before = app.events().await.len();
        let report = access_report::of(app.system(), app.company.tenant_id).await.unwrap();
        assert!(report.conforms(), "{}\n{}", preset.name(), report.text());
        let mut roles: Vec<String> = preset.roles().into_iter().map(|role| role.name.to_string()).collect();
        roles.sort();
        assert_eq!(report.roles.iter().map(|role| role.role.to_string()).collect::<Vec<_>>(), roles);
        assert!(report.roles.iter().all(|role| role.percent() == 100));
        let events = app.events().await;
        assert_eq!(events.len(), before, "the report changed something: {:?}", &events[before..]);
    }
}
