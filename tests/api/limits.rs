use infrastructure::limits::Quotas;
use serde_json::json;
use testkit::TestApp;

#[tokio::test]
async fn guessing_a_password_ends_at_the_sixth_try_and_nothing_else_does() {
    let (app, anonymous, owner) = TestApp::build().quotas(Quotas::default()).start().await;
    let known = app.credential().await;
    let guess = json!({"email": known.email, "password": "not this one"});
    // The owner has signed in from this address already.
    for _ in 0..4 {
        anonymous.post("/api/v1/public/users/login", &guess).await.problem(401, "sign_in.refused");
    }
    let right = json!({"email": known.email, "password": known.password});
    let refused = anonymous.post("/api/v1/public/users/login", &right).await;
    refused.problem(429, "request.too_many");
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=12).contains(&seconds), "{seconds}");
    owner.get("/api/v1/users/me").await.expect(200);
    anonymous.get("/health").await.expect(200);
}
