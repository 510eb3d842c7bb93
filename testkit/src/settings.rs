//! What `scripts/test` tells the tests through the environment.

/// Where a PostgreSQL server answers that tests may make schemas on.
pub const DATABASE_URL: &str = "SYNKRO_TEST_DATABASE_URL";

/// Where a Redis answers that tests may keep keys on.
pub const REDIS_URL: &str = "SYNKRO_TEST_REDIS_URL";

/// `embedded` runs the database tests on PGlite instead of a server.
pub const BACKEND: &str = "SYNKRO_TEST_BACKEND";

/// Set for the long forms of tests.
pub const LONG: &str = "SYNKRO_TEST_LONG";

/// The seed of random moments, to repeat a test that failed.
pub const SEED: &str = "SYNKRO_TEST_SEED";

/// The setting of this name; an empty one counts as absent.
#[expect(clippy::disallowed_methods, reason = "the one place where tests read their environment")]
pub fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
