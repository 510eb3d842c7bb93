use serde_json::Value;
use simulator::Service;
use testkit::TestApp;

const REPORTS: &str = "/api/v1/reports";

#[tokio::test]
async fn a_report_has_its_numbers_here_and_its_text_in_the_companys_storage() {
    let (app, _, owner) = TestApp::start().await;
    let user = app.user().await;
    let run = owner.run_report(app.days()).await;
    let listed = owner.get(REPORTS).await.expect(200);
    let report = &listed["items"][0];
    assert_eq!((&report["run_id"], &listed["next"]), (&run.0["id"], &Value::Null));
    let metrics = &report["metrics"];
    assert_eq!(metrics["dialogues"], app.dialogues.len());
    assert_eq!(metrics["messages"], app.dialogues.message_count());

    let path = format!("{REPORTS}/{}", report["id"].as_str().unwrap());
    let full = user.get(&path).await.expect(200);
    assert_eq!(&full["report"], report);
    let stored = app.simulators.rows("synkro_reports");
    assert_eq!((stored.len(), &stored[0]["body"]), (1, &full["body"]));
    assert!(full["body"].as_str().unwrap().contains(full["narrative"]["summary"].as_str().unwrap()));
    assert_eq!(user.get(REPORTS).await.expect(200), listed);
}

#[tokio::test]
async fn a_storage_that_does_not_answer_is_named() {
    let (app, _, owner) = TestApp::start().await;
    owner.run_report(app.days()).await.assert_completed();
    let listed = owner.get(REPORTS).await.expect(200);
    let path = format!("{REPORTS}/{}", listed["items"][0]["id"].as_str().unwrap());
    app.fault(Service::Supabase, None, simulator::FaultKind::Reset, None);
    let problem = owner.get(&path).await.any_problem();
    assert_eq!(problem["status"], 502);
    assert!(problem["detail"].as_str().unwrap().contains("Supabase"), "{problem:#}");
    assert_eq!(owner.get(REPORTS).await.expect(200), listed);
}
