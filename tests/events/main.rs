//! `synkro events`, `synkro tenants`, `synkro staff` and `synkro keys` as auditors and support staff use them: the real program
//! on a server's log.
//!
//! `cfg(test)` on the modules tells the linter that their helpers are test code too.

#[cfg(test)]
mod asking;
#[cfg(test)]
mod data_key;
#[cfg(test)]
mod held_back;
#[cfg(test)]
mod kek;
#[cfg(test)]
mod log;
#[cfg(test)]
mod options;
#[cfg(test)]
mod staff;
#[cfg(test)]
mod tenants;
