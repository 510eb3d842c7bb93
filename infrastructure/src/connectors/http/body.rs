//! Reads an answer's body without letting it fill the memory.

use reqwest::{Response, StatusCode};

use super::HttpOptions;

/// Error bodies are only quoted from; more of them is not read.
const ERROR_BODY_LIMIT: usize = 64 * 1024;

/// Why a body could not be read.
pub(super) enum BodyError {
    /// It is larger than what is read at most.
    TooLarge,
    /// It broke off.
    Cut(reqwest::Error),
}

/// The whole body, up to the limit.
pub(super) async fn read(response: Response, options: &HttpOptions) -> Result<Vec<u8>, BodyError> {
    collect(response, options.response_limit).await.map_err(|(error, _)| error)
}

/// As much of an error's body as can be had; it is of no consequence whether all of it came.
pub(super) async fn read_refusal(response: Response) -> Vec<u8> {
    collect(response, ERROR_BODY_LIMIT).await.unwrap_or_else(|(_, so_far)| so_far)
}

async fn collect(mut response: Response, limit: usize) -> Result<Vec<u8>, (BodyError, Vec<u8>)> {
    let mut body = Vec::new();
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err((BodyError::TooLarge, body));
    }
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > limit => return Err((BodyError::TooLarge, body)),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) => return Err((BodyError::Cut(error.without_url()), body)),
        }
    }
}

/// True for an answer that has no body by its status.
pub(super) fn is_empty_by_status(status: StatusCode) -> bool {
    status == StatusCode::NO_CONTENT
}
