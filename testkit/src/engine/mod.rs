//! What tests of the engine as whole processes share: a load of real commands, a server of their own, and the verdict
//! over what is left.
//!
//! The load says what was acknowledged. Whatever is killed, paused or restarted meanwhile, [`assert_whole`] then holds.

mod acknowledgement;
mod dice;
mod load;
mod server;
mod story;
mod verdict;

pub use acknowledgement::{Acknowledgement, Counts, NotSaid};
pub use dice::Dice;
pub use load::{Load, Tell};
pub use server::{PostgresServer, Shutdown};
pub use verdict::assert_whole;
