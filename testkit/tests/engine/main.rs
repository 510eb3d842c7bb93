//! The engine under load as whole processes, which are killed, paused and cut off from their server at random moments.
//!
//! `SYNKRO_TEST_SEED` repeats a run's moments; each test prints its own. `cfg(test)` on the modules tells the linter
//! that their helpers are test code too.

#[cfg(test)]
mod backends;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod loader;
#[cfg(test)]
mod pause;
