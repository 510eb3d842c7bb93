//! The API over real HTTP on a whole system, one module for each part of the address tree.
//!
//! `cfg(test)` on the modules tells the linter that their helpers are test code too.

#[cfg(test)]
mod access;
#[cfg(test)]
mod amocrm_oauth;
#[cfg(test)]
mod api_keys;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod automation;
mod conformance;
#[cfg(test)]
mod coverage;
#[cfg(test)]
mod document;
#[cfg(test)]
mod edge;
#[cfg(test)]
mod health;
#[cfg(test)]
mod idempotency;
#[cfg(test)]
mod impersonation;
#[cfg(test)]
mod integration_tests;
#[cfg(test)]
mod integrations;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod lost_factor;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod people;
mod position;
#[cfg(test)]
mod registration;
#[cfg(test)]
mod reports;
#[cfg(test)]
mod runs;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod staff;
#[cfg(test)]
mod suspension;
mod tenants;
#[cfg(test)]
mod totp;
#[cfg(test)]
mod users;
