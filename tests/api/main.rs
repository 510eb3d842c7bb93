//! The API over real HTTP on a whole system, one module for each part of the address tree.
//!
//! `cfg(test)` on the modules tells the linter that their helpers are test code too.

#[cfg(test)]
mod document;
#[cfg(test)]
mod edge;
#[cfg(test)]
mod health;
#[cfg(test)]
mod idempotency;
#[cfg(test)]
mod reports;
#[cfg(test)]
mod runs;
#[cfg(test)]
mod tenants;
#[cfg(test)]
mod users;
