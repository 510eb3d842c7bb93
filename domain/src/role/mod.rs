//! A role of a tenant: what its people may, and whom they may manage.
//!
//! | invariant | where |
//! |---|---|
//! | a tenant has one role of each name | the id, [`RoleId::of`](crate::ids::RoleId::of) |
//! | the owner's role never changes and is never removed | `decide::changeable` |
//! | nobody touches a role that is not on their list or not below them, nor their own | [`Authority::may_change`](crate::access::Authority::may_change) |
//! | nobody grants what they do not have, nor lets a role manage what they do not | `decide::define`, `decide::grant`, `decide::change` |
//! | a role that was removed can be defined anew; a company that is set up again does not bring it back | `decide::decide` |

mod command;
mod decide;
mod error;
mod event;
mod state;
#[cfg(test)]
mod tests;

pub use command::{RoleAsk, RoleChange, RoleCommand};
pub use error::RoleError;
pub use event::RoleEvent;
pub use state::Role;

use crate::event_sourced::EventSourced;
use crate::ids::TenantId;

aggregate!(Role, "role", RoleCommand, RoleEvent, RoleError);

impl EventSourced for Role {
    fn exists(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    fn absent() -> RoleError {
        RoleError::NotFound
    }

    fn tenant(&self) -> Option<TenantId> {
        match self {
            Self::Absent => None,
            Self::Defined(tenant_id, _) | Self::Removed(tenant_id, _) => Some(*tenant_id),
        }
    }
}
