//! Staff are let in, change and leave, beside the company of the story; and one of its users is removed.

use application::RequestContext;
use application::ports::commands::Commands as _;
use domain::EventSourced;
use domain::access::StaffRole;
use domain::data_key_rotation::{DataKeyRotation, DataKeyRotationCommand};
use domain::ids::{DataKeyRotationId, KekRotationId, SuperAdminsId, UserId};
use domain::kek_rotation::{KekRotation, KekRotationCommand};
use domain::super_admins::{SuperAdmins, SuperAdminsCommand};
use domain::user::{RegisterStaff, User, UserCommand};
use domain::values::Personal;
use uuid::Uuid;

use crate::fixtures::{at, register};
use crate::story::Company;

impl Company<'_> {
    /// Someone of the staff who has to do with this company alone.
    fn staff(&self, n: u128) -> UserId {
        Uuid::from_u128(0x8000_0000 + self.tenant().uuid().as_u128() * 0x100 + n).into()
    }

    async fn tell_platform<A: EventSourced>(&self, id: Uuid, command: A::Command)
    where
        A::Error: std::fmt::Debug,
    {
        let context = RequestContext::for_system("tests", None, Uuid::from_u128(0xa), Uuid::from_u128(0xb));
        self.test.commands::<A>().execute(&context, id, command).await.unwrap();
    }

    /// Two of the staff are let in; one of them comes to be a super admin, and ends as one.
    pub(crate) async fn have_staff(&self) {
        let at = at(10);
        for n in 1..=2 {
            let user_id = self.staff(n);
            let staff = RegisterStaff {
                user_id,
                email: Personal::new(format!("staff{n}-of-{}@synkro.example", self.tenant()).parse().unwrap()),
                name: Personal::new("Vera Example".parse().unwrap()),
                role: StaffRole::SuperAdmin,
                at,
            };
            self.tell_platform::<User>(user_id.uuid(), UserCommand::RegisterStaff(staff)).await;
            let appoint = SuperAdminsCommand::Appoint { user_id, at };
            self.tell_platform::<SuperAdmins>(SuperAdminsId::of_platform().uuid(), appoint).await;
        }
        let user_id = self.staff(2);
        let dismiss = SuperAdminsCommand::Dismiss { user_id, at };
        self.tell_platform::<SuperAdmins>(SuperAdminsId::of_platform().uuid(), dismiss).await;
        for command in [
            UserCommand::RecordPasswordReset { at },
            UserCommand::ChangeStaffRole { role: StaffRole::Auditor, by: Some(self.staff(1)), at },
            UserCommand::Deactivate { at },
        ] {
            self.tell_platform::<User>(user_id.uuid(), command).await;
        }
    }

    /// The data keys are wrapped by another key-encryption key.
    pub(crate) async fn rotate_kek(&self) {
        let (at, id) = (at(12), KekRotationId::to("0b1c6cdf5ce3fb6d").uuid());
        let begin = KekRotationCommand::Begin { kek_id: "0b1c6cdf5ce3fb6d".into(), data_keys: 2, at };
        for command in [begin, KekRotationCommand::Complete { at }] {
            self.tell_platform::<KekRotation>(id, command).await;
        }
    }

    /// The company's data key is exchanged.
    pub(crate) async fn rotate_data_key(&self) {
        let (at, tenant_id) = (at(12), self.tenant());
        let id = DataKeyRotationId::of(tenant_id).uuid();
        let begin = DataKeyRotationCommand::Begin { tenant_id, generation: 2, at };
        for command in [begin, DataKeyRotationCommand::Complete { sealed_anew: 5, at }] {
            self.tell::<DataKeyRotation>(id, command).await;
        }
    }

    /// Somebody of the company is let in, kept out, and removed.
    pub(crate) async fn remove_someone(&self) {
        let (user_id, at) = (self.staff(3), at(11));
        let address = format!("removed-of-{}@acme.example", self.tenant());
        for command in
            [register(user_id, self.tenant(), &address), UserCommand::Deactivate { at }, UserCommand::Remove { at }]
        {
            self.tell::<User>(user_id.uuid(), command).await;
        }
    }
}
