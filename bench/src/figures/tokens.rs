//! Access tokens: signing one, verifying one for the first time, and verifying it again with the question whether it was
//! revoked. The limit is what the cryptography alone takes, measured in the same run; again, one hash over the token.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use application::Principal;
use application::ports::clock::Clock;
use application::ports::identity::{TokenSubject, Tokens};
use application::ports::sessions::{Revocations, Verdict};
use chrono::{DateTime, Utc};
use domain::access::RoleName;
use infrastructure::follower::Follower;
use infrastructure::identity::{LiveRevocations, RsaTokens};
use infrastructure::signals::Signal;
use infrastructure::system::SystemClock;
use secrecy::ExposeSecret;
use uuid::Uuid;

use super::{Figure, Options};
use crate::Failure;
use crate::server::Server;

/// Tokens that are verified for the first time.
const FRESH: u32 = 400;

/// How often one is verified again.
const AGAIN: u32 = 200_000;

/// Keys in a folder of their own, which goes with this value.
struct Bench {
    tokens: RsaTokens,
    folder: std::path::PathBuf,
}

impl Drop for Bench {
    fn drop(&mut self) {
        // What is left behind in the folder for temporary files harms nobody.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn now() -> DateTime<Utc> {
    SystemClock.now()
}

fn bench() -> Result<Bench, Failure> {
    let folder = std::env::temp_dir().join(format!("synkro-bench-{}", std::process::id()));
    let tokens = RsaTokens::load_or_create(&folder, now())?;
    Ok(Bench { tokens, folder })
}

fn subject(number: u32) -> TokenSubject {
    let id = |n: u128| Uuid::from_u128(0x0197_b1c0_5f6e_7c3a_9d55_2f6c_1a7e_0000 + n);
    let principal =
        Principal::of_tenant(id(1).into(), id(2).into(), RoleName::owner(), id(u128::from(number) + 3).into());
    TokenSubject { principal, token_version: 0, csrf: None }
}

fn issue(bench: &Bench, count: u32) -> Result<Vec<String>, Failure> {
    let token = |number| Ok(bench.tokens.issue(&subject(number), now())?.token.expose_secret().to_owned());
    (0..count).map(token).collect()
}

fn micros_each(began: Instant, count: u32) -> f64 {
    began.elapsed().as_secs_f64() * 1e6 / f64::from(count)
}

/// Milliseconds for signing a token.
pub(super) async fn sign(_server: Server, _options: Options) -> Result<Figure, Failure> {
    tokio::task::spawn_blocking(|| {
        let bench = bench()?;
        issue(&bench, 20)?;
        let began = Instant::now();
        issue(&bench, FRESH)?;
        let ours = micros_each(began, FRESH) / 1e3;
        Ok(Figure { name: "token_sign", ours, limit: crypto::sign()? / 1e3, unit: "ms" })
    })
    .await?
}

/// Microseconds for verifying a token that was not seen before.
pub(super) async fn verify(_server: Server, _options: Options) -> Result<Figure, Failure> {
    tokio::task::spawn_blocking(|| {
        let bench = bench()?;
        let tokens = issue(&bench, FRESH)?;
        let began = Instant::now();
        for token in &tokens {
            black_box(bench.tokens.verify(token, now())).ok_or("the token is not accepted")?;
        }
        let ours = micros_each(began, FRESH);
        Ok(Figure { name: "token_verify", ours, limit: crypto::verify()?, unit: "µs" })
    })
    .await?
}

/// Microseconds for a token that was just verified, revocation included.
pub(super) async fn verify_again(server: Server, _options: Options) -> Result<Figure, Failure> {
    let revocations = Arc::new(LiveRevocations::new(&server.database));
    let follower = Follower::new(&server.database, Signal::default(), vec![Arc::clone(&revocations) as _]);
    let mut freshness = follower.freshness();
    revocations.follow(freshness.clone());
    let following = tokio::spawn(async move { follower.run().await });
    freshness.filled().await;
    let measured = tokio::task::spawn_blocking(move || {
        let bench = bench()?;
        let token = issue(&bench, 1)?.remove(0);
        let check = || {
            let subject = bench.tokens.verify(&token, now())?;
            (revocations.verdict(&subject) == Verdict::Stands).then_some(subject)
        };
        check().ok_or("the token is not accepted")?;
        let began = Instant::now();
        for _ in 0..AGAIN {
            black_box(check()).ok_or("the token is not accepted")?;
        }
        let ours = micros_each(began, AGAIN);
        Ok::<_, Failure>(Figure { name: "token_verify_again", ours, limit: crypto::hash(&token), unit: "µs" })
    });
    let figure = measured.await?;
    following.abort();
    figure
}

/// The cryptography alone.
mod crypto {
    use std::hint::black_box;
    use std::time::Instant;

    use aws_lc_rs::digest::{SHA256, digest};
    use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey};

    use super::{AGAIN, FRESH, Failure, micros_each};

    const MESSAGE: &[u8] = &[7; 400];

    fn key() -> Result<KeyPair, Failure> {
        Ok(KeyPair::generate(KeySize::Rsa2048)?)
    }

    fn signature(key: &KeyPair) -> Result<Vec<u8>, Failure> {
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), MESSAGE, &mut signature)?;
        Ok(signature)
    }

    pub(super) fn sign() -> Result<f64, Failure> {
        let key = key()?;
        let began = Instant::now();
        for _ in 0..FRESH {
            black_box(signature(&key)?);
        }
        Ok(micros_each(began, FRESH))
    }

    pub(super) fn verify() -> Result<f64, Failure> {
        let key = key()?;
        let signature = signature(&key)?;
        let der: PublicKeyX509Der<'_> = key.public_key().as_der()?;
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der.as_ref().to_vec());
        let began = Instant::now();
        for _ in 0..FRESH {
            public.verify(MESSAGE, &signature)?;
        }
        Ok(micros_each(began, FRESH))
    }

    pub(super) fn hash(token: &str) -> f64 {
        let began = Instant::now();
        for _ in 0..AGAIN {
            black_box(digest(&SHA256, token.as_bytes()));
        }
        micros_each(began, AGAIN)
    }
}
