//! The ports: what the application needs from outside, one file per concern.

pub mod clock;
pub mod commands;
pub mod health;
pub mod identity;
pub mod projections;
pub mod queue;
pub mod read_models;
pub mod rebuilds;
pub mod services;
pub mod staging;
pub mod vault;
