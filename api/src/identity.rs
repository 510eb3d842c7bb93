//! From an access token or an API key to a request context: the only place where one is built for a request.

use std::fmt::Write as _;
use std::sync::Arc;

use application::ports::identity::CsrfHash;
use application::use_cases::require_csrf;
use application::{AppError, Authenticated, AuthenticatedKey, Client, Origin, PortError, Receipt, RequestContext};
use aws_lc_rs::digest::{SHA256, digest};
use domain::access::Rights;
use domain::ids::{SessionId, TenantId};
use domain::user::Membership;
use poem::http::header::{AUTHORIZATION, USER_AGENT};
use poem::{FromRequest, Request, RequestBody};
use poem_openapi::error::AuthorizationError;
use poem_openapi::registry::{MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use secrecy::SecretString;
use uuid::Uuid;

use crate::AppState;
use crate::client_address::ClientAddress;
use crate::cookies::{ACCESS_COOKIE, REFRESH_COOKIE, cookie};
use crate::edge::RequestId;
use crate::position::reach;
use crate::problem::{ApiError, internal};

/// How many characters of a `User-Agent` are kept.
const LONGEST_USER_AGENT: usize = 200;

/// What a browser that is signed in by cookies proves with that it was not talked into a request.
pub(crate) const CSRF_HEADER: &str = "X-CSRF-Token";

/// Where a program may send its API key, if not as the bearer token.
const KEY_HEADER: &str = "X-Api-Key";

/// What every API key begins with, and no access token does.
const KEY_MARK: &str = "syn_";

/// How the OpenAPI document names the places of an access token and of an API key.
const IN_HEADER: &str = "AccessToken";
const IN_COOKIE: &str = "SessionCookie";
const IN_KEY_HEADER: &str = "ApiKey";

/// Whose request it is, proved.
#[derive(Clone)]
enum Caller {
    User(Authenticated),
    Program(AuthenticatedKey),
}

impl Caller {
    /// The company; none for staff.
    fn tenant(&self) -> Option<TenantId> {
        match self {
            Self::User(user) => user.principal().membership.tenant(),
            Self::Program(key) => Some(key.key().tenant_id),
        }
    }
}

/// Who is signed in, or which program asks, in the circumstances of this request.
pub(crate) struct Identity {
    caller: Caller,
    rights: Arc<Rights>,
    request_id: Uuid,
    client: Client,
}

impl Identity {
    /// The session that the request belongs to; none where a program asks.
    pub(crate) fn session_id(&self) -> Option<SessionId> {
        match &self.caller {
            Caller::User(user) => Some(user.principal().session_id),
            Caller::Program(_) => None,
        }
    }

    /// First argument of every use case.
    pub(crate) fn context(&self) -> RequestContext {
        self.repeatable(None)
    }

    /// The same for a request that may be repeated under its receipt's key.
    pub(crate) fn repeatable(&self, receipt: Option<Receipt>) -> RequestContext {
        let (rights, id, client) = (Arc::clone(&self.rights), self.request_id, self.client.clone());
        match &self.caller {
            Caller::User(user) => RequestContext::for_request(user.clone(), rights, id, client, receipt),
            Caller::Program(key) => RequestContext::for_api_key(key, rights, id, client, receipt),
        }
    }
}

/// The one whose access token came with the request: in the header `Authorization`, or in the cookie of a page. Or the
/// program whose API key did: in `Authorization`, or in `X-Api-Key`. What only a person may do is refused by the use cases.
pub(crate) struct SignedInUser(pub(crate) Identity);

impl<'a> ApiExtractor<'a> for SignedInUser {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        let header = MetaSecurityScheme {
            ty: "http",
            description: Some("The access token that signing in or refreshing answers with, or an API key."),
            name: None,
            key_in: None,
            scheme: Some("bearer"),
            bearer_format: None,
            flows: None,
            openid_connect_url: None,
        };
        let cookie = MetaSecurityScheme {
            ty: "apiKey",
            description: Some(
                "The access token of a page that signed in with `\"cookies\": true`. Whatever is not GET, HEAD or OPTIONS also \
                 needs the session's CSRF token in the header X-CSRF-Token.",
            ),
            name: Some(ACCESS_COOKIE),
            key_in: Some("cookie"),
            scheme: None,
            bearer_format: None,
            flows: None,
            openid_connect_url: None,
        };
        let key = MetaSecurityScheme {
            ty: "apiKey",
            description: Some(
                "The API key of a company's program. It may do what its scopes say, and nothing that takes a person: with \
                 accounts, roles of users, or other keys.",
            ),
            name: Some(KEY_HEADER),
            key_in: Some("header"),
            scheme: None,
            bearer_format: None,
            flows: None,
            openid_connect_url: None,
        };
        registry.create_security_scheme(IN_KEY_HEADER, key);
        registry.create_security_scheme(IN_HEADER, header);
        registry.create_security_scheme(IN_COOKIE, cookie);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![IN_HEADER, IN_COOKIE, IN_KEY_HEADER]
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        identify(request).await.map(Self)
    }
}

async fn identify(request: &Request) -> poem::Result<Identity> {
    let state = request.data::<Arc<AppState>>().ok_or_else(|| internal("the state is not attached"))?;
    let recognized = match request.data::<Recognized>() {
        Some(recognized) => Some(recognized.clone()),
        None => look(request, state).await,
    };
    let Recognized { caller, by_cookie } = recognized.ok_or(AuthorizationError)?;
    let caller = caller.as_ref().as_ref().map_err(|error| ApiError::from(same(error)))?.clone();
    if let Caller::User(user) = &caller
        && by_cookie
        && !request.method().is_safe()
    {
        let expected = user.subject().csrf.as_ref();
        require_csrf(expected, presented_csrf(request).as_ref()).map_err(ApiError::from)?;
    }
    reach(request, state).await?;
    let rights = rights(&caller, state).await.map_err(|error| ApiError::from(AppError::from(error)))?;
    let Origin { request_id, client } = origin(request)?;
    Ok(Identity { caller, rights, request_id, client })
}

/// What the caller may in the own company; nothing for staff, who have none.
async fn rights(caller: &Caller, state: &AppState) -> Result<Arc<Rights>, PortError> {
    let Some(tenant) = caller.tenant() else { return Ok(Arc::default()) };
    let access = state.matrix.of(tenant).await?;
    Ok(match caller {
        Caller::User(user) => match &user.principal().membership {
            Membership::Tenant { role, .. } => access.rights(role),
            Membership::Platform { .. } => Arc::default(),
        },
        Caller::Program(key) => Arc::new(access.rights_of(&key.key().scopes)),
    })
}

/// What the token or the key of a request is worth, looked at once.
#[derive(Clone)]
struct Recognized {
    caller: Arc<Result<Caller, AppError>>,
    by_cookie: bool,
}

/// The company of the one who asks, where the request shows a good token or key of one; what was found is kept for the operation.
pub(crate) async fn recognize(request: &mut Request, state: &AppState) -> Option<TenantId> {
    let recognized = look(request, state).await?;
    let tenant = recognized.caller.as_ref().as_ref().ok().and_then(Caller::tenant);
    request.set_data(recognized);
    tenant
}

/// A header that is there decides: a page's cookie does not stand in for a token that is refused.
async fn look(request: &Request, state: &AppState) -> Option<Recognized> {
    let user = |token: &str| state.authentication.authenticate(token).map(Caller::User);
    let (caller, by_cookie) = if request.headers().contains_key(AUTHORIZATION) {
        let token = bearer(request)?;
        let caller = if token.starts_with(KEY_MARK) { program(state, token).await } else { user(token) };
        (caller, false)
    } else if let Some(key) = request.headers().get(KEY_HEADER) {
        (program(state, key.to_str().unwrap_or_default()).await, false)
    } else {
        (user(&cookie(request, ACCESS_COOKIE)?), true)
    };
    Some(Recognized { caller: Arc::new(caller), by_cookie })
}

async fn program(state: &AppState, key: &str) -> Result<Caller, AppError> {
    state.authentication.authenticate_key(&SecretString::from(key)).await.map(Caller::Program)
}

/// The same error once more; its cause was for the log.
fn same(error: &AppError) -> AppError {
    AppError { retry_after: error.retry_after, ..AppError::new(error.kind, error.code, error.detail.clone()) }
}

/// The token of `Authorization: Bearer …` (RFC 6750 §2.1).
fn bearer(request: &Request) -> Option<&str> {
    let (scheme, token) = request.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// What the CSRF token that came is told by.
fn presented_csrf(request: &Request) -> Option<CsrfHash> {
    let token = request.headers().get(CSRF_HEADER)?;
    let mut hash = String::new();
    for byte in digest(&SHA256, token.as_bytes()).as_ref() {
        // A string takes everything that is written to it.
        let _ = write!(hash, "{byte:02x}");
    }
    Some(CsrfHash(hash))
}

/// Where a request comes from whose sender need not be signed in.
pub(crate) struct Visitor(pub(crate) Origin);

impl<'a> FromRequest<'a> for Visitor {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        origin(request).map(Self)
    }
}

/// The refresh token in a page's cookie, and the CSRF token that shall prove that the page sent it.
pub(crate) struct PageTokens {
    pub(crate) refresh: Option<SecretString>,
    pub(crate) csrf: Option<SecretString>,
}

impl<'a> FromRequest<'a> for PageTokens {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        let csrf = request.headers().get(CSRF_HEADER).and_then(|token| token.to_str().ok());
        Ok(Self {
            refresh: cookie(request, REFRESH_COOKIE).map(SecretString::from),
            csrf: csrf.map(SecretString::from),
        })
    }
}

fn origin(request: &Request) -> poem::Result<Origin> {
    let RequestId(request_id) = *request.data::<RequestId>().ok_or_else(|| internal("the request has no id"))?;
    Ok(Origin { request_id, client: client(request) })
}

fn client(request: &Request) -> Client {
    let ip = request.data().map(|ClientAddress(address)| address.to_string());
    let user_agent = request
        .headers()
        .get(USER_AGENT)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).chars().take(LONGEST_USER_AGENT).collect());
    Client { ip, user_agent }
}
