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
pub(super) struct Words {
    pub(super) numbers: &'static str,
    pub(super) dialogues: &'static str,
    pub(super) messages: &'static str,
    pub(super) median: &'static str,
    pub(super) p90: &'static str,
    pub(super) unanswered: &'static str,
    pub(super) awaiting: &'static str,
    pub(super) outcomes: [&'static str; 3],
    pub(super) agents: &'static str,
    pub(super) unknown_agent: &'static str,
    pub(super) hours: &'static str,
    pub(super) languages: &'static str,
    pub(super) customers: &'static str,
    pub(super) topics: &'static str,
    pub(super) findings: &'static str,
    pub(super) recommendations: &'static str,
    pub(super) seconds: &'static str,
    pub(super) sample: &'static str,
    /// The same as `median` in a narrow place.
    pub(super) response: &'static str,
    pub(super) messages_by_hour: &'static str,
    pub(super) no_messages: &'static str,
    pub(super) dialogues_by_agent: &'static str,
    pub(super) no_dialogues: &'static str,
    pub(super) other_agents: &'static str,
    /// Seconds, minutes, hours and days in a narrow place.
    pub(super) units: [&'static str; 4],
    pub(super) no_chart: &'static str,
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
    sample: "Synkro: a test report on a few dialogues",
    response: "Response, median",
    messages_by_hour: "Messages by hour of the day",
    no_messages: "No messages in this period",
    dialogues_by_agent: "Dialogues by agent",
    no_dialogues: "No dialogues in this period",
    other_agents: "Others",
    units: ["s", "min", "h", "d"],
    no_chart: "Telegram refused the chart. If this happens every time, check that the bot may send photos to this \
               group.",
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
    sample: "Synkro: пробный отчёт по нескольким диалогам",
    response: "Ответ, медиана",
    messages_by_hour: "Сообщения по часам суток",
    no_messages: "Сообщений за период нет",
    dialogues_by_agent: "Диалоги по менеджерам",
    no_dialogues: "Диалогов за период нет",
    other_agents: "Остальные",
    units: ["с", "мин", "ч", "дн"],
    no_chart: "Telegram не принял диаграмму. Если так происходит каждый раз, проверьте, что боту разрешено отправлять \
               фотографии в эту группу.",
};

pub(super) fn words(language: Language) -> &'static Words {
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
    Notification { title: one_line(&narrative.headline), lines, illustration: None }
}

/// A message on a few dialogues, for trying out the group: what it says is in every later report too.
pub(super) fn sample_notification(language: Language, metrics: &Metrics) -> Notification {
    let words = words(language);
    let lines = vec![
        format!("{}: {} · {}: {}", words.dialogues, metrics.dialogues, words.messages, metrics.messages),
        format!("{}: {}", words.median, seconds(metrics.first_response.median_seconds, words)),
        format!("{}: {}", words.unanswered, unanswered(metrics)),
    ];
    Notification { title: words.sample.to_owned(), lines, illustration: None }
}

/// What the AI wrote, in Markdown.
pub(super) fn story_of(language: Language, narrative: &Narrative) -> String {
    let mut text = format!("# {}\n\n{}\n", one_line(&narrative.headline), narrative.summary.trim());
    story(&mut text, words(language), narrative);
    text
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
    format!("{} ({})", metrics.unanswered, unanswered_share(metrics))
}

/// The same in the text and on the chart, which stand side by side.
pub(super) fn unanswered_share(metrics: &Metrics) -> String {
    format!("{:.1} %", metrics.unanswered_share * 100.0)
}

/// The period as the tenant's days: one, or the first and the last.
pub(super) fn days(run: &Run) -> String {
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
