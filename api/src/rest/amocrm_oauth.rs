//! Letting Synkro into the company's amoCRM account.

use std::sync::Arc;

use application::AppError;
use application::ports::services::UpstreamError;
use application::use_cases::{BegunAuthorization, Callback, Returned};
use chrono::{DateTime, Utc};
use domain::ErrorKind;
use domain::integration::IntegrationKind;
use domain::job_run::FailureClass;
use domain::values::Language;
use poem::Request;
use poem::http::header::SET_COOKIE;
use poem::web::Data;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::{Html, Response};
use poem_openapi::{ApiResponse, Object, OpenApi};
use secrecy::{ExposeSecret, SecretString};

use super::Chapter;
use super::audit::language::spoken;
use super::body::Shown;
use crate::AppState;
use crate::cookies::{OAUTH_COOKIE, cookie, set_oauth};
use crate::identity::{SignedInUser, Visitor};
use crate::limits::api_limit;
use crate::position::settled;
use crate::problem::ApiError;

const AMOCRM: IntegrationKind = IntegrationKind::Amocrm;

/// Where a person goes to let Synkro in.
#[derive(Object)]
#[oai(rename = "Authorization")]
struct AuthorizationBody {
    /// The page of amoCRM to open, in the same browser. It leads back to Synkro.
    url: String,
    /// Until when one may come back from there.
    expires_at: DateTime<Utc>,
}

impl From<&BegunAuthorization> for AuthorizationBody {
    fn from(begun: &BegunAuthorization) -> Self {
        Self { url: begun.address.expose_secret().to_owned(), expires_at: begun.expires_at }
    }
}

/// What whoever comes back is shown.
#[derive(ApiResponse)]
enum Page {
    /// A page that says whether the account is connected, and what to do where it is not. Its reader is a person, so it says
    /// that in words alone.
    #[oai(status = 200)]
    Shown(Html<String>),
}

pub(super) struct AmocrmOauthApi;

#[OpenApi(tag = "Chapter::Integrations")]
impl AmocrmOauthApi {
    /// Begin to connect amoCRM
    ///
    /// Answers with the page at which somebody of the company lets Synkro into its account, for ten minutes. Client id and client
    /// secret of the company's integration in amoCRM must be saved; there, the redirect URL must be the `callback_url` that
    /// looking at the integration answers with. The way back works once, and in the browser that keeps the cookie of this
    /// answer alone. Needs the right `settings:write`, and a person.
    #[oai(
        path = "/api/v1/integrations/amocrm/authorize",
        method = "post",
        operation_id = "begin_amocrm_connection",
        transform = "api_limit"
    )]
    async fn begin(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
    ) -> Result<Response<Shown<AuthorizationBody>>, ApiError> {
        let begun = state.authorize.begin(&user.0.context(), AMOCRM).await?;
        Ok(Response::new(Shown::new(&begun)).header(SET_COOKIE, set_oauth(&begun)))
    }

    /// Come back from amoCRM
    ///
    /// amoCRM leads the browser here. What is connected is checked at once. Answers with a page that says whether the
    /// account is connected, and what to do where it is not: in the company's language, or, where the address names no
    /// company, in the one that the browser asks for.
    #[oai(
        path = "/integrations/amocrm/callback/:slug",
        method = "get",
        operation_id = "complete_amocrm_connection",
        transform = "api_limit"
    )]
    #[expect(clippy::too_many_arguments, reason = "the parameters are amoCRM's")]
    async fn complete(
        &self,
        state: Data<&Arc<AppState>>,
        request: &Request,
        visitor: Visitor,
        /// The short name of the company.
        slug: Path<String>,
        /// What the authorization was begun with.
        #[oai(name = "state")]
        begun: Query<Option<String>>,
        /// What Synkro exchanges for tokens.
        code: Query<Option<String>>,
        /// The host of the account.
        referer: Query<Option<String>>,
        /// The integration.
        client_id: Query<Option<String>>,
        /// Why there is no code.
        error: Query<Option<String>>,
    ) -> Result<Page, ApiError> {
        let callback = Callback {
            slug: slug.0,
            state: begun.0.map(SecretString::from),
            browser: cookie(request, OAUTH_COOKIE).map(SecretString::from),
            code: code.0.map(SecretString::from),
            referer: referer.0,
            client_id: client_id.0,
            error: error.0,
        };
        let Returned { language, outcome } = state.authorize.complete(visitor.0, AMOCRM, callback).await;
        let language = language.unwrap_or_else(|| spoken(request));
        let refused = match outcome {
            Ok(position) => {
                settled(&state, position).await;
                None
            }
            Err(error) if matches!(error.kind, ErrorKind::Conflict | ErrorKind::Upstream) => Some(error),
            Err(error) => return Err(error.into()),
        };
        if let Some(error) = &refused {
            tracing::info!(code = error.code, "amoCRM was not connected");
        }
        Ok(Page::Shown(Html(page(language, refused.as_ref()))))
    }
}

/// Plain words for whoever comes back. They hold nothing that came with the request.
fn page(language: Language, error: Option<&AppError>) -> String {
    let (title, text) = match (language, error) {
        (Language::English, None) => ("amoCRM is connected", "You can close this window.".to_owned()),
        (Language::Russian, None) => ("amoCRM подключена", "Это окно можно закрыть.".to_owned()),
        (Language::English, Some(error)) => ("amoCRM is not connected", error.detail.clone()),
        (Language::Russian, Some(error)) => ("amoCRM не подключена", in_russian(error).to_owned()),
    };
    let (code, text) = (language.code(), escaped(&text));
    format!(
        "<!doctype html>\n<html lang=\"{code}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n</head>\n\
         <body>\n<h1>{title}</h1>\n<p>{text}</p>\n</body>\n</html>\n"
    )
}

/// All that is said of a refusal in Russian: its detail is in English.
fn in_russian(error: &AppError) -> &'static str {
    match error.code {
        "oauth.state_refused" => {
            "Эта ссылка возврата из amoCRM уже использована, устарела или открыта не в том браузере, в котором начали \
             подключение. Подключите снова в разделе «Настройки → amoCRM»."
        }
        "oauth.denied" => {
            "В amoCRM доступ не был разрешён. Подключите снова в разделе «Настройки → amoCRM» и разрешите доступ."
        }
        "oauth.strange_host" => {
            "Указанный аккаунт не принадлежит amoCRM. Подключите снова в разделе «Настройки → amoCRM»."
        }
        "oauth.not_prepared" => "Сначала сохраните ID и секретный ключ интеграции в разделе «Настройки → amoCRM».",
        "integration.app_changed" => "ID интеграции изменился. Подключите снова в разделе «Настройки → amoCRM».",
        "upstream.failed" => failed_in_russian(error),
        _ => {
            "Подключение не удалось. Подключите снова в разделе «Настройки → amoCRM»; если не получится, напишите в \
             поддержку Synkro."
        }
    }
}

/// What failed at amoCRM, as far as its class tells.
fn failed_in_russian(error: &AppError) -> &'static str {
    let failure = error.source.as_ref().and_then(|source| source.downcast_ref::<UpstreamError>());
    match failure.map(|failure| failure.class) {
        Some(FailureClass::Auth) => {
            "amoCRM не приняла подключение: код устарел или уже использован, либо ID, секретный ключ или ссылка для \
             перенаправления не те, что в интеграции. Проверьте их и подключите снова в разделе «Настройки → amoCRM»."
        }
        Some(FailureClass::Permanent) => {
            "amoCRM отклонила подключение. Проверьте, оплачен ли аккаунт и верен ли его адрес, и подключите снова в \
             разделе «Настройки → amoCRM»."
        }
        Some(FailureClass::Transient | FailureClass::Quota) | None => {
            "amoCRM сейчас не отвечает или временно не принимает запросы. Подождите час и подключите снова в разделе \
             «Настройки → amoCRM»."
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use application::ports::services::Delivery;

    use super::*;

    #[test]
    fn a_page_cannot_be_written_into() {
        let error = AppError::new(ErrorKind::Upstream, "upstream.failed", "<script>\"&");
        let shown = page(Language::English, Some(&error));
        assert!(shown.contains("&lt;script&gt;&quot;&amp;") && !shown.contains("<script"), "{shown}");
        assert!(shown.contains("lang=\"en\"") && shown.contains("is not connected"), "{shown}");
    }

    fn upstream(class: FailureClass) -> AppError {
        let (message, advice) = ("It is out of order".to_owned(), "Wait".to_owned());
        let delivery = Delivery::NotDelivered;
        UpstreamError {
            service: AMOCRM,
            class,
            message,
            advice,
            retry_after: None,
            delivery,
            tokens: None,
            was_turned_away: false,
        }
        .into()
    }

    #[test]
    fn a_russian_page_has_no_english_in_it() {
        let oauth = ["oauth.state_refused", "oauth.denied", "oauth.strange_host", "oauth.not_prepared"];
        let codes = oauth.into_iter().chain(["integration.app_changed", "of.a_later_release"]);
        let refusals = codes.map(|code| AppError::new(ErrorKind::Conflict, code, "It was used; connect again."));
        let classes = [FailureClass::Transient, FailureClass::Permanent, FailureClass::Quota, FailureClass::Auth];
        for error in refusals.chain(classes.map(upstream)) {
            let said = in_russian(&error);
            let mut words = said.split(|c: char| !c.is_ascii_alphabetic());
            let foreign = words.find(|word| !["", "amoCRM", "ID", "Synkro"].contains(word));
            assert_eq!(foreign, None, "{said}");
            assert!(page(Language::Russian, Some(&error)).contains(said), "{}", error.code);
        }
    }
}
