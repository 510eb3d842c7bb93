//! All simulators together: start, addresses, what they hold, stop.

use std::{
    fs::{self, File, TryLockError},
    io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use poem::Server;
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    accounts::Accounts,
    ai::{Gemini, Openai},
    amocrm::{Amocrm, AmocrmGrants},
    control::Control,
    dialogues::DialogueSet,
    faults::Faults,
    http::{Answer, CutAcceptor, Desk, Gate, OpenConnections, Service},
    limits::Limits,
    radist::Radist,
    state::{Call, Journal, Ports, StateError},
    supabase::{Supabase, TableDefinition},
    telegram::{Telegram, TelegramMessage},
    world::World,
};

/// How long [`Simulators::stop`] lets calls in flight finish.
const STOP_GRACE: Duration = Duration::from_millis(500);

/// What the simulators are made of.
pub struct SimulatorOptions {
    /// Made if it is not there. One process at a time may use it.
    pub state_dir: PathBuf,
    pub dialogues: Arc<DialogueSet>,
    pub accounts: Accounts,
    pub supabase_tables: Vec<TableDefinition>,
    pub limits: Limits,
}

/// Why the simulators did not start.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    #[error("the simulators' state cannot be used: {0}")]
    State(#[from] StateError),
    #[error("another process already runs simulators on {}", .0.display())]
    InUse(PathBuf),
    #[error("no loopback port for {}: {source}", service.name())]
    Listen { service: Service, source: io::Error },
}

/// Base addresses as a tenant's integration settings hold them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// `http://127.0.0.1:PORT`
    pub amocrm: String,
    /// `http://127.0.0.1:PORT/v2`
    pub radist: String,
    /// `http://127.0.0.1:PORT`
    pub supabase: String,
    /// `http://127.0.0.1:PORT/v1beta`
    pub gemini: String,
    /// `http://127.0.0.1:PORT/v1`
    pub openai: String,
    /// `http://127.0.0.1:PORT`
    pub telegram: String,
}

/// The running simulators. Dropping them ends them soon; [`Simulators::stop`] also waits for it.
pub struct Simulators {
    endpoints: Endpoints,
    supabase: Arc<Supabase>,
    telegram: Arc<Telegram>,
    journal: Arc<Journal>,
    faults: Faults,
    grants: AmocrmGrants,
    stopping: watch::Sender<bool>,
    servers: Vec<JoinHandle<()>>,
    /// Held for as long as this process owns the state directory.
    _lock: File,
}

impl Simulators {
    /// Starts one listener for each service and goes on with what the state directory holds.
    pub async fn start(options: SimulatorOptions) -> Result<Self, SimulatorError> {
        let folder = options.state_dir.as_path();
        fs::create_dir_all(folder).map_err(StateError::io(folder))?;
        let lock = lock(folder)?;
        let journal = Arc::new(Journal::open(&folder.join("calls.ndjson"))?);
        let supabase = Arc::new(Supabase::open(folder, &options.accounts, options.supabase_tables.clone())?);
        let telegram = Arc::new(Telegram::open(folder, &options.accounts, options.limits)?);
        let grants = AmocrmGrants::new(&options.accounts);
        let services = services(&options, &supabase, &telegram, &grants);

        let mut launch = Launch {
            ports: Ports::open(folder.join("ports.json"))?,
            faults: Faults::default(),
            journal: Arc::clone(&journal),
            stopping: watch::Sender::new(false),
            servers: Vec::new(),
        };
        let mut ports = [0; Service::ALL.len()];
        for (port, (service, answers)) in ports.iter_mut().zip(services) {
            *port = launch.serve(service, answers).await?;
        }
        launch.ports.save()?;
        Ok(Self {
            endpoints: Endpoints::of(ports),
            supabase,
            telegram,
            journal,
            faults: launch.faults,
            grants,
            stopping: launch.stopping,
            servers: launch.servers,
            _lock: lock,
        })
    }

    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The rows of a Supabase table in the order of their first insert; none for an unknown table.
    pub fn rows(&self, table: &str) -> Vec<Value> {
        self.supabase.rows(table)
    }

    pub fn row_count(&self, table: &str) -> usize {
        self.supabase.row_count(table)
    }

    /// Everything that the bot has sent, oldest first.
    pub fn telegram_messages(&self) -> Vec<TelegramMessage> {
        self.telegram.messages()
    }

    /// The folder of the photos that the bot has sent, each under its message's number.
    pub fn telegram_photos(&self) -> &Path {
        self.telegram.photos()
    }

    /// The file of the photo that a message has.
    pub fn telegram_photo(&self, message_id: i64) -> Option<Vec<u8>> {
        self.telegram.photo(message_id)
    }

    /// The journal of received calls, oldest first, including those of earlier processes.
    pub fn calls(&self) -> Vec<Call> {
        self.journal.calls()
    }

    /// Who was let into the amoCRM account.
    pub fn amocrm_grants(&self) -> &AmocrmGrants {
        &self.grants
    }

    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Starts the control API on a loopback port (0 for any), beside the services: no service has its paths.
    ///
    /// # Errors
    /// Where the port is taken.
    pub async fn control(&self, port: u16) -> io::Result<Control> {
        Control::start(port, self.faults.clone(), Arc::clone(&self.journal)).await
    }

    /// Forgets all received calls.
    ///
    /// # Errors
    /// Where the journal's file cannot be written.
    pub fn clear_calls(&self) -> io::Result<()> {
        self.journal.clear()
    }

    /// Closes the listeners and waits for calls in flight, for half a second at most.
    pub async fn stop(self) {
        self.stopping.send_replace(true);
        for server in self.servers {
            if let Err(error) = server.await {
                tracing::error!(%error, "a simulator did not end properly");
            }
        }
    }
}

/// The services in the order of [`Service::ALL`].
fn services(
    options: &SimulatorOptions,
    supabase: &Arc<Supabase>,
    telegram: &Arc<Telegram>,
    grants: &AmocrmGrants,
) -> [(Service, Arc<dyn Answer>); 6] {
    let world = Arc::new(World::of(&options.dialogues));
    let (accounts, limits) = (&options.accounts, options.limits);
    [
        (Service::Amocrm, Arc::new(Amocrm::new(Arc::clone(&world), accounts, limits, grants.clone()))),
        (Service::Radist, Arc::new(Radist::new(world, accounts, limits))),
        (Service::Supabase, Arc::clone(supabase) as Arc<dyn Answer>),
        (Service::Gemini, Arc::new(Gemini::new(accounts, limits))),
        (Service::Openai, Arc::new(Openai::new(accounts, limits))),
        (Service::Telegram, Arc::clone(telegram) as Arc<dyn Answer>),
    ]
}

/// What the listeners share while they are being started.
struct Launch {
    ports: Ports,
    faults: Faults,
    journal: Arc<Journal>,
    stopping: watch::Sender<bool>,
    servers: Vec<JoinHandle<()>>,
}

impl Launch {
    async fn serve(&mut self, service: Service, answers: Arc<dyn Answer>) -> Result<u16, SimulatorError> {
        let (listener, port) =
            self.ports.listen(service).await.map_err(|source| SimulatorError::Listen { service, source })?;
        let open = OpenConnections::default();
        let desk = Desk { service, answers, journal: Arc::clone(&self.journal) };
        let gate = Gate { desk: Arc::new(desk), faults: self.faults.clone(), open: open.clone() };
        let stopping = self.stopping.subscribe();
        self.servers.push(tokio::spawn(run(listener, port, open, gate, stopping)));
        Ok(port)
    }
}

async fn run(listener: TcpListener, port: u16, open: OpenConnections, gate: Gate, mut stopping: watch::Receiver<bool>) {
    let service = gate.desk.service;
    let local = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stop = async move {
        // An error means that the sender was dropped, which is a reason to stop as well.
        let _gone = stopping.wait_for(|stop| *stop).await;
    };
    let acceptor = CutAcceptor::new(listener, local, open);
    let ended = Server::new_with_acceptor(acceptor)
        .name(service.name())
        .run_with_graceful_shutdown(gate, stop, Some(STOP_GRACE))
        .await;
    if let Err(error) = ended {
        tracing::error!(service = service.name(), %error, "a simulator ended");
    }
}

/// Only one process may append to the files of a state directory.
fn lock(folder: &Path) -> Result<File, SimulatorError> {
    let path = folder.join("lock");
    let file = File::create(&path).map_err(StateError::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(SimulatorError::InUse(folder.to_path_buf())),
        Err(TryLockError::Error(source)) => Err(StateError::io(&path)(source).into()),
    }
}

impl Endpoints {
    fn of([amocrm, radist, supabase, gemini, openai, telegram]: [u16; Service::ALL.len()]) -> Self {
        let base = |port: u16, path: &str| format!("http://127.0.0.1:{port}{path}");
        Self {
            amocrm: base(amocrm, ""),
            radist: base(radist, "/v2"),
            supabase: base(supabase, ""),
            gemini: base(gemini, "/v1beta"),
            openai: base(openai, "/v1"),
            telegram: base(telegram, ""),
        }
    }
}
