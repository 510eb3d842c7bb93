use std::sync::Arc;

use application::ports::read_models::UserView;
use application::use_cases::SignedIn;
use chrono::{DateTime, Utc};
use domain::access::Role;
use poem::web::Data;
use poem_openapi::payload::Json;
use poem_openapi::registry::MetaSchema;
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object, OpenApi};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::Chapter;
use super::body::Shown;
use crate::AppState;
use crate::identity::SignedInUser;
use crate::input::{FieldValue, Input, both};
use crate::problem::ApiError;

/// What a user signs in with.
#[derive(Object)]
#[oai(write_only_all)]
struct Login {
    /// The address that the user was registered with; upper and lower case do not matter.
    email: Input<Address>,
    /// The password.
    password: Input<SecretString>,
}

/// An e-mail address as typed; an impossible one is refused in the same words as an unknown one.
struct Address(String);

impl FieldValue for Address {
    const WANTED: &'static str = "must be an e-mail address such as ann@acme.example";

    fn schema() -> MetaSchema {
        MetaSchema { example: Some("ann@acme.example".into()), ..MetaSchema::new_with_format("string", "email") }
    }

    fn read(text: &str) -> Option<Self> {
        (!text.trim().is_empty()).then(|| Self(text.to_owned()))
    }
}

/// A fresh access token and whom it is for.
#[derive(Object)]
#[oai(example)]
struct LoginAnswer {
    /// Send it as `Authorization: Bearer …`.
    access_token: String,
    /// Always `Bearer`.
    token_type: String,
    /// First instant at which the token is no longer valid.
    expires_at: DateTime<Utc>,
    /// The user.
    user: UserBody,
}

impl From<SignedIn> for LoginAnswer {
    fn from(SignedIn { access, user }: SignedIn) -> Self {
        Self {
            access_token: access.token.expose_secret().to_owned(),
            token_type: "Bearer".into(),
            expires_at: access.expires_at,
            user: user.into(),
        }
    }
}

impl Example for LoginAnswer {
    fn example() -> Self {
        Self {
            access_token: "eyJhbGciOiJSUzI1NiIs…".into(),
            token_type: "Bearer".into(),
            expires_at: DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(1_781_000_900),
            user: UserBody::example(),
        }
    }
}

/// A user.
#[derive(Object)]
#[oai(rename = "User", example)]
struct UserBody {
    /// The user's id.
    id: Uuid,
    /// The user's company.
    tenant_id: Uuid,
    /// The address that the user signs in with.
    email: String,
    /// The user's name.
    name: String,
    /// What the user is in the company.
    role: RoleBody,
}

/// What a user is in the company: an `owner` may do everything, a `user` reads runs and reports.
#[derive(Enum)]
#[oai(rename = "Role", rename_all = "snake_case")]
enum RoleBody {
    Owner,
    User,
}

impl From<UserView> for UserBody {
    fn from(user: UserView) -> Self {
        Self {
            id: user.id.uuid(),
            tenant_id: user.tenant_id.uuid(),
            email: user.email.reveal().clone(),
            name: user.name.reveal().clone(),
            role: match user.role {
                Role::Owner => RoleBody::Owner,
                Role::User => RoleBody::User,
            },
        }
    }
}

impl Example for UserBody {
    fn example() -> Self {
        Self {
            id: Uuid::from_u128(0x0197_b1c0_5f6e_7c3a_9d55_2f6c_1a7e_4b11),
            tenant_id: Uuid::from_u128(0x0197_b1c0_5f6e_7c3a_9d55_2f6c_1a7e_4b12),
            email: "ann@acme.example".into(),
            name: "Ann".into(),
            role: RoleBody::Owner,
        }
    }
}

pub(super) struct UsersApi;

#[OpenApi(prefix_path = "/api/v1", tag = "Chapter::Users")]
impl UsersApi {
    /// Sign in
    ///
    /// A wrong password and an unknown address are answered in the same words and after the same time. Signing in
    /// records nothing, so it takes no `Idempotency-Key`.
    #[oai(path = "/public/users/login", method = "post", operation_id = "sign_in")]
    async fn login(&self, state: Data<&Arc<AppState>>, login: Json<Login>) -> Result<Shown<LoginAnswer>, ApiError> {
        let Json(Login { email, password }) = login;
        let (Address(email), password) = both(("email", email), ("password", password))?;
        Ok(Shown::new(state.sign_in.sign_in(&email, password).await?))
    }

    /// Who is signed in?
    ///
    /// The user whom the access token speaks of, as known now.
    #[oai(path = "/users/me", method = "get", operation_id = "get_current_user")]
    async fn me(&self, state: Data<&Arc<AppState>>, user: SignedInUser) -> Result<Shown<UserBody>, ApiError> {
        Ok(Shown::new(state.sign_in.current(user.0.principal.user_id).await?))
    }
}
