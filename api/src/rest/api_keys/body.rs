use application::AppError;
use application::ports::api_keys::ApiKeyView;
use application::ports::read_models::{Found, Page};
use application::use_cases::{CreatedApiKey, ListedApiKey, NewApiKey};
use chrono::{DateTime, TimeDelta, Utc};
use domain::access::Grant;
use domain::ids::UserId;
use domain::values::DisplayName;
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{ApiResponse, Enum, Object};
use secrecy::ExposeSecret;
use uuid::Uuid;

use crate::cursor::encode;
use crate::input::{Fields, Input};

/// What whoever repeats a creation is told.
const NOT_AGAIN: &str = "This key was created by the first request under this Idempotency-Key. That answer alone showed the \
                         key, and it cannot be shown again: if you do not have it, revoke this key and create another one.";

/// A key to create.
#[derive(Object)]
#[oai(write_only_all)]
pub(super) struct NewKey {
    /// What people call it.
    name: Input<DisplayName>,
    /// What it may do: 1 to 50 of `resource:action`, with `*` for every resource or action, and a reach behind a second
    /// colon where not everything is shown. Your own role must have each of them.
    scopes: Option<Vec<Input<Grant>>>,
    /// First instant at which it is no longer valid, 366 days from now at the latest.
    expires_at: Input<DateTime<Utc>>,
}

impl NewKey {
    pub(super) fn read(self) -> Result<NewApiKey, AppError> {
        let mut fields = Fields::default();
        let name = fields.take("name", self.name);
        let scopes = fields.list("scopes", self.scopes.unwrap_or_default());
        match (name, scopes, fields.take("expires_at", self.expires_at)) {
            (Some(name), Some(scopes), Some(expires_at)) => Ok(NewApiKey { name, scopes, expires_at }),
            _ => Err(fields.bad()),
        }
    }
}

/// A key that was created.
#[derive(Object)]
#[oai(rename = "CreatedApiKey")]
pub(super) struct CreatedBody {
    /// Its id.
    id: Uuid,
    /// The key itself, as programs send it. It is shown in this answer alone; keep it where only the program reads it.
    /// `null` where the request was a repeat.
    #[oai(nullable)]
    key: Option<String>,
    /// Why there is no key in the answer, and what to do; absent where there is one.
    detail: Option<String>,
}

/// The answer to the creation of a key.
#[derive(ApiResponse)]
pub(super) enum Created {
    /// The key is created and can be used at once.
    #[oai(status = 201)]
    Created(
        Json<CreatedBody>,
        /// Where to look at it.
        #[oai(header = "Location")]
        String,
        /// The command's place in the log.
        #[oai(header = "Synkro-Position")]
        Option<String>,
        /// `true` where the request was a repeat; absent otherwise.
        #[oai(header = "Idempotent-Replayed")]
        Option<String>,
    ),
}

impl Created {
    pub(super) fn new(created: CreatedApiKey, position: Option<String>) -> Self {
        let CreatedApiKey { id, key, .. } = created;
        let detail = key.is_none().then(|| NOT_AGAIN.to_owned());
        let replayed = key.is_none().then(|| true.to_string());
        let key = key.map(|key| key.expose_secret().to_owned());
        let body = CreatedBody { id: id.uuid(), key, detail };
        Self::Created(Json(body), format!("/api/v1/api-keys/{id}"), position, replayed)
    }
}

/// Where a key stands. One that is active works until it expires.
#[derive(Enum)]
#[oai(rename = "ApiKeyStatus", rename_all = "snake_case")]
pub(super) enum StatusBody {
    Active,
    Revoked,
}

/// A key of one of the company's programs. The key itself is never shown again.
#[derive(Object)]
#[oai(rename = "ApiKey", example)]
pub(super) struct KeyBody {
    /// Its id, which is also the part of the key between its first two underscores.
    id: Uuid,
    /// What people call it.
    name: String,
    /// What it may do.
    scopes: Vec<String>,
    /// Where it stands.
    status: StatusBody,
    /// The user who created it.
    created_by: Uuid,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// First instant at which it is no longer valid.
    expires_at: DateTime<Utc>,
    /// When it was last used, exact to a minute; absent where it was not, and once it is revoked.
    last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked; absent while it is not.
    revoked_at: Option<DateTime<Utc>>,
    /// The user who revoked it; absent while it is not.
    revoked_by: Option<Uuid>,
}

impl From<ListedApiKey> for KeyBody {
    fn from(ListedApiKey { view, last_used_at }: ListedApiKey) -> Self {
        let ApiKeyView { id, name, scopes, created_by, created_at, expires_at, revoked } = view;
        let (revoked_at, revoked_by) = revoked.unzip();
        Self {
            id: id.uuid(),
            name,
            scopes: scopes.iter().map(Grant::to_string).collect(),
            status: if revoked_at.is_some() { StatusBody::Revoked } else { StatusBody::Active },
            created_by: created_by.uuid(),
            created_at,
            expires_at,
            last_used_at,
            revoked_at,
            revoked_by: revoked_by.map(UserId::uuid),
        }
    }
}

impl Example for KeyBody {
    fn example() -> Self {
        let created_at = DateTime::UNIX_EPOCH + TimeDelta::seconds(1_780_000_000);
        Self {
            id: Uuid::from_u128(0x0197_b1c0_5f6e_7c3a_9d55_2f6c_1a7e_4b31),
            name: "Export to the warehouse".into(),
            scopes: vec!["reports:read".into(), "runs:read".into()],
            status: StatusBody::Active,
            created_by: Uuid::from_u128(0x0197_b1c0_5f6e_7c3a_9d55_2f6c_1a7e_4b10),
            created_at,
            expires_at: created_at + TimeDelta::days(90),
            last_used_at: Some(created_at + TimeDelta::days(1)),
            revoked_at: None,
            revoked_by: None,
        }
    }
}

/// A key, and how current what is said is.
#[derive(Object)]
#[oai(rename = "FoundApiKey")]
pub(super) struct FoundKey {
    /// The key.
    api_key: KeyBody,
    /// Events of the company that could not be applied yet, so that the answer may be out of date.
    parked: u64,
}

impl From<Found<ListedApiKey>> for FoundKey {
    fn from(found: Found<ListedApiKey>) -> Self {
        Self { api_key: found.item.into(), parked: found.parked }
    }
}

/// One page of the company's keys, newest first.
#[derive(Object)]
#[oai(rename = "ApiKeyList")]
pub(super) struct KeyList {
    /// The keys.
    items: Vec<KeyBody>,
    /// The `cursor` of the next page; absent on the last one.
    next: Option<String>,
    /// Events of the company that could not be applied yet, so that keys may be missing or out of date.
    parked: u64,
}

impl From<Page<ListedApiKey>> for KeyList {
    fn from(page: Page<ListedApiKey>) -> Self {
        let items = page.items.into_iter().map(KeyBody::from).collect();
        Self { items, next: page.next.map(encode), parked: page.parked }
    }
}
