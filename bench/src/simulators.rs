//! The stand-ins of the providers, in a process of their own, so that what they hold and do is not counted.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::Failure;

/// The word by which this program becomes the stand-ins.
pub(crate) const COMMAND: &str = "simulate";

/// The running stand-ins. They end with this value.
pub(crate) struct Simulators {
    told: Value,
    process: Child,
    folder: PathBuf,
}

impl Drop for Simulators {
    fn drop(&mut self) {
        // They may have ended already, and what is left behind in the folder for temporary files harms nobody.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Simulators {
    /// Starts them with a company of so many deals and messages.
    pub(crate) fn start(deals: u64, messages: u64) -> Result<Self, Failure> {
        let folder = std::env::temp_dir().join(format!("synkro-bench-simulators-{}", std::process::id()));
        let mut process = Command::new(std::env::current_exe()?)
            .args([COMMAND, "--json", "--deals", &deals.to_string(), "--messages", &messages.to_string()])
            .arg("--state-dir")
            .arg(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let output = process.stdout.take();
        let mut started = Self { told: Value::Null, process, folder };
        let mut line = String::new();
        BufReader::new(output.ok_or("the stand-ins have no output")?).read_line(&mut line)?;
        started.told = serde_json::from_str(&line).map_err(|error| format!("the stand-ins did not start: {error}"))?;
        Ok(started)
    }

    /// A part of a service's address or account.
    pub(crate) fn of(&self, service: &str, field: &str) -> Result<&str, Failure> {
        let told = self.told["services"][service][field].as_str();
        told.ok_or_else(|| format!("the stand-ins do not tell {field} of {service}").into())
    }

    /// A number of a service's account.
    pub(crate) fn number(&self, service: &str, field: &str) -> Result<i64, Failure> {
        let told = self.told["services"][service].pointer(field).and_then(Value::as_i64);
        told.ok_or_else(|| format!("the stand-ins do not tell {field} of {service}").into())
    }
}
