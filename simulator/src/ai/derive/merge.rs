//! One report out of the reports on parts.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    answer::{Finding, MAX_ITEMS, Report, Topic, listed},
    language::{Language, Noun},
    package::Merge,
    summary::{during, recommendations},
};

/// Topics that the summary names.
const NAMED: usize = 3;
/// Details of parts that a merged finding repeats.
const DETAILS: usize = 3;
/// Names under which the metrics may state the number of dialogues and messages.
const DIALOGUES: [&str; 2] = ["dialogues", "chats"];
const MESSAGES: [&str; 1] = ["messages"];

/// Something that several parts may hold under one name.
struct Gathered {
    name: String,
    ids: BTreeSet<String>,
    details: Vec<String>,
}

pub(super) fn merge(package: &Merge) -> Report {
    let language = package.language;
    let topics = gathered(package.parts.iter().flat_map(|part| &part.topics).map(Topic::parts));
    let findings = gathered(package.parts.iter().flat_map(|part| &part.findings).map(Finding::parts));
    let findings: Vec<Finding> = findings.into_iter().map(|found| found.finding(language)).collect();
    let mut advice = recommendations(findings.iter().map(|finding| finding.title.as_str()), language);
    for given in package.parts.iter().flat_map(|part| &part.recommendations) {
        if advice.len() < MAX_ITEMS && !advice.contains(given) {
            advice.push(given.clone());
        }
    }
    Report {
        headline: headline(package, &topics),
        summary: summary(package, &topics),
        topics: topics.into_iter().map(Gathered::topic).collect(),
        findings,
        recommendations: advice,
    }
}

/// What has the same name becomes one; that of most dialogues first, of equally many that which came first.
fn gathered<'a>(items: impl Iterator<Item = (&'a str, &'a [String], Option<&'a str>)>) -> Vec<Gathered> {
    let mut all: Vec<Gathered> = Vec::new();
    for (name, ids, detail) in items {
        let place = all.iter().position(|known| known.name.to_lowercase() == name.to_lowercase());
        let place = place.unwrap_or_else(|| {
            all.push(Gathered { name: name.to_owned(), ids: BTreeSet::new(), details: Vec::new() });
            all.len() - 1
        });
        all[place].ids.extend(ids.iter().cloned());
        all[place].details.extend(detail.map(ToOwned::to_owned));
    }
    all.sort_by_key(|gathered| std::cmp::Reverse(gathered.ids.len()));
    all.truncate(MAX_ITEMS);
    all
}

impl Topic {
    fn parts(&self) -> (&str, &[String], Option<&str>) {
        (&self.name, &self.dialogue_ids, None)
    }
}

impl Finding {
    fn parts(&self) -> (&str, &[String], Option<&str>) {
        (&self.title, &self.dialogue_ids, Some(&self.detail))
    }
}

impl Gathered {
    fn topic(self) -> Topic {
        Topic { dialogue_ids: listed(self.ids.iter().map(String::as_str)), name: self.name }
    }

    fn finding(self, language: Language) -> Finding {
        let more = self.details.len().saturating_sub(DETAILS);
        let mut detail = self.details.into_iter().take(DETAILS).collect::<Vec<_>>().join(" ");
        if more > 0 {
            let parts = language.count(more, Noun::Part);
            detail.push_str(&language.pick(format!(" (and {parts} more)"), format!(" (и ещё {parts})")));
        }
        let dialogue_ids = listed(self.ids.iter().map(String::as_str));
        Finding { title: self.name, detail, dialogue_ids }
    }
}

fn headline(package: &Merge, topics: &[Gathered]) -> String {
    let language = package.language;
    let parts = language.count(package.parts.len(), Noun::Part);
    match (number(&package.metrics, &DIALOGUES), topics.first()) {
        (Some(dialogues), Some(topic)) => {
            let dialogues = language.count(dialogues, Noun::Dialogue);
            language.pick(
                format!("{dialogues}, most of all about {}", topic.name),
                format!("{dialogues}, чаще всего: {}", topic.name),
            )
        }
        (None, Some(topic)) => language.pick(
            format!("{parts} of a report, most of all about {}", topic.name),
            format!("{parts} отчёта, чаще всего: {}", topic.name),
        ),
        (_, None) => language.pick(format!("{parts} of a report"), format!("{parts} отчёта")),
    }
}

fn summary(package: &Merge, topics: &[Gathered]) -> String {
    let language = package.language;
    let parts = language.count(package.parts.len(), Noun::Part);
    let during = during(&package.period, language);
    let mut given =
        vec![language.pick(format!("{parts}{during} were combined"), format!("Объединено{during}: {parts}"))];
    for (names, noun) in [(&DIALOGUES[..], Noun::Dialogue), (&MESSAGES[..], Noun::Message)] {
        given.extend(number(&package.metrics, names).map(|count| language.count(count, noun)));
    }
    let named: Vec<String> =
        topics.iter().take(NAMED).map(|topic| format!("{} ({})", topic.name, topic.ids.len())).collect();
    let named = language.list(&named);
    let given = given.join(", ");
    if named.is_empty() {
        return format!("{given}.");
    }
    language.pick(
        format!("{given}. Among the dialogues that the parts list, customers wrote most about {named}."),
        format!("{given}. В диалогах, которые названы в частях, клиенты чаще всего писали: {named}."),
    )
}

/// A whole number that the metrics state under one of these names, directly or as `{"total": …}`.
fn number(metrics: &Value, names: &[&str]) -> Option<usize> {
    let stated = names.iter().find_map(|name| metrics.get(name))?;
    stated.as_u64().or_else(|| stated.get("total")?.as_u64()).and_then(|number| usize::try_from(number).ok())
}
