use serde_json::{Value, json};

use super::*;

/// Customers on a hotel and on taxis, one of them lost, one slow, one never answered.
fn package(language: &str) -> Value {
    let message =
        |at: &str, from: &str, text: &str| json!({"at": format!("2026-06-01T{at}Z"), "from": from, "text": text});
    json!({
        "task": "analyse", "language": language, "metrics": {},
        "period": {"from": "2026-06-01", "to": "2026-06-02"},
        "dialogues": [
            {"id": "d1", "agent": "Agent A", "outcome": "lost", "language": "en", "messages": [
                message("09:00:00", "customer", "I need a hotel with parking"),
                message("09:00:20", "agent", "All hotels are full"),
                message("09:00:40", "customer", "That is a pity, is there really no hotel left?"),
            ]},
            {"id": "d2", "agent": "Agent A", "outcome": "won", "language": "en", "messages": [
                message("10:00:00", "customer", "A taxi to the hotel, please"),
                message("10:20:00", "agent", "Booked a taxi"),
            ]},
            {"id": "d3", "agent": null, "outcome": "open", "language": "en", "messages": [
                message("10:30:00", "customer", "Is a taxi free at noon?"),
            ]},
            {"id": "d4", "agent": "Agent B", "outcome": "won", "language": "en", "messages": [
                message("10:40:00", "customer", "Can I get breakfast?"),
                message("10:40:10", "agent", "Yes"),
            ]},
        ],
    })
}

fn report(package: &Value) -> Value {
    let prompt = format!("Write a report.\n\nPACKAGE:\n{package}\n");
    Value::Object(answer(&prompt).to_object())
}

fn finding<'a>(report: &'a Value, title: &str) -> &'a Value {
    report["findings"].as_array().unwrap().iter().find(|finding| finding["title"] == title).unwrap()
}

fn without(package: &Value, id: &str) -> Value {
    let mut package = package.clone();
    package["dialogues"].as_array_mut().unwrap().retain(|dialogue| dialogue["id"] != id);
    package
}

#[test]
fn a_report_counts_what_it_was_given() {
    let report = report(&package("en"));
    let summary = report["summary"].as_str().unwrap();
    assert!(
        summary
            .starts_with("4 dialogues with 8 messages from 2026-06-01 to 2026-06-02 were read: 2 won, 1 lost, 1 open.")
    );
    assert!(summary.contains("hotel (2)") && summary.contains("taxi (2)"), "{summary}");
    assert_eq!(
        report["topics"],
        json!([
            {"name": "hotel", "dialogue_ids": ["d1", "d2"]},
            {"name": "taxi", "dialogue_ids": ["d2", "d3"]},
        ])
    );
}

#[test]
fn findings_come_from_times_ends_and_outcomes() {
    let report = report(&package("en"));
    let never = finding(&report, "Customers without any answer");
    assert_eq!(never["dialogue_ids"], json!(["d3"]));
    assert_eq!(never["detail"], "1 of 4 dialogues never got an answer; one begins with “Is a taxi free at noon?”.");
    let slow = finding(&report, "Slow first answers");
    assert_eq!(slow["dialogue_ids"], json!(["d2"]));
    assert!(slow["detail"].as_str().unwrap().contains("the longest wait was 20 minutes in dialogue d2"));
    assert_eq!(finding(&report, "The customer had the last word")["dialogue_ids"], json!(["d1"]));
    let lost = finding(&report, "Requests that were lost");
    assert!(lost["detail"].as_str().unwrap().contains("is there really no hotel left?"));
    assert!(finding(&report, "The busiest hour")["detail"].as_str().unwrap().starts_with("From 10:00"));
    assert_eq!(report["recommendations"].as_array().unwrap().len(), report["findings"].as_array().unwrap().len());
}

#[test]
fn a_missing_dialogue_changes_the_report() {
    let full = package("en");
    let report_without = report(&without(&full, "d1"));
    assert_ne!(report(&full), report_without);
    let text = report_without.to_string();
    assert!(!text.contains("\"d1\"") && !text.contains("Requests that were lost") && text.contains("3 dialogues"));
}

#[test]
fn the_language_of_the_report_is_the_one_asked_for() {
    let report = report(&package("ru"));
    assert!(
        report["summary"].as_str().unwrap().starts_with("Прочитано с 2026-06-01 по 2026-06-02: 4 диалога, 8 сообщений")
    );
    assert!(
        finding(&report, "Потерянные обращения")["detail"].as_str().unwrap().starts_with("Потеряно: 1 из 4 диалогов")
    );
}

#[test]
fn names_of_people_are_no_topics() {
    let dialogue = |id: &str| {
        json!({"id": id, "outcome": "open", "messages": [
            {"at": "2026-06-01T09:00:00Z", "from": "customer", "text": "Hi, this is Maria about a refund"},
        ]})
    };
    let report = report(&json!({"task": "analyse", "dialogues": [dialogue("a"), dialogue("b")]}));
    assert_eq!(report["topics"], json!([{"name": "refund", "dialogue_ids": ["a", "b"]}]));
}

#[test]
fn parts_are_merged_by_name_with_the_most_frequent_first() {
    let part = |names: &[(&str, &[&str])]| {
        json!({
            "headline": "x", "summary": "x",
            "topics": names.iter().map(|(name, ids)| json!({"name": name, "dialogue_ids": ids})).collect::<Vec<_>>(),
            "findings": [{"title": "Slow first answers", "detail": names[0].0, "dialogue_ids": names[0].1}],
            "recommendations": ["Rest more."],
        })
    };
    let package = json!({
        "task": "merge", "language": "en", "metrics": {"dialogues": 5, "messages": 40},
        "parts": [part(&[("taxi", &["1"]), ("hotel", &["2"])]), part(&[("Hotel", &["3", "2"])])],
    });
    let report = report(&package);
    assert_eq!(
        report["topics"],
        json!([
            {"name": "hotel", "dialogue_ids": ["2", "3"]}, {"name": "taxi", "dialogue_ids": ["1"]},
        ])
    );
    assert_eq!(
        report["findings"],
        json!([
            {"title": "Slow first answers", "detail": "taxi Hotel", "dialogue_ids": ["1", "2", "3"]},
        ])
    );
    assert_eq!(report["recommendations"].as_array().unwrap().len(), 2);
    assert!(report["summary"].as_str().unwrap().starts_with("2 parts were combined, 5 dialogues, 40 messages. "));
}

#[test]
fn a_repair_request_is_answered_like_the_first() {
    let package = package("en");
    let first = answer(&format!("Do it.\nPACKAGE:\n{package}")).to_object();
    let repair = format!("Not valid.\nPREVIOUS ANSWER:\n{{\"PACKAGE:\": 1}}\nPACKAGE:\n{package}");
    assert_eq!(answer(&repair).to_object(), first);
}

#[test]
fn without_a_readable_package_there_is_no_report() {
    let plain = answer("Доставка заказа, доставка!").to_text();
    assert_eq!(plain, "Слов в запросе: 3; чаще всего встречаются доставка (2) и заказа (1).");
    assert!(answer("PACKAGE:\n{\"task\":").to_text().contains("cannot be read"));
    assert!(answer("PACKAGE:\n{\"task\":\"sing\"}").to_text().contains("cannot be read"));
}

#[test]
fn every_list_keeps_its_bounds_on_the_demo_data() {
    let set = crate::DialogueSet::parse(crate::DEMO_DIALOGUES.as_bytes()).unwrap();
    let dialogues: Vec<Value> = set
        .dialogues()
        .iter()
        .map(|dialogue| {
            let messages: Vec<Value> = dialogue
                .messages
                .iter()
                .map(|message| {
                    let from = if message.from == crate::Speaker::Agent { "agent" } else { "customer" };
                    json!({"at": message.at, "from": from, "text": message.text})
                })
                .collect();
            json!({"id": dialogue.id, "agent": dialogue.agent_ref, "outcome": "open", "messages": messages})
        })
        .collect();
    let report = report(&json!({"task": "analyse", "language": "ru", "dialogues": dialogues}));
    for list in ["topics", "findings", "recommendations"] {
        assert!((1..=8).contains(&report[list].as_array().unwrap().len()), "{list}");
    }
    assert_eq!(report["topics"].as_array().unwrap().len(), 8);
    for topic in report["topics"].as_array().unwrap() {
        assert!(topic["dialogue_ids"].as_array().unwrap().len() >= 2, "{topic}");
    }
}
