//! A company comes, is kept out, and goes; staff look after it.

use domain::ids::ImpersonationId;
use domain::impersonation::{Impersonation, ImpersonationEvent};
use domain::tenant::{Tenant, TenantEvent};
use domain::values::Language;

use super::{tenant_id, usual, value};
use crate::golden_files::Golden;

pub(super) fn tenants() -> Vec<Golden> {
    let tenant_id = tenant_id();
    let (name, slug, language) = (value("Severny Les"), value("severny-les"), Language::Russian);
    let at = value("2026-05-04T08:15:00Z");
    let suspended = TenantEvent::TenantSuspended {
        tenant_id,
        reason: value("The invoice of May is not paid."),
        at: value("2026-07-01T06:00:00.118Z"),
    };
    let leaving = TenantEvent::TenantOffboardingBegun {
        tenant_id,
        reason: value("The company has ended its contract."),
        at: value("2026-09-30T14:11:52.6011Z"),
    };
    let digest = value("5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef");
    let exported = TenantEvent::TenantExported { tenant_id, events: 48_213, digest, at: value("2026-09-30T14:13:08Z") };
    let closed = TenantEvent::TenantClosed { tenant_id, slug: value("severny-les"), at: value("2026-10-31T00:00:00Z") };
    let renamed = TenantEvent::TenantRenamed {
        tenant_id,
        name: value("Severny Les Trade"),
        at: value("2026-06-12T10:40:31.9002Z"),
    };
    vec![
        usual::<Tenant>(&TenantEvent::TenantProvisioned { tenant_id, name, slug, language, at }),
        usual::<Tenant>(&TenantEvent::TenantActivated { tenant_id, at: value("2026-05-04T09:02:11.480251Z") }),
        usual::<Tenant>(&renamed),
        usual::<Tenant>(&suspended),
        usual::<Tenant>(&TenantEvent::TenantResumed { tenant_id, at: value("2026-07-02T08:30:15Z") }),
        usual::<Tenant>(&leaving),
        usual::<Tenant>(&exported),
        usual::<Tenant>(&closed),
    ]
}

pub(super) fn impersonations() -> Vec<Golden> {
    let impersonation_id: ImpersonationId = value("019e8f31-5ab0-7e02-8c44-0d2f6b91a7e3");
    let tenant_id = tenant_id();
    let opened = ImpersonationEvent::ImpersonationOpened {
        impersonation_id,
        tenant_id,
        staff_id: value("019d0c11-02f4-7a18-b9cd-6e4417f2a0b5"),
        user_id: value("019df20e-1370-7e0b-b3d2-6c94a1f05e12"),
        reason: value("Their report of 2 June shows no chats."),
        until: value("2026-06-03T09:30:00Z"),
        at: value("2026-06-03T09:10:00Z"),
    };
    let ended_by = value("019d0c11-02f4-7a18-b9cd-6e4417f2a0b5");
    let at = value("2026-06-03T09:21:47.3301Z");
    let ended = ImpersonationEvent::ImpersonationEnded { impersonation_id, tenant_id, ended_by, at };
    vec![usual::<Impersonation>(&opened), usual::<Impersonation>(&ended)]
}
