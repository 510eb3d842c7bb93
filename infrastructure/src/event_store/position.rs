//! Positions as SQL has them: three columns, compared together.

use application::ports::commands::LogPosition;
use sea_orm::Value;

/// The columns `generation, tx::text::bigint, position`.
pub(crate) type Columns = (i32, i64, i64);

/// The position in these columns.
pub(crate) fn of_columns((generation, tx, position): Columns) -> LogPosition {
    LogPosition { generation, tx: tx.cast_unsigned(), position }
}

/// The first generation of every log.
const FIRST: i32 = 1;

/// That an event lies after one position up to and with another. Their [`parameters`] are the six of the statement from
/// `$first` on.
///
/// PostgreSQL before 18 ends the scan of an index by the first column of a row comparison only, so it would go through the
/// rest of the generation. Where the span lies in one, the comparison is without it, and the bounds of `tx` end the scan.
pub(crate) fn between((from, to): (LogPosition, LogPosition), first: usize) -> String {
    let [generation, tx, position, to_generation, to_tx, to_position] =
        std::array::from_fn(|parameter| format!("${}", first + parameter));
    let (tx, to_tx) = (format!("{tx}::text::xid8"), format!("{to_tx}::text::xid8"));
    // No event lies before the first generation.
    if from.generation == to.generation || (from == LogPosition::BEGINNING && to.generation == FIRST) {
        format!(
            "generation = {to_generation} and {generation} <= {to_generation}
             and events.tx >= {tx} and events.tx <= {to_tx}
             and (events.tx, position) > ({tx}, {position}) and (events.tx, position) <= ({to_tx}, {to_position})"
        )
    } else {
        format!(
            "(generation, events.tx, position) > ({generation}, {tx}, {position})
             and (generation, events.tx, position) <= ({to_generation}, {to_tx}, {to_position})"
        )
    }
}

/// The place before an event's: a span that ends there is without it.
pub(crate) fn before(at: LogPosition) -> LogPosition {
    LogPosition { position: at.position.saturating_sub(1), ..at }
}

/// Parameters for `$n, $m::text::xid8, $o`.
pub(crate) fn parameters(at: LogPosition) -> [Value; 3] {
    [at.generation.into(), at.tx.to_string().into(), at.position.into()]
}

#[cfg(test)]
mod tests;
