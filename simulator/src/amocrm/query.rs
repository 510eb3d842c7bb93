//! Paging, order and filters as PHP writes them: `filter[updated_at][from]=…`, `filter[id][]=…` (amoCRM sheet §3).

use std::{collections::HashSet, ops::RangeInclusive};

use serde_json::{Value, json};
use url::form_urlencoded;

use crate::http::Incoming;

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 250;

/// One page of a list.
pub(super) struct Page {
    pub(super) number: usize,
    limit: usize,
    has_more: bool,
}

impl Page {
    /// Cuts the page that the call asks for out of all that matched. A limit above 250 counts as 250.
    pub(super) fn cut<'a, T>(call: &Incoming, matching: &'a [T]) -> (Self, &'a [T]) {
        let number = whole(call, "page").filter(|page| *page > 0).unwrap_or(1);
        let limit = whole(call, "limit").filter(|limit| *limit > 0).unwrap_or(DEFAULT_LIMIT).min(MAX_LIMIT);
        let start = (number - 1).saturating_mul(limit).min(matching.len());
        let end = start.saturating_add(limit).min(matching.len());
        (Self { number, limit, has_more: end < matching.len() }, &matching[start..end])
    }

    /// `self`, and `next` only if there is more.
    pub(super) fn links(&self, call: &Incoming) -> Value {
        let mut links = json!({"self": {"href": self.href(call, self.number)}});
        if self.has_more {
            links["next"] = json!({"href": self.href(call, self.number + 1)});
        }
        links
    }

    fn href(&self, call: &Incoming, page: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let kept = call.params().iter().filter(|(key, _)| key != "page" && key != "limit");
        query.extend_pairs(kept);
        query.append_pair("page", &page.to_string()).append_pair("limit", &self.limit.to_string());
        format!("{}{}?{}", call.origin(), call.path(), query.finish())
    }
}

/// Whether `with=` names this extra.
pub(super) fn wants(call: &Incoming, extra: &str) -> bool {
    call.param("with").is_some_and(|with| with.split(',').any(|name| name.trim() == extra))
}

/// The numbers of `filter[name][]`, `filter[name][0]` or `filter[name]`; nothing if the filter is not there.
pub(super) fn filter_numbers(call: &Incoming, name: &str) -> Option<HashSet<i64>> {
    let prefix = format!("filter[{name}]");
    let values: Vec<&str> = call
        .params()
        .iter()
        .filter(|(key, _)| key.strip_prefix(&prefix).is_some_and(is_index))
        .map(|(_, value)| value.as_str())
        .collect();
    if values.is_empty() { None } else { Some(values.iter().filter_map(|value| value.parse().ok()).collect()) }
}

/// `filter[name][from]` and `filter[name][to]`, both inclusive; everything if neither is there.
pub(super) fn filter_range(call: &Incoming, name: &str) -> Option<RangeInclusive<i64>> {
    let bound = |end: &str| call.param(&format!("filter[{name}][{end}]")).and_then(|value| value.parse().ok());
    match (bound("from"), bound("to")) {
        (None, None) => None,
        (from, to) => Some(from.unwrap_or(i64::MIN)..=to.unwrap_or(i64::MAX)),
    }
}

/// Pairs of `filter[statuses][n][pipeline_id]` and `[status_id]`; nothing if the filter is not there.
pub(super) fn filter_statuses(call: &Incoming) -> Option<HashSet<(i64, i64)>> {
    let mut pairs = HashSet::new();
    let mut present = false;
    for (key, value) in call.params() {
        let Some(group) = key.strip_prefix("filter[statuses]").and_then(|rest| rest.strip_suffix("[pipeline_id]"))
        else {
            continue;
        };
        present = true;
        let status = call.param(&format!("filter[statuses]{group}[status_id]")).and_then(|value| value.parse().ok());
        if let (Ok(pipeline), Some(status)) = (value.parse(), status) {
            pairs.insert((pipeline, status));
        }
    }
    present.then_some(pairs)
}

/// A direction of order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Ascending,
    Descending,
}

/// The first `order[field]=asc|desc`.
pub(super) fn order(call: &Incoming) -> Option<(&str, Direction)> {
    call.params().iter().find_map(|(key, value)| {
        let field = key.strip_prefix("order[")?.strip_suffix(']')?;
        let descending = value.eq_ignore_ascii_case("desc");
        Some((field, if descending { Direction::Descending } else { Direction::Ascending }))
    })
}

fn whole(call: &Incoming, name: &str) -> Option<usize> {
    call.param(name).and_then(|value| value.parse().ok())
}

/// An empty string, `[]` or `[7]`.
fn is_index(rest: &str) -> bool {
    rest.is_empty()
        || rest
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .is_some_and(|index| index.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use poem::http::Method;

    use super::*;

    fn call(query: &str) -> Incoming {
        Incoming::example(Method::GET, &format!("/api/v4/leads?{query}"), &[("host", "127.0.0.1:1")], "")
    }

    #[test]
    fn a_page_links_to_the_next_only_if_there_is_one() {
        let all: Vec<u8> = (0..5).collect();
        let asked = call("limit=2&page=2&order%5Bid%5D=asc");
        let (page, items) = Page::cut(&asked, &all);
        assert_eq!(items, [2, 3]);
        let next = page.links(&asked)["next"]["href"].as_str().unwrap().to_owned();
        assert_eq!(next, "http://127.0.0.1:1/api/v4/leads?order%5Bid%5D=asc&page=3&limit=2");
        let last = call("limit=2&page=3");
        let (page, items) = Page::cut(&last, &all);
        assert_eq!(items, [4]);
        assert!(page.links(&last).get("next").is_none());
        assert!(Page::cut(&call("page=9"), &all).1.is_empty());
    }

    #[test]
    fn limits_are_clamped() {
        let all = vec![0; 600];
        assert_eq!(Page::cut(&call("limit=1000"), &all).1.len(), 250);
        assert_eq!(Page::cut(&call(""), &all).1.len(), 50);
        assert_eq!(Page::cut(&call("limit=x"), &all).1.len(), 50);
    }

    #[test]
    fn filters_are_read_in_all_their_spellings() {
        for query in [
            "filter[id][]=1&filter[id][]=2",
            "filter[id][0]=1&filter[id][1]=2",
            "filter%5Bid%5D%5B%5D=1&filter[id][]=2",
        ] {
            assert_eq!(filter_numbers(&call(query), "id"), Some(HashSet::from([1, 2])), "{query}");
        }
        assert_eq!(filter_numbers(&call("filter[idx][]=1"), "id"), None);
        assert_eq!(filter_range(&call("filter[updated_at][from]=5"), "updated_at"), Some(5..=i64::MAX));
        assert_eq!(filter_range(&call(""), "updated_at"), None);
        let statuses = call("filter[statuses][0][pipeline_id]=3&filter[statuses][0][status_id]=142");
        assert_eq!(filter_statuses(&statuses), Some(HashSet::from([(3, 142)])));
    }
}
