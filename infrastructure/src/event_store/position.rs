//! Positions as SQL has them: three columns, compared together.

use application::ports::commands::LogPosition;
use sea_orm::Value;

/// The columns `generation, tx::text::bigint, position`.
pub(crate) type Columns = (i32, i64, i64);

/// The position in these columns.
pub(crate) fn of_columns((generation, tx, position): Columns) -> LogPosition {
    LogPosition { generation, tx: tx.cast_unsigned(), position }
}

/// That an event lies after one position, `$1` to `$3`, up to and with another, `$4` to `$6`; begins with `where`.
///
/// PostgreSQL before 18 ends the scan of an index by the first column of a row comparison only, so it would go through the
/// rest of the generation. Where both positions are in one, the comparison is without it, and the bounds of `tx` end the
/// scan.
pub(crate) fn between((from, to): (LogPosition, LogPosition)) -> &'static str {
    if from.generation == to.generation {
        "where generation = $1 and $1 = $4 and events.tx >= $2::text::xid8 and events.tx <= $5::text::xid8
           and (events.tx, position) > ($2::text::xid8, $3) and (events.tx, position) <= ($5::text::xid8, $6)"
    } else {
        "where (generation, events.tx, position) > ($1, $2::text::xid8, $3)
           and (generation, events.tx, position) <= ($4, $5::text::xid8, $6)"
    }
}

/// Parameters for `$n, $m::text::xid8, $o`.
pub(crate) fn parameters(at: LogPosition) -> [Value; 3] {
    [at.generation.into(), at.tx.to_string().into(), at.position.into()]
}
