use application::AppError;
use application::ports::impersonations::ImpersonationView;
use application::ports::read_models::Page;
use application::use_cases::{ImpersonationRequest, ImpersonationToken};
use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::{TenantId, UserId};
use domain::values::{Personal, Reason};
use poem_openapi::payload::Json;
use poem_openapi::registry::MetaSchema;
use poem_openapi::types::Example;
use poem_openapi::{ApiResponse, Object};
use secrecy::ExposeSecret;
use uuid::Uuid;

use crate::cursor::encode;
use crate::input::{FieldValue, Fields, Input};

/// How long one lasts where the request does not say.
const USUAL_MINUTES: i64 = 30;
/// How long one lasts at most.
const MOST_MINUTES: i64 = 60;

/// In whose name to act, and why.
#[derive(Object)]
#[oai(write_only_all)]
pub(super) struct NewImpersonation {
    /// The user of the company.
    user_id: Input<Uuid>,
    /// Why, in words that the company will read: 1 to 500 characters on one line.
    reason: Input<Reason>,
    /// For how long.
    minutes: Option<Input<Minutes>>,
}

impl NewImpersonation {
    pub(super) fn read(self, tenant: Input<Uuid>) -> Result<ImpersonationRequest, AppError> {
        let mut fields = Fields::default();
        let tenant = fields.take("id", tenant);
        let (user, reason) = (fields.take("user_id", self.user_id), fields.take("reason", self.reason));
        match (tenant, user, reason, fields.take("minutes", Input::optional(self.minutes))) {
            (Some(tenant), Some(user), Some(reason), Some(minutes)) => {
                let minutes = minutes.map_or(USUAL_MINUTES, |Minutes(minutes)| minutes);
                Ok(ImpersonationRequest {
                    tenant_id: TenantId::from(tenant),
                    user_id: UserId::from(user),
                    reason,
                    minutes,
                })
            }
            _ => Err(fields.bad()),
        }
    }
}

/// How long it lasts.
struct Minutes(i64);

impl FieldValue for Minutes {
    const WANTED: &'static str = "must be a whole number from 1 to 60";
    const NUMERIC: bool = true;

    fn schema() -> MetaSchema {
        MetaSchema {
            minimum: Some(1.0),
            maximum: Some(60.0),
            default: Some(USUAL_MINUTES.into()),
            ..MetaSchema::new_with_format("integer", "int32")
        }
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok().filter(|minutes| (1..=MOST_MINUTES).contains(minutes)).map(Self)
    }
}

/// What to act with in the user's name. There is no refresh token: the next one is asked for under the impersonation.
#[derive(Object)]
#[oai(rename = "ImpersonationToken", example)]
pub(super) struct TokenBody {
    /// The impersonation.
    id: Uuid,
    /// The user in whose name it is.
    user_id: Uuid,
    /// Send it as `Authorization: Bearer …`.
    access_token: String,
    /// Always `Bearer`.
    token_type: String,
    /// First instant at which the access token is no longer valid.
    expires_at: DateTime<Utc>,
    /// First instant at which the impersonation is over.
    until: DateTime<Utc>,
}

impl From<ImpersonationToken> for TokenBody {
    fn from(token: ImpersonationToken) -> Self {
        let ImpersonationToken { id, user_id, access, until, .. } = token;
        Self {
            id: id.uuid(),
            user_id: user_id.uuid(),
            access_token: access.token.expose_secret().to_owned(),
            token_type: "Bearer".into(),
            expires_at: access.expires_at,
            until,
        }
    }
}

impl Example for TokenBody {
    fn example() -> Self {
        let now = DateTime::UNIX_EPOCH + TimeDelta::seconds(1_781_000_300);
        Self {
            id: Uuid::from_u128(0x0197_b1c0_5f6e_7c3a_9d55_2f6c_1a7e_4b41),
            user_id: Uuid::from_u128(0x0197_b1c0_5f6e_7c3a_9d55_2f6c_1a7e_4b10),
            access_token: "eyJhbGciOiJSUzI1NiIs…".into(),
            token_type: "Bearer".into(),
            expires_at: now + TimeDelta::minutes(10),
            until: now + TimeDelta::minutes(USUAL_MINUTES),
        }
    }
}

/// The answer to the opening of an impersonation.
#[derive(ApiResponse)]
pub(super) enum Opened {
    /// It is open, and the company can see it.
    #[oai(status = 201)]
    Opened(
        Json<TokenBody>,
        /// The command's place in the log.
        #[oai(header = "Synkro-Position")]
        Option<String>,
        /// `true` where the request was a repeat; absent otherwise.
        #[oai(header = "Idempotent-Replayed")]
        Option<String>,
    ),
}

impl Opened {
    pub(super) fn new(token: ImpersonationToken) -> Self {
        let position = token.position.map(crate::position::header);
        let replayed = token.replayed.then(|| true.to_string());
        Self::Opened(Json(token.into()), position, replayed)
    }
}

/// A time in which a member of the platform's staff may act in the name of one of the company's users.
#[derive(Object)]
#[oai(rename = "Impersonation", example)]
pub(super) struct ImpersonationBody {
    /// Its id.
    id: Uuid,
    /// The member of staff.
    staff_id: Uuid,
    /// How the member of staff is called now; absent for one who is gone.
    staff_name: Option<String>,
    /// The user.
    user_id: Uuid,
    /// Why.
    reason: String,
    /// Since when.
    opened_at: DateTime<Utc>,
    /// First instant at which it is over, unless it was ended before.
    until: DateTime<Utc>,
    /// When it was ended before its time; absent where it was not.
    ended_at: Option<DateTime<Utc>>,
    /// The user or member of staff who ended it before its time; absent where nobody did.
    ended_by: Option<Uuid>,
}

impl From<ImpersonationView> for ImpersonationBody {
    fn from(view: ImpersonationView) -> Self {
        let ImpersonationView { id, staff_id, staff_name, user_id, reason, opened_at, until, ended } = view;
        let (ended_at, ended_by) = ended.unzip();
        Self {
            id: id.uuid(),
            staff_id: staff_id.uuid(),
            staff_name: staff_name.as_ref().map(Personal::reveal).cloned(),
            user_id: user_id.uuid(),
            reason,
            opened_at,
            until,
            ended_at,
            ended_by: ended_by.map(UserId::uuid),
        }
    }
}

impl Example for ImpersonationBody {
    fn example() -> Self {
        let opened_at = DateTime::UNIX_EPOCH + TimeDelta::seconds(1_781_000_300);
        Self {
            id: Uuid::from_u128(0x0197_b1c0_5f6e_7c3a_9d55_2f6c_1a7e_4b41),
            staff_id: Uuid::from_u128(0x0197_b1c0_5f6e_7c3a_9d55_2f6c_1a7e_4b77),
            staff_name: Some("Sasha".into()),
            user_id: Uuid::from_u128(0x0197_b1c0_5f6e_7c3a_9d55_2f6c_1a7e_4b10),
            reason: "Their report of yesterday is empty.".into(),
            opened_at,
            until: opened_at + TimeDelta::minutes(USUAL_MINUTES),
            ended_at: None,
            ended_by: None,
        }
    }
}

/// One page of impersonations, newest first.
#[derive(Object)]
#[oai(rename = "ImpersonationList")]
pub(super) struct ImpersonationList {
    /// The impersonations.
    items: Vec<ImpersonationBody>,
    /// The `cursor` of the next page; absent on the last one.
    next: Option<String>,
    /// Events of the company that could not be applied yet, so that some may be missing or out of date.
    parked: u64,
}

impl From<Page<ImpersonationView>> for ImpersonationList {
    fn from(page: Page<ImpersonationView>) -> Self {
        let items = page.items.into_iter().map(ImpersonationBody::from).collect();
        Self { items, next: page.next.map(encode), parked: page.parked }
    }
}
