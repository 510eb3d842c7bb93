//! The connection to Redis, and what happens while there is none.
//!
//! A question waits a short time for its answer. The first one that gets none ends the connection for all: nobody asks
//! until a task in the background has a new one that answers. Whoever gets no answer counts in this process meanwhile.

use std::fmt;
use std::sync::{Arc, LazyLock, Weak};
use std::time::Duration;

use application::error::chain;
use application::ports::health::DependencyState;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, FromRedisValue, RedisError, Script, ScriptInvocation};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;

use super::Rate;

/// How long a new connection may take.
const CONNECT: Duration = Duration::from_secs(1);

/// Pause before the first try to connect again, and between the later ones.
const SOON: Duration = Duration::from_millis(100);
const LATER: Duration = Duration::from_secs(1);

static TAKE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("take.lua")));
static TURN: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("turn.lua")));
static PAUSE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("pause.lua")));

/// Where Redis is and how it is used.
#[derive(Clone)]
pub struct RedisOptions {
    /// `redis://`, or `rediss://` for TLS. It may hold a password.
    pub url: SecretString,
    /// What all keys begin with.
    pub prefix: String,
    /// How long a question may wait for its answer.
    pub patience: Duration,
}

impl RedisOptions {
    /// The usual ones for a server.
    pub fn new(url: SecretString) -> Self {
        Self { url, prefix: "synkro:".into(), patience: Duration::from_millis(50) }
    }
}

/// The address is none of Redis.
#[derive(Debug, thiserror::Error)]
#[error("REDIS_URL is not an address of Redis; write it as redis://:password@host:6379/0, or rediss:// for TLS")]
pub struct RedisUrlError;

/// A Redis that may be out of reach. Clones share one connection; with the last of them it ends.
#[derive(Clone)]
pub struct Redis(Arc<Shared>);

struct Shared {
    link: watch::Sender<Option<Link>>,
    prefix: String,
    patience: Duration,
}

/// A connection that answers, as far as is known.
#[derive(Clone)]
struct Link {
    /// Counts connections, so that a late failure of an old one does not end a new one.
    number: u64,
    connection: MultiplexedConnection,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
enum Silence {
    #[error("no answer within {} ms", .0.as_millis())]
    Late(Duration),
    #[error(transparent)]
    Failed(#[from] RedisError),
}

impl Redis {
    /// Connects. Where that fails, it goes on trying in the background and this returns all the same.
    ///
    /// # Errors
    /// Where the address is not one of Redis.
    pub async fn open(options: RedisOptions) -> Result<Self, RedisUrlError> {
        // The cause may quote the address with its password.
        let client = Client::open(options.url.expose_secret()).map_err(|_| RedisUrlError)?;
        let RedisOptions { prefix, patience, .. } = options;
        let redis = Self(Arc::new(Shared { link: watch::Sender::new(None), prefix, patience }));
        match connect(&client, &redis.0).await {
            Ok(connection) => redis.0.link_up(0, connection),
            Err(silence) => warn(&silence),
        }
        tokio::spawn(keep_connected(client, Arc::downgrade(&redis.0), redis.0.link.subscribe()));
        Ok(redis)
    }

    /// Whether it answers now.
    pub async fn state(&self) -> DependencyState {
        let asked = match self.0.link() {
            Some(link) => self.0.answer(link, probe(&self.0.prefix)).await,
            None => None,
        };
        if asked == Some(()) {
            return DependencyState::Up;
        }
        let reason = "it does not answer; each process counts its limits by itself until it does".into();
        DependencyState::Degraded { reason }
    }

    /// Takes one from every bucket or from none. Says whether all gave, and how long until each is full. `None` where Redis
    /// does not answer.
    pub(super) async fn take(&self, buckets: &[String], rate: Rate) -> Option<(bool, Vec<Duration>)> {
        let mut question = TAKE.prepare_invoke();
        for bucket in buckets {
            question.key(self.key(bucket));
        }
        question.arg(micros(rate.interval())).arg(micros(rate.capacity()));
        let answer: Vec<u64> = self.0.answer(self.0.link()?, question).await?;
        let (given, full_in) = answer.split_first()?;
        Some((*given == 1, full_in.iter().copied().map(Duration::from_micros).collect()))
    }

    /// Takes the next turn of the bucket. Says in how long it was full before. `None` where Redis does not answer.
    pub(super) async fn turn(&self, bucket: &str, rate: Rate) -> Option<Duration> {
        let mut question = TURN.key(self.key(bucket));
        question.arg(micros(rate.interval()));
        self.0.answer(self.0.link()?, question).await.map(Duration::from_micros)
    }

    /// Lets the bucket be full in this time at the earliest, where Redis answers.
    pub(super) async fn pause(&self, bucket: &str, full_in: Duration) {
        let mut question = PAUSE.key(self.key(bucket));
        question.arg(micros(full_in));
        if let Some(link) = self.0.link() {
            let _: Option<u64> = self.0.answer(link, question).await;
        }
    }

    fn key(&self, bucket: &str) -> String {
        format!("{}{bucket}", self.0.prefix)
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("connected", &self.0.link().is_some()).finish_non_exhaustive()
    }
}

impl Shared {
    fn link(&self) -> Option<Link> {
        self.link.borrow().clone()
    }

    fn link_up(&self, number: u64, connection: MultiplexedConnection) {
        self.link.send_replace(Some(Link { number, connection }));
    }

    async fn answer<T: FromRedisValue>(&self, link: Link, question: ScriptInvocation<'_>) -> Option<T> {
        let Link { number, mut connection } = link;
        match within(self.patience, question.invoke_async(&mut connection)).await {
            Ok(answer) => Some(answer),
            Err(silence) => {
                let ended = self.link.send_if_modified(|link| {
                    let current = link.as_ref().is_some_and(|link| link.number == number);
                    if current {
                        *link = None;
                    }
                    current
                });
                if ended {
                    warn(&silence);
                }
                None
            }
        }
    }
}

/// Gives the link a new connection whenever it has none.
async fn keep_connected(client: Client, shared: Weak<Shared>, mut link: watch::Receiver<Option<Link>>) {
    let mut number = 0;
    while link.wait_for(Option::is_none).await.is_ok() {
        let mut pause = SOON;
        loop {
            tokio::time::sleep(pause).await;
            let Some(shared) = shared.upgrade() else { return };
            match connect(&client, &shared).await {
                Ok(connection) => {
                    number += 1;
                    shared.link_up(number, connection);
                    tracing::info!("Redis answers again; limits are shared with the other processes");
                    break;
                }
                Err(silence) => tracing::debug!(error = chain(&silence), "Redis still does not answer"),
            }
            pause = LATER;
        }
    }
}

/// A connection on which a script has been answered in time: only then questions go there.
async fn connect(client: &Client, shared: &Shared) -> Result<MultiplexedConnection, Silence> {
    let config = AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT)).set_response_timeout(None);
    let mut connection = within(CONNECT, client.get_multiplexed_async_connection_with_config(&config)).await?;
    let probe = probe(&shared.prefix);
    within(CONNECT, probe.load_async(&mut connection)).await?;
    let () = within(shared.patience, probe.invoke_async(&mut connection)).await?;
    Ok(connection)
}

/// A question that changes nothing for anybody.
fn probe(prefix: &str) -> ScriptInvocation<'static> {
    let mut question = PAUSE.key(format!("{prefix}probe"));
    question.arg(0);
    question
}

async fn within<T>(most: Duration, question: impl Future<Output = Result<T, RedisError>>) -> Result<T, Silence> {
    Ok(tokio::time::timeout(most, question).await.map_err(|_| Silence::Late(most))??)
}

fn warn(silence: &Silence) {
    tracing::warn!(
        error = chain(silence),
        "Redis does not answer; this process counts its limits by itself until it does"
    );
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
