//! A PostgreSQL server of a test's own, to be stopped and started as the test likes.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sqlx::{Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;

/// The programs that make and run a server.
const PROGRAMS: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

/// Nobody needs a throwaway database after a power cut. What is killed here are processes, and what they have handed to
/// the operating system survives them.
const SETTINGS: &str = "fsync = off\nfull_page_writes = off\nlisten_addresses = ''\nmax_connections = 60\n\
                        max_prepared_transactions = 2\n";

/// How a server is told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// At once, as after a crash: the next start recovers from the write-ahead log.
    Immediate,
    /// In good order, after ending all sessions.
    Fast,
}

/// A server in a temporary folder, reached by a socket in it. It ends with this value, or with this process.
pub struct PostgresServer {
    programs: PathBuf,
    folder: TempDir,
    guard: Child,
}

impl PostgresServer {
    /// Makes a server and starts it.
    ///
    /// # Panics
    /// Where PostgreSQL's programs are not installed, or do not work.
    pub fn start() -> Self {
        let programs = programs();
        let folder = tempfile::tempdir().expect("the system must have a folder for temporary files");
        let data = folder.path().join("data");
        if let Some((user, group)) = database_user() {
            chown(folder.path(), Some(user), Some(group)).expect("root can give a folder away");
        }
        run(as_database_user(&programs.join("initdb")).arg("--pgdata").arg(&data).args([
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ]));
        let configuration = data.join("postgresql.auto.conf");
        let socket = format!("unix_socket_directories = '{}'\n", folder.path().display());
        fs::write(configuration, format!("{SETTINGS}{socket}")).expect("the new server's settings can be written");
        let guard = guard(&programs, folder.path());
        let server = Self { programs, folder, guard };
        server.start_again();
        server
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("postgres://postgres@localhost/postgres?host={}", self.folder.path().display())
    }

    /// Where all its files are, its log among them.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Has it write every statement that it gets, values included, to its log.
    ///
    /// # Panics
    /// Where it does not answer.
    pub async fn log_statements(&self) {
        let mut connection = PgConnection::connect(&self.url()).await.expect("the server answers");
        for statement in ["alter system set log_statement = 'all'", "select pg_reload_conf()"] {
            connection.execute(statement).await.expect("the owner of the server sets what it logs");
        }
    }

    /// Stops it and starts it at once.
    ///
    /// # Panics
    /// Where it does not come back.
    pub fn restart(&self, how: Shutdown) {
        self.control(&["restart", "--mode", how.mode()]);
    }

    /// Stops it.
    ///
    /// # Panics
    /// Where it does not stop.
    pub fn stop(&self, how: Shutdown) {
        self.control(&["stop", "--mode", how.mode()]);
    }

    /// Starts it after [`stop`](Self::stop).
    ///
    /// # Panics
    /// Where it does not start.
    pub fn start_again(&self) {
        self.control(&["start"]);
    }

    fn control(&self, arguments: &[&str]) {
        run(as_database_user(&self.programs.join("pg_ctl"))
            .args(arguments)
            .args(["--wait", "--silent", "--pgdata"])
            .arg(self.folder.path().join("data"))
            .arg("--log")
            .arg(self.folder.path().join("log")));
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // A server that could not be stopped ends by itself when its folder is gone, which it looks for every minute.
        let _ = self.guard.wait();
    }
}

impl Shutdown {
    fn mode(self) -> &'static str {
        match self {
            Self::Immediate => "immediate",
            Self::Fast => "fast",
        }
    }
}

/// A process that stops the server and removes its folder when its standard input ends, which happens however this
/// process ends. It is in no group that the test runner kills.
fn guard(programs: &Path, folder: &Path) -> Child {
    let mut command = as_database_user(Path::new("sh"));
    command
        .args(["-c", "read -r never; \"$0\" stop --mode immediate --silent --pgdata \"$1/data\"; rm -rf \"$1\""])
        .arg(programs.join("pg_ctl"))
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    command.spawn().expect("a shell can be started")
}

/// The newest installation that holds all programs; the same places in the same order as `scripts/servers.sh`.
fn programs() -> PathBuf {
    let mut folders = [installed("/usr/lib/postgresql"), installed("/usr")].concat();
    #[expect(clippy::disallowed_methods, reason = "where programs are is not a setting of the tests")]
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let complete = |folder: &PathBuf| PROGRAMS.iter().all(|program| folder.join(program).is_file());
    folders.into_iter().find(complete).unwrap_or_else(|| {
        panic!(
            "this test runs a PostgreSQL server of its own, and its programs ({}) are not installed; install \
             PostgreSQL's server (Debian: apt-get install postgresql), or run scripts/test, which does that or says why not",
            PROGRAMS.join(", ")
        )
    })
}

/// `bin` folders of PostgreSQL's versions, newest first.
fn installed(folder: &str) -> Vec<PathBuf> {
    let version = |path: &PathBuf| {
        let name = path.file_name()?.to_str()?;
        name.strip_prefix("pgsql-").unwrap_or(name).parse::<f64>().ok()
    };
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    let mut versions: Vec<(f64, PathBuf)> = entries.filter_map(|path| Some((version(&path)?, path))).collect();
    versions.sort_by(|left, right| right.0.total_cmp(&left.0));
    versions.into_iter().map(|(_, path)| path.join("bin")).collect()
}

/// The user and the group that run the server where the tests run as root, which PostgreSQL refuses to do.
fn database_user() -> Option<(u32, u32)> {
    if answer("id", &["-u"])? != "0" {
        return None;
    }
    let number = |what, user| answer("id", &[what, user])?.parse().ok();
    ["postgres", "nobody"].into_iter().find_map(|user| Some((number("-u", user)?, number("-g", user)?)))
}

/// A command as somebody who is not root.
fn as_database_user(program: &Path) -> Command {
    let mut command = Command::new(program);
    if let Some((user, group)) = database_user() {
        command.uid(user).gid(group);
    }
    // That user may not be allowed to stand where we stand.
    command.current_dir("/");
    command
}

/// What a program prints, if it succeeds.
fn answer(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
