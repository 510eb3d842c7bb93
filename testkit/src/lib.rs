//! What tests of several crates share.

pub mod actors;
pub mod app;
pub mod company;
pub mod database;
pub mod engine;
pub mod logs;
pub mod runs;
pub mod secrets;
pub mod settings;
pub mod time;

pub use actors::{Actor, Answer};
pub use app::{TestApp, TestAppBuilder};
pub use company::AiChoice;
pub use database::{TEST_KEK, TestDatabase};
pub use logs::CapturedLog;
pub use runs::RunAnswer;
pub use time::{TestClock, TestIds};
