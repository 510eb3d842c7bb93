//! The company of the story invites people, is looked after by staff, and leaves in the end.

use chrono::TimeDelta;
use domain::access::RoleName;
use domain::ids::InvitationId;
use domain::impersonation::{Impersonation, ImpersonationCommand, OpenImpersonation};
use domain::invitation::{Invitation, InvitationCommand, InviteUser};
use domain::second_factor::{SecondFactor, SecondFactorCommand};
use domain::tenant::{Tenant, TenantCommand, TenantExport};
use domain::user::{User, UserCommand};
use domain::values::Personal;
use uuid::Uuid;

use crate::fixtures::at;
use crate::story::Company;

impl Company<'_> {
    /// An id of this company alone.
    fn id(&self, n: u128) -> Uuid {
        Uuid::from_u128(0x7000_0000 + self.tenant().uuid().as_u128() * 0x100 + n)
    }

    /// People are invited, by the company and on a proposal; the user goes through everything that mailed links and an app are
    /// for.
    pub(crate) async fn let_people_in(&self) {
        let (tenant_id, user_id, at) = (self.tenant(), self.user(), at(8));
        let person = |n| InviteUser {
            invitation_id: InvitationId::from(self.id(n)),
            tenant_id,
            email: Personal::new(format!("bob{n}@{tenant_id}.example").parse().unwrap()),
            role: RoleName::user(),
            expires_at: at + TimeDelta::days(7),
            at,
        };
        let invite = |n| InvitationCommand::Invite(person(n));
        let again = InvitationCommand::Resend { expires_at: at + TimeDelta::days(8), at };
        for (n, commands) in [
            (1, vec![invite(1), again.clone(), InvitationCommand::Accept { at }]),
            (2, vec![invite(2), InvitationCommand::Revoke { at }]),
            (3, vec![InvitationCommand::Propose(person(3)), again, InvitationCommand::Accept { at }]),
            (4, vec![InvitationCommand::Propose(person(4))]),
        ] {
            for command in commands {
                self.tell::<Invitation>(self.id(n), command).await;
            }
        }
        let address = |text: String| UserCommand::ChangeEmail { email: Personal::new(text.parse().unwrap()), at };
        for command in
            [UserCommand::RecordPasswordReset { at }, address(format!("other-{}", self.email())), address(self.email())]
        {
            self.tell::<User>(user_id.uuid(), command).await;
        }
        for command in [
            SecondFactorCommand::RecordEnrolled { user_id, tenant_id: Some(tenant_id), at },
            SecondFactorCommand::RecordRecoveryCodeUsed { left: 9, at },
            SecondFactorCommand::RecordReplaced { at },
            SecondFactorCommand::RecordRecoveryCodesRenewed { at },
            SecondFactorCommand::RecordReset {
                user_id,
                tenant_id: Some(tenant_id),
                reason: "The phone was stolen.".parse().unwrap(),
                at,
            },
            SecondFactorCommand::RecordEnrolled { user_id, tenant_id: Some(tenant_id), at },
            SecondFactorCommand::RecordDisabled { at },
        ] {
            self.tell::<SecondFactor>(user_id.uuid(), command).await;
        }
    }

    /// Staff rename and suspend the company, look at it as its user would, and let it go on.
    pub(crate) async fn be_looked_after(&self) {
        let (tenant_id, at) = (self.tenant(), at(9));
        let open = ImpersonationCommand::Open(OpenImpersonation {
            impersonation_id: self.id(4).into(),
            tenant_id,
            staff_id: self.id(5).into(),
            user_id: self.user(),
            reason: "A report is empty.".parse().unwrap(),
            until: at + TimeDelta::minutes(10),
            at,
        });
        for command in [open, ImpersonationCommand::End { ended_by: self.id(5).into(), at }] {
            self.tell::<Impersonation>(self.id(4), command).await;
        }
        for command in [
            TenantCommand::Rename { name: "Another name".parse().unwrap(), at },
            TenantCommand::Rename { name: self.name().parse().unwrap(), at },
            TenantCommand::Suspend { reason: "A bill is not paid.".parse().unwrap(), at },
            TenantCommand::Resume { at },
        ] {
            self.tell::<Tenant>(tenant_id.uuid(), command).await;
        }
    }

    /// The company takes its data and ends.
    pub(crate) async fn leave(&self) {
        let at = at(400);
        let export = TenantExport { events: 1, digest: "a".repeat(64).parse().unwrap(), at };
        for command in [
            TenantCommand::BeginOffboarding { reason: "The contract has ended.".parse().unwrap(), at },
            TenantCommand::RecordExport(export),
            TenantCommand::Close { at },
        ] {
            self.tell::<Tenant>(self.tenant().uuid(), command).await;
        }
    }
}
