use chrono::TimeDelta;
use domain::access::{PlatformPermission, RoleName, StaffRole};
use domain::ids::SessionId;
use domain::user::Membership;

use super::*;
use crate::access::TenantAccess;
use crate::ports::identity::TokenSubject;

fn request(role: RoleName) -> RequestContext {
    let rights = TenantAccess::of_events([], []).rights(&role);
    let principal = Principal::of_tenant(
        UserId::from(Uuid::from_u128(2)),
        TenantId::from(Uuid::from_u128(1)),
        role,
        SessionId::from(Uuid::from_u128(5)),
    );
    let subject = TokenSubject { principal, token_version: 0, csrf: None };
    RequestContext::for_request(Authenticated(Arc::new(subject)), rights, Uuid::from_u128(3), Client::default(), None)
}

#[test]
fn a_right_that_is_missing_is_named() {
    let error = request(RoleName::user()).authorize(Permission::RunsStart).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Forbidden);
    assert!(error.detail.contains("runs:start"), "{}", error.detail);
}

#[test]
fn support_staff_have_no_right_of_a_company_and_nobody_else_is_support() {
    let tenant = TenantId::from(Uuid::from_u128(1));
    let support = RequestContext::for_support("ops-anna".parse().unwrap(), Uuid::from_u128(3));
    assert_eq!(support.authorize(Permission::RunsStart).unwrap_err().kind, ErrorKind::Forbidden);
    assert_eq!(support.require_system().unwrap_err().kind, ErrorKind::Forbidden);
    let metadata = support.metadata();
    for entry in [("actor_kind", "support"), ("actor_id", "ops-anna"), ("right", "support")] {
        assert!(metadata.contains(&(entry.0, entry.1.to_owned())), "{metadata:?}");
    }
    assert_eq!(support.require_support(Some(tenant)).unwrap().tenant(), Some(tenant));
    let system = RequestContext::for_system("tests", tenant, Uuid::from_u128(3), Uuid::from_u128(4));
    for other in [request(RoleName::owner()), system] {
        assert_eq!(other.require_support(None).unwrap_err().kind, ErrorKind::Forbidden);
    }
}

#[test]
fn an_own_account_has_who_signed_in_whatever_the_role() {
    let account = request(RoleName::user()).own_account().unwrap();
    assert_eq!(account.user_id.uuid(), Uuid::from_u128(2));
    assert!(account.context().metadata().contains(&("right", "own_account".to_owned())));
    let support = RequestContext::for_support("ops-anna".parse().unwrap(), Uuid::from_u128(3));
    assert_eq!(support.own_account().unwrap_err().kind, ErrorKind::Forbidden);
}

#[test]
fn the_right_that_allowed_it_is_recorded() {
    let scope = request(RoleName::owner()).authorize(Permission::RunsStart).unwrap();
    assert!(scope.context().metadata().contains(&("right", "runs:start".to_owned())));
}

fn program(scopes: &[&str]) -> RequestContext {
    let key = ApiKeyDetails {
        api_key_id: ApiKeyId::from(Uuid::from_u128(6)),
        tenant_id: TenantId::from(Uuid::from_u128(1)),
        scopes: scopes.iter().map(|scope| scope.parse().unwrap()).collect(),
        expires_at: chrono::DateTime::UNIX_EPOCH + TimeDelta::days(1),
    };
    let rights = Arc::new(TenantAccess::of_events([], []).rights_of(&key.scopes));
    let key = AuthenticatedKey(Arc::new(key));
    RequestContext::for_api_key(&key, rights, Uuid::from_u128(3), Client::default(), None)
}

#[test]
fn a_key_may_what_its_scopes_say_and_is_no_person() {
    let program = program(&["runs:*"]);
    let scope = program.authorize(Permission::RunsStart).unwrap();
    let metadata = scope.context().metadata();
    for entry in
        [("actor_kind", "integration"), ("actor_id", "00000000-0000-0000-0000-000000000006"), ("right", "runs:start")]
    {
        assert!(metadata.contains(&(entry.0, entry.1.to_owned())), "{metadata:?}");
    }
    let error = program.authorize(Permission::ReportsRead).unwrap_err();
    assert!(error.kind == ErrorKind::Forbidden && error.detail.contains("reports:read"), "{error}");
    assert_eq!(program.require_user().unwrap_err().code, "access.person_needed");
    assert_eq!(program.own_account().unwrap_err().kind, ErrorKind::Forbidden);
    assert_eq!(program.require_system().unwrap_err().kind, ErrorKind::Forbidden);
    assert_eq!(program.require_support(None).unwrap_err().kind, ErrorKind::Forbidden);
}

#[test]
fn a_key_owns_nothing() {
    let context = program(&["runs:read"]);
    let scope = |reach| TenantScope { tenant_id: TenantId::from(Uuid::from_u128(1)), reach, context: context.clone() };
    assert!(scope(ReachSet::of(&[domain::access::Reach::Own])).only_of().is_some());
    assert_eq!(scope(ReachSet::ALL).only_of(), None);
}

fn staff(role: StaffRole, second_factor: bool) -> RequestContext {
    let (user_id, session_id) = (UserId::from(Uuid::from_u128(7)), SessionId::from(Uuid::from_u128(8)));
    let membership = Membership::Platform { role };
    let principal = Principal { user_id, membership, session_id, second_factor, acting: None };
    let subject = TokenSubject { principal, token_version: 0, csrf: None };
    // Rights of a company are not for staff, whoever hands them over.
    let (proof, rights) = (Authenticated(Arc::new(subject)), Arc::new(Rights::everything()));
    RequestContext::for_request(proof, rights, Uuid::from_u128(3), Client::default(), None)
}

#[test]
fn in_a_user_s_name_nothing_is_decided_about_people_and_settings() {
    let (user_id, session_id) = (UserId::from(Uuid::from_u128(7)), SessionId::from(Uuid::from_u128(8)));
    let membership = Membership::Tenant { tenant_id: TenantId::from(Uuid::from_u128(1)), role: RoleName::owner() };
    let acting = Some(ActingStaff { staff_id: UserId::from(Uuid::from_u128(9)), token_version: 0 });
    let principal = Principal { user_id, membership, session_id, second_factor: false, acting };
    let subject = TokenSubject { principal, token_version: 0, csrf: None };
    let (proof, rights) = (Authenticated(Arc::new(subject)), Arc::new(Rights::everything()));
    let acting = RequestContext::for_request(proof, rights, Uuid::from_u128(3), Client::default(), None);
    let refused: Vec<_> = Permission::ALL.into_iter().filter(|right| acting.authorize(*right).is_err()).collect();
    let names: Vec<_> = refused.into_iter().map(Permission::name).collect();
    let expected =
        ["settings:write", "users:write", "roles:write", "api_keys:write", "users:create", "impersonations:end"];
    assert_eq!(names, expected);
}

#[test]
fn staff_have_the_rights_of_their_role_and_none_in_a_company() {
    for role in StaffRole::ALL {
        for permission in PlatformPermission::ALL {
            let scope = staff(role, true).authorize_platform(permission);
            assert_eq!(scope.is_ok(), role.allows(permission), "{role} {}", permission.name());
            let right =
                scope.map(|scope| scope.context().metadata().contains(&("right", permission.name().to_owned())));
            assert!(right.unwrap_or(true), "{role} {}", permission.name());
        }
        for permission in Permission::ALL {
            let refused = staff(role, true).authorize(permission).unwrap_err();
            assert_eq!((refused.kind, refused.code), (ErrorKind::Forbidden, "access.forbidden"));
        }
    }
}

#[test]
fn nobody_but_staff_and_the_terminal_has_the_platform_s_scope() {
    let tenant = TenantId::from(Uuid::from_u128(1));
    let system = RequestContext::for_system("tests", tenant, Uuid::from_u128(3), Uuid::from_u128(4));
    for other in [request(RoleName::owner()), program(&["*"]), system] {
        let refused = other.authorize_platform(PlatformPermission::TenantsRead).unwrap_err();
        assert_eq!((refused.kind, refused.code), (ErrorKind::Forbidden, "access.forbidden"));
    }
    let terminal = RequestContext::for_support("ops-anna".parse().unwrap(), Uuid::from_u128(3));
    let scope = terminal.authorize_platform(PlatformPermission::TenantsDelete).unwrap();
    assert_eq!((scope.about(tenant).tenant(), scope.staff_member()), (Some(tenant), None));
}

#[test]
fn staff_without_a_second_factor_may_set_one_up_and_nothing_else() {
    for role in StaffRole::ALL {
        let bare = staff(role, false);
        assert_eq!(bare.own_account().unwrap_err().code, "totp.enrolment_required", "{role}");
        for permission in PlatformPermission::ALL {
            assert_eq!(bare.authorize_platform(permission).unwrap_err().code, "totp.enrolment_required", "{role}");
        }
        assert!(bare.own_account_before_second_factor().is_ok(), "{role}");
        assert!(staff(role, true).own_account().is_ok(), "{role}");
    }
}

#[test]
fn on_the_users_of_a_company_staff_may_work_on_nothing_else_of_it() {
    let tenant = TenantId::from(Uuid::from_u128(1));
    let lends = |platform: PlatformPermission| {
        let lent = staff(StaffRole::SuperAdmin, true).on_users_of(tenant, platform).unwrap();
        Permission::ALL.into_iter().filter(move |permission| lent.authorize(*permission).is_ok()).collect::<Vec<_>>()
    };
    assert_eq!(lends(PlatformPermission::UsersRead), [Permission::UsersView]);
    assert_eq!(lends(PlatformPermission::UsersWrite), [Permission::UsersWrite, Permission::UsersCreate]);
    assert_eq!(lends(PlatformPermission::UsersAppoint), [Permission::UsersCreate]);
    assert_eq!(lends(PlatformPermission::UsersDelete), [Permission::UsersWrite]);
    assert_eq!(lends(PlatformPermission::StaffWrite), []);
    let lent = staff(StaffRole::AdminLite, true).on_users_of(tenant, PlatformPermission::UsersWrite).unwrap();
    let metadata = lent.authorize(Permission::UsersWrite).unwrap().context().metadata();
    for entry in [("actor_kind", "staff"), ("actor_role", "admin_lite"), ("right", "platform.users:write")] {
        assert!(metadata.contains(&(entry.0, entry.1.to_owned())), "{metadata:?}");
    }
    let removal = staff(StaffRole::AdminLite, true).on_users_of(tenant, PlatformPermission::UsersDelete);
    assert_eq!(removal.unwrap_err().code, "access.forbidden");
}
