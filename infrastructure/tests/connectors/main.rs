//! The connectors over real HTTP: against the simulators on the demo's dialogues, and against servers that misbehave.
//!
//! `cfg(test)` on the modules tells the linter that their helpers are test code too.

#[cfg(test)]
mod ai;
#[cfg(test)]
mod amocrm;
#[cfg(test)]
mod circuits;
#[cfg(test)]
mod effects;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod matrix;
#[cfg(test)]
mod network;
#[cfg(test)]
mod ollama;
#[cfg(test)]
mod phones;
#[cfg(test)]
mod radist;
#[cfg(test)]
mod scripted;
#[cfg(test)]
mod smtp;
#[cfg(test)]
mod supabase;
#[cfg(test)]
mod telegram;
#[cfg(test)]
mod world;
