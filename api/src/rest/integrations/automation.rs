//! The last step of the wizard: what the company calls a day, and when its runs start.

use std::sync::Arc;

use application::ports::providers::Text;
use application::{AppError, IdempotencyKey};
use chrono::NaiveTime;
use chrono_tz::Tz;
use domain::automation::{Defined, Schedule};
use domain::period::DayBorder;
use poem::web::Data;
use poem_openapi::payload::Json;
use poem_openapi::registry::MetaSchema;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};
use serde_json::{Value, json};

use super::body::TextBody;
use crate::AppState;
use crate::headers::{Sent, key};
use crate::idempotency::receipt;
use crate::identity::SignedInUser;
use crate::input::{FieldValue, Fields, Input};
use crate::limits::api_limit;
use crate::problem::ApiError;
use crate::rest::Chapter;
use crate::rest::body::Shown;
use crate::rest::recorded::headers;

/// What to do, as the catalogue says it for services.
const STEPS: [Text; 3] = [
    Text {
        en: "Choose the time zone in which your company counts its days, by its IANA name, such as Asia/Tashkent.",
        ru: "Выберите часовой пояс, в котором компания считает дни, по имени IANA, например Asia/Tashkent.",
    },
    Text {
        en: "Say at which local time a day begins: 00:00, or for example 03:00 where people work past midnight.",
        ru: "Укажите местное время, в которое начинается день: 00:00 или, например, 03:00, если работают за полночь.",
    },
    Text {
        en: "Choose the schedule. With `manual` a report is made when somebody starts a run.",
        ru: "Выберите расписание. При `manual` отчёт делается, когда кто-нибудь его запускает.",
    },
];

/// When runs start. `manual`: only when somebody starts one.
#[derive(Enum)]
#[oai(rename = "Schedule", rename_all = "snake_case")]
enum ScheduleBody {
    Manual,
}

impl From<Schedule> for ScheduleBody {
    fn from(schedule: Schedule) -> Self {
        match schedule {
            Schedule::Manual => Self::Manual,
        }
    }
}

/// What the company calls a day, and when its runs start.
#[derive(Object)]
#[oai(rename = "Automation")]
struct AutomationBody {
    /// Whether it is defined. Before that no run starts.
    defined: bool,
    /// The IANA name of the time zone in which the company counts its days; `null` where nothing is defined.
    #[oai(nullable)]
    time_zone: Option<String>,
    /// The local time at which a day begins, such as 03:00:00; `null` where nothing is defined.
    #[oai(nullable)]
    day_starts_at: Option<String>,
    /// When runs start; `null` where nothing is defined.
    #[oai(nullable)]
    schedule: Option<ScheduleBody>,
    /// What to do, in order.
    steps: Vec<TextBody>,
}

impl From<Option<Defined>> for AutomationBody {
    fn from(automation: Option<Defined>) -> Self {
        let automation = automation.as_ref();
        Self {
            defined: automation.is_some(),
            time_zone: automation.map(|defined| defined.day.time_zone.name().to_owned()),
            day_starts_at: automation.map(|defined| defined.day.starts_at.to_string()),
            schedule: automation.map(|defined| defined.schedule.into()),
            steps: STEPS.map(TextBody::from).into(),
        }
    }
}

/// What the company shall call a day, and when its runs shall start.
#[derive(Object)]
#[oai(write_only_all)]
struct DefineAutomation {
    /// The time zone in which the company counts its days, by its IANA name.
    time_zone: Input<Tz>,
    /// The local time at which a day begins.
    day_starts_at: Input<NaiveTime>,
    /// When runs start. `manual`: only when somebody starts one.
    schedule: Input<Schedule>,
}

impl DefineAutomation {
    fn read(self) -> Result<(DayBorder, Schedule), AppError> {
        let mut fields = Fields::default();
        let time_zone = fields.take("time_zone", self.time_zone);
        let starts_at = fields.take("day_starts_at", self.day_starts_at);
        match (time_zone, starts_at, fields.take("schedule", self.schedule)) {
            (Some(time_zone), Some(starts_at), Some(schedule)) => Ok((DayBorder { time_zone, starts_at }, schedule)),
            _ => Err(fields.bad()),
        }
    }
}

impl FieldValue for Tz {
    const WANTED: &'static str = "must be the IANA name of a time zone, such as Asia/Tashkent";

    fn schema() -> MetaSchema {
        MetaSchema { example: Some("Asia/Tashkent".into()), ..MetaSchema::new("string") }
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl FieldValue for NaiveTime {
    const WANTED: &'static str = "must be a time of day from 00:00 to 23:59, such as 03:00 or 03:00:00";

    fn schema() -> MetaSchema {
        let pattern = Some("^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$".into());
        MetaSchema { pattern, example: Some("03:00".into()), ..MetaSchema::new("string") }
    }

    /// By hand, because the parser of `chrono` takes single digits and leap seconds too.
    fn read(text: &str) -> Option<Self> {
        let number = |part: &str| {
            let two_digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            two_digits.then(|| part.parse::<u32>().ok()).flatten()
        };
        let parts: Option<Vec<u32>> = text.split(':').map(number).collect();
        match *parts?.as_slice() {
            [hour, minute] => Self::from_hms_opt(hour, minute, 0),
            [hour, minute, second] => Self::from_hms_opt(hour, minute, second),
            _ => None,
        }
    }
}

impl FieldValue for Schedule {
    const WANTED: &'static str = "must be manual: runs start when somebody starts them";

    fn schema() -> MetaSchema {
        MetaSchema { enum_items: vec!["manual".into()], ..MetaSchema::new("string") }
    }

    fn read(text: &str) -> Option<Self> {
        (text == "manual").then_some(Self::Manual)
    }
}

#[derive(ApiResponse)]
enum AutomationDefined {
    /// Defined for good, or it was so already. What is shown is in force now.
    #[oai(status = 200)]
    Defined(
        Json<AutomationBody>,
        /// The command's place in the log; absent where there was nothing to change.
        #[oai(header = "Synkro-Position")]
        Option<String>,
        /// `true` where the request was a repeat, and this is its first outcome; absent otherwise.
        #[oai(header = "Idempotent-Replayed")]
        Option<String>,
    ),
}

pub(in crate::rest) struct AutomationApi;

#[OpenApi(prefix_path = "/api/v1", tag = "Chapter::Integrations")]
impl AutomationApi {
    /// Look at the automation
    ///
    /// The last step of the settings wizard: what the company calls a day, when its runs start, and what to do while
    /// nothing is defined. Needs the right `settings:write`.
    #[oai(path = "/automation", method = "get", operation_id = "get_automation", transform = "api_limit")]
    async fn get(&self, state: Data<&Arc<AppState>>, user: SignedInUser) -> Result<Shown<AutomationBody>, ApiError> {
        Ok(Shown::new(state.integrations.automation.get(&user.0.context()).await?))
    }

    /// Define the automation
    ///
    /// Runs that start after it count days by it; earlier runs and reports stay as they are. All bad fields are named
    /// at once, and then nothing changes. Defining the same again changes nothing. Needs the right `settings:write`.
    #[oai(path = "/automation", method = "put", operation_id = "define_automation", transform = "api_limit")]
    async fn define(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// Your name for this request: a repeat under it is answered with the first outcome, for 30 days.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: Sent<IdempotencyKey>,
        form: Json<DefineAutomation>,
    ) -> Result<AutomationDefined, ApiError> {
        let (key, form) = (key(idempotency_key)?, form.0.read());
        let asked = form.as_ref().map_or(Value::Null, |(day, schedule)| {
            let (time_zone, starts_at) = (day.time_zone.name(), day.starts_at.to_string());
            json!({"time_zone": time_zone, "day_starts_at": starts_at, "schedule": schedule})
        });
        let context = user.0.repeatable(receipt(key, "define_automation", &[], &asked));
        let outcome = state.integrations.automation.save(&context, form).await?;
        let (position, replayed) = headers(outcome.position, outcome.replayed);
        Ok(AutomationDefined::Defined(Json(outcome.automation.into()), position, replayed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_is_written_with_two_digits_each() {
        let read = |text: &str| NaiveTime::read(text).map(|time| time.to_string());
        for (text, time) in [("00:00", "00:00:00"), ("03:30", "03:30:00"), ("23:59:59", "23:59:59")] {
            assert_eq!(read(text).as_deref(), Some(time), "{text}");
        }
        for bad in ["", "03", "3:00", "24:00", "23:60", "12:00:60", "+3:00", "03:00:00.5", "03:00:00:00", "noon"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_time_zone_is_known_by_its_iana_name_alone() {
        assert_eq!(Tz::read("Asia/Tashkent"), Some(Tz::Asia__Tashkent));
        for bad in ["", "Tashkent", "asia/tashkent", "+05:00", "UTC+5"] {
            assert_eq!(Tz::read(bad), None, "{bad}");
        }
    }
}
