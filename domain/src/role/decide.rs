use chrono::{DateTime, Utc};

use super::{Role, RoleAsk, RoleChange, RoleCommand, RoleError, RoleEvent};
use crate::access::{Authority, Grant, RoleDefinition};
use crate::ids::{RoleId, TenantId};

impl Role {
    /// The events that a command causes in this situation.
    pub fn decide(&self, RoleCommand { ask, by, at }: RoleCommand) -> Result<Vec<RoleEvent>, RoleError> {
        match ask {
            RoleAsk::Define(tenant_id, new) => self.define(tenant_id, new, &by, at),
            RoleAsk::Provide(tenant_id, new) => match self {
                Self::Absent => self.define(tenant_id, new, &by, at),
                Self::Defined(..) | Self::Removed(..) => Ok(Vec::new()),
            },
            RoleAsk::Change(change) => self.change(change, &by, at),
            RoleAsk::Grant(permission) => self.grant(permission, &by, at),
            RoleAsk::Revoke(permission) => self.revoke(permission, &by, at),
            RoleAsk::Remove => self.remove(&by, at),
        }
    }

    fn define(
        &self,
        tenant_id: TenantId,
        new: RoleDefinition,
        by: &Authority,
        at: DateTime<Utc>,
    ) -> Result<Vec<RoleEvent>, RoleError> {
        if let Self::Defined(_, definition) = self {
            return if *definition == new { Ok(Vec::new()) } else { Err(RoleError::AlreadyExists(new.name)) };
        }
        by.may_change(&new.name, new.level)?;
        by.may_delegate(&new.may_manage)?;
        new.permissions.iter().try_for_each(|permission| by.may_grant(permission))?;
        let role_id = RoleId::of(tenant_id, &new.name);
        let RoleDefinition { name, title, level, permissions, may_manage } = new;
        Ok(vec![RoleEvent::RoleDefined { role_id, tenant_id, name, title, level, permissions, may_manage, at }])
    }

    fn change(&self, change: RoleChange, by: &Authority, at: DateTime<Utc>) -> Result<Vec<RoleEvent>, RoleError> {
        let (role_id, tenant_id, now) = self.changeable(by)?;
        let RoleChange { title, level, may_manage } = change;
        by.may_change(&now.name, level)?;
        by.may_delegate(&may_manage)?;
        if (&title, level, &may_manage) == (&now.title, now.level, &now.may_manage) {
            return Ok(Vec::new());
        }
        Ok(vec![RoleEvent::RoleChanged { role_id, tenant_id, title, level, may_manage, at }])
    }

    fn grant(&self, permission: Grant, by: &Authority, at: DateTime<Utc>) -> Result<Vec<RoleEvent>, RoleError> {
        let (role_id, tenant_id, now) = self.changeable(by)?;
        by.may_grant(&permission)?;
        if now.permissions.contains(&permission) {
            return Ok(Vec::new());
        }
        Ok(vec![RoleEvent::PermissionGranted { role_id, tenant_id, permission, at }])
    }

    fn revoke(&self, permission: Grant, by: &Authority, at: DateTime<Utc>) -> Result<Vec<RoleEvent>, RoleError> {
        let (role_id, tenant_id, now) = self.changeable(by)?;
        if !now.permissions.contains(&permission) {
            return Ok(Vec::new());
        }
        Ok(vec![RoleEvent::PermissionRevoked { role_id, tenant_id, permission, at }])
    }

    fn remove(&self, by: &Authority, at: DateTime<Utc>) -> Result<Vec<RoleEvent>, RoleError> {
        if let Self::Removed(..) = self {
            return Ok(Vec::new());
        }
        let (role_id, tenant_id, _) = self.changeable(by)?;
        Ok(vec![RoleEvent::RoleRemoved { role_id, tenant_id, at }])
    }

    /// The role, where it is in use and the one who decides may change it.
    fn changeable(&self, by: &Authority) -> Result<(RoleId, TenantId, &RoleDefinition), RoleError> {
        let Self::Defined(tenant_id, now) = self else { return Err(RoleError::NotFound) };
        if now.name.is_owner() {
            return Err(RoleError::OwnerFixed);
        }
        by.may_change(&now.name, now.level)?;
        Ok((RoleId::of(*tenant_id, &now.name), *tenant_id, now))
    }
}
