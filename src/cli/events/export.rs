//! Writing events to a file, whole and in order.

use std::fs::{File, OpenOptions, hard_link, remove_file};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use application::ports::commands::LogPosition;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use infrastructure::event_store::{Direction, EventFilter, LogQuery, Span};
use infrastructure::files::Digested;
use serde_json::{Value, json};

use super::filter::{Filter, FilterArgs};
use super::view::whole;
use super::{end, is_closed_pipe};
use crate::cli::input::Input;
use crate::cli::{CliError, print, say};

/// Events that are held in memory at once.
const PAGE: i64 = 1_000;

#[derive(Args)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// The file, or - for the standard output. Contents of events may be personal, so only its owner may read it.
    #[arg(long, value_name = "FILE|-")]
    out: PathBuf,
    /// Only up to and with this position, where an earlier export ended: gives the same file again.
    #[arg(long, value_name = "POSITION")]
    up_to: Option<String>,
    /// The file's form.
    #[arg(long, default_value = "jsonl")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One JSON object a line.
    Jsonl,
}

pub(super) struct Request {
    filter: Filter,
    up_to: Option<LogPosition>,
    out: PathBuf,
    format: Format,
}

impl ExportArgs {
    pub(super) fn parse(self, input: &mut Input) -> Request {
        let ExportArgs { filter, out, up_to, format } = self;
        input.read("--out", Some(&out.to_string_lossy()), |text| if text == "-" { Ok(()) } else { free(text) });
        Request {
            filter: filter.parse(input),
            up_to: input.read("--up-to", up_to.as_deref(), str::parse::<LogPosition>),
            out,
            format,
        }
    }
}

pub(super) async fn run(query: &LogQuery, request: Request, json: bool) -> Result<(), CliError> {
    let Request { filter, up_to, out, format: Format::Jsonl } = request;
    let (filter, span) = filter.resolve(query, end::whole(query, up_to).await?).await?;
    if out == Path::new("-") {
        let written = write(query, &filter, span, io::stdout()).await;
        let (summary, _) = written.map_err(|error| {
            if is_closed_pipe(&error) { "the reader went away before the export was whole".into() } else { error }
        })?;
        // The events have the standard output.
        say(&if json { summary.json(None).to_string() } else { summary.to_string() });
        return Ok(());
    }
    let summary = to_file(query, &filter, span, &out).await?;
    if json {
        print(&summary.json(Some(&out)).to_string());
    } else {
        say(&format!("{summary}, in {}", out.display()));
    }
    Ok(())
}

/// Passes where a new file of this name can be made.
pub(in crate::cli) fn free(text: &str) -> Result<(), &'static str> {
    if Path::new(text).file_name().is_none() {
        Err("must be the name of a file, or -")
    } else if Path::new(text).exists() {
        Err("exists, and an export overwrites nothing; choose another name")
    } else {
        Ok(())
    }
}

/// Writes the events to a new file, whole or not at all.
pub(in crate::cli) async fn to_file(
    query: &LogQuery,
    filter: &EventFilter,
    span: Span,
    out: &Path,
) -> Result<Summary, CliError> {
    let mut unfinished = out.as_os_str().to_owned();
    unfinished.push(".part");
    let unfinished = PathBuf::from(unfinished);
    let failed = |error: io::Error| format!("{} cannot be written: {error}", unfinished.display());
    // A new file: the mode of one that is there would stay, and its text may be wanted.
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished).map_err(|error| {
        if error.kind() == io::ErrorKind::AlreadyExists {
            format!("{} is there from an export that was cut off; remove it first", unfinished.display())
        } else {
            failed(error)
        }
    })?;
    let (summary, file) = write(query, filter, span, file).await?;
    finish(&file, &unfinished, out).map_err(failed)?;
    Ok(summary)
}

/// The name appears when the whole file is safe on the disk.
fn finish(file: &File, unfinished: &Path, out: &Path) -> io::Result<()> {
    file.sync_all()?;
    // Unlike a renaming this replaces nothing.
    hard_link(unfinished, out)?;
    remove_file(unfinished)?;
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// What was exported.
pub(in crate::cli) struct Summary {
    /// How many events.
    pub(in crate::cli) events: u64,
    span: Span,
    /// SHA-256 of the file.
    pub(in crate::cli) sha256: String,
}

impl Summary {
    /// Where the log stood when the export began, or where it was to end.
    fn up_to(&self) -> LogPosition {
        self.span.up_to.max(self.span.after)
    }

    pub(in crate::cli) fn json(&self, file: Option<&Path>) -> Value {
        json!({"events": self.events, "up_to": self.up_to().to_string(), "sha256": self.sha256, "file": file})
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} events up to position {}, SHA-256 {}", self.events, self.up_to(), self.sha256)
    }
}

async fn write<W: Write>(query: &LogQuery, filter: &EventFilter, span: Span, out: W) -> Result<(Summary, W), CliError> {
    let style = ProgressStyle::with_template("export [{bar:30}] {human_pos}/{human_len} events, {per_sec}, {eta} left");
    let bar = ProgressBar::new(query.count(filter, span).await?)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let mut out = BufWriter::new(Digested::new(out));
    let (mut after, mut events) = (span.after, 0_u64);
    loop {
        let page = query.page(filter, Span { after, ..span }, Direction::Forward, PAGE).await?;
        for event in &page {
            serde_json::to_writer(&mut out, &whole(event)).map_err(io::Error::from)?;
            out.write_all(b"\n")?;
        }
        events += page.len() as u64;
        bar.set_position(events);
        match page.last() {
            Some(last) if i64::try_from(page.len())? == PAGE => after = last.position,
            _ => break,
        }
    }
    bar.finish_and_clear();
    out.flush()?;
    let (out, sha256) = out.into_inner().map_err(io::IntoInnerError::into_error)?.finish();
    Ok((Summary { events, span, sha256 }, out))
}
