use application::ports::read_models::Page;
use application::ports::sessions::SessionView;
use application::use_cases::{SessionTokens, SignedIn};
use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::SessionId;
use domain::session::SignInMethod;
use poem_openapi::registry::MetaSchema;
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::cursor::encode;
use crate::input::{FieldValue, Input};
use crate::rest::users::UserBody;

/// What a user signs in with.
#[derive(Object)]
#[oai(write_only_all, rename = "Login")]
pub(super) struct LoginBody {
    /// The address that the user was registered with; upper and lower case do not matter.
    pub(super) email: Input<Address>,
    /// The password.
    pub(super) password: Input<SecretString>,
    /// A code of the authenticator app, or a recovery code. Needed where an app is set up; without it the answer is `401` with
    /// the code `totp.required`.
    pub(super) code: Option<Input<SecretString>>,
    /// For pages: the tokens come in cookies that no script can read, and not in the answer.
    #[oai(default)]
    pub(super) cookies: bool,
}

/// An e-mail address as typed; an impossible one is refused in the same words as an unknown one.
pub(super) struct Address(pub(super) String);

impl FieldValue for Address {
    const WANTED: &'static str = "must be an e-mail address such as ann@acme.example";

    fn schema() -> MetaSchema {
        MetaSchema { example: Some("ann@acme.example".into()), ..MetaSchema::new_with_format("string", "email") }
    }

    fn read(text: &str) -> Option<Self> {
        (!text.trim().is_empty()).then(|| Self(text.to_owned()))
    }
}

/// The refresh token; pages that are signed in by cookies leave it out.
#[derive(Object)]
#[oai(write_only_all, rename = "Refresh")]
pub(super) struct RefreshBody {
    /// The last refresh token that was answered. Each can be used once.
    pub(super) refresh_token: Option<Input<SecretString>>,
}

/// The tokens of a session.
#[derive(Object)]
#[oai(rename = "Tokens", example)]
pub(super) struct TokensBody {
    /// The session that they belong to.
    session_id: Uuid,
    /// Send it as `Authorization: Bearer …`. Absent where it is in a cookie.
    access_token: Option<String>,
    /// Always `Bearer`.
    token_type: String,
    /// First instant at which the access token is no longer valid.
    expires_at: DateTime<Utc>,
    /// Exchange it for the next tokens before it ends; it can be used once. Absent where it is in a cookie.
    refresh_token: Option<String>,
    /// First instant at which the refresh token is no longer valid.
    refresh_expires_at: DateTime<Utc>,
    /// For pages: send it in the header `X-CSRF-Token` with whatever is not GET, HEAD or OPTIONS. Absent elsewhere.
    csrf_token: Option<String>,
}

impl From<&SessionTokens> for TokensBody {
    fn from(tokens: &SessionTokens) -> Self {
        let shown = |token: &SecretString| tokens.csrf.is_none().then(|| token.expose_secret().to_owned());
        Self {
            session_id: tokens.session_id.uuid(),
            access_token: shown(&tokens.access.token),
            token_type: "Bearer".into(),
            expires_at: tokens.access.expires_at,
            refresh_token: shown(&tokens.refresh.token),
            refresh_expires_at: tokens.refresh.expires_at,
            csrf_token: tokens.csrf.as_ref().map(|csrf| csrf.expose_secret().to_owned()),
        }
    }
}

impl Example for TokensBody {
    fn example() -> Self {
        let now = DateTime::UNIX_EPOCH + TimeDelta::seconds(1_781_000_300);
        Self {
            session_id: Uuid::from_u128(0x0197_b1c0_5f6e_7c3a_9d55_2f6c_1a7e_4b13),
            access_token: Some("eyJhbGciOiJSUzI1NiIs…".into()),
            token_type: "Bearer".into(),
            expires_at: now + TimeDelta::minutes(10),
            refresh_token: Some("mJ3tq0c…".into()),
            refresh_expires_at: now + TimeDelta::days(30),
            csrf_token: None,
        }
    }
}

/// Fresh tokens and whom they are for.
#[derive(Object)]
#[oai(rename = "LoginAnswer", example)]
pub(super) struct LoginAnswer {
    /// The tokens.
    #[oai(flatten)]
    tokens: TokensBody,
    /// The user.
    user: UserBody,
}

impl LoginAnswer {
    pub(super) fn new(signed_in: SignedIn) -> Self {
        Self { tokens: (&signed_in.tokens).into(), user: signed_in.user.into() }
    }
}

impl Example for LoginAnswer {
    fn example() -> Self {
        Self { tokens: TokensBody::example(), user: UserBody::example() }
    }
}

/// A sign-in on one device.
#[derive(Object)]
#[oai(rename = "Session")]
pub(super) struct SessionBody {
    /// Its id.
    id: Uuid,
    /// True for the session that the request was made in.
    current: bool,
    /// How the user signed in.
    method: MethodBody,
    /// What the device called itself.
    user_agent: Option<String>,
    /// The address that the user signed in from.
    ip: Option<String>,
    /// When the user signed in.
    opened_at: DateTime<Utc>,
    /// When it was last used, give or take a minute.
    last_seen_at: DateTime<Utc>,
    /// When it ends at the latest.
    ends_at: DateTime<Utc>,
}

/// How a user signed in.
#[derive(Enum)]
#[oai(rename = "SignInMethod", rename_all = "snake_case")]
enum MethodBody {
    Password,
}

/// One page of sessions, newest first.
#[derive(Object)]
#[oai(rename = "SessionList")]
pub(super) struct SessionList {
    /// The sessions.
    items: Vec<SessionBody>,
    /// The `cursor` of the next page; absent on the last one.
    next: Option<String>,
    /// Events of the company that could not be applied yet, so that sessions may be missing or out of date.
    parked: u64,
}

impl SessionList {
    pub(super) fn new(page: Page<SessionView>, current: Option<SessionId>) -> Self {
        let body = |session: SessionView| SessionBody {
            id: session.id.uuid(),
            current: Some(session.id) == current,
            method: match session.method {
                SignInMethod::Password => MethodBody::Password,
            },
            user_agent: session.user_agent,
            ip: session.ip.map(|ip| ip.reveal().clone()),
            opened_at: session.opened_at,
            last_seen_at: session.last_seen_at,
            ends_at: session.ends_at,
        };
        Self { items: page.items.into_iter().map(body).collect(), next: page.next.map(encode), parked: page.parked }
    }
}
