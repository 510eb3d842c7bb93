//! What stands out in the dialogues: each finding is counted in the transcripts, and gives one recommendation.

use std::collections::BTreeMap;

use super::{
    answer::{Finding, listed},
    language::{Language, Noun},
    package::{Dialogue, Outcome},
};

/// A first answer that takes longer, in seconds, is slow.
const SLOW_FIRST: i64 = 300;
/// A later answer that takes longer, in seconds, is a gap.
const LONG_GAP: i64 = 600;
/// An agent with fewer lost dialogues is not singled out.
const LOST_OF_ONE_AGENT: usize = 2;

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    NeverAnswered,
    LastWord,
    Lost,
    SlowFirst,
    LongGaps,
    AgentWithLosses,
    BusyHour,
    NothingStandsOut,
}

impl Subject {
    pub(super) const ALL: [Self; 8] = [
        Self::NeverAnswered,
        Self::LastWord,
        Self::Lost,
        Self::SlowFirst,
        Self::LongGaps,
        Self::AgentWithLosses,
        Self::BusyHour,
        Self::NothingStandsOut,
    ];

    pub(super) fn title(self, language: Language) -> &'static str {
        match self {
            Self::NeverAnswered => language.pick("Customers without any answer", "Клиенты совсем без ответа"),
            Self::LastWord => language.pick("The customer had the last word", "Последнее слово осталось за клиентом"),
            Self::Lost => language.pick("Requests that were lost", "Потерянные обращения"),
            Self::SlowFirst => language.pick("Slow first answers", "Медленный первый ответ"),
            Self::LongGaps => language.pick("Long gaps inside conversations", "Долгие паузы внутри диалогов"),
            Self::AgentWithLosses => language.pick("An agent with several losses", "Сотрудник с несколькими потерями"),
            Self::BusyHour => language.pick("The busiest hour", "Самый загруженный час"),
            Self::NothingStandsOut => language.pick("Nothing stands out", "Ничего примечательного"),
        }
    }

    pub(super) fn recommendation(self, language: Language) -> &'static str {
        match self {
            Self::NeverAnswered => language.pick(
                "Write to the customers who got no answer at all, today.",
                "Сегодня же ответьте клиентам, которым никто не написал.",
            ),
            Self::LastWord => language.pick(
                "Go through the dialogues that end with the customer and answer those that still wait.",
                "Проверьте диалоги, которые закончил клиент, и ответьте тем, кто ещё ждёт.",
            ),
            Self::Lost => language.pick(
                "Call back the lost requests and offer an alternative.",
                "Свяжитесь с потерянными клиентами и предложите замену.",
            ),
            Self::SlowFirst => language.pick(
                "Agree on a first answer within five minutes and watch it.",
                "Договоритесь отвечать впервые за пять минут и следите за этим.",
            ),
            Self::LongGaps => language.pick(
                "Tell customers when an answer takes longer.",
                "Предупреждайте клиента, если ответ требует времени.",
            ),
            Self::AgentWithLosses => language.pick(
                "Go through the lost dialogues together with the agent who has most of them.",
                "Разберите потерянные диалоги вместе с сотрудником, у которого их больше всего.",
            ),
            Self::BusyHour => {
                language.pick("Have more people at work in the busiest hour.", "Усильте смену в самый загруженный час.")
            }
            Self::NothingStandsOut => language.pick("Keep working like this.", "Продолжайте в том же духе."),
        }
    }
}

/// All findings that the dialogues give, the most pressing first; at least one.
pub(super) fn all(dialogues: &[Dialogue], language: Language) -> Vec<Finding> {
    let found: Vec<Finding> =
        Subject::ALL.into_iter().filter_map(|subject| one(subject, dialogues, language)).collect();
    if !found.is_empty() {
        return found;
    }
    let count = language.count(dialogues.len(), Noun::Dialogue);
    let detail = language
        .pick(format!("{count} read, without anything to remark."), format!("Прочитано: {count}, замечаний нет."));
    vec![finding(Subject::NothingStandsOut, language, detail, &[])]
}

fn one(subject: Subject, dialogues: &[Dialogue], language: Language) -> Option<Finding> {
    match subject {
        Subject::NeverAnswered => never_answered(dialogues, language),
        Subject::LastWord => last_word(dialogues, language),
        Subject::Lost => lost(dialogues, language),
        Subject::SlowFirst => {
            let first = |dialogue: &Dialogue| dialogue.waits().first().copied();
            waited(subject, dialogues, language, SLOW_FIRST, first)
        }
        Subject::LongGaps => {
            let later = |dialogue: &Dialogue| dialogue.waits().into_iter().skip(1).max();
            waited(subject, dialogues, language, LONG_GAP, later)
        }
        Subject::AgentWithLosses => agent_with_losses(dialogues, language),
        Subject::BusyHour => busy_hour(dialogues, language),
        Subject::NothingStandsOut => None,
    }
}

fn finding(subject: Subject, language: Language, detail: String, about: &[&Dialogue]) -> Finding {
    let ids = about.iter().map(|dialogue| dialogue.id.as_str());
    Finding { title: subject.title(language).to_owned(), detail, dialogue_ids: listed(ids) }
}

fn never_answered(dialogues: &[Dialogue], language: Language) -> Option<Finding> {
    let about: Vec<&Dialogue> = dialogues.iter().filter(|dialogue| !dialogue.is_answered()).collect();
    let phrase = language.quote(&about.first()?.customer_messages().next()?.text);
    let (some, all) = of_all(&about, dialogues, language);
    let detail = language.pick(
        format!("{some} of {all} never got an answer; one begins with {phrase}."),
        format!("Без единого ответа: {some} из {all}; один начинается так: {phrase}."),
    );
    Some(finding(Subject::NeverAnswered, language, detail, &about))
}

fn last_word(dialogues: &[Dialogue], language: Language) -> Option<Finding> {
    let ends_with_customer = |dialogue: &&Dialogue| dialogue.is_answered() && dialogue.last_word().is_some();
    let about: Vec<&Dialogue> = dialogues.iter().filter(ends_with_customer).collect();
    let last_words = || about.iter().filter_map(|dialogue| dialogue.last_word()).map(|message| message.text.as_str());
    let questions = last_words().filter(|text| text.contains('?')).count();
    let phrase = language.quote(last_words().max_by_key(|text| (text.contains('?'), text.len()))?);
    let (some, all) = of_all(&about, dialogues, language);
    let detail = language.pick(
        format!("{some} of {all} end with a message of the customer, {questions} of them with a question; for instance {phrase}."),
        format!("Клиент написал последним: {some} из {all}, с вопросом: {questions}; например, {phrase}."),
    );
    Some(finding(Subject::LastWord, language, detail, &about))
}

fn lost(dialogues: &[Dialogue], language: Language) -> Option<Finding> {
    let about: Vec<&Dialogue> = dialogues.iter().filter(|dialogue| dialogue.outcome == Outcome::Lost).collect();
    let longest =
        about.iter().flat_map(|dialogue| dialogue.customer_messages()).max_by_key(|message| message.text.len())?;
    let phrase = language.quote(&longest.text);
    let (some, all) = of_all(&about, dialogues, language);
    let detail = language.pick(
        format!("{some} of {all} were lost. A customer of one wrote {phrase}."),
        format!("Потеряно: {some} из {all}. Один из этих клиентов писал: {phrase}."),
    );
    Some(finding(Subject::Lost, language, detail, &about))
}

fn waited(
    subject: Subject,
    dialogues: &[Dialogue],
    language: Language,
    limit: i64,
    wait: impl Fn(&Dialogue) -> Option<i64>,
) -> Option<Finding> {
    let waits: Vec<(&Dialogue, i64)> =
        dialogues.iter().filter_map(|dialogue| Some((dialogue, wait(dialogue)?))).collect();
    let about: Vec<&Dialogue> = waits.iter().filter(|(_, wait)| *wait > limit).map(|(dialogue, _)| *dialogue).collect();
    let (slowest, longest) = waits.iter().max_by_key(|(_, wait)| *wait).filter(|(_, wait)| *wait > limit)?;
    let some = language.count(about.len(), Noun::Dialogue);
    let (limit, longest, id) = (language.duration(limit), language.duration(*longest), &slowest.id);
    let detail = language.pick(
        format!("In {some} the customer waited more than {limit}; the longest wait was {longest} in dialogue {id}."),
        format!("Ожидание дольше {limit}: {some}; самое долгое, {longest}, в диалоге {id}."),
    );
    Some(finding(subject, language, detail, &about))
}

fn agent_with_losses(dialogues: &[Dialogue], language: Language) -> Option<Finding> {
    let mut by_agent: BTreeMap<&str, Vec<&Dialogue>> = BTreeMap::new();
    for dialogue in dialogues.iter().filter(|dialogue| dialogue.outcome == Outcome::Lost) {
        by_agent.entry(dialogue.agent.as_deref()?).or_default().push(dialogue);
    }
    let most = by_agent.values().map(Vec::len).max().filter(|most| *most >= LOST_OF_ONE_AGENT)?;
    let (agent, about) = by_agent.into_iter().find(|(_, lost)| lost.len() == most)?;
    let all = dialogues.iter().filter(|dialogue| dialogue.agent.as_deref() == Some(agent)).count();
    let detail = language.pick(
        format!("{agent} has {most} lost out of {}.", language.of(all, Noun::Dialogue)),
        format!("{agent}: потеряно {most} из {}.", language.of(all, Noun::Dialogue)),
    );
    Some(finding(Subject::AgentWithLosses, language, detail, &about))
}

fn busy_hour(dialogues: &[Dialogue], language: Language) -> Option<Finding> {
    let mut messages: BTreeMap<String, usize> = BTreeMap::new();
    for message in dialogues.iter().flat_map(Dialogue::customer_messages) {
        *messages.entry(message.at.format("%H").to_string()).or_default() += 1;
    }
    let most = messages.values().copied().max()?;
    let (hour, _) = messages.into_iter().find(|(_, count)| *count == most)?;
    let is_then =
        |dialogue: &&Dialogue| dialogue.customer_messages().any(|message| message.at.format("%H").to_string() == hour);
    let about: Vec<&Dialogue> = dialogues.iter().filter(is_then).collect();
    let (count, all) = (language.count(most, Noun::Message), language.count(about.len(), Noun::Dialogue));
    let detail = language.pick(
        format!("From {hour}:00 to {hour}:59 UTC customers wrote {count} in {all}."),
        format!("С {hour}:00 до {hour}:59 UTC: {count} от клиентов, {all}."),
    );
    Some(finding(Subject::BusyHour, language, detail, &about))
}

fn of_all(some: &[&Dialogue], all: &[Dialogue], language: Language) -> (usize, String) {
    (some.len(), language.of(all.len(), Noun::Dialogue))
}
