//! Whether a request may do something: from its context to yes or no.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use application::access::TenantAccess;
use domain::access::{Permission, Rights, RoleName};

use super::{Figure, Options};
use crate::Failure;

/// Checks between two looks at the clock.
const BATCH: u32 = 1_000_000;

/// The time of one check of a built-in permission, all of them in turn, against testing one bit of a word.
pub(crate) async fn check(options: Options) -> Result<Figure, Failure> {
    let rights = TenantAccess::of_events([], []).rights(&RoleName::user());
    tokio::task::spawn_blocking(move || {
        let limit = nanoseconds(options.seconds, |n| black_box(0x55_u64) & (1 << (n % 64)) != 0);
        let ours = nanoseconds(options.seconds, |n| asked(black_box(&rights), n));
        Ok(Figure { name: "permission_check", ours, limit, unit: "ns" })
    })
    .await?
}

fn asked(rights: &Arc<Rights>, n: u32) -> bool {
    let place = usize::try_from(n).unwrap_or_default() % Permission::COUNT;
    rights.allows(black_box(Permission::ALL[place]))
}

fn nanoseconds(seconds: u64, check: impl Fn(u32) -> bool) -> f64 {
    let (began, mut batches) = (Instant::now(), 0_u32);
    while began.elapsed() < Duration::from_secs(seconds) {
        for n in 0..BATCH {
            black_box(check(n));
        }
        batches += 1;
    }
    began.elapsed().as_secs_f64() * 1e9 / (f64::from(batches) * f64::from(BATCH))
}
