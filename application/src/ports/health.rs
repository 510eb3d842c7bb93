//! Whether the parts that Synkro depends on answer.

use async_trait::async_trait;

/// A part that Synkro works with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// Its frozen name, such as `database`.
    pub name: &'static str,
    /// Whether it answers.
    pub state: DependencyState,
}

/// Whether a part answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DependencyState {
    /// It answers.
    Up,
    /// It does not, and the rest goes on without it, in a way that promises less.
    Degraded {
        /// Why and what that means, in words that anybody may read.
        reason: String,
    },
    /// It does not, or not as it should.
    Down {
        /// Why, in words that anybody may read: without secrets and without addresses that hold any.
        reason: String,
    },
}

/// Looks at everything that Synkro depends on.
#[async_trait]
pub trait Health: Send + Sync {
    /// All dependencies, each asked now, in a stable order.
    async fn dependencies(&self) -> Vec<Dependency>;
}
