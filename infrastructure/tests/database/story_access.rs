//! The company of the story gives itself a role, a service to speak of, and a second owner.

use domain::access::{Authority, CatalogueEntry, Preset};
use domain::api_key::{ApiKey, ApiKeyCommand, CreateApiKey};
use domain::ids::{ApiKeyId, CatalogueId, OwnersId, RoleId};
use domain::owners::{Owners, OwnersCommand};
use domain::role::{Role, RoleAsk, RoleChange, RoleCommand};
use domain::service_catalogue::{CatalogueAsk, CatalogueCommand, ServiceCatalogue};
use domain::values::DisplayName;
use uuid::Uuid;

use crate::fixtures::{at, user};
use crate::story::Company;

fn title(text: &str) -> DisplayName {
    text.parse().unwrap()
}

impl Company<'_> {
    /// Roles and catalogue as a company has them that has thought twice.
    pub(crate) async fn manage_access(&self) {
        for entry in [service("boats"), action("sail"), permission("boats", "sail")] {
            self.catalogue(CatalogueAsk::Add(entry.clone(), title("First name"))).await;
            self.catalogue(CatalogueAsk::Rename(entry, title("Second name"))).await;
        }
        self.catalogue(CatalogueAsk::Add(service("trains"), title("Trains"))).await;
        self.catalogue(CatalogueAsk::Add(action("ride"), title("Ride"))).await;
        self.catalogue(CatalogueAsk::Add(permission("trains", "ride"), title("Ride trains"))).await;
        for entry in [permission("trains", "ride"), service("trains"), action("ride")] {
            self.catalogue(CatalogueAsk::Remove(entry)).await;
        }
        let sales = Preset::Salon.roles().into_iter().find(|role| role.name.as_str() == "sales").unwrap();
        let change = RoleChange { title: title("Sellers"), level: sales.level, may_manage: sales.may_manage.clone() };
        let granted = "boats:sail:own".parse().unwrap();
        self.role("sales", RoleAsk::Define(self.tenant(), sales)).await;
        self.role("sales", RoleAsk::Change(change)).await;
        self.role("sales", RoleAsk::Grant(granted)).await;
        self.role("sales", RoleAsk::Revoke("clients:view:limited".parse().unwrap())).await;
        let user = Preset::Sales.roles().into_iter().find(|role| role.name.as_str() == "user").unwrap();
        self.role("user", RoleAsk::Define(self.tenant(), user)).await;
        self.role("user", RoleAsk::Remove).await;
        let second = user_id(self);
        for command in [
            OwnersCommand::Appoint { tenant_id: self.tenant(), user_id: self.user(), at: at(2) },
            OwnersCommand::Appoint { tenant_id: self.tenant(), user_id: second, at: at(3) },
            OwnersCommand::Dismiss { tenant_id: self.tenant(), user_id: second, at: at(4) },
        ] {
            self.tell::<Owners>(OwnersId::of(self.tenant()).uuid(), command).await;
        }
    }

    /// The n-th API key of the company.
    pub(crate) fn api_key(&self, n: u128) -> ApiKeyId {
        Uuid::from_u128(0x7000_0000 + self.tenant().uuid().as_u128() * 0x100 + n).into()
    }

    /// A key that is valid for an hour from `at(0)`.
    pub(crate) async fn create_api_key(&self, n: u128) {
        let create = ApiKeyCommand::Create(CreateApiKey {
            api_key_id: self.api_key(n),
            tenant_id: self.tenant(),
            name: title("Export"),
            scopes: vec!["runs:read".parse().unwrap(), "reports:read:stats".parse().unwrap()],
            beyond_creator: Vec::new(),
            expires_at: at(3600),
            created_by: self.user(),
            at: at(i64::try_from(n).unwrap()),
        });
        self.tell::<ApiKey>(self.api_key(n).uuid(), create).await;
    }

    pub(crate) async fn revoke_api_key(&self, n: u128) {
        let revoke = ApiKeyCommand::Revoke { revoked_by: self.user(), at: at(9) };
        self.tell::<ApiKey>(self.api_key(n).uuid(), revoke).await;
    }

    /// Two keys, one of which is revoked.
    pub(crate) async fn manage_api_keys(&self) {
        self.create_api_key(1).await;
        self.create_api_key(2).await;
        self.revoke_api_key(1).await;
    }

    /// What Synkro itself asks of a role of the company.
    pub(crate) async fn role(&self, name: &str, ask: RoleAsk) {
        let id = RoleId::of(self.tenant(), &name.parse().unwrap());
        self.tell::<Role>(id.uuid(), RoleCommand { ask, by: Authority::Platform, at: at(7) }).await;
    }

    async fn catalogue(&self, ask: CatalogueAsk) {
        let command = CatalogueCommand { tenant_id: self.tenant(), ask, at: at(7) };
        self.tell::<ServiceCatalogue>(CatalogueId::of(self.tenant()).uuid(), command).await;
    }
}

fn user_id(company: &Company<'_>) -> domain::ids::UserId {
    user(company.user().uuid().as_u128() + 0x900)
}

fn service(name: &str) -> CatalogueEntry {
    CatalogueEntry::Service(name.parse().unwrap())
}

fn action(name: &str) -> CatalogueEntry {
    CatalogueEntry::Action(name.parse().unwrap())
}

fn permission(service: &str, action: &str) -> CatalogueEntry {
    CatalogueEntry::permission(service.parse().unwrap(), action.parse().unwrap())
}
