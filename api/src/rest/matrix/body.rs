use application::AppError;
use application::ports::access::{EntryView, RoleView};
use application::ports::read_models::{Found, Page};
use domain::access::{ActionName, CatalogueEntry, Grant, Level, ManageList, ResourceName, RoleDefinition, RoleName};
use domain::role::RoleChange;
use domain::values::DisplayName;
use poem_openapi::ApiResponse;
use poem_openapi::Object;
use poem_openapi::payload::Json;
use poem_openapi::types::{Example, ToJSON};
use uuid::Uuid;

use super::fields::Manageable;
use crate::cursor::encode;
use crate::input::{Fields, Input};

/// A role to define.
#[derive(Object)]
#[oai(write_only_all)]
pub(super) struct NewRole {
    /// Its name, which never changes.
    name: Input<RoleName>,
    /// What people call it.
    title: Input<DisplayName>,
    /// How high it stands: it is managed by roles above it only.
    level: Input<Level>,
    /// What it may: `resource:action`, with `*` for every resource or action, and a reach behind a second colon where not
    /// everything is shown.
    permissions: Option<Vec<Input<Grant>>>,
    /// The roles that it may manage, by name; `*` alone is every role.
    may_manage: Option<Vec<Input<Manageable>>>,
}

impl NewRole {
    pub(super) fn read(self) -> Result<RoleDefinition, AppError> {
        let mut fields = Fields::default();
        let name = fields.take("name", self.name);
        let title = fields.take("title", self.title);
        let level = fields.take("level", self.level);
        let permissions = fields.list("permissions", self.permissions.unwrap_or_default());
        let may_manage = manage_list(&mut fields, self.may_manage.unwrap_or_default());
        match (name, title, level, permissions, may_manage) {
            (Some(name), Some(title), Some(level), Some(permissions), Some(may_manage)) => {
                Ok(RoleDefinition { name, title, level, permissions, may_manage })
            }
            _ => Err(fields.bad()),
        }
    }
}

/// What a role is from now on. Its permissions stay.
#[derive(Object)]
#[oai(write_only_all)]
pub(super) struct ChangedRole {
    /// What people call it.
    title: Input<DisplayName>,
    /// How high it stands.
    level: Input<Level>,
    /// The roles that it may manage, by name; `*` alone is every role.
    may_manage: Option<Vec<Input<Manageable>>>,
}

impl ChangedRole {
    pub(super) fn read(self) -> Result<RoleChange, AppError> {
        let mut fields = Fields::default();
        let title = fields.take("title", self.title);
        let level = fields.take("level", self.level);
        match (title, level, manage_list(&mut fields, self.may_manage.unwrap_or_default())) {
            (Some(title), Some(level), Some(may_manage)) => Ok(RoleChange { title, level, may_manage }),
            _ => Err(fields.bad()),
        }
    }
}

fn manage_list(fields: &mut Fields, inputs: Vec<Input<Manageable>>) -> Option<ManageList> {
    let names: Vec<Manageable> = fields.list("may_manage", inputs)?;
    let names: Vec<String> = names.into_iter().map(|Manageable(name)| name).collect();
    fields.check("may_manage", ManageList::try_from(names))
}

/// A permission to grant.
#[derive(Object)]
#[oai(write_only_all)]
pub(super) struct NewGrant {
    /// The permission. The spellings `finance:view:revenue` and `requests.update_own` are read too, and stored in the one
    /// form that answers show.
    pub(super) permission: Input<Grant>,
}

/// A role.
#[derive(Object)]
#[oai(rename = "Role", example)]
pub(super) struct RoleBody {
    /// Its id.
    id: Uuid,
    /// Its name.
    name: String,
    /// What people call it.
    title: String,
    /// How high it stands, 1 to 100.
    level: u8,
    /// What it may.
    permissions: Vec<String>,
    /// The roles that it may manage; `*` is every one.
    may_manage: Vec<String>,
}

impl From<RoleView> for RoleBody {
    fn from(role: RoleView) -> Self {
        Self {
            id: role.id.uuid(),
            name: role.name.into(),
            title: role.title,
            level: role.level,
            permissions: role.permissions,
            may_manage: role.may_manage,
        }
    }
}

impl Example for RoleBody {
    fn example() -> Self {
        Self {
            id: Uuid::from_u128(0x5b0c_3f6d_21f4_5c1e_8a7e_0d4c_9b1f_6a21),
            name: "sales_manager".into(),
            title: "Sales manager".into(),
            level: 40,
            permissions: vec!["reports:read:anonymized".into(), "runs:read".into()],
            may_manage: vec![],
        }
    }
}

/// One page of a list.
#[derive(Object)]
#[oai(rename = "RoleList")]
pub(super) struct RoleList {
    /// The roles in use, newest first.
    items: Vec<RoleBody>,
    /// The `cursor` of the next page; `null` on the last one.
    #[oai(nullable)]
    next: Option<String>,
    /// Events of the company that could not be shown in this list yet; normally 0.
    parked: u64,
}

impl From<Page<RoleView>> for RoleList {
    fn from(page: Page<RoleView>) -> Self {
        let items = page.items.into_iter().map(RoleBody::from).collect();
        Self { items, next: page.next.map(encode), parked: page.parked }
    }
}

/// A service or an action to add.
#[derive(Object)]
#[oai(write_only_all)]
pub(super) struct NewService {
    /// Its name, which never changes.
    name: Input<ResourceName>,
    /// What people call it.
    title: Input<DisplayName>,
}

/// An action to add.
#[derive(Object)]
#[oai(write_only_all)]
pub(super) struct NewAction {
    /// Its name, which never changes.
    name: Input<ActionName>,
    /// What people call it.
    title: Input<DisplayName>,
}

/// A permission to add: an action that makes sense with a service.
#[derive(Object)]
#[oai(write_only_all)]
pub(super) struct NewPermission {
    /// The service, built in or added.
    service: Input<ResourceName>,
    /// The action, built in or added.
    action: Input<ActionName>,
    /// What people call it.
    title: Input<DisplayName>,
}

/// What of the catalogue a request may add.
pub(super) trait NewEntry {
    /// The entry and its title.
    fn read(self) -> Result<(CatalogueEntry, DisplayName), AppError>;
}

impl NewEntry for NewService {
    fn read(self) -> Result<(CatalogueEntry, DisplayName), AppError> {
        let mut fields = Fields::default();
        match (fields.take("name", self.name), fields.take("title", self.title)) {
            (Some(name), Some(title)) => Ok((CatalogueEntry::Service(name), title)),
            _ => Err(fields.bad()),
        }
    }
}

impl NewEntry for NewAction {
    fn read(self) -> Result<(CatalogueEntry, DisplayName), AppError> {
        let mut fields = Fields::default();
        match (fields.take("name", self.name), fields.take("title", self.title)) {
            (Some(name), Some(title)) => Ok((CatalogueEntry::Action(name), title)),
            _ => Err(fields.bad()),
        }
    }
}

impl NewEntry for NewPermission {
    fn read(self) -> Result<(CatalogueEntry, DisplayName), AppError> {
        let mut fields = Fields::default();
        let service = fields.take("service", self.service);
        let action = fields.take("action", self.action);
        match (service, action, fields.take("title", self.title)) {
            (Some(service), Some(action), Some(title)) => Ok((CatalogueEntry::permission(service, action), title)),
            _ => Err(fields.bad()),
        }
    }
}

/// What an entry is called from now on.
#[derive(Object)]
#[oai(write_only_all)]
pub(super) struct ChangedEntry {
    /// What people call it.
    pub(super) title: Input<DisplayName>,
}

/// An entry of the catalogue.
#[derive(Object)]
#[oai(rename = "CatalogueEntry", example)]
pub(super) struct EntryBody {
    /// Its id.
    id: Uuid,
    /// Its name; of a permission `service:action`.
    name: String,
    /// What people call it.
    title: String,
    /// True where Synkro's own operations use it: it cannot be changed or removed.
    built_in: bool,
}

impl From<EntryView> for EntryBody {
    fn from(view: EntryView) -> Self {
        Self { id: view.id.uuid(), name: view.entry.to_string(), title: view.title, built_in: view.built_in }
    }
}

impl Example for EntryBody {
    fn example() -> Self {
        let id = Uuid::from_u128(0x5b0c_3f6d_21f4_5c1e_8a7e_0d4c_9b1f_6a22);
        Self { id, name: "requests".into(), title: "Requests".into(), built_in: false }
    }
}

/// One page of the catalogue.
#[derive(Object)]
pub(super) struct EntryList {
    /// The entries, newest first; what is built in comes last.
    items: Vec<EntryBody>,
    /// The `cursor` of the next page; `null` on the last one.
    #[oai(nullable)]
    next: Option<String>,
    /// Events of the company that could not be shown in this list yet; normally 0.
    parked: u64,
}

impl From<Page<EntryView>> for EntryList {
    fn from(page: Page<EntryView>) -> Self {
        let items = page.items.into_iter().map(EntryBody::from).collect();
        Self { items, next: page.next.map(encode), parked: page.parked }
    }
}

impl From<Found<EntryView>> for EntryBody {
    fn from(found: Found<EntryView>) -> Self {
        found.item.into()
    }
}

/// What became of a command about a role.
#[derive(Object)]
pub(super) struct RoleCommandAnswer {
    /// The role.
    pub(super) id: Uuid,
    /// The role after the command; `null` where it is out of use, or cannot be shown within two seconds.
    #[oai(nullable)]
    pub(super) role: Option<RoleBody>,
}

/// What became of a command about an entry of the catalogue.
#[derive(Object)]
pub(super) struct EntryCommandAnswer {
    /// The entry.
    pub(super) id: Uuid,
    /// The entry after the command; `null` where it is gone, or cannot be shown within two seconds.
    #[oai(nullable)]
    pub(super) entry: Option<EntryBody>,
}

/// The answer of commands that are in force when they are answered, or within a second.
#[derive(ApiResponse)]
pub(super) enum Recorded<T: ToJSON> {
    /// Recorded for good. Every process acts on it within a second.
    #[oai(status = 200)]
    Recorded(
        Json<T>,
        /// The address of what it was about.
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
