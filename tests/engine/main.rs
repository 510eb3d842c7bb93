//! The program on a server that is stopped and started again.
//!
//! `cfg(test)` on the modules tells the linter that their helpers are test code too.

#[cfg(test)]
mod program;
#[cfg(test)]
mod restarts;
