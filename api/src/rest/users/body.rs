use application::AppError;
use application::ports::read_models::{Found, Page, UserView};
use application::use_cases::UserChange;
use chrono::{DateTime, Utc};
use domain::FieldError;
use domain::access::RoleName;
use domain::ids::TenantId;
use domain::values::DisplayName;
use poem_openapi::Object;
use poem_openapi::types::Example;
use secrecy::SecretString;
use uuid::Uuid;

use crate::cursor::encode;
use crate::input::{Input, both};

/// A user.
#[derive(Object)]
#[oai(rename = "User", example)]
pub(in crate::rest) struct UserBody {
    /// The user's id.
    id: Uuid,
    /// The user's company; absent for the platform's staff.
    tenant_id: Option<Uuid>,
    /// The address that the user signs in with.
    email: String,
    /// The user's name.
    name: String,
    /// The name of the user's role in the company: `owner` may do everything, `user` reads runs and reports; a company
    /// may define more. Of the platform's staff: `super_admin`, `admin_lite`, `support` or `auditor`.
    role: String,
    /// False where the user may not sign in.
    active: bool,
    /// When the user was registered.
    registered_at: DateTime<Utc>,
}

impl From<UserView> for UserBody {
    fn from(user: UserView) -> Self {
        Self {
            id: user.id.uuid(),
            tenant_id: user.membership.tenant().map(TenantId::uuid),
            email: user.email.reveal().clone(),
            name: user.name.reveal().clone(),
            role: user.membership.role_name().to_owned(),
            active: user.active,
            registered_at: user.registered_at,
        }
    }
}

impl Example for UserBody {
    fn example() -> Self {
        Self {
            id: Uuid::from_u128(0x0197_b1c0_5f6e_7c3a_9d55_2f6c_1a7e_4b11),
            tenant_id: Some(Uuid::from_u128(0x0197_b1c0_5f6e_7c3a_9d55_2f6c_1a7e_4b12)),
            email: "ann@acme.example".into(),
            name: "Ann".into(),
            role: RoleName::OWNER.into(),
            active: true,
            registered_at: DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(1_780_000_000),
        }
    }
}

/// A user, and how current what is said is.
#[derive(Object)]
#[oai(rename = "FoundUser")]
pub(super) struct FoundUser {
    /// The user.
    user: UserBody,
    /// Events of the company that could not be applied yet, so that the answer may be out of date.
    parked: u64,
}

impl From<Found<UserView>> for FoundUser {
    fn from(found: Found<UserView>) -> Self {
        Self { user: found.item.into(), parked: found.parked }
    }
}

/// One page of the company's users, newest first.
#[derive(Object)]
#[oai(rename = "UserList")]
pub(in crate::rest) struct UserList {
    /// The users.
    items: Vec<UserBody>,
    /// The `cursor` of the next page; absent on the last one.
    next: Option<String>,
    /// Events of the company that could not be applied yet, so that users may be missing or out of date.
    parked: u64,
}

impl From<Page<UserView>> for UserList {
    fn from(page: Page<UserView>) -> Self {
        let items = page.items.into_iter().map(UserBody::from).collect();
        Self { items, next: page.next.map(encode), parked: page.parked }
    }
}

/// What shall be different about a user. What is left out stays.
#[derive(Object)]
#[oai(write_only_all)]
pub(super) struct ChangeUser {
    /// Another name.
    name: Option<Input<DisplayName>>,
    /// The name of another role.
    role: Option<Input<RoleName>>,
}

impl ChangeUser {
    pub(super) fn read(self) -> Result<UserChange, AppError> {
        let (name, role) = both(("name", Input::optional(self.name)), ("role", Input::optional(self.role)))?;
        if name.is_none() && role.is_none() {
            let missing = |field| FieldError::new(field, "is missing; name a new name, a new role, or both");
            return Err(AppError::invalid(vec![missing("name"), missing("role")]));
        }
        Ok(UserChange { name, role })
    }
}

/// The old password and the new one.
#[derive(Object)]
#[oai(write_only_all)]
pub(super) struct PasswordChange {
    /// The password that the user has now.
    pub(super) old_password: Input<SecretString>,
    /// The new one: 12 to 256 characters of any kind, not one that many use, not the e-mail address or company name.
    pub(super) new_password: Input<SecretString>,
}
