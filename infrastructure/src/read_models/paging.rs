//! Pages of a list that is ordered by a time and, within it, by id; both descending.

use application::ports::read_models::{Cursor, Page, PageRequest};

/// How many rows to ask for: one more than the page, to know whether there is a next one.
pub(crate) fn rows(page: PageRequest) -> u64 {
    page.limit + 1
}

/// The page of the rows that were found.
pub(crate) fn page<T>(mut items: Vec<T>, request: PageRequest, parked: u64, cursor: impl Fn(&T) -> Cursor) -> Page<T> {
    let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(cursor);
    Page { items, next, parked }
}
