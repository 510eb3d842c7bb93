//! From a bearer token to a request context: the only place where one is built for a request.

use std::future::{Ready, ready};
use std::sync::Arc;

use application::{Client, Principal, Receipt, RequestContext};
use poem::Request;
use poem::http::header::USER_AGENT;
use poem_openapi::SecurityScheme;
use poem_openapi::auth::Bearer;
use uuid::Uuid;

use crate::AppState;
use crate::edge::RequestId;
use crate::problem::{ApiError, internal};

/// How many characters of a `User-Agent` are kept.
const LONGEST_USER_AGENT: usize = 200;

/// Who is signed in, in the circumstances of this request.
pub(crate) struct Identity {
    /// Who.
    pub(crate) principal: Principal,
    request_id: Uuid,
    client: Client,
}

impl Identity {
    /// First argument of every use case.
    pub(crate) fn context(&self) -> RequestContext {
        self.repeatable(None)
    }

    /// The same for a request that may be repeated under its receipt's key.
    pub(crate) fn repeatable(&self, receipt: Option<Receipt>) -> RequestContext {
        RequestContext::for_request(self.principal, self.request_id, self.client.clone(), receipt)
    }
}

/// The access token that `POST /api/v1/public/users/login` answers with.
#[derive(SecurityScheme)]
#[oai(rename = "AccessToken", ty = "bearer", bearer_format = "JWT", checker = "authenticate")]
pub(crate) struct SignedInUser(pub(crate) Identity);

fn authenticate(request: &Request, Bearer { token }: Bearer) -> Ready<poem::Result<Identity>> {
    ready(identify(request, &token))
}

fn identify(request: &Request, token: &str) -> poem::Result<Identity> {
    let state = request.data::<Arc<AppState>>().ok_or_else(|| internal("the state is not attached"))?;
    let RequestId(request_id) = *request.data::<RequestId>().ok_or_else(|| internal("the request has no id"))?;
    let principal = state.sign_in.authenticate(token).map_err(ApiError::from)?;
    Ok(Identity { principal, request_id, client: client(request) })
}

fn client(request: &Request) -> Client {
    let ip = request.remote_addr().as_socket_addr().map(|address| address.ip().to_string());
    let user_agent = request
        .headers()
        .get(USER_AGENT)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).chars().take(LONGEST_USER_AGENT).collect());
    Client { ip, user_agent }
}
