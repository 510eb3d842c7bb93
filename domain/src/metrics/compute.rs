use std::collections::BTreeMap;

use chrono::Timelike;
use chrono_tz::Tz;

use super::{AgentMetrics, Dialogue, FirstResponse, HourMetrics, LanguageMetrics, Metrics, Outcome, Outcomes, Sender};
use crate::values::Personal;

/// The metrics of the dialogues that have messages, with hours in the tenant's time zone.
pub fn compute(dialogues: &[Dialogue], time_zone: Tz) -> Metrics {
    let counted: Vec<&Dialogue> = dialogues.iter().filter(|dialogue| !dialogue.messages.is_empty()).collect();
    let group = Group::of(&counted);
    let from = |sender| counted.iter().map(|dialogue| written_by(dialogue, sender)).sum();
    Metrics {
        dialogues: group.dialogues,
        messages: group.messages,
        customer_messages: from(Sender::Customer),
        agent_messages: from(Sender::Agent),
        first_response: group.first_response,
        unanswered: group.unanswered,
        unanswered_share: share(group.unanswered, group.dialogues),
        awaiting_reply: count(&counted, |dialogue| {
            dialogue.messages.last().is_some_and(|last| last.from == Sender::Customer)
        }),
        outcomes: group.outcomes,
        languages: languages(&counted),
        agents: agents(&counted),
        hours: hours(&counted, time_zone),
    }
}

/// The numbers that the whole and each agent have in common.
struct Group {
    dialogues: u64,
    messages: u64,
    first_response: FirstResponse,
    unanswered: u64,
    outcomes: Outcomes,
}

impl Group {
    fn of(dialogues: &[&Dialogue]) -> Self {
        let responses: Vec<Response> = dialogues.iter().map(|dialogue| Response::of(dialogue)).collect();
        Self {
            dialogues: dialogues.len() as u64,
            messages: dialogues.iter().map(|dialogue| dialogue.messages.len() as u64).sum(),
            first_response: first_response(&responses),
            unanswered: count(&responses, |response| matches!(response, Response::Missing)),
            outcomes: outcomes(dialogues),
        }
    }
}

enum Response {
    NotAsked,
    Missing,
    After(u64),
}

impl Response {
    fn of(dialogue: &Dialogue) -> Self {
        let Some(asked) = dialogue.messages.iter().position(|message| message.from == Sender::Customer) else {
            return Self::NotAsked;
        };
        let question = &dialogue.messages[asked];
        let mut later = dialogue.messages[asked..].iter();
        match later.find(|message| message.from == Sender::Agent) {
            Some(answer) => Self::After(u64::try_from((answer.at - question.at).num_seconds()).unwrap_or(0)),
            None => Self::Missing,
        }
    }
}

fn first_response(responses: &[Response]) -> FirstResponse {
    let mut seconds: Vec<u64> = responses
        .iter()
        .filter_map(|response| match response {
            Response::After(seconds) => Some(*seconds),
            Response::NotAsked | Response::Missing => None,
        })
        .collect();
    seconds.sort_unstable();
    FirstResponse {
        answered: seconds.len() as u64,
        median_seconds: percentile(&seconds, 50),
        p90_seconds: percentile(&seconds, 90),
    }
}

/// Nearest-rank percentile of sorted values.
fn percentile(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

fn outcomes(dialogues: &[&Dialogue]) -> Outcomes {
    let with = |outcome| count(dialogues, |dialogue| dialogue.outcome == outcome);
    Outcomes { won: with(Outcome::Won), lost: with(Outcome::Lost), open: with(Outcome::Open) }
}

fn languages(dialogues: &[&Dialogue]) -> BTreeMap<String, LanguageMetrics> {
    let mut languages: BTreeMap<String, LanguageMetrics> = BTreeMap::new();
    for dialogue in dialogues {
        let language = languages.entry(dialogue.language.clone()).or_default();
        language.dialogues += 1;
        language.messages += dialogue.messages.len() as u64;
    }
    languages
}

fn agents(dialogues: &[&Dialogue]) -> Vec<AgentMetrics> {
    let mut by_name: BTreeMap<&str, Vec<&Dialogue>> = BTreeMap::new();
    for dialogue in dialogues {
        by_name.entry(dialogue.agent.as_deref().unwrap_or_default()).or_default().push(dialogue);
    }
    by_name
        .into_iter()
        .map(|(name, dialogues)| {
            let Group { dialogues, messages, first_response, unanswered, outcomes } = Group::of(&dialogues);
            AgentMetrics {
                name: Personal::new(name.to_owned()),
                dialogues,
                messages,
                first_response,
                unanswered,
                outcomes,
            }
        })
        .collect()
}

fn hours(dialogues: &[&Dialogue], time_zone: Tz) -> Vec<HourMetrics> {
    let mut hours: Vec<HourMetrics> =
        (0..24).map(|hour| HourMetrics { hour, customer_messages: 0, agent_messages: 0 }).collect();
    for message in dialogues.iter().flat_map(|dialogue| &dialogue.messages) {
        let hour = &mut hours[message.at.with_timezone(&time_zone).hour() as usize];
        match message.from {
            Sender::Customer => hour.customer_messages += 1,
            Sender::Agent => hour.agent_messages += 1,
        }
    }
    hours
}

fn written_by(dialogue: &Dialogue, sender: Sender) -> u64 {
    count(&dialogue.messages, |message| message.from == sender)
}

fn count<T>(items: &[T], fits: impl Fn(&T) -> bool) -> u64 {
    items.iter().filter(|item| fits(item)).count() as u64
}

#[expect(clippy::cast_precision_loss, reason = "counts of dialogues lie far below 2^52")]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64 * 10_000.0).round() / 10_000.0 }
}
