//! Typed ids. New things get a UUID v7 from outside; where determinism removes a race, the id is a UUID v5.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::integration::IntegrationKind;
use crate::job_run::Step;

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
    /// One stored version of a secret.
    SecretId
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
