//! The operations. This file only joins the resources.

mod access;
mod accounts;
mod amocrm_oauth;
mod api_keys;
mod audit;
mod body;
mod health;
mod impersonations;
mod insights;
mod integrations;
mod invitations;
mod keys;
mod matrix;
mod metrics;
mod platform;
mod recorded;
mod reports;
mod rights;
mod runs;
mod sessions;
mod totp;
mod users;

use std::sync::Arc;

use poem::middleware::CatchPanic;
use poem::{Endpoint, EndpointExt, Response, Route};
use poem_openapi::{OpenApi, OpenApiService, Tags};

use crate::addresses::Addresses;
use crate::edge::{Edge, Panics};
use crate::{AppState, docs_page};

const DESCRIPTION: &str = include_str!("description.md");

type Matrix = (matrix::RolesApi, matrix::ServicesApi, matrix::ActionsApi, matrix::PermissionsApi, access::AccessApi);

const MATRIX: Matrix =
    (matrix::RolesApi, matrix::ServicesApi, matrix::ActionsApi, matrix::PermissionsApi, access::AccessApi);

type Accounts = (
    keys::KeysApi,
    sessions::SessionsApi,
    users::UsersApi,
    invitations::InvitationsApi,
    accounts::AccountsApi,
    totp::TotpApi,
    api_keys::ApiKeysApi,
);

const ACCOUNTS: Accounts = (
    keys::KeysApi,
    sessions::SessionsApi,
    users::UsersApi,
    invitations::InvitationsApi,
    accounts::AccountsApi,
    totp::TotpApi,
    api_keys::ApiKeysApi,
);

type Shown = (
    reports::ReportsApi,
    insights::InsightsApi,
    integrations::IntegrationsApi,
    integrations::AutomationApi,
    audit::AuditApi,
    impersonations::StaffImpersonationsApi,
    impersonations::ImpersonationsApi,
);

const SHOWN: Shown = (
    reports::ReportsApi,
    insights::InsightsApi,
    integrations::IntegrationsApi,
    integrations::AutomationApi,
    audit::AuditApi,
    impersonations::StaffImpersonationsApi,
    impersonations::ImpersonationsApi,
);

type Platform = (platform::TenantsApi, platform::TenantUsersApi, platform::StaffApi);

const PLATFORM: Platform = (platform::TenantsApi, platform::TenantUsersApi, platform::StaffApi);

type Resources = (
    health::HealthApi,
    metrics::MetricsApi,
    Accounts,
    runs::RunsApi,
    Shown,
    Matrix,
    Platform,
    amocrm_oauth::AmocrmOauthApi,
);

const RESOURCES: Resources = (
    health::HealthApi,
    metrics::MetricsApi,
    ACCOUNTS,
    runs::RunsApi,
    SHOWN,
    MATRIX,
    PLATFORM,
    amocrm_oauth::AmocrmOauthApi,
);

/// Names that the framework spells in a way that is correct, but not usual, and confuses generators of clients.
const SPELLINGS: [(&str, &str); 7] = [
    ("\"application/json; charset=utf-8\"", "\"application/json\""),
    ("\"text/html; charset=utf-8\"", "\"text/html\""),
    ("\"text/plain; charset=utf-8\"", "\"text/plain\""),
    ("\"ETAG\"", "\"ETag\""),
    ("\"IDEMPOTENT-REPLAYED\"", "\"Idempotent-Replayed\""),
    ("\"LOCATION\"", "\"Location\""),
    ("\"SYNKRO-POSITION\"", "\"Synkro-Position\""),
];

/// The chapters of the OpenAPI document.
#[derive(Tags)]
enum Chapter {
    /// Whether Synkro works. Public, and the same for everybody.
    Health,
    /// Signing in, and what follows from it on each device until it ends.
    Sessions,
    /// The own account, and the users of the company.
    Users,
    /// Runs of the report pipeline and their eight steps.
    Runs,
    /// The published reports of the company.
    Reports,
    /// What runs and reports come to.
    Insights,
    /// The services that the company connects: what is saved, whether it works, and trying it out.
    Integrations,
    /// Who did what in the company, when, and by which right.
    Audit,
    /// Staff of the platform in the name of the company's users.
    Impersonations,
    /// Keys with which the company's programs ask.
    ApiKeys,
    /// What roles there are, what they may, and whether someone may do something.
    Access,
    /// What the platform's staff do: with companies, with their users, and among themselves.
    Platform,
}

fn service() -> OpenApiService<Resources, ()> {
    OpenApiService::new(RESOURCES, "Synkro API", env!("CARGO_PKG_VERSION")).description(DESCRIPTION).server("/")
}

/// The OpenAPI document, indented, with a stable order.
pub fn openapi_json() -> String {
    let spelled = |text: String, (from, to): (&str, &str)| text.replace(from, to);
    let document = SPELLINGS.into_iter().fold(service().spec() + "\n", spelled);
    rights::name_in(document, Resources::meta())
}

/// Everything that is answered over HTTP.
pub fn routes(state: Arc<AppState>) -> impl Endpoint<Output = Response> + 'static {
    let service = service();
    docs_page::routes(Route::new(), &service.swagger_ui_html(), openapi_json())
        .nest("/", service)
        .with(CatchPanic::new().with_handler(Panics))
        .with(Edge { state, addresses: Arc::new(Addresses::of(Resources::meta())) })
}
