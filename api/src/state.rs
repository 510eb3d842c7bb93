use std::sync::Arc;

use application::ports::access::AccessMatrix;
use application::ports::circuits::Circuits;
use application::ports::clock::{Clock, Ids};
use application::ports::health::Health;
use application::ports::limits::RateLimits;
use application::ports::mail::Outbox;
use application::ports::projections::Standings;
use application::ports::read_models::Progress;
use application::use_cases::{
    AcceptInvitation, Authentication, AuthorizeIntegration, CancelRun, ChangeEmail, ChangePassword, CheckAccess,
    CheckIntegration, CompanyRegistration, DefineTenantAutomation, EndSessions, Impersonate, InviteUsers,
    ManageApiKeys, ManageCatalogue, ManageRoles, ManageSecondFactor, ManageStaff, ManageTenantUsers, ManageUsers,
    ReadAudit, ReadInsights, ReadIntegrations, ReadMatrix, ReadReports, ReadRuns, ReadSessions, RefreshSession,
    ResendNotification, ResetPassword, RunStarter, SaveIntegration, SignIn, TenantLifecycle, TenantProvisioning,
    TryIntegration, WriteFindings,
};

use crate::TrustedProxies;

/// What can be done with what a company connects.
pub struct Integrations {
    /// Looking at it.
    pub read: ReadIntegrations,
    /// Saving.
    pub save: SaveIntegration,
    /// Asking whether it works.
    pub check: Arc<CheckIntegration>,
    /// Trying it out.
    pub test: TryIntegration,
    /// Writing what was tried.
    pub write: WriteFindings,
    /// Saying what a day is, the last step.
    pub automation: DefineTenantAutomation,
}

/// What the operations call. Made once, by the composition root.
pub struct AppState {
    /// Who a token speaks of.
    pub authentication: Arc<Authentication>,
    /// Signing in.
    pub sign_in: Arc<SignIn>,
    /// Keeping sessions going.
    pub refresh: Arc<RefreshSession>,
    /// Looking at sessions.
    pub read_sessions: Arc<ReadSessions>,
    /// Ending sessions.
    pub end_sessions: Arc<EndSessions>,
    /// Changing one's password.
    pub change_password: Arc<ChangePassword>,
    /// Looking at users, and changing them.
    pub users: Arc<ManageUsers>,
    /// Choosing a new password by a mailed link.
    pub reset_password: Arc<ResetPassword>,
    /// Changing one's e-mail address.
    pub change_email: Arc<ChangeEmail>,
    /// Setting up an authenticator app.
    pub second_factor: Arc<ManageSecondFactor>,
    /// Inviting people.
    pub invite: Arc<InviteUsers>,
    /// Joining a company.
    pub accept: Arc<AcceptInvitation>,
    /// Keys of companies' programs.
    pub api_keys: Arc<ManageApiKeys>,
    /// Companies that register themselves.
    pub registration: Arc<CompanyRegistration>,
    /// The platform's staff.
    pub staff: Arc<ManageStaff>,
    /// Companies as a whole.
    pub tenants: Arc<TenantLifecycle>,
    /// Creating companies.
    pub provisioning: Arc<TenantProvisioning>,
    /// What staff do about companies' users.
    pub tenant_users: Arc<ManageTenantUsers>,
    /// Where the mails stand.
    pub outbox: Arc<dyn Outbox>,
    /// Being let into accounts at services.
    pub authorize: Arc<AuthorizeIntegration>,
    /// Starting runs.
    pub runs: Arc<RunStarter>,
    /// Stopping runs.
    pub cancel: Arc<CancelRun>,
    /// Sending notifications again.
    pub resend: Arc<ResendNotification>,
    /// Looking at runs.
    pub read_runs: Arc<ReadRuns>,
    /// Looking at reports.
    pub read_reports: Arc<ReadReports>,
    /// Looking at the company's history.
    pub read_audit: Arc<ReadAudit>,
    /// Staff in users' names.
    pub impersonate: Arc<Impersonate>,
    /// Summing up runs and reports.
    pub read_insights: Arc<ReadInsights>,
    /// What roles may.
    pub matrix: Arc<dyn AccessMatrix>,
    /// Changing roles.
    pub manage_roles: Arc<ManageRoles>,
    /// Changing the catalogue of services.
    pub manage_catalogue: Arc<ManageCatalogue>,
    /// Looking at roles and the catalogue.
    pub read_matrix: Arc<ReadMatrix>,
    /// Answering questions about rights.
    pub check_access: Arc<CheckAccess>,
    /// What the company connects.
    pub integrations: Integrations,
    /// How far the read models have come.
    pub progress: Arc<dyn Progress>,
    /// Where the projections stand.
    pub standings: Arc<dyn Standings>,
    /// Which providers are left alone.
    pub circuits: Arc<dyn Circuits>,
    /// Whether the dependencies answer.
    pub health: Arc<dyn Health>,
    /// How often operations may be asked.
    pub limits: Arc<dyn RateLimits>,
    /// Whose word on a client's address is believed.
    pub proxies: TrustedProxies,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids of requests.
    pub ids: Arc<dyn Ids>,
}
