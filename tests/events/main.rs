//! `synkro events` as auditors and support staff use it: the real program on a server's log.
//!
//! `cfg(test)` on the modules tells the linter that their helpers are test code too.

#[cfg(test)]
mod asking;
#[cfg(test)]
mod log;
