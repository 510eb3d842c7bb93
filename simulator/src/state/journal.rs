//! The journal of received calls.

use std::{
    io,
    path::Path,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{AppendFile, StateError};
use crate::http::Service;

/// One call that a service received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    pub at: DateTime<Utc>,
    pub service: Service,
    pub method: String,
    /// With the query; secrets are replaced by `***`.
    pub path: String,
    /// What was answered; nothing if the connection was closed without an answer.
    pub status: Option<u16>,
}

/// All calls since the state directory was made. A call is in the file before its answer leaves.
pub(crate) struct Journal {
    file: AppendFile,
    calls: Mutex<Vec<Call>>,
}

impl Journal {
    pub(crate) fn open(path: &Path) -> Result<Self, StateError> {
        let (file, calls) = AppendFile::open(path)?;
        Ok(Self { file, calls: Mutex::new(calls) })
    }

    pub(crate) fn record(&self, call: Call) -> io::Result<()> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        self.file.append(&call)?;
        calls.push(call);
        Ok(())
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
