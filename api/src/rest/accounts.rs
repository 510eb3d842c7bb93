//! Coming to an account, or back to one, without being signed in; and another e-mail address for it.

use std::sync::Arc;

use application::AppError;
use application::use_cases::NewCompany;
use domain::access::Preset;
use domain::values::{DisplayName, Email, Language, Slug};
use poem::web::Data;
use poem_openapi::payload::Json;
use poem_openapi::registry::MetaSchema;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};
use secrecy::SecretString;
use uuid::Uuid;

use super::Chapter;
use super::body::Done;
use crate::AppState;
use crate::identity::{SignedInUser, Visitor};
use crate::input::{FieldValue, Fields, Input, both, one};
use crate::limits::{api_limit, auth_limit};
use crate::position::{header, settled};
use crate::problem::ApiError;

impl FieldValue for Slug {
    const WANTED: &'static str = "must be 3 to 40 of a-z, 0-9 and '-', not starting or ending with '-'";

    fn schema() -> MetaSchema {
        let pattern = Some("^[a-z0-9][a-z0-9-]{1,38}[a-z0-9]$".into());
        MetaSchema { pattern, example: Some("acme".into()), ..MetaSchema::new("string") }
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// A language of reports and mails.
#[derive(Enum)]
#[oai(rename = "Language")]
pub(in crate::rest) enum LanguageBody {
    /// English.
    #[oai(rename = "en")]
    English,
    /// Russian.
    #[oai(rename = "ru")]
    Russian,
}

/// The roles and services that a company begins with.
#[derive(Enum)]
#[oai(rename = "Preset", rename_all = "snake_case")]
pub(in crate::rest) enum PresetBody {
    /// Reports over a company's own conversations.
    Sales,
    /// Deals, clients and money.
    Crm,
    /// Requests of residents, and their payments.
    Property,
    /// Clients, bookings and a calendar.
    Salon,
}

impl From<LanguageBody> for Language {
    fn from(language: LanguageBody) -> Self {
        match language {
            LanguageBody::English => Self::English,
            LanguageBody::Russian => Self::Russian,
        }
    }
}

impl From<Language> for LanguageBody {
    fn from(language: Language) -> Self {
        match language {
            Language::English => Self::English,
            Language::Russian => Self::Russian,
        }
    }
}

impl From<PresetBody> for Preset {
    fn from(preset: PresetBody) -> Self {
        match preset {
            PresetBody::Sales => Self::Sales,
            PresetBody::Crm => Self::Crm,
            PresetBody::Property => Self::Property,
            PresetBody::Salon => Self::Salon,
        }
    }
}

/// A company that registers itself, with its owner.
#[derive(Object)]
#[oai(write_only_all)]
struct RegisterCompany {
    /// The company's name.
    company: Input<DisplayName>,
    /// Its short name in addresses, unique among all companies.
    slug: Input<Slug>,
    /// The language of its reports and mails; English where it is left out.
    language: Option<LanguageBody>,
    /// The roles and services that it begins with; those of reports where it is left out.
    preset: Option<PresetBody>,
    /// The owner's name.
    name: Input<DisplayName>,
    /// The address that the owner signs in with.
    email: Input<Email>,
    /// The owner's password: 12 to 256 characters of any kind, not one that many use, not one of these names.
    password: Input<SecretString>,
}

impl RegisterCompany {
    fn read(self) -> Result<NewCompany, AppError> {
        let mut fields = Fields::default();
        let company = fields.take("company", self.company);
        let slug = fields.take("slug", self.slug);
        let name = fields.take("name", self.name);
        let email = fields.take("email", self.email);
        let password = fields.take("password", self.password);
        let language = self.language.map_or(Language::English, Language::from);
        let preset = self.preset.map_or(Preset::Sales, Preset::from);
        match (company, slug, name, email, password) {
            (Some(company), Some(slug), Some(name), Some(email), Some(password)) => {
                Ok(NewCompany { company, slug, language, preset, name, email, password })
            }
            _ => Err(fields.bad()),
        }
    }
}

/// The company and its owner.
#[derive(Object)]
struct CompanyAnswer {
    /// The company's id.
    tenant_id: Uuid,
    /// The owner's id.
    user_id: Uuid,
}

#[derive(ApiResponse)]
enum CompanyRegistered {
    /// The company is ready, and its owner can sign in.
    #[oai(status = 201)]
    Registered(
        Json<CompanyAnswer>,
        /// The place in the log of what was recorded last.
        #[oai(header = "Synkro-Position")]
        Option<String>,
    ),
}

/// Whose password was forgotten.
#[derive(Object)]
#[oai(write_only_all)]
struct ForgottenPassword {
    /// The address that the user signs in with.
    email: Input<Email>,
}

#[derive(ApiResponse)]
enum Mailed {
    /// A mail is on its way, if there is somebody to send it to.
    #[oai(status = 202)]
    Mailed,
}

/// A new password, by a mailed link.
#[derive(Object)]
#[oai(write_only_all)]
struct NewPassword {
    /// The token of the mailed link: what stands behind `#token=`.
    token: Input<SecretString>,
    /// The new password: 12 to 256 characters of any kind, not one that many use, not the e-mail address or company name.
    password: Input<SecretString>,
}

/// Another e-mail address.
#[derive(Object)]
#[oai(write_only_all)]
struct NewEmail {
    /// The new address.
    email: Input<Email>,
    /// The password of now.
    password: Input<SecretString>,
}

/// The token of a mailed link.
#[derive(Object)]
#[oai(write_only_all)]
struct LinkToken {
    /// What stands behind `#token=`.
    token: Input<SecretString>,
}

pub(super) struct AccountsApi;

#[OpenApi(prefix_path = "/api/v1", tag = "Chapter::Users")]
impl AccountsApi {
    /// Register a company
    ///
    /// Makes the company with its roles and its first owner. `403` where this installation does not let companies register
    /// themselves. What was cut off goes on when the same is sent again.
    #[oai(
        path = "/public/users/register",
        method = "post",
        operation_id = "register_company",
        transform = "auth_limit"
    )]
    async fn register(
        &self,
        state: Data<&Arc<AppState>>,
        visitor: Visitor,
        company: Json<RegisterCompany>,
    ) -> Result<CompanyRegistered, ApiError> {
        let registered = state.registration.register(visitor.0, company.0.read()?).await?;
        settled(&state, registered.position).await;
        let (tenant_id, user_id) = (registered.tenant_id.uuid(), registered.user_id.uuid());
        let answer = Json(CompanyAnswer { tenant_id, user_id });
        Ok(CompanyRegistered::Registered(answer, registered.position.map(header)))
    }

    /// Ask for a new password
    ///
    /// Mails a link that works once, for thirty minutes. The answer is the same, after the same time, whether the address is
    /// known or not. At most three mails an hour are sent to an address.
    #[oai(
        path = "/public/users/password-reset",
        method = "post",
        operation_id = "request_password_reset",
        transform = "auth_limit"
    )]
    async fn forgot(
        &self,
        state: Data<&Arc<AppState>>,
        forgotten: Json<ForgottenPassword>,
    ) -> Result<Mailed, ApiError> {
        state.reset_password.request(one("email", forgotten.0.email)?).await?;
        Ok(Mailed::Mailed)
    }

    /// Choose a new password by a link
    ///
    /// Ends all sessions of the user. `409` for a link that was used or whose time is over; a password that breaks the rules
    /// does not use the link up.
    #[oai(
        path = "/public/users/password-reset/confirm",
        method = "post",
        operation_id = "reset_password",
        transform = "auth_limit"
    )]
    async fn reset(
        &self,
        state: Data<&Arc<AppState>>,
        visitor: Visitor,
        new: Json<NewPassword>,
    ) -> Result<Done, ApiError> {
        let Json(NewPassword { token, password }) = new;
        let (token, password) = both(("token", token), ("password", password))?;
        let position = state.reset_password.reset(visitor.0, &token, password).await?;
        Ok(Done::after(&state, position).await)
    }

    /// Ask for another e-mail address
    ///
    /// Mails a link to the new address, which works once, for thirty minutes, and tells the old one. Wrong passwords are
    /// counted as failed sign-ins are.
    #[oai(path = "/users/me/email", method = "post", operation_id = "request_email_change", transform = "api_limit")]
    async fn ask_for_address(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        new: Json<NewEmail>,
    ) -> Result<Mailed, ApiError> {
        let Json(NewEmail { email, password }) = new;
        let (email, password) = both(("email", email), ("password", password))?;
        state.change_email.request(&user.0.context(), email, &password).await?;
        Ok(Mailed::Mailed)
    }

    /// Confirm another e-mail address
    ///
    /// From then on the user signs in with it; the old address is told. `409` where another user has it by now.
    #[oai(
        path = "/public/users/email/confirm",
        method = "post",
        operation_id = "confirm_email_change",
        transform = "auth_limit"
    )]
    async fn confirm_address(
        &self,
        state: Data<&Arc<AppState>>,
        visitor: Visitor,
        link: Json<LinkToken>,
    ) -> Result<Done, ApiError> {
        let token = one("token", link.0.token)?;
        let position = state.change_email.confirm(visitor.0, &token).await?;
        Ok(Done::after(&state, position).await)
    }
}
