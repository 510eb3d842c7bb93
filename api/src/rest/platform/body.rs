use application::AppError;
use application::ports::commands::LogPosition;
use application::ports::read_models::{Found, Page, TenantStatus, TenantView};
use chrono::{DateTime, Utc};
use domain::access::{RoleName, StaffRole};
use domain::values::{DisplayName, Email, Reason, Slug};
use poem_openapi::payload::Json;
use poem_openapi::registry::MetaSchema;
use poem_openapi::types::Example;
use poem_openapi::{ApiResponse, Enum, Object};
use uuid::Uuid;

use crate::AppState;
use crate::cursor::encode;
use crate::input::{FieldValue, Input};
use crate::position::{header, settled};
use crate::rest::accounts::{LanguageBody, PresetBody};

impl FieldValue for TenantStatus {
    const WANTED: &'static str = "must be provisioning, active, suspended, offboarding or closed";

    fn schema() -> MetaSchema {
        let names = Self::ALL.into_iter().map(|status| status.name().into()).collect();
        MetaSchema { enum_items: names, ..MetaSchema::new("string") }
    }

    fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == text)
    }
}

impl FieldValue for StaffRole {
    const WANTED: &'static str = "must be super_admin, admin_lite, support or auditor";

    fn schema() -> MetaSchema {
        let names = Self::ALL.into_iter().map(|role| role.name().into()).collect();
        MetaSchema { enum_items: names, ..MetaSchema::new("string") }
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl FieldValue for Reason {
    const WANTED: &'static str = "must be 1 to 500 characters on one line";

    fn schema() -> MetaSchema {
        let (min_length, max_length) = (Some(1), Some(500));
        MetaSchema { min_length, max_length, ..MetaSchema::new("string") }
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// A part of a company's name or short name.
pub(super) struct NamePart(pub(super) String);

impl FieldValue for NamePart {
    const WANTED: &'static str = "must be 1 to 120 characters";

    fn schema() -> MetaSchema {
        let (min_length, max_length) = (Some(1), Some(120));
        MetaSchema { min_length, max_length, ..MetaSchema::new("string") }
    }

    fn read(text: &str) -> Option<Self> {
        (1..=120).contains(&text.chars().count()).then(|| Self(text.to_owned()))
    }
}

/// The situation of a company.
#[derive(Enum)]
#[oai(rename = "TenantStatus", rename_all = "snake_case")]
enum StatusBody {
    /// It is being set up.
    Provisioning,
    /// It is in use.
    Active,
    /// It is kept out for a while.
    Suspended,
    /// It is kept out and will be closed.
    Offboarding,
    /// It is gone for good.
    Closed,
}

/// A company.
#[derive(Object)]
#[oai(rename = "Tenant", example)]
pub(super) struct TenantBody {
    /// Its id.
    id: Uuid,
    /// Its name.
    name: String,
    /// Its short name.
    slug: String,
    /// The language of its reports and mails.
    language: LanguageBody,
    /// Its situation.
    status: StatusBody,
    /// When it was provisioned.
    provisioned_at: DateTime<Utc>,
}

impl From<TenantView> for TenantBody {
    fn from(tenant: TenantView) -> Self {
        let TenantView { id, name, slug, language, status, provisioned_at } = tenant;
        let status = match status {
            TenantStatus::Provisioning => StatusBody::Provisioning,
            TenantStatus::Active => StatusBody::Active,
            TenantStatus::Suspended => StatusBody::Suspended,
            TenantStatus::Offboarding => StatusBody::Offboarding,
            TenantStatus::Closed => StatusBody::Closed,
        };
        Self { id: id.uuid(), name, slug, language: language.into(), status, provisioned_at }
    }
}

impl Example for TenantBody {
    fn example() -> Self {
        Self {
            id: Uuid::from_u128(0x0197_b1c0_5f6e_7c3a_9d55_2f6c_1a7e_4b12),
            name: "Acme".into(),
            slug: "acme".into(),
            language: LanguageBody::English,
            status: StatusBody::Active,
            provisioned_at: DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(1_780_000_000),
        }
    }
}

/// A company, and how current what is said is.
#[derive(Object)]
#[oai(rename = "FoundTenant")]
pub(super) struct FoundTenant {
    /// The company.
    tenant: TenantBody,
    /// Events of companies that could not be applied yet, so that the answer may be out of date.
    parked: u64,
}

impl From<Found<TenantView>> for FoundTenant {
    fn from(found: Found<TenantView>) -> Self {
        Self { tenant: found.item.into(), parked: found.parked }
    }
}

/// One page of the companies, newest first.
#[derive(Object)]
#[oai(rename = "TenantList")]
pub(super) struct TenantList {
    /// The companies.
    items: Vec<TenantBody>,
    /// The `cursor` of the next page; absent on the last one.
    next: Option<String>,
    /// Events of companies that could not be applied yet, so that companies may be missing or out of date.
    parked: u64,
}

impl From<Page<TenantView>> for TenantList {
    fn from(page: Page<TenantView>) -> Self {
        let items = page.items.into_iter().map(TenantBody::from).collect();
        Self { items, next: page.next.map(encode), parked: page.parked }
    }
}

/// A company to be set up.
#[derive(Object)]
#[oai(write_only_all)]
pub(super) struct ProvisionBody {
    /// The company's name.
    pub(super) name: Input<DisplayName>,
    /// Its short name in addresses, unique among all companies.
    pub(super) slug: Input<Slug>,
    /// The language of its reports and mails; English where it is left out.
    pub(super) language: Option<LanguageBody>,
    /// The roles and services that it begins with; those of reports where it is left out.
    pub(super) preset: Option<PresetBody>,
}

/// Another name of a company.
#[derive(Object)]
#[oai(write_only_all)]
pub(super) struct RenameBody {
    /// The new name. The short name stays.
    pub(super) name: Input<DisplayName>,
}

/// Why something is done.
#[derive(Object)]
#[oai(write_only_all)]
pub(super) struct ReasonBody {
    /// Why, for the audit.
    pub(super) reason: Input<Reason>,
}

/// What makes sure that no other company is meant.
#[derive(Object)]
#[oai(write_only_all)]
pub(super) struct CloseBody {
    /// The short name of the company.
    pub(super) confirm_slug: Input<Slug>,
}

/// Someone who is let in among the staff.
#[derive(Object)]
#[oai(write_only_all)]
pub(super) struct AddStaffBody {
    /// The address that the person will sign in with.
    pub(super) email: Input<Email>,
    /// The name that others see.
    pub(super) name: Input<DisplayName>,
    /// What the person will be.
    pub(super) role: Input<StaffRole>,
}

/// Another role on the staff.
#[derive(Object)]
#[oai(write_only_all)]
pub(super) struct StaffRoleBody {
    /// The new role.
    pub(super) role: Input<StaffRole>,
}

/// Who is invited into a company.
#[derive(Object)]
#[oai(write_only_all)]
pub(super) struct InviteBody {
    /// The address that the person will sign in with.
    pub(super) email: Input<Email>,
    /// The name of a role of the company.
    pub(super) role: Input<RoleName>,
}

/// What was made.
#[derive(Object)]
#[oai(rename = "Made")]
pub(super) struct MadeBody {
    /// Its id.
    id: Uuid,
}

/// The answer of commands that make something.
#[derive(ApiResponse)]
pub(super) enum Made {
    /// It is made; of a repeat, it was.
    #[oai(status = 201)]
    Made(
        Json<MadeBody>,
        /// The command's place in the log; absent where there was nothing to change.
        #[oai(header = "Synkro-Position")]
        Option<String>,
        /// `true` where the request was a repeat, and this is its first outcome; absent otherwise.
        #[oai(header = "Idempotent-Replayed")]
        Option<String>,
    ),
}

impl Made {
    /// The answer, once the read models show what was made.
    pub(super) async fn after(state: &AppState, id: Uuid, position: Option<LogPosition>, replayed: bool) -> Self {
        settled(state, position).await;
        Self::Made(Json(MadeBody { id }), position.map(header), replayed.then(|| true.to_string()))
    }
}

/// The bad fields of a body whose values were taken one by one.
pub(super) fn whole<T>(read: Option<T>, fields: crate::input::Fields) -> Result<T, AppError> {
    read.ok_or_else(|| fields.bad())
}
