//! The report that the OpenAPI document shows. Its numbers are computed like those of any other.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Asia::Tashkent;
use domain::metrics::{Dialogue, Metrics, Outcome, Sender, Utterance, compute};
use domain::narrative::{Finding, Narrative, Topic};
use domain::period::Period;

/// 2026-06-01 in Tashkent.
pub(super) fn period() -> Period {
    let from = DateTime::UNIX_EPOCH + TimeDelta::seconds(1_780_254_000);
    Period { from, to: from + TimeDelta::days(1) }
}

/// An hour after the end of the period.
pub(super) fn published_at() -> DateTime<Utc> {
    period().to + TimeDelta::hours(1)
}

pub(super) fn metrics() -> Metrics {
    let morning = period().from + TimeDelta::hours(9);
    let said =
        |minutes, from, text: &str| Utterance { at: morning + TimeDelta::minutes(minutes), from, text: text.into() };
    let answered = Dialogue {
        id: "101".into(),
        agent: Some("Ann".into()),
        outcome: Outcome::Won,
        language: "en".into(),
        messages: vec![
            said(0, Sender::Customer, "Do you have a table for two tonight?"),
            said(4, Sender::Agent, "Yes, at eight. Shall I book it?"),
            said(6, Sender::Customer, "Please do."),
        ],
    };
    let unanswered = Dialogue {
        id: "102".into(),
        agent: None,
        outcome: Outcome::Open,
        language: "ru".into(),
        messages: vec![said(70, Sender::Customer, "Здравствуйте, сколько стоит доставка?")],
    };
    compute(&[answered, unanswered], Tashkent)
}

pub(super) fn narrative() -> Narrative {
    Narrative {
        headline: "One booking, one question left open".into(),
        summary: "A table was booked within minutes; a question about delivery got no answer.".into(),
        topics: vec![Topic { name: "Delivery".into(), dialogue_ids: vec!["102".into()] }],
        findings: vec![Finding {
            title: "Nobody answers where no agent is set".into(),
            detail: "The deal of dialogue 102 has no responsible person.".into(),
            dialogue_ids: vec!["102".into()],
        }],
        recommendations: vec!["Give every new deal a responsible person.".into()],
    }
}
