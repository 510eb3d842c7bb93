//! Who may do what, and how much of it they see.
//!
//! A role holds patterns `resource:action[:reach]` ([`Grant`]) over a catalogue of services and actions ([`Catalogue`]). They
//! are compiled ([`Rights`]) so that asking for a right of Synkro's own operations ([`Permission`]) is a bit test. What no
//! pattern allows is denied. Who may decide about roles is said by [`Authority`]. What the platform's own staff may is a fixed
//! table ([`StaffRole`]).

mod authority;
mod catalogue;
mod grant;
mod names;
mod permission;
pub mod preset;
mod reach;
mod rights;
mod staff;

pub use authority::{Authority, AuthorityError, Level, ManageList, RoleDefinition};
pub use catalogue::{Catalogue, CatalogueEntry, EntryKind};
pub use grant::Grant;
pub use names::{ActionName, ResourceName, RoleName};
pub use permission::Permission;
pub use preset::Preset;
pub use reach::{Facet, Reach, ReachSet};
pub use rights::Rights;
pub use staff::{NoStaffRole, PlatformPermission, StaffRole};
