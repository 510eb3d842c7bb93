//! What every request and every answer passes, whichever operation it is for.
//!
//! A request gets its id and a span, and its body is read up to a limit; an answer gets the id, the security headers
//! and, where an error ended the request, its problem document. Query strings and bodies are never logged.

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use poem::error::ReadBodyError;
use poem::http::{HeaderName, HeaderValue, StatusCode, header};
use poem::middleware::PanicHandler;
use poem::{Endpoint, IntoResponse, Middleware, PathPattern, Request, Response};
use poem_openapi::OperationId;
use tracing::field::Empty;
use tracing::{Instrument, Span};
use uuid::Uuid;

use crate::AppState;
use crate::addresses::{Address, Addresses};
use crate::client_address::ClientAddress;
use crate::limits::Budgets;
use crate::problem::{internal, respond};

/// The largest body of a request, in bytes.
pub(crate) const LARGEST_BODY: usize = 1024 * 1024;

static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Headers that an answer gets unless its operation has said something else.
const SECURITY_HEADERS: [(HeaderName, &str); 5] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

/// The id of the request: the client's, where it is a UUID, else a new one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestId(pub(crate) Uuid);

/// Puts an [`EdgeEndpoint`] around everything.
pub(crate) struct Edge {
    /// What the operations call.
    pub(crate) state: Arc<AppState>,
    /// The operations' addresses.
    pub(crate) addresses: Arc<Addresses>,
}

/// See the module.
pub(crate) struct EdgeEndpoint<E> {
    state: Arc<AppState>,
    addresses: Arc<Addresses>,
    inner: E,
}

impl<E: Endpoint> Middleware<E> for Edge {
    type Output = EdgeEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        EdgeEndpoint { state: Arc::clone(&self.state), addresses: Arc::clone(&self.addresses), inner }
    }
}

impl<E: Endpoint> Endpoint for EdgeEndpoint<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let RequestId(id) = self.request_id(&request);
        request.set_data(RequestId(id));
        request.set_data(Arc::clone(&self.state));
        if let Some(address) = ClientAddress::of(&request, &self.state.proxies) {
            request.set_data(address);
        }
        let span = tracing::info_span!(
            "request",
            request_id = %id,
            method = %request.method(),
            path = Empty,
            operation = Empty,
            status = Empty,
            ms = Empty
        );
        let mut response = self.answer(request, id).instrument(span.clone()).await;
        decorate(&mut response, id);
        Ok(response)
    }
}

impl<E: Endpoint> EdgeEndpoint<E> {
    fn request_id(&self, request: &Request) -> RequestId {
        let given = request.headers().get(&X_REQUEST_ID).and_then(|value| value.to_str().ok());
        RequestId(given.and_then(|text| Uuid::try_parse(text).ok()).unwrap_or_else(|| self.state.ids.next()))
    }

    async fn answer(&self, request: Request, id: Uuid) -> Response {
        let started = Instant::now();
        let result = match with_whole_body(request).await {
            Ok(request) => self.inner.call(request).await.map(IntoResponse::into_response),
            Err(error) => Err(error),
        };
        let (pattern, operation, budgets): (_, _, Option<Budgets>) = match &result {
            Ok(response) => (response.data().cloned(), response.data().copied(), response.data().cloned()),
            Err(error) => (error.data().cloned(), error.data().copied(), error.data().cloned()),
        };
        let mut response = match result {
            Ok(response) if response.data::<Panicked>().is_some() => respond(&internal("an operation panicked"), id),
            Ok(response) => response,
            Err(error) => respond(&error, id),
        };
        if let Some(budgets) = budgets {
            budgets.describe(&mut response);
        }
        let span = Span::current();
        if let Some(PathPattern(pattern)) = pattern {
            let address = self.addresses.find(&pattern);
            span.record("path", address.map_or(&*pattern, |address| address.path.as_str()));
            name_methods(&mut response, address);
        }
        if let Some(OperationId(operation)) = operation {
            span.record("operation", operation);
        }
        span.record("status", response.status().as_u16());
        span.record("ms", u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
        tracing::info!("answered");
        response
    }
}

/// Reads the body, so that an endless one is refused whatever its headers promise.
async fn with_whole_body(mut request: Request) -> poem::Result<Request> {
    let promised = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if promised.is_some_and(|length: usize| length > LARGEST_BODY) {
        return Err(ReadBodyError::PayloadTooLarge.into());
    }
    let body = request.take_body().into_bytes_limit(LARGEST_BODY).await?;
    request.set_body(body);
    Ok(request)
}

/// An answer that refuses the method names those that the address knows (RFC 9110 §15.5.6).
fn name_methods(response: &mut Response, address: Option<&Address>) {
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        let files = HeaderValue::from_static("GET, HEAD");
        let allow = address.and_then(|address| address.allow.clone()).unwrap_or(files);
        response.headers_mut().insert(header::ALLOW, allow);
    }
}

fn decorate(response: &mut Response, id: Uuid) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(&X_REQUEST_ID, id);
    }
    for (name, value) in SECURITY_HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

/// Marks an answer that stands for a panic.
#[derive(Clone)]
struct Panicked;

/// Makes a panic end its request only.
#[derive(Clone)]
pub(crate) struct Panics;

impl PanicHandler for Panics {
    type Response = Response;

    fn get_response(&self, panic: Box<dyn Any + Send>) -> Response {
        let text = panic.downcast_ref::<&str>().copied();
        let message = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
        tracing::error!(message, "an operation panicked");
        let mut response = Response::default();
        response.set_data(Panicked);
        response
    }
}
