//! Photos as Telegram takes them, as far as their file tells: its form, its size, its dimensions.

use serde::{Deserialize, Serialize};

use super::errors::Refusal;

/// Largest file, in bytes.
const LARGEST_FILE: usize = 10_000_000;
/// Largest sum of width and height, in pixels.
const LARGEST_SUM: u32 = 10_000;
/// Most that one side is of the other.
const MOST_TIMES: u32 = 20;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A photo that was sent with a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TelegramPhoto {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Of the file, in bytes.
    pub bytes: usize,
}

impl TelegramPhoto {
    pub(super) fn of(file: &[u8]) -> Result<Self, Refusal> {
        if file.len() > LARGEST_FILE {
            return Err(Refusal::FileTooLarge);
        }
        let (width, height) = dimensions(file).ok_or(Refusal::BadRequest("IMAGE_PROCESS_FAILED"))?;
        let (shorter, longer) = (width.min(height), width.max(height));
        if width.saturating_add(height) > LARGEST_SUM || longer > shorter.saturating_mul(MOST_TIMES) {
            return Err(Refusal::BadRequest("PHOTO_INVALID_DIMENSIONS"));
        }
        Ok(Self { width, height, bytes: file.len() })
    }
}

/// Width and height of a PNG file that has a header, data and an end.
fn dimensions(file: &[u8]) -> Option<(u32, u32)> {
    let mut rest = file.strip_prefix(SIGNATURE)?;
    let mut kinds = Vec::new();
    let mut size = None;
    while !rest.is_empty() {
        let (head, after) = rest.split_at_checked(8)?;
        let (length, kind) = (number(&head[..4])?, &head[4..]);
        let (data, after) = after.split_at_checked(usize::try_from(length).ok()?)?;
        let (_checksum, after) = after.split_at_checked(4)?;
        if kind == b"IHDR" {
            size = number(data.get(..4)?).zip(number(data.get(4..8)?));
        }
        kinds.push(kind);
        rest = after;
    }
    let whole = kinds.first() == Some(&b"IHDR".as_slice())
        && kinds.contains(&b"IDAT".as_slice())
        && kinds.last() == Some(&b"IEND".as_slice());
    size.filter(|(width, height)| whole && *width > 0 && *height > 0)
}

fn number(bytes: &[u8]) -> Option<u32> {
    bytes.try_into().ok().map(u32::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with the parts of a PNG, and no picture in it.
    fn png(width: u32, height: u32) -> Vec<u8> {
        let header = [width.to_be_bytes().as_slice(), &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
        let mut file = SIGNATURE.to_vec();
        for (kind, data) in [(b"IHDR", header.as_slice()), (b"IDAT", &[1, 2, 3]), (b"IEND", &[])] {
            file.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
            file.extend([kind.as_slice(), data, &[0; 4]].concat());
        }
        file
    }

    fn refused(file: &[u8]) -> String {
        let refusal = TelegramPhoto::of(file).unwrap_err();
        refusal.into_reply().value()["description"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_photo_is_measured() {
        let file = png(1_080, 1_346);
        assert_eq!(
            TelegramPhoto::of(&file).ok(),
            Some(TelegramPhoto { width: 1_080, height: 1_346, bytes: file.len() })
        );
    }

    #[test]
    fn what_telegram_cannot_show_is_refused() {
        let whole = png(10, 10);
        for broken in [b"GIF89a".as_slice(), SIGNATURE, &whole[..whole.len() - 1], &png(0, 10)] {
            assert_eq!(refused(broken), "Bad Request: IMAGE_PROCESS_FAILED");
        }
        for (width, height) in [(9_000, 1_001), (10, 201), (201, 10), (u32::MAX, u32::MAX)] {
            assert_eq!(refused(&png(width, height)), "Bad Request: PHOTO_INVALID_DIMENSIONS", "{width}x{height}");
        }
        assert!(refused(&vec![0; LARGEST_FILE + 1]).contains("Request Entity Too Large"));
    }
}
