use poem::error::ParseJsonError;
use serde_json::{Value, json};

use super::*;

const ID: Uuid = Uuid::from_u128(7);

async fn answered(error: impl Into<poem::Error>) -> (u16, Value, Option<String>) {
    let response = respond(&error.into(), ID);
    assert_eq!(response.content_type(), Some(CONTENT_TYPE));
    let challenge = response.header(header::WWW_AUTHENTICATE).map(str::to_owned);
    let status = response.status().as_u16();
    let body: Value = serde_json::from_str(&response.into_body().into_string().await.unwrap()).unwrap();
    assert_eq!((&body["status"], &body["request_id"]), (&json!(status), &json!(ID)));
    (status, body, challenge)
}

#[tokio::test]
async fn every_kind_has_its_status() {
    let expected = [
        (ErrorKind::Invalid, 422, "Unprocessable Entity"),
        (ErrorKind::Unauthenticated, 401, "Unauthorized"),
        (ErrorKind::Forbidden, 403, "Forbidden"),
        (ErrorKind::NotFound, 404, "Not Found"),
        (ErrorKind::Conflict, 409, "Conflict"),
        (ErrorKind::Taken, 409, "Conflict"),
        (ErrorKind::TooMany, 429, "Too Many Requests"),
        (ErrorKind::Upstream, 502, "Bad Gateway"),
        (ErrorKind::Unavailable, 503, "Service Unavailable"),
        (ErrorKind::Internal, 500, "Internal Server Error"),
    ];
    for (kind, status, title) in expected {
        let (actual, body, _) = answered(ApiError::from(AppError::new(kind, "thing.code", "What to do."))).await;
        assert_eq!((actual, body["title"].as_str()), (status, Some(title)), "{kind}");
        assert_eq!(body["code"], "thing.code", "{kind}");
        assert_eq!(body["detail"] == "What to do.", kind != ErrorKind::Internal, "{kind}");
        let documented = ANSWERS.iter().any(|(documented, _)| documented.as_u16() == status);
        assert!(documented, "{status} is not documented");
    }
}

#[tokio::test]
async fn the_cause_of_a_defect_stays_inside() {
    let source = "postgres://synkro:hunter2@db refused the connection";
    let error =
        AppError { source: Some(source.into()), ..AppError::new(ErrorKind::Internal, "system.internal", source) };
    let (_, body, _) = answered(ApiError::from(error)).await;
    assert!(!body.to_string().contains("hunter2"), "{body}");
}

#[tokio::test]
async fn all_bad_fields_are_named() {
    let fields = vec![FieldError::new("from", "is missing"), FieldError::new("to", "is missing")];
    let (_, body, _) = answered(ApiError::from(AppError::invalid(fields))).await;
    let expected = json!([{"field": "from", "message": "is missing"}, {"field": "to", "message": "is missing"}]);
    assert_eq!(body["fields"], expected);
}

#[tokio::test]
async fn a_refused_token_is_named_and_a_missing_one_is_asked_for() {
    let refused = AppError::new(ErrorKind::Unauthenticated, "token.refused", "Sign in again.");
    let (_, _, challenge) = answered(ApiError::from(refused)).await;
    assert_eq!(challenge.as_deref(), Some(r#"Bearer realm="synkro", error="invalid_token""#));
    let (status, body, challenge) = answered(AuthorizationError).await;
    assert_eq!((status, body["code"].as_str()), (401, Some("token.missing")));
    assert_eq!(challenge.as_deref(), Some(r#"Bearer realm="synkro""#));
}

#[tokio::test]
async fn the_frameworks_errors_are_problems_too() {
    let payload = ParseRequestPayloadError { reason: "EOF while parsing at line 1 column 4".into() };
    let path = ParsePathError { name: "id", reason: "must be a UUID".into() };
    let query = ParseParamError { name: "limit", reason: "must be a number".into() };
    let cases: [(poem::Error, u16, &str); 9] = [
        (payload.into(), 400, "body.malformed"),
        (path.into(), 422, "input.invalid"),
        (query.into(), 422, "input.invalid"),
        (ContentTypeError::ExpectContentType.into(), 415, "body.unsupported"),
        (ReadBodyError::PayloadTooLarge.into(), 413, "body.too_large"),
        (NotFoundError.into(), 404, "route.not_found"),
        (MethodNotAllowedError.into(), 405, "route.method_not_allowed"),
        (ParseJsonError::ContentTypeRequired.into(), 415, "request.malformed"),
        (poem::Error::from_status(StatusCode::INTERNAL_SERVER_ERROR), 500, "system.internal"),
    ];
    for (error, status, code) in cases {
        let (actual, body, _) = answered(error).await;
        assert_eq!((actual, body["code"].as_str()), (status, Some(code)));
        assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{body}");
    }
}

#[tokio::test]
async fn a_bad_parameter_is_a_bad_field() {
    let (_, body, _) = answered(ParseParamError { name: "limit", reason: "must be a number".into() }).await;
    assert_eq!(body["fields"], json!([{"field": "limit", "message": "must be a number"}]));
}

#[tokio::test]
async fn a_long_reason_is_cut() {
    let (_, body, _) = answered(ParseRequestPayloadError { reason: "ж".repeat(5000) }).await;
    assert_eq!(body["detail"].as_str().unwrap().matches('ж').count(), LONGEST_REASON);
}
