use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::{Dialogue, FirstResponse, Outcome, Outcomes, Sender, Utterance, compute};

fn nine() -> DateTime<Utc> {
    "2026-06-01T09:00:00Z".parse().unwrap()
}

/// A dialogue from pairs of sender (`c` or `a`) and seconds after nine.
fn dialogue(agent: &str, outcome: Outcome, messages: &[(char, i64)]) -> Dialogue {
    let messages = messages
        .iter()
        .map(|(sender, seconds)| Utterance {
            at: nine() + TimeDelta::seconds(*seconds),
            from: if *sender == 'c' { Sender::Customer } else { Sender::Agent },
            text: "…".into(),
        })
        .collect();
    Dialogue { id: "1".into(), agent: Some(agent.into()), outcome, language: "en".into(), messages }
}

#[test]
fn nothing_gives_zeros_and_no_percentiles() {
    let metrics = compute(&[dialogue("Ann", Outcome::Open, &[])], Tz::UTC);
    assert_eq!((metrics.dialogues, metrics.messages), (0, 0));
    assert_eq!(metrics.first_response, FirstResponse { answered: 0, median_seconds: None, p90_seconds: None });
    assert!(metrics.unanswered_share.abs() < f64::EPSILON);
    assert_eq!(metrics.hours.len(), 24);
}

#[test]
fn the_first_response_counts_from_the_customers_first_message() {
    let opened_by_agent = dialogue("Ann", Outcome::Open, &[('a', 0), ('c', 10), ('c', 20), ('a', 40)]);
    let metrics = compute(&[opened_by_agent], Tz::UTC);
    assert_eq!(metrics.first_response, FirstResponse { answered: 1, median_seconds: Some(30), p90_seconds: Some(30) });
}

#[test]
fn percentiles_are_nearest_rank() {
    let dialogues: Vec<_> =
        (1..=10).map(|wait| dialogue("Ann", Outcome::Open, &[('c', 0), ('a', wait * 10)])).collect();
    let metrics = compute(&dialogues, Tz::UTC);
    assert_eq!(metrics.first_response, FirstResponse { answered: 10, median_seconds: Some(50), p90_seconds: Some(90) });
}

#[test]
fn unanswered_and_awaiting_reply_differ() {
    let dialogues = [
        dialogue("Ann", Outcome::Lost, &[('c', 0), ('c', 5)]),
        dialogue("Ann", Outcome::Won, &[('c', 0), ('a', 5), ('c', 9)]),
        dialogue("Bob", Outcome::Open, &[('a', 0)]),
    ];
    let metrics = compute(&dialogues, Tz::UTC);
    assert_eq!((metrics.unanswered, metrics.awaiting_reply), (1, 2));
    assert!((metrics.unanswered_share - 0.3333).abs() < f64::EPSILON);
    assert_eq!((metrics.customer_messages, metrics.agent_messages), (4, 2));
}

#[test]
fn agents_are_listed_by_name_with_their_own_numbers() {
    let dialogues = [
        dialogue("Bob", Outcome::Won, &[('c', 0), ('a', 60)]),
        dialogue("Ann", Outcome::Lost, &[('c', 0)]),
        dialogue("Bob", Outcome::Open, &[('c', 0), ('a', 20)]),
    ];
    let agents = compute(&dialogues, Tz::UTC).agents;
    assert_eq!(agents.iter().map(|agent| agent.name.reveal().as_str()).collect::<Vec<_>>(), ["Ann", "Bob"]);
    assert_eq!((agents[0].unanswered, agents[0].first_response.answered), (1, 0));
    assert_eq!(agents[1].outcomes, Outcomes { won: 1, lost: 0, open: 1 });
    assert_eq!(agents[1].first_response.p90_seconds, Some(60));
}

#[test]
fn hours_are_the_tenants() {
    let dialogues = [dialogue("Ann", Outcome::Open, &[('c', 0), ('a', 3600)])];
    let hours = compute(&dialogues, Tz::Asia__Tashkent).hours;
    assert_eq!((hours[14].customer_messages, hours[15].agent_messages), (1, 1));
}

#[test]
fn languages_count_dialogues_and_messages() {
    let mut russian = dialogue("Ann", Outcome::Open, &[('c', 0)]);
    russian.language = "ru".into();
    let english = dialogue("Ann", Outcome::Open, &[('c', 0), ('a', 1)]);
    let languages = compute(&[russian, english], Tz::UTC).languages;
    assert_eq!((languages["ru"].dialogues, languages["ru"].messages), (1, 1));
    assert_eq!((languages["en"].dialogues, languages["en"].messages), (1, 2));
}
