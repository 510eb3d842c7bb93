//! What tests of several crates share.

pub mod actors;
pub mod app;
pub mod company;
pub mod database;
pub mod engine;
pub mod identity;
pub mod logs;
pub mod mail;
mod oauth;
pub mod program;
pub mod redis;
pub mod runs;
pub mod secrets;
mod services;
pub mod settings;
pub mod staff;
pub mod stored;
pub mod time;
pub mod totp;
pub mod work;

pub use actors::{Actor, Answer};
pub use app::{TestApp, TestAppBuilder};
pub use company::{AiChoice, Credential};
pub use database::{TEST_KEK, TestDatabase};
pub use identity::signed_in;
pub use logs::CapturedLog;
pub use mail::{MailServer, SentMail, TestMailer};
pub use redis::TestRedis;
pub use runs::RunAnswer;
pub use staff::StaffPerson;
pub use time::{TestClock, TestIds};
pub use totp::totp;
