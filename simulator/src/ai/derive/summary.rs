//! A report on dialogues.

use super::{
    answer::{MAX_ITEMS, Report, Topic, listed},
    findings::{self, Subject},
    language::{Language, Noun},
    package::{Analyse, Dialogue, Outcome, Period},
    topics::{self, Counted},
};

/// Topics that the summary names.
const NAMED: usize = 3;

pub(super) fn analyse(package: &Analyse) -> Report {
    let (dialogues, language) = (package.dialogues.as_slice(), package.language);
    let topics = topics::leading(dialogues);
    let findings = findings::all(dialogues, language);
    Report {
        headline: headline(dialogues, &topics, language),
        summary: summary(dialogues, &topics, &package.period, language),
        topics: if topics.is_empty() {
            vec![unnamed(dialogues, language)]
        } else {
            topics.iter().map(|topic| topic.topic(dialogues)).collect()
        },
        recommendations: recommendations(findings.iter().map(|finding| finding.title.as_str()), language),
        findings,
    }
}

/// One recommendation for each of these findings.
pub(super) fn recommendations<'a>(titles: impl Iterator<Item = &'a str>, language: Language) -> Vec<String> {
    let subject = |title: &str| Subject::ALL.into_iter().find(|subject| subject.title(language) == title);
    titles.filter_map(subject).take(MAX_ITEMS).map(|subject| subject.recommendation(language).to_owned()).collect()
}

/// The period, if the prompt names it.
pub(super) fn during(period: &Period, language: Language) -> String {
    match (period.from.as_str(), period.to.as_str()) {
        ("", _) | (_, "") => String::new(),
        (from, to) => language.pick(format!(" from {from} to {to}"), format!(" с {from} по {to}")),
    }
}

fn headline(dialogues: &[Dialogue], topics: &[Counted], language: Language) -> String {
    let count = language.count(dialogues.len(), Noun::Dialogue);
    let lost = outcomes(dialogues, Outcome::Lost);
    match topics.first() {
        Some(topic) => language.pick(
            format!("{count}, most of all about {}; {lost} lost", topic.name),
            format!("{count}, чаще всего: {}; потеряно: {lost}", topic.name),
        ),
        None => language.pick(format!("{count}; {lost} lost"), format!("{count}; потеряно: {lost}")),
    }
}

fn summary(dialogues: &[Dialogue], topics: &[Counted], period: &Period, language: Language) -> String {
    let messages = dialogues.iter().map(|dialogue| dialogue.messages.len()).sum();
    let (count, messages) = (language.count(dialogues.len(), Noun::Dialogue), language.count(messages, Noun::Message));
    let [won, lost, open] = [Outcome::Won, Outcome::Lost, Outcome::Open].map(|outcome| outcomes(dialogues, outcome));
    let during = during(period, language);
    let given = language.pick(
        format!("{count} with {messages}{during} were read: {won} won, {lost} lost, {open} open."),
        format!("Прочитано{during}: {count}, {messages}; успешно: {won}, потеряно: {lost}, открыто: {open}."),
    );
    let named: Vec<String> =
        topics.iter().take(NAMED).map(|topic| format!("{} ({})", topic.name, topic.places.len())).collect();
    if named.is_empty() {
        return given;
    }
    let named = language.list(&named);
    language.pick(
        format!("{given} Customers wrote most about {named}."),
        format!("{given} Клиенты чаще всего писали: {named}."),
    )
}

fn outcomes(dialogues: &[Dialogue], outcome: Outcome) -> usize {
    dialogues.iter().filter(|dialogue| dialogue.outcome == outcome).count()
}

/// Stands for topics when no content word was written.
fn unnamed(dialogues: &[Dialogue], language: Language) -> Topic {
    let name = language.pick("no topic named", "тема не названа").to_owned();
    Topic { name, dialogue_ids: listed(dialogues.iter().map(|dialogue| dialogue.id.as_str())) }
}
