//! The report pipeline on a whole system: over real HTTP to the simulators, with everything that can go wrong there.
//!
//! `cfg(test)` on the modules tells the linter that their helpers are test code too.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod ai_use;
#[cfg(test)]
mod analysis;
#[cfg(test)]
mod bulk;
#[cfg(test)]
mod control;
#[cfg(test)]
mod effects;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod phones;
#[cfg(test)]
mod repeats;
