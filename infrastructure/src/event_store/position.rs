//! Positions as SQL has them: three columns, compared together.

use application::ports::commands::LogPosition;
use sea_orm::Value;

/// The columns `generation, tx::text::bigint, position`.
pub(crate) type Columns = (i32, i64, i64);

/// The position in these columns.
pub(crate) fn of_columns((generation, tx, position): Columns) -> LogPosition {
    LogPosition { generation, tx: tx.cast_unsigned(), position }
}

/// Parameters for `$n, $m::text::xid8, $o`.
pub(crate) fn parameters(at: LogPosition) -> [Value; 3] {
    [at.generation.into(), at.tx.to_string().into(), at.position.into()]
}
