//! Typed ids. New things get a UUID v7 from outside; where determinism removes a race, the id is a UUID v5.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::{CatalogueEntry, RoleName};
use crate::integration::IntegrationKind;
use crate::job_run::Step;
use crate::values::{Email, Slug};

macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The bare UUID.
            pub fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

typed_id! {
    /// A tenant (a company).
    TenantId
}
typed_id! {
    /// A person who signs in.
    UserId
}
typed_id! {
    /// One sign-in on one device, until it ends.
    SessionId
}
typed_id! {
    /// One invitation of a person into a tenant.
    InvitationId
}
typed_id! {
    /// One tenant's configuration of one kind of service.
    IntegrationId
}
typed_id! {
    /// One tenant's automation settings.
    AutomationId
}
typed_id! {
    /// One run of the pipeline.
    RunId
}
typed_id! {
    /// One try at one step of a run.
    AttemptId
}
typed_id! {
    /// A published report.
    ReportId
}
typed_id! {
    /// One rebuild or verification of a read model.
    RebuildId
}
typed_id! {
    /// One time that staff act in a tenant's name.
    ImpersonationId
}
typed_id! {
    /// A key with which a program asks the API.
    ApiKeyId
}
typed_id! {
    /// One stored version of a secret.
    SecretId
}

typed_id! {
    /// One role of a tenant.
    RoleId
}
typed_id! {
    /// One tenant's catalogue of services, actions and permissions.
    CatalogueId
}
typed_id! {
    /// One entry of a tenant's catalogue.
    EntryId
}
typed_id! {
    /// One tenant's list of owners.
    OwnersId
}
typed_id! {
    /// The platform's list of super admins.
    SuperAdminsId
}
typed_id! {
    /// Wrapping the data keys with one key-encryption key.
    KekRotationId
}
typed_id! {
    /// Exchanging one tenant's data key.
    DataKeyRotationId
}

/// Namespace of all deterministic ids (a random UUID, frozen).
const NAMESPACE: Uuid = Uuid::from_u128(0x6f0e_3f0c_2a55_4bc1_9d0e_5b1c_7c1f_42a7);

fn derived(parts: &[&str]) -> Uuid {
    Uuid::new_v5(&NAMESPACE, parts.join("\u{1f}").as_bytes())
}

impl IntegrationId {
    /// A tenant has one configuration of each kind, so two of them cannot be created.
    pub fn of(tenant: TenantId, kind: IntegrationKind) -> Self {
        Self(derived(&["integration", &tenant.to_string(), kind.name()]))
    }
}

impl TenantId {
    /// A company that registers itself is found by its short name and its owner's address, so that registering can go on
    /// where it was cut off.
    pub fn of_registration(slug: &Slug, email: &Email) -> Self {
        Self(derived(&["registered_tenant", slug.as_str(), email.as_str()]))
    }

    /// Who asks for a company makes one, however often the request is repeated under its key.
    pub fn of_request(actor: &str, key: &str) -> Self {
        Self(derived(&["requested_tenant", actor, key]))
    }
}

impl UserId {
    /// A company that registers itself has one first owner, however often registering is repeated.
    pub fn of_registration(tenant: TenantId) -> Self {
        Self(derived(&["registered_owner", &tenant.to_string()]))
    }

    /// An invitation makes one user, however often accepting it is repeated.
    pub fn of_invitation(invitation: InvitationId) -> Self {
        Self(derived(&["invited_user", &invitation.to_string()]))
    }
}

impl RoleId {
    /// A tenant has one role of each name.
    pub fn of(tenant: TenantId, name: &RoleName) -> Self {
        Self(derived(&["role", &tenant.to_string(), name.as_str()]))
    }
}

impl CatalogueId {
    /// A tenant has one catalogue.
    pub fn of(tenant: TenantId) -> Self {
        Self(derived(&["catalogue", &tenant.to_string()]))
    }
}

impl EntryId {
    /// An entry is found by what it names. Tenants see built-in entries under ids of their own, like those they added.
    pub fn of(tenant: TenantId, entry: &CatalogueEntry) -> Self {
        Self(derived(&["catalogue_entry", &tenant.to_string(), entry.kind().name(), &entry.to_string()]))
    }
}

impl OwnersId {
    /// A tenant has one list of owners.
    pub fn of(tenant: TenantId) -> Self {
        Self(derived(&["owners", &tenant.to_string()]))
    }
}

impl SuperAdminsId {
    /// The platform has one list of super admins.
    pub fn of_platform() -> Self {
        Self(derived(&["super_admins"]))
    }
}

impl KekRotationId {
    /// There is one to each key-encryption key.
    pub fn to(kek_id: &str) -> Self {
        Self(derived(&["kek_rotation", kek_id]))
    }
}

impl DataKeyRotationId {
    /// A tenant's keys are exchanged one after the other.
    pub fn of(tenant: TenantId) -> Self {
        Self(derived(&["data_key_rotation", &tenant.to_string()]))
    }
}

impl AutomationId {
    /// A tenant has one automation.
    pub fn of(tenant: TenantId) -> Self {
        Self(derived(&["automation", &tenant.to_string()]))
    }
}

impl ReportId {
    /// A run publishes one report, however often the step is repeated.
    pub fn of(run: RunId) -> Self {
        Self(derived(&["report", &run.to_string()]))
    }
}

impl AttemptId {
    /// The n-th try at a step of a run.
    pub fn of(run: RunId, step: Step, number: u32) -> Self {
        Self(derived(&["attempt", &run.to_string(), step.name(), &number.to_string()]))
    }
}
