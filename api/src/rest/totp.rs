//! The own authenticator app (TOTP, RFC 6238).

use std::sync::Arc;

use poem::web::Data;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use secrecy::{ExposeSecret, SecretString};

use super::Chapter;
use super::body::{Done, Shown};
use crate::AppState;
use crate::identity::SignedInUser;
use crate::input::{Input, both, one};
use crate::limits::auth_limit;
use crate::position::settled;
use crate::problem::ApiError;

/// What proves who asks, so that a device that was left open is no way in.
#[derive(Object)]
#[oai(write_only_all)]
struct BeginTotp {
    /// The password of now.
    password: Input<SecretString>,
    /// Where an app is in use: a code of it, or a recovery code.
    code: Option<Input<SecretString>>,
}

/// A code.
#[derive(Object)]
#[oai(write_only_all)]
struct TotpCode {
    /// The six digits that the app shows, or a recovery code where one will do.
    code: Input<SecretString>,
}

/// What an app is set up with. Shown this once.
#[derive(Object)]
struct TotpEnrolment {
    /// The secret in Base32, for typing it in.
    secret: String,
    /// The same for a QR code.
    uri: String,
}

/// Codes that stand in for the app, each once. Shown this once.
#[derive(Object)]
struct RecoveryCodes {
    /// Ten codes.
    recovery_codes: Vec<String>,
}

impl RecoveryCodes {
    fn shown(codes: &[SecretString]) -> Shown<Self> {
        Shown::new(Self { recovery_codes: codes.iter().map(|code| code.expose_secret().to_owned()).collect() })
    }
}

pub(super) struct TotpApi;

#[OpenApi(prefix_path = "/api/v1", tag = "Chapter::Users")]
impl TotpApi {
    /// Begin to set up an authenticator app
    ///
    /// Answers with a secret. It is asked for at sign-in once a code has confirmed it; until then another one replaces it.
    /// Where an app is in use already, a code of it or a recovery code begins to put another one in its place; the one in use
    /// works until then. Wrong codes are counted, and lock codes for a growing time.
    #[oai(path = "/users/me/totp", method = "post", operation_id = "begin_totp", transform = "auth_limit")]
    async fn begin(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        begin: Json<BeginTotp>,
    ) -> Result<Shown<TotpEnrolment>, ApiError> {
        let BeginTotp { password, code } = begin.0;
        let (password, code) = both(("password", password), ("code", Input::optional(code)))?;
        let enrolment = state.second_factor.begin(&user.0.context(), &password, code.as_ref()).await?;
        let shown = |secret: &SecretString| secret.expose_secret().to_owned();
        Ok(Shown::new(TotpEnrolment { secret: shown(&enrolment.secret), uri: shown(&enrolment.uri) }))
    }

    /// Confirm the authenticator app
    ///
    /// By a code that it shows. From then on a code is needed to sign in. Answers with ten recovery codes; those of before, and
    /// the app of before, are over. Wrong codes are counted, and lock codes for a growing time.
    #[oai(path = "/users/me/totp/confirm", method = "post", operation_id = "confirm_totp", transform = "auth_limit")]
    async fn confirm(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        code: Json<TotpCode>,
    ) -> Result<Shown<RecoveryCodes>, ApiError> {
        let code = one("code", code.0.code)?;
        let (codes, position) = state.second_factor.confirm(&user.0.context(), &code).await?;
        settled(&state, position).await;
        Ok(RecoveryCodes::shown(&codes))
    }

    /// Make new recovery codes
    ///
    /// In place of those of before. Needs a code of the app, or a recovery code. Wrong ones are counted, and lock codes for a
    /// growing time.
    #[oai(
        path = "/users/me/totp/recovery-codes",
        method = "post",
        operation_id = "renew_recovery_codes",
        transform = "auth_limit"
    )]
    async fn renew_recovery_codes(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        code: Json<TotpCode>,
    ) -> Result<Shown<RecoveryCodes>, ApiError> {
        let code = one("code", code.0.code)?;
        let (codes, position) = state.second_factor.renew_recovery_codes(&user.0.context(), &code).await?;
        settled(&state, position).await;
        Ok(RecoveryCodes::shown(&codes))
    }

    /// Give the authenticator app up
    ///
    /// Needs a code of it, or a recovery code. Wrong ones are counted, and lock codes for a growing time.
    #[oai(path = "/users/me/totp/disable", method = "post", operation_id = "disable_totp", transform = "auth_limit")]
    async fn disable(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        code: Json<TotpCode>,
    ) -> Result<Done, ApiError> {
        let code = one("code", code.0.code)?;
        let position = state.second_factor.disable(&user.0.context(), &code).await?;
        Ok(Done::after(&state, position).await)
    }
}
