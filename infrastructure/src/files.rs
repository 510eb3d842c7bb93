//! Files that only their owner may read, and files that prove what is in them.

use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};

/// Writes a file with mode 0600, whole or not at all: a crash leaves no half-written key behind.
pub fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let unfinished = path.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)
}

/// A writer that knows the SHA-256 of everything that was written through it.
pub struct Digested<W> {
    inner: W,
    digest: Context,
}

impl<W: Write> Digested<W> {
    /// Writes to `inner`.
    pub fn new(inner: W) -> Self {
        Self { inner, digest: Context::new(&SHA256) }
    }

    /// The writer below, and the SHA-256 in hexadecimal digits.
    pub fn finish(self) -> (W, String) {
        use std::fmt::Write as _;
        let mut hex = String::new();
        for byte in self.digest.finish().as_ref() {
            // A string takes everything that is written to it.
            let _ = write!(hex, "{byte:02x}");
        }
        (self.inner, hex)
    }
}

impl<W: Write> Write for Digested<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes two bytes at a time, as a full pipe may.
    struct Narrow(Vec<u8>);

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.write(&bytes[..bytes.len().min(2)])
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The digest is the example of FIPS 180-4. Seen to fail: with the digest of all bytes that were offered.
    #[test]
    fn the_digest_is_that_of_what_was_written() {
        let mut file = Digested::new(Narrow(Vec::new()));
        file.write_all(b"abc").unwrap();
        let (written, digest) = file.finish();
        assert_eq!(written.0, b"abc");
        assert_eq!(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
