use application::ports::people::{InvitationStatus, InvitationView};
use application::ports::read_models::{Found, Page};
use chrono::{DateTime, Utc};
use domain::access::RoleName;
use domain::values::{DisplayName, Email};
use poem_openapi::payload::Json;
use poem_openapi::registry::MetaSchema;
use poem_openapi::types::Example;
use poem_openapi::{ApiResponse, Enum, Object};
use secrecy::SecretString;
use uuid::Uuid;

use crate::cursor::encode;
use crate::input::{FieldValue, Input};

impl FieldValue for Email {
    const WANTED: &'static str = "must be an e-mail address such as ann@acme.example";

    fn schema() -> MetaSchema {
        MetaSchema { example: Some("ann@acme.example".into()), ..MetaSchema::new_with_format("string", "email") }
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// Who is invited.
#[derive(Object)]
#[oai(write_only_all)]
pub(super) struct Invite {
    /// The address that the person will sign in with.
    pub(super) email: Input<Email>,
    /// The name of the role that the person will have.
    pub(super) role: Input<RoleName>,
}

/// What an invited person joins with.
#[derive(Object)]
#[oai(write_only_all)]
pub(super) struct AcceptBody {
    /// The token of the mailed link: what stands behind `#token=`.
    pub(super) token: Input<SecretString>,
    /// The name that others see.
    pub(super) name: Input<DisplayName>,
    /// The password: 12 to 256 characters of any kind, not one that many use, not the own names.
    pub(super) password: Input<SecretString>,
}

/// Where an invitation stands. One that is open can be accepted until it expires. One that the platform's staff have proposed can
/// be accepted once somebody of the company has sent it.
#[derive(Enum)]
#[oai(rename = "InvitationStatus", rename_all = "snake_case")]
pub(super) enum StatusBody {
    Proposed,
    Open,
    Accepted,
    Revoked,
}

/// An invitation.
#[derive(Object)]
#[oai(rename = "Invitation", example)]
pub(super) struct InvitationBody {
    /// Its id.
    id: Uuid,
    /// The address that is invited.
    email: String,
    /// The name of the role that the person will have.
    role: String,
    /// Where it stands.
    status: StatusBody,
    /// When it was made.
    invited_at: DateTime<Utc>,
    /// First instant at which it can no longer be accepted.
    expires_at: DateTime<Utc>,
    /// The user that it made; absent until it is accepted.
    user_id: Option<Uuid>,
}

impl From<InvitationView> for InvitationBody {
    fn from(view: InvitationView) -> Self {
        let InvitationView { id, email, role, status, invited_at, expires_at, user_id } = view;
        Self {
            id: id.uuid(),
            email: email.reveal().clone(),
            role: role.into(),
            status: match status {
                InvitationStatus::Proposed => StatusBody::Proposed,
                InvitationStatus::Open => StatusBody::Open,
                InvitationStatus::Accepted => StatusBody::Accepted,
                InvitationStatus::Revoked => StatusBody::Revoked,
            },
            invited_at,
            expires_at,
            user_id: user_id.map(domain::ids::UserId::uuid),
        }
    }
}

impl Example for InvitationBody {
    fn example() -> Self {
        let invited_at = DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(1_780_000_000);
        Self {
            id: Uuid::from_u128(0x0197_b1c0_5f6e_7c3a_9d55_2f6c_1a7e_4b21),
            email: "ann@acme.example".into(),
            role: RoleName::USER.into(),
            status: StatusBody::Open,
            invited_at,
            expires_at: invited_at + chrono::TimeDelta::days(7),
            user_id: None,
        }
    }
}

/// An invitation, and how current what is said is.
#[derive(Object)]
pub(super) struct FoundInvitation {
    /// The invitation.
    invitation: InvitationBody,
    /// Events of the company that could not be applied yet, so that the answer may be out of date.
    parked: u64,
}

impl From<Found<InvitationView>> for FoundInvitation {
    fn from(found: Found<InvitationView>) -> Self {
        Self { invitation: found.item.into(), parked: found.parked }
    }
}

/// One page of the company's invitations, newest first.
#[derive(Object)]
pub(super) struct InvitationList {
    /// The invitations.
    items: Vec<InvitationBody>,
    /// The `cursor` of the next page; absent on the last one.
    next: Option<String>,
    /// Events of the company that could not be applied yet, so that invitations may be missing or out of date.
    parked: u64,
}

impl From<Page<InvitationView>> for InvitationList {
    fn from(page: Page<InvitationView>) -> Self {
        let items = page.items.into_iter().map(InvitationBody::from).collect();
        Self { items, next: page.next.map(encode), parked: page.parked }
    }
}

/// The invitation that was made, or sent again.
#[derive(Object)]
pub(super) struct InvitationAnswer {
    /// Its id.
    pub(super) id: Uuid,
}

/// The answer to requests that mail an invitation.
#[derive(ApiResponse)]
pub(super) enum Invited {
    /// It is recorded, and its mail is on its way.
    #[oai(status = 202)]
    Invited(
        Json<InvitationAnswer>,
        /// Where to look at it.
        #[oai(header = "Location")]
        String,
        /// The command's place in the log; absent where there was nothing to change.
        #[oai(header = "Synkro-Position")]
        Option<String>,
        /// `true` where the request was a repeat, and this is its first outcome; absent otherwise.
        #[oai(header = "Idempotent-Replayed")]
        Option<String>,
    ),
}

/// The user that an invitation made.
#[derive(Object)]
pub(super) struct JoinedBody {
    /// The user's id.
    pub(super) user_id: Uuid,
}
