use testkit::TestApp;

#[tokio::test]
async fn a_running_system_is_alive_and_ready() {
    let (_app, anonymous, _) = TestApp::start().await;
    for path in ["/health", "/api/v1/public/healthcheck"] {
        assert_eq!(anonymous.get(path).await.expect(200)["status"], "ok");
    }
    let ready = anonymous.get("/ready").await.expect(200);
    assert_eq!((&ready["ready"], &ready["dependencies"][0]["state"]), (&true.into(), &"up".into()));
}

#[tokio::test]
async fn without_its_database_the_system_is_alive_and_not_ready() {
    let (app, anonymous, owner) = TestApp::start().await;
    app.database().database().close().await;
    let ready = anonymous.get("/ready").await.expect(503);
    assert_eq!((&ready["ready"], &ready["dependencies"][0]["state"]), (&false.into(), &"down".into()));
    assert!(!ready["dependencies"][0]["reason"].as_str().unwrap().is_empty());
    anonymous.get("/health").await.expect(200);
    assert_eq!(owner.get("/api/v1/runs").await.any_problem()["status"], 503);
}
