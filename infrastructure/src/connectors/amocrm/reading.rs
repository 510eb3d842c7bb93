//! Reading the deals of a period, page by page.

use std::collections::HashMap;

use application::ports::services::{Deal, UpstreamError};
use chrono::{DateTime, Utc};
use domain::period::Period;

use super::dto::{LeadDto, Leads, Page};
use super::{Amocrm, Common, DIALECT, LEADS, PAGE};
use crate::connectors::http::{Call, nonsense};

/// The deals of a period on their way. Of those that were seen only the ids are kept.
///
/// Numbered pages over moving rows lose rows: a lead that changes leaves the window and shifts the rest. So each page
/// begins at the last time seen, and page numbers serve only within one second full of changes. Of the next page's address only
/// that there is one counts: its host must stay the configured one (sheet §4), and it need not carry the filters.
pub(super) struct Reading<'a> {
    amocrm: &'a Amocrm,
    period: Period,
    window: Window,
    /// The next page's call; none at the end.
    call: Option<Call>,
    /// The number of the window's page that was asked for last.
    number: u32,
    /// Deals that were seen, with the second of their change.
    seen: HashMap<i64, Option<i64>>,
    common: Common,
}

impl<'a> Reading<'a> {
    pub(super) fn of(amocrm: &'a Amocrm, period: Period) -> Self {
        let window = Window::of(period);
        let (seen, common) = (HashMap::new(), Common::default());
        Self { amocrm, period, window, call: Some(window.call()), number: 1, seen, common }
    }

    /// The next deals; none at the end.
    pub(super) async fn page(&mut self) -> Result<Option<Vec<Deal>>, UpstreamError> {
        while let Some(call) = self.call.take() {
            let Some(page) = self.amocrm.json::<Page<Leads>>(&call).await? else { break };
            let reached = page.embedded.leads.iter().filter_map(|lead| lead.updated_at).max();
            let mut news: Vec<LeadDto> = page.embedded.leads.into_iter().filter(|lead| self.is_news(lead)).collect();
            self.call = if page.links.next.is_some() { Some(self.following(reached, !news.is_empty())?) } else { None };
            news.retain(|lead| !lead.is_deleted);
            let mut deals = self.amocrm.with_people(news, self.period.from, &mut self.common).await?;
            deals.retain(|deal| self.period.contains(deal.updated_at));
            if !deals.is_empty() {
                return Ok(Some(deals));
            }
        }
        Ok(None)
    }

    /// True for a deal that was not seen yet, or has changed since.
    fn is_news(&mut self, lead: &LeadDto) -> bool {
        if self.seen.get(&lead.id).is_some_and(|before| *before >= lead.updated_at) {
            return false;
        }
        self.seen.insert(lead.id, lead.updated_at);
        true
    }

    /// The call after a page that is not the last. A window's first page may hold nothing but what the page before ended with; a
    /// later one without news would come again and again.
    fn following(&mut self, reached: Option<i64>, has_news: bool) -> Result<Call, UpstreamError> {
        if let Some(further) = self.window.advance(reached) {
            self.number = 1;
            return Ok(further);
        }
        if self.number > 1 && !has_news {
            return Err(nonsense(&DIALECT, "the same page of deals again and again"));
        }
        self.number += 1;
        Ok(self.window.call().query("page", self.number.to_string()))
    }
}

/// What is left to read, in whole seconds, both ends included, as the filter takes them.
#[derive(Debug, Clone, Copy)]
struct Window {
    from: i64,
    to: i64,
}

impl Window {
    /// The whole seconds within a half-open period.
    fn of(period: Period) -> Self {
        Self { from: first_second_from(period.from), to: first_second_from(period.to) - 1 }
    }

    fn call(self) -> Call {
        Call::get(LEADS)
            .query("with", "contacts")
            .query("order[updated_at]", "asc")
            .query("limit", PAGE.to_string())
            .query("filter[updated_at][from]", self.from.to_string())
            .query("filter[updated_at][to]", self.to.to_string())
    }

    /// Goes on from the last second seen, which may hold more. `None` where that is where it began.
    fn advance(&mut self, reached: Option<i64>) -> Option<Call> {
        let reached = reached.filter(|second| *second > self.from && *second <= self.to)?;
        self.from = reached;
        Some(self.call())
    }
}

fn first_second_from(at: DateTime<Utc>) -> i64 {
    at.timestamp() + i64::from(at.timestamp_subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_half_open_period_becomes_whole_seconds_with_both_ends() {
        let day = Period { from: at("2026-06-01T00:00:00Z"), to: at("2026-06-02T00:00:00Z") };
        let window = Window::of(day);
        assert_eq!((window.from, window.to), (1_780_272_000, 1_780_358_399));
        let odd = Period { from: at("2026-06-01T00:00:00.5Z"), to: at("2026-06-02T00:00:00.5Z") };
        let window = Window::of(odd);
        assert_eq!((window.from, window.to), (1_780_272_001, 1_780_358_400));
    }

    #[test]
    fn a_window_advances_to_what_it_has_seen_and_no_further() {
        let mut window = Window { from: 10, to: 20 };
        assert!(window.advance(Some(15)).is_some());
        assert_eq!(window.from, 15);
        for stuck in [Some(15), Some(14), Some(21), None] {
            assert!(window.advance(stuck).is_none(), "{stuck:?}");
        }
    }
}
