//! The demo as its users start it: the real program, on a folder of its own, killed and started again.
//!
//! `cfg(test)` on the modules tells the linter that their helpers are test code too.

#[cfg(test)]
mod gate;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod outcome;
#[cfg(test)]
mod program;
#[cfg(test)]
mod rebuild;
#[cfg(test)]
mod simulate;
#[cfg(test)]
mod starts;
#[cfg(test)]
mod whole;
