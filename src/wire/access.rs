//! Who may do what: roles, the catalogue, and the keys of companies' programs.

use std::sync::Arc;

use application::use_cases::{AccessSetup, ManageApiKeys, ManageCatalogue, ManageRoles, RoleAssignment};
use infrastructure::read_models::api_keys::ApiKeysReader;

use super::{Base, clock, ids};

impl Base {
    pub(super) fn access_setup(&self) -> AccessSetup {
        let (roles, catalogues) = (Arc::clone(&self.log.roles), Arc::clone(&self.log.catalogues));
        AccessSetup { roles, catalogues, clock: clock() }
    }

    pub(super) fn role_assignment(&self) -> RoleAssignment {
        self.log.role_assignment()
    }

    pub(super) fn manage_roles(&self) -> ManageRoles {
        let (roles, catalogues) = (Arc::clone(&self.log.roles), Arc::clone(&self.log.catalogues));
        ManageRoles { roles, catalogues, clock: clock() }
    }

    pub(super) fn manage_catalogue(&self) -> ManageCatalogue {
        ManageCatalogue { catalogues: Arc::clone(&self.log.catalogues), clock: clock() }
    }

    pub(super) fn manage_api_keys(&self) -> ManageApiKeys {
        ManageApiKeys {
            keys: Arc::clone(&self.log.api_keys),
            roles: Arc::clone(&self.log.roles),
            catalogues: Arc::clone(&self.log.catalogues),
            secrets: self.key_secrets.clone(),
            views: Arc::new(ApiKeysReader::new(&self.database)),
            clock: clock(),
            ids: ids(),
        }
    }
}
