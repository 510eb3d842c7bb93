//! The report as people read it: Markdown for the tenant's storage, a few lines for the group. In the tenant's language.

use std::fmt::Write;

use domain::job_run::Run;
use domain::metrics::{FirstResponse, Metrics};
use domain::narrative::Narrative;
use domain::tenant::TenantDetails;
use domain::values::Language;

use crate::ports::services::Notification;

/// The most findings that the group's message names.
const MOST_FINDINGS: usize = 3;

/// The words of one language.
struct Words {
    numbers: &'static str,
    dialogues: &'static str,
    messages: &'static str,
    median: &'static str,
    p90: &'static str,
    unanswered: &'static str,
    awaiting: &'static str,
    outcomes: [&'static str; 3],
    agents: &'static str,
    unknown_agent: &'static str,
    hours: &'static str,
    languages: &'static str,
    customers: &'static str,
    topics: &'static str,
    findings: &'static str,
    recommendations: &'static str,
    seconds: &'static str,
}

const ENGLISH: Words = Words {
    numbers: "Numbers",
    dialogues: "Dialogues",
    messages: "Messages",
    median: "First response, median",
    p90: "First response, 90th percentile",
    unanswered: "Unanswered",
    awaiting: "Awaiting reply",
    outcomes: ["Won", "Lost", "Open"],
    agents: "Agents",
    unknown_agent: "(not known)",
    hours: "Hours of the day",
    languages: "Languages",
    customers: "Customers",
    topics: "Topics",
    findings: "Findings",
    recommendations: "Recommendations",
    seconds: "s",
};

const RUSSIAN: Words = Words {
    numbers: "Цифры",
    dialogues: "Диалоги",
    messages: "Сообщения",
    median: "Первый ответ, медиана",
    p90: "Первый ответ, 90-й процентиль",
    unanswered: "Без ответа",
    awaiting: "Ждут ответа",
    outcomes: ["Успешно", "Потеряно", "Открыто"],
    agents: "Менеджеры",
    unknown_agent: "(не указан)",
    hours: "Часы суток",
    languages: "Языки",
    customers: "Клиенты",
    topics: "Темы",
    findings: "Наблюдения",
    recommendations: "Рекомендации",
    seconds: "с",
};

fn words(language: Language) -> &'static Words {
    match language {
        Language::English => &ENGLISH,
        Language::Russian => &RUSSIAN,
    }
}

/// The whole report in Markdown.
pub(super) fn markdown(tenant: &TenantDetails, run: &Run, metrics: &Metrics, narrative: &Narrative) -> String {
    let words = words(tenant.language);
    let mut text = format!(
        "# {}\n\n{}, {}\n\n{}\n",
        one_line(&narrative.headline),
        one_line(tenant.name.as_str()),
        days(run),
        narrative.summary.trim()
    );
    numbers(&mut text, words, metrics);
    story(&mut text, words, narrative);
    agents(&mut text, words, metrics);
    hours(&mut text, words, metrics);
    text
}

/// The message to the group.
pub(super) fn notification(
    tenant: &TenantDetails,
    run: &Run,
    metrics: &Metrics,
    narrative: &Narrative,
) -> Notification {
    let words = words(tenant.language);
    let mut lines = vec![
        format!("{}, {}", tenant.name, days(run)),
        format!("{}: {} · {}: {}", words.dialogues, metrics.dialogues, words.messages, metrics.messages),
        format!("{}: {}", words.median, seconds(metrics.first_response.median_seconds, words)),
        format!("{}: {}", words.unanswered, unanswered(metrics)),
        String::new(),
        narrative.summary.trim().to_owned(),
    ];
    lines
        .extend(narrative.findings.iter().take(MOST_FINDINGS).map(|finding| format!("• {}", one_line(&finding.title))));
    Notification { title: one_line(&narrative.headline), lines }
}

fn numbers(text: &mut String, words: &Words, metrics: &Metrics) {
    let outcomes = [metrics.outcomes.won, metrics.outcomes.lost, metrics.outcomes.open];
    let mut rows = vec![
        (words.dialogues, metrics.dialogues.to_string()),
        (words.messages, metrics.messages.to_string()),
        (words.median, seconds(metrics.first_response.median_seconds, words)),
        (words.p90, seconds(metrics.first_response.p90_seconds, words)),
        (words.unanswered, unanswered(metrics)),
        (words.awaiting, metrics.awaiting_reply.to_string()),
    ];
    rows.extend(words.outcomes.into_iter().zip(outcomes.map(|count| count.to_string())));
    let languages = metrics.languages.iter().map(|(code, numbers)| format!("{code} {}", numbers.dialogues));
    rows.push((words.languages, languages.collect::<Vec<_>>().join(", ")));
    heading(text, words.numbers);
    table(text, ["", ""], rows.into_iter().map(|(name, value)| [name.to_owned(), value]));
}

fn story(text: &mut String, words: &Words, narrative: &Narrative) {
    heading(text, words.findings);
    for finding in &narrative.findings {
        let _ = writeln!(text, "- **{}** {}", one_line(&finding.title), one_line(&finding.detail));
    }
    heading(text, words.topics);
    for topic in &narrative.topics {
        let _ = writeln!(text, "- {}", one_line(&topic.name));
    }
    heading(text, words.recommendations);
    for recommendation in &narrative.recommendations {
        let _ = writeln!(text, "- {}", one_line(recommendation));
    }
}

fn agents(text: &mut String, words: &Words, metrics: &Metrics) {
    heading(text, words.agents);
    let header = ["", words.dialogues, words.messages, words.median, words.unanswered, words.outcomes[0]];
    let rows = metrics.agents.iter().map(|agent| {
        let name = agent.name.reveal();
        let name = if name.is_empty() { words.unknown_agent.to_owned() } else { cell(name) };
        let FirstResponse { median_seconds, .. } = agent.first_response;
        let counts = [agent.dialogues, agent.messages, agent.unanswered, agent.outcomes.won].map(|n| n.to_string());
        let [dialogues, messages, unanswered, won] = counts;
        [name, dialogues, messages, seconds(median_seconds, words), unanswered, won]
    });
    table(text, header, rows);
}

fn hours(text: &mut String, words: &Words, metrics: &Metrics) {
    heading(text, words.hours);
    let busy = metrics.hours.iter().filter(|hour| hour.customer_messages + hour.agent_messages > 0);
    let rows = busy
        .map(|hour| [format!("{:02}", hour.hour), hour.customer_messages.to_string(), hour.agent_messages.to_string()]);
    table(text, ["", words.customers, words.agents], rows);
}

fn heading(text: &mut String, title: &str) {
    let _ = write!(text, "\n## {title}\n\n");
}

fn table<const N: usize>(text: &mut String, header: [&str; N], rows: impl Iterator<Item = [String; N]>) {
    let _ = writeln!(text, "| {} |", header.join(" | "));
    let _ = writeln!(text, "|{}", " --- |".repeat(N));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
}

fn seconds(value: Option<u64>, words: &Words) -> String {
    value.map_or_else(|| "–".to_owned(), |seconds| format!("{seconds} {}", words.seconds))
}

fn unanswered(metrics: &Metrics) -> String {
    format!("{} ({:.1} %)", metrics.unanswered, metrics.unanswered_share * 100.0)
}

/// The period as the tenant's days: one, or the first and the last.
fn days(run: &Run) -> String {
    let last_instant = run.period.to - chrono::TimeDelta::microseconds(1);
    let (first, last) = (run.day.day_of(run.period.from), run.day.day_of(last_instant));
    if first == last { first.to_string() } else { format!("{first} – {last}") }
}

/// Text from outside on one line, so that it cannot open headings or lists of its own.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cell(text: &str) -> String {
    one_line(text).replace('|', "\\|")
}
