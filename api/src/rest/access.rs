use std::sync::Arc;

use application::AppError;
use application::use_cases::{AccessQuestion, AccessVerdict, MOST_QUESTIONS};
use domain::FieldError;
use domain::access::{ActionName, Reach, ResourceName};
use poem::web::Data;
use poem_openapi::payload::Json;
use poem_openapi::registry::MetaSchema;
use poem_openapi::types::Example;
use poem_openapi::{Object, OpenApi};
use serde_json::Value;
use uuid::Uuid;

use super::Chapter;
use super::body::Shown;
use crate::AppState;
use crate::identity::SignedInUser;
use crate::input::{FieldValue, Fields, Input};
use crate::limits::api_limit;
use crate::problem::ApiError;

impl FieldValue for Reach {
    const WANTED: &'static str = "must be own, stats, anonymized, limited or all";

    fn schema() -> MetaSchema {
        let names = Self::EVERY.map(|reach| Value::from(reach.name()));
        MetaSchema { enum_items: names.into(), ..MetaSchema::new("string") }
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// Questions about rights.
#[derive(Object)]
#[oai(write_only_all)]
struct AccessQuestions {
    /// 1 to 100 questions.
    checks: Vec<QuestionBody>,
}

/// May someone do something?
#[derive(Object)]
#[oai(rename = "AccessQuestion", write_only_all)]
struct QuestionBody {
    /// A user of the company; the caller where it is left out.
    user_id: Option<Input<Uuid>>,
    /// The service.
    resource: Input<ResourceName>,
    /// The action.
    action: Input<ActionName>,
    /// How much must be seen at least; any reach will do where it is left out.
    reach: Option<Input<Reach>>,
}

/// The answers, in the order of the questions.
#[derive(Object)]
#[oai(example)]
struct AccessAnswers {
    /// The answers.
    checks: Vec<VerdictBody>,
}

/// Whether someone may do something.
#[derive(Object)]
#[oai(rename = "AccessVerdict")]
struct VerdictBody {
    /// Whether.
    allowed: bool,
    /// How much is seen; empty where the role does not have the right at all.
    reach: Vec<String>,
    /// The role that says so.
    role: String,
}

impl From<Vec<AccessVerdict>> for AccessAnswers {
    fn from(verdicts: Vec<AccessVerdict>) -> Self {
        let body = |AccessVerdict { allowed, reach, role }| VerdictBody {
            allowed,
            reach: reach.iter().map(|reach| reach.name().to_owned()).collect(),
            role: String::from(role),
        };
        Self { checks: verdicts.into_iter().map(body).collect() }
    }
}

impl Example for AccessAnswers {
    fn example() -> Self {
        let (reach, role) = (vec!["anonymized".into()], "sales_manager".into());
        Self { checks: vec![VerdictBody { allowed: true, reach, role }] }
    }
}

fn questions(bodies: Vec<QuestionBody>) -> Result<Vec<AccessQuestion>, AppError> {
    if !(1..=MOST_QUESTIONS).contains(&bodies.len()) {
        return Err(AppError::invalid(vec![FieldError::new("checks", "must be 1 to 100 questions")]));
    }
    let mut fields = Fields::default();
    let mut read = Vec::with_capacity(bodies.len());
    for (n, QuestionBody { user_id, resource, action, reach }) in bodies.into_iter().enumerate() {
        let subject = fields.take(&format!("checks[{n}].user_id"), Input::optional(user_id));
        let resource = fields.take(&format!("checks[{n}].resource"), resource);
        let action = fields.take(&format!("checks[{n}].action"), action);
        let reach = fields.take(&format!("checks[{n}].reach"), Input::optional(reach));
        if let (Some(subject), Some(resource), Some(action), Some(reach)) = (subject, resource, action, reach) {
            read.push(Some(AccessQuestion { subject: subject.map(Into::into), resource, action, reach }));
        } else {
            read.push(None);
        }
    }
    read.into_iter().collect::<Option<_>>().ok_or_else(|| fields.bad())
}

pub(super) struct AccessApi;

#[OpenApi(prefix_path = "/api/v1", tag = "Chapter::Access")]
impl AccessApi {
    /// May someone do something?
    ///
    /// For the company's other services, and for pages that hide what is closed. Everybody may ask about themselves;
    /// asking about others needs the right `roles:read`. What no role allows, and what the catalogue does not know, is
    /// denied. Asking records nothing, so it takes no `Idempotency-Key`.
    #[oai(path = "/access/check", method = "post", operation_id = "check_access", transform = "api_limit")]
    async fn check(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        asked: Json<AccessQuestions>,
    ) -> Result<Shown<AccessAnswers>, ApiError> {
        let questions = questions(asked.0.checks)?;
        Ok(Shown::new(state.check_access.check(&user.0.context(), questions).await?))
    }
}
