//! The one conversion of errors to answers: problem details of RFC 9457.
//!
//! Operations answer with [`ApiError`]; the framework with its own errors. Both leave the operation as a
//! [`poem::Error`] and become a document in `respond`, which alone knows the request's id.

use std::time::Duration;

use application::AppError;
use application::error::chain;
use domain::{ErrorKind, FieldError};
use poem::error::{MethodNotAllowedError, NotFoundError, ReadBodyError, ResponseError};
use poem::http::{HeaderValue, StatusCode, header};
use poem::{IntoResponse, Response};
use poem_openapi::error::{
    AuthorizationError, ContentTypeError, ParseParamError, ParsePathError, ParseRequestPayloadError,
};
use poem_openapi::registry::{MetaHeader, MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::{Example, ToJSON, Type};
use poem_openapi::{ApiResponse, Object};
use uuid::Uuid;

use crate::limits::whole_seconds;

/// The media type of problem details (RFC 9457 §3).
const CONTENT_TYPE: &str = "application/problem+json";

/// How many characters of the parser's own words on a bad body are answered.
const LONGEST_REASON: usize = 200;

/// What every operation may answer besides its success, and when.
const ANSWERS: [(StatusCode, &str); 12] = [
    (
        StatusCode::BAD_REQUEST,
        "The request cannot be read at all: its body is not JSON, or a header that `fields` names is not right.",
    ),
    (StatusCode::UNAUTHORIZED, "Nobody is signed in, or the access token is not valid or out of time."),
    (StatusCode::FORBIDDEN, "The signed-in user does not have the right; the detail names it."),
    (StatusCode::NOT_FOUND, "There is no such thing, or it belongs to another company."),
    (StatusCode::CONFLICT, "The situation does not allow it now, or the value is taken by another."),
    (StatusCode::PAYLOAD_TOO_LARGE, "The body is larger than 1 MB."),
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is not `application/json`."),
    (StatusCode::UNPROCESSABLE_ENTITY, "Some fields are not right; `fields` names all of them."),
    (StatusCode::TOO_MANY_REQUESTS, "Too many requests; `Retry-After` says when to come back."),
    (StatusCode::INTERNAL_SERVER_ERROR, "A defect of Synkro; it has been recorded under `request_id`."),
    (StatusCode::BAD_GATEWAY, "A service that the company has connected refused or failed."),
    (StatusCode::SERVICE_UNAVAILABLE, "A part of Synkro is out of reach for now; try again in a moment."),
];

/// What went wrong, in the shape of RFC 9457.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(example)]
pub struct Problem {
    /// Always `about:blank`: the status gives the general meaning, `code` the exact one (RFC 9457 §4.2.1).
    #[oai(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened and what to do, for people.
    pub detail: String,
    /// What happened, for programs; stable.
    pub code: String,
    /// All bad fields of the request; empty where the request's fields are not at fault.
    pub fields: Vec<BadField>,
    /// Only where something was not found: events of the company that Synkro could not apply yet. What was asked for may be
    /// there and only not be shown yet.
    #[oai(skip_serializing_if_is_none)]
    pub parked: Option<u64>,
    /// The request, as the header `X-Request-Id` of the answer says it too. Name it when you ask for help.
    pub request_id: Uuid,
}

/// One bad field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct BadField {
    /// Its name.
    pub field: String,
    /// What is wrong and what is expected.
    pub message: String,
}

impl Example for Problem {
    fn example() -> Self {
        Self {
            kind: "about:blank".into(),
            title: "Unprocessable Entity".into(),
            status: 422,
            detail: "Some fields are not right.".into(),
            code: "input.invalid".into(),
            fields: vec![BadField { field: "to".into(), message: "must not lie before `from`".into() }],
            parked: None,
            request_id: Uuid::from_u128(0x0197_b1c0_5f6e_7c3a_9d55_2f6c_1a7e_4b10),
        }
    }
}

/// The error of every operation.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// A use case did not do what was asked.
    #[error(transparent)]
    App(#[from] AppError),
    /// These headers cannot be read.
    #[error("Some headers are not right.")]
    Headers(Vec<FieldError>),
    /// A budget is used up.
    #[error("Too many requests; try again in {} s.", whole_seconds(*.wait))]
    TooMany {
        /// How long until the same request is granted.
        wait: Duration,
    },
}

impl ResponseError for ApiError {
    fn status(&self) -> StatusCode {
        match self {
            Self::App(error) => status_of(error.kind),
            Self::Headers(_) => StatusCode::BAD_REQUEST,
            Self::TooMany { .. } => status_of(ErrorKind::TooMany),
        }
    }
}

impl ApiResponse for ApiError {
    fn meta() -> MetaResponses {
        let content = || vec![MetaMediaType { content_type: CONTENT_TYPE, schema: Problem::schema_ref() }];
        let response = |(status, description): (StatusCode, &'static str)| MetaResponse {
            description,
            status: Some(status.as_u16()),
            status_range: None,
            content: content(),
            headers: if status == StatusCode::TOO_MANY_REQUESTS { vec![retry_after()] } else { Vec::new() },
        };
        MetaResponses { responses: ANSWERS.into_iter().map(response).collect() }
    }

    fn register(registry: &mut Registry) {
        Problem::register(registry);
    }
}

/// In how many seconds to try again (RFC 9110 §10.2.3).
fn retry_after() -> MetaHeader {
    MetaHeader {
        name: "Retry-After".into(),
        description: Some("In how many seconds the same request is answered.".into()),
        required: false,
        deprecated: false,
        schema: u64::schema_ref(),
    }
}

/// The status of each meaning.
fn status_of(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Conflict | ErrorKind::Taken => StatusCode::CONFLICT,
        ErrorKind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::Upstream => StatusCode::BAD_GATEWAY,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A defect on the way to or from an operation; the words are for the log.
pub(crate) fn internal(what: &'static str) -> poem::Error {
    let error = AppError { source: Some(what.into()), ..AppError::new(ErrorKind::Internal, "system.internal", what) };
    ApiError::from(error).into()
}

/// The answer to a request that an error ended. Causes of the server's own failures go to the log, never out.
pub(crate) fn respond(error: &poem::Error, request_id: Uuid) -> Response {
    let (status, code, detail, fields) = match error.downcast_ref::<ApiError>() {
        Some(ApiError::App(error)) => (status_of(error.kind), error.code, error.detail.clone(), error.fields.clone()),
        Some(error @ ApiError::Headers(fields)) => {
            (error.status(), "header.malformed", error.to_string(), fields.clone())
        }
        Some(error @ ApiError::TooMany { .. }) => plain(error.status(), "request.too_many", error.to_string()),
        None => of_framework(error),
    };
    record(error, status, code);
    let hidden = status == StatusCode::INTERNAL_SERVER_ERROR;
    let problem = Problem {
        kind: "about:blank".into(),
        title: status.canonical_reason().unwrap_or_default().into(),
        status: status.as_u16(),
        detail: if hidden { "Something went wrong on our side; it has been recorded.".into() } else { detail },
        code: code.into(),
        fields: fields.into_iter().map(|FieldError { field, message }| BadField { field, message }).collect(),
        parked: error.downcast_ref().and_then(parked),
        request_id,
    };
    let response = problem.to_json_string().with_status(status).with_content_type(CONTENT_TYPE);
    let mut response = response.into_response();
    if let Some(challenge) = challenge(status, code) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    if let Some(wait) = error.downcast_ref().and_then(wait) {
        response.headers_mut().insert(header::RETRY_AFTER, whole_seconds(wait).into());
    }
    response
}

/// How long to wait before the next try, where that is known.
fn wait(error: &ApiError) -> Option<Duration> {
    match error {
        ApiError::App(error) => error.retry_after,
        ApiError::TooMany { wait } => Some(*wait),
        ApiError::Headers(_) => None,
    }
}

/// How many events are parked, where any is.
fn parked(error: &ApiError) -> Option<u64> {
    match error {
        ApiError::App(error) => Some(error.parked).filter(|parked| *parked > 0),
        ApiError::Headers(_) | ApiError::TooMany { .. } => None,
    }
}

/// What the log says about a failure that is not the client's: a defect is an error, an outage a warning.
fn record(error: &poem::Error, status: StatusCode, code: &str) {
    if !status.is_server_error() {
        return;
    }
    let causes = error.downcast_ref().map_or_else(|| chain(error), |error: &ApiError| chain(error));
    if status == StatusCode::INTERNAL_SERVER_ERROR {
        tracing::error!(code, error = causes, "a request failed");
    } else {
        tracing::warn!(code, error = causes, "a request failed");
    }
}

/// How to sign in (RFC 6750 §3): a refused token is named as the reason, a missing one is not.
fn challenge(status: StatusCode, code: &str) -> Option<&'static str> {
    match (status, code) {
        (StatusCode::UNAUTHORIZED, "token.refused" | "api_key.refused") => {
            Some(r#"Bearer realm="synkro", error="invalid_token""#)
        }
        (StatusCode::UNAUTHORIZED, _) => Some(r#"Bearer realm="synkro""#),
        _ => None,
    }
}

type Parts = (StatusCode, &'static str, String, Vec<FieldError>);

/// The framework's own errors: everything that goes wrong before an operation begins.
fn of_framework(error: &poem::Error) -> Parts {
    if let Some(parts) = of_parameter(error) {
        return parts;
    }
    if error.is::<AuthorizationError>() {
        let detail = "Sign in first: send the access token, or an API key, as `Authorization: Bearer …`.";
        return plain(StatusCode::UNAUTHORIZED, "token.missing", detail);
    }
    if let Some(ParseRequestPayloadError { reason }) = error.downcast_ref() {
        let reason: String = reason.chars().take(LONGEST_REASON).collect();
        let detail = format!("The body cannot be read as this operation's JSON object: {reason}");
        return plain(StatusCode::BAD_REQUEST, "body.malformed", detail);
    }
    if error.is::<ContentTypeError>() {
        let detail = "Send the body as JSON, with `Content-Type: application/json`.";
        return plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, "body.unsupported", detail);
    }
    if let Some(ReadBodyError::PayloadTooLarge) = error.downcast_ref() {
        return plain(StatusCode::PAYLOAD_TOO_LARGE, "body.too_large", "The body is larger than 1 MB.");
    }
    if error.is::<NotFoundError>() {
        let detail = "There is nothing at this address; see /api/v1/public/docs for what there is.";
        return plain(StatusCode::NOT_FOUND, "route.not_found", detail);
    }
    if error.is::<MethodNotAllowedError>() {
        let detail = "This address does not know that method; see /api/v1/public/docs for what it knows.";
        return plain(StatusCode::METHOD_NOT_ALLOWED, "route.method_not_allowed", detail);
    }
    match error.status() {
        status if status.is_client_error() => plain(status, "request.malformed", "The request cannot be read."),
        _ => plain(StatusCode::INTERNAL_SERVER_ERROR, "system.internal", ""),
    }
}

fn of_parameter(error: &poem::Error) -> Option<Parts> {
    let path = error.downcast_ref().map(|ParsePathError { name, reason }| (name, reason));
    let query = error.downcast_ref().map(|ParseParamError { name, reason }| (name, reason));
    let (name, reason) = path.or(query)?;
    let AppError { kind, code, detail, fields, .. } = AppError::invalid(vec![FieldError::new(*name, reason)]);
    Some((status_of(kind), code, detail, fields))
}

fn plain(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Parts {
    (status, code, detail.into(), Vec::new())
}

#[cfg(test)]
mod tests;
