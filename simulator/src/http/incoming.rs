//! A call as the services see it: read to its end, its query decoded.

use poem::{
    Request,
    http::{HeaderMap, Method},
};
use serde_json::Value;
use url::form_urlencoded;

/// No service takes more at once.
const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// One call, complete.
pub(crate) struct Incoming {
    pub(crate) method: Method,
    path: String,
    query: Option<String>,
    params: Vec<(String, String)>,
    headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Incoming {
    pub(crate) async fn read(mut request: Request) -> poem::Result<Self> {
        let body = request.take_body().into_bytes_limit(BODY_LIMIT).await?.to_vec();
        let uri = request.uri();
        let query = uri.query().map(ToOwned::to_owned);
        let params = query.as_deref().map(pairs).unwrap_or_default();
        Ok(Self {
            method: request.method().clone(),
            path: uri.path().to_owned(),
            query,
            params,
            headers: request.headers().clone(),
            body,
        })
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The parts of the path between slashes; a slash at the end adds none.
    pub(crate) fn segments(&self) -> Vec<&str> {
        self.path.split('/').filter(|part| !part.is_empty()).collect()
    }

    /// Path and query as received.
    pub(crate) fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// Path and query with the value of one parameter replaced by `***`.
    pub(crate) fn target_without(&self, secret: &str) -> String {
        let Some(query) = &self.query else { return self.path.clone() };
        let shown = query.split('&').map(|pair| match pair.split_once('=') {
            Some((name, _)) if name == secret => format!("{name}=***"),
            _ => pair.to_owned(),
        });
        format!("{}?{}", self.path, shown.collect::<Vec<_>>().join("&"))
    }

    /// All query parameters, decoded, in their order.
    pub(crate) fn params(&self) -> &[(String, String)] {
        &self.params
    }

    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Every value of a header that may come several times.
    pub(crate) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
    }

    /// The credential of `Authorization: Bearer …`.
    pub(crate) fn bearer(&self) -> Option<&str> {
        let (scheme, credential) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(credential.trim())
    }

    pub(crate) fn json(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }

    /// The body of an HTML form.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(&self.body).into_owned().collect()
    }

    /// `http://host` as the caller addressed this service.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.header("host").unwrap_or("127.0.0.1"))
    }
}

fn pairs(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

#[cfg(test)]
impl Incoming {
    /// A call that never was on the wire, for tests of a service's own rules.
    pub(crate) fn example(method: Method, target: &str, headers: &[(&'static str, &str)], body: &str) -> Self {
        let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let headers = headers.iter().map(|(name, value)| {
            (poem::http::HeaderName::from_static(name), poem::http::HeaderValue::from_str(value).unwrap())
        });
        Self {
            method,
            path: path.to_owned(),
            query: query.map(ToOwned::to_owned),
            params: query.map(pairs).unwrap_or_default(),
            headers: headers.collect(),
            body: body.as_bytes().to_vec(),
        }
    }
}
