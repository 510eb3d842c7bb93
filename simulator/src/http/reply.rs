//! What a service answers.

use std::time::Duration;

use futures::{StreamExt, stream};
use poem::{
    Body, Response,
    http::{HeaderName, HeaderValue, StatusCode, header},
};
use serde_json::Value;

/// Time for the first half of a broken-off answer to leave.
const FLUSH: Duration = Duration::from_millis(50);

/// In how many pieces a slow body comes at most.
const DRIPS: usize = 20;

/// Status, headers and body of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// An answer without a body.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn json(status: StatusCode, body: &Value) -> Self {
        Self::typed(status, "application/json; charset=utf-8", body)
    }

    /// JSON under a media type of the service's own.
    pub(crate) fn typed(status: StatusCode, media_type: &'static str, body: &Value) -> Self {
        let mut reply = Self::empty(status).header(header::CONTENT_TYPE.as_str(), media_type);
        reply.body = body.to_string().into_bytes();
        reply
    }

    /// Adds a header. One whose name or value HTTP does not allow is left out.
    #[must_use]
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<str>) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value.as_ref())) {
            self.headers.push((name, value));
        }
        self
    }

    pub(crate) fn into_response(self) -> Response {
        let body = Body::from_vec(self.body);
        with_headers(self.status, self.headers, body)
    }

    /// Promises the whole body and breaks off half-way.
    pub(crate) fn into_broken_off(mut self) -> Response {
        let promised = self.body.len().max(2);
        let sent = self.body.len() / 2;
        self.headers.push((header::CONTENT_LENGTH, HeaderValue::from(promised)));
        self.body.truncate(sent);
        let first_half = self.body;
        let break_off = async {
            tokio::time::sleep(FLUSH).await;
            Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
        };
        let body = Body::from_bytes_stream(stream::iter([Ok(first_half)]).chain(stream::once(break_off)));
        with_headers(self.status, self.headers, body)
    }

    /// Sends the body in [`DRIPS`] pieces, each after the pause.
    pub(crate) fn into_dripping(self, pause: Duration) -> Response {
        let size = self.body.len().div_ceil(DRIPS).max(1);
        let pieces: Vec<_> = self.body.chunks(size).map(<[u8]>::to_vec).collect();
        let drips = stream::iter(pieces).then(move |piece| async move {
            tokio::time::sleep(pause).await;
            Ok::<_, std::io::Error>(piece)
        });
        with_headers(self.status, self.headers, Body::from_bytes_stream(drips))
    }

    /// The same answer with a body that is no JSON, under status 200.
    #[must_use]
    pub(crate) fn into_malformed(mut self) -> Self {
        self.status = StatusCode::OK;
        self.body.truncate(self.body.len() / 2);
        self.body.extend(b"{\"broken\":");
        self
    }
}

fn with_headers(status: StatusCode, headers: Vec<(HeaderName, HeaderValue)>, body: Body) -> Response {
    let mut response = Response::builder().status(status).body(body);
    for (name, value) in headers {
        response.headers_mut().append(name, value);
    }
    response
}

#[cfg(test)]
impl Reply {
    /// The body as JSON.
    pub(crate) fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header_value(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.as_str() == name).and_then(|(_, value)| value.to_str().ok())
    }
}
