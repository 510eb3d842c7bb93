//! The ports: what the application needs from outside, one file per concern.

pub mod access;
pub mod api_keys;
pub mod audit;
pub mod clock;
pub mod commands;
pub mod health;
pub mod identity;
pub mod impersonations;
pub mod insights;
pub mod limits;
pub mod links;
pub mod mail;
pub mod people;
pub mod projections;
pub mod queue;
pub mod read_models;
pub mod rebuilds;
pub mod second_factors;
pub mod services;
pub mod sessions;
pub mod staging;
pub mod vault;
