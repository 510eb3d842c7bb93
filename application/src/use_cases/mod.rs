//! What can be done, one file each.

mod cancel_run;
mod check_integration;
mod configure_integration;
mod define_automation;
mod open_account;
mod provision_tenant;
mod read_reports;
mod read_runs;
mod rebuild_read_model;
mod register_user;
mod resend_notification;
mod run_outcome;
mod sign_in;
mod start_run;

pub use cancel_run::CancelRun;
pub use check_integration::CheckIntegration;
pub use configure_integration::{ConfigureIntegration, IntegrationInput};
pub use define_automation::DefineTenantAutomation;
pub use open_account::OpenAccount;
pub use provision_tenant::{NewTenant, TenantProvisioning};
pub use read_reports::{FullReport, ReadReports};
pub use read_runs::ReadRuns;
pub use rebuild_read_model::{ReadModelRebuilding, RebuildRequest, Rebuilt};
pub use register_user::{NewUser, UserRegistration};
pub use resend_notification::ResendNotification;
pub use run_outcome::RunOutcome;
pub use sign_in::{SignIn, SignedIn};
pub use start_run::{RunRequest, RunStarter};
