//! The options that say which events, understood all at once.

use application::ports::commands::LogPosition;
use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use domain::events::CATALOGUE;
use infrastructure::event_store::{EventFilter, LogQuery, Span};
use uuid::Uuid;

use crate::cli::CliError;
use crate::cli::input::{Input, TenantRef, aggregate};

/// Which events.
#[derive(Args)]
pub(super) struct FilterArgs {
    /// Only of this tenant, by its id or its slug.
    #[arg(long, value_name = "ID|SLUG")]
    tenant: Option<String>,
    /// Only of this type of aggregate, as `job_run`, or of one aggregate, as `job_run:ID`.
    #[arg(long, value_name = "TYPE[:ID]")]
    aggregate: Option<String>,
    /// Only events of this name; may be given several times.
    #[arg(long = "type", value_name = "EVENT")]
    event_types: Vec<String>,
    /// Only what this user (by id), operator or part of Synkro (by name) caused.
    #[arg(long, value_name = "ID")]
    actor: Option<String>,
    /// Only what belongs to this request and its consequences.
    #[arg(long, value_name = "ID")]
    correlation: Option<String>,
    /// Only recorded then or later: a time as 2026-05-04T08:15:00Z, or how long ago, as 90s, 30m, 2h, 3d or 1w.
    #[arg(long, value_name = "TIME|DURATION")]
    since: Option<String>,
    /// Only recorded then or earlier, in the same forms.
    #[arg(long, value_name = "TIME|DURATION")]
    until: Option<String>,
    /// Only after this position.
    #[arg(long, value_name = "POSITION")]
    after: Option<String>,
}

/// Which events, with every value understood.
pub(super) struct Filter {
    tenant: Option<TenantRef>,
    since: Option<Moment>,
    until: Option<Moment>,
    after: Option<LogPosition>,
    rest: EventFilter,
}

/// A time as people name it.
#[derive(Debug, PartialEq)]
enum Moment {
    At(DateTime<Utc>),
    Ago(TimeDelta),
}

impl FilterArgs {
    pub(super) fn parse(self, input: &mut Input) -> Filter {
        let aggregate = input.read("--aggregate", self.aggregate.as_deref(), aggregate);
        let mut rest = EventFilter {
            actor: input.read("--actor", self.actor.as_deref(), actor),
            correlation: input.read("--correlation", self.correlation.as_deref(), |text| {
                Uuid::parse_str(text).map_err(|_| "must be an id such as 0197b1c0-5f6e-7c3a-9d55-2f6c1a7e4b10")
            }),
            ..EventFilter::default()
        };
        if let Some((aggregate_type, aggregate_id)) = aggregate {
            (rest.aggregate_type, rest.aggregate_id) = (Some(aggregate_type), aggregate_id);
        }
        for name in &self.event_types {
            rest.event_types.extend(input.read("--type", Some(name), event_type));
        }
        let filter = Filter {
            tenant: input.read("--tenant", self.tenant.as_deref(), str::parse::<TenantRef>),
            since: input.read("--since", self.since.as_deref(), moment),
            until: input.read("--until", self.until.as_deref(), moment),
            after: input.read("--after", self.after.as_deref(), str::parse::<LogPosition>),
            rest,
        };
        let ends_early = match (&filter.since, &filter.until) {
            (Some(Moment::At(since)), Some(Moment::At(until))) => since > until,
            (Some(Moment::Ago(since)), Some(Moment::Ago(until))) => since < until,
            _ => false,
        };
        if ends_early {
            input.refuse("--until", "must not be earlier than --since");
        }
        filter
    }
}

impl Filter {
    /// Asks the database what only it can tell: whose slug it is, and how late it is.
    pub(super) async fn resolve(self, query: &LogQuery, up_to: LogPosition) -> Result<(EventFilter, Span), CliError> {
        let tenant = TenantRef::resolve(self.tenant, query).await?;
        let now = query.now().await?;
        let at = |moment: Moment| match moment {
            Moment::At(time) => time,
            Moment::Ago(ago) => now.checked_sub_signed(ago).unwrap_or(DateTime::<Utc>::MIN_UTC),
        };
        let span = Span { after: self.after.unwrap_or(LogPosition::BEGINNING), up_to };
        Ok((EventFilter { tenant, since: self.since.map(at), until: self.until.map(at), ..self.rest }, span))
    }
}

fn event_type(text: &str) -> Result<String, String> {
    let mut names = CATALOGUE.iter().flat_map(|(_, events)| *events).map(|(name, _)| *name);
    if names.clone().any(|name| name == text) {
        return Ok(text.to_owned());
    }
    let meant = names.find(|name| name.eq_ignore_ascii_case(text));
    Err(meant.map_or_else(
        || "there is no such event; docs/events.md lists all".to_owned(),
        |name| format!("there is no such event; {name} is one"),
    ))
}

fn actor(text: &str) -> Result<String, &'static str> {
    let fits = !text.trim().is_empty() && !text.chars().any(char::is_control);
    if fits {
        Ok(text.to_owned())
    } else {
        Err("must be a user's id, or the name of an operator or of a part of Synkro")
    }
}

fn moment(text: &str) -> Result<Moment, &'static str> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(Moment::At(time.to_utc()));
    }
    ago(text).map(Moment::Ago).ok_or("must be a time such as 2026-05-04T08:15:00Z, or a duration such as 2h or 3d")
}

fn ago(text: &str) -> Option<TimeDelta> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u32 = number.parse().ok().filter(|_| number.starts_with(|c: char| c.is_ascii_digit()))?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    TimeDelta::try_seconds(i64::from(number) * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_times_or_durations() {
        let time = "2026-05-04T08:15:00Z".parse().unwrap();
        assert_eq!(moment("2026-05-04T10:15:00+02:00"), Ok(Moment::At(time)));
        for (text, seconds) in [("90s", 90), ("30m", 1_800), ("2h", 7_200), ("3d", 259_200), ("1w", 604_800)] {
            assert_eq!(moment(text), Ok(Moment::Ago(TimeDelta::seconds(seconds))));
        }
        for text in ["", "h", "2", "-2h", "+2h", "2y", "2 h", "1.5h", "yesterday", "2026-05-04", "9999999999d", "2ч"] {
            assert!(moment(text).is_err(), "{text}");
        }
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let wrong = |text: &str| Some(text.to_owned());
        let args = FilterArgs {
            tenant: wrong("No Slug"),
            aggregate: wrong("note"),
            event_types: vec!["UserRegistered".into(), "userregistered".into(), "Nothing".into()],
            actor: wrong(" "),
            correlation: wrong("12"),
            since: wrong("soon"),
            until: wrong("later"),
            after: wrong("7"),
        };
        let mut input = Input::default();
        let filter = args.parse(&mut input);
        input.number("--limit", "0", 10);
        let error = input.finish(filter).err().unwrap();
        let told: Vec<&str> = error.fields.iter().map(|field| field.field.as_str()).collect();
        assert_eq!(
            told,
            [
                "--aggregate",
                "--actor",
                "--correlation",
                "--type",
                "--type",
                "--tenant",
                "--since",
                "--until",
                "--after",
                "--limit",
            ]
        );
        assert!(error.fields[3].message.ends_with("UserRegistered is one"), "{:?}", error.fields[3]);
    }

    #[test]
    fn a_span_does_not_end_before_it_begins() {
        let mut input = Input::default();
        let bare = |since: &str, until: &str| FilterArgs {
            tenant: None,
            aggregate: None,
            event_types: Vec::new(),
            actor: None,
            correlation: None,
            since: Some(since.into()),
            until: Some(until.into()),
            after: None,
        };
        bare("2026-05-04T08:15:00Z", "2026-05-04T08:15:00Z").parse(&mut input);
        bare("2h", "1h").parse(&mut input);
        input.finish(()).unwrap();
        let mut input = Input::default();
        bare("2026-05-04T08:15:01Z", "2026-05-04T08:15:00Z").parse(&mut input);
        bare("1h", "2h").parse(&mut input);
        assert_eq!(input.finish(()).unwrap_err().fields.len(), 2);
    }
}
