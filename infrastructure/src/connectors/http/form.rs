//! Bodies of the kind `multipart/form-data` (RFC 7578): fields and files in one request.

use std::fmt;

/// A part of a form. Names and types are the connector's own words, so nothing in them needs to be escaped.
#[derive(Debug)]
pub(crate) enum Part<'a> {
    /// A field with a text.
    Text(&'static str, &'a str),
    /// A file.
    File {
        /// The field's name.
        name: &'static str,
        /// The file's name.
        file_name: &'static str,
        /// Its media type.
        media_type: &'static str,
        /// Its bytes.
        content: &'a [u8],
    },
}

impl Part<'_> {
    fn content(&self) -> &[u8] {
        match self {
            Self::Text(_, text) => text.as_bytes(),
            Self::File { content, .. } => content,
        }
    }

    fn head(&self) -> String {
        match self {
            Self::Text(name, _) => format!("Content-Disposition: form-data; name=\"{name}\"\r\n\r\n"),
            Self::File { name, file_name, media_type, .. } => format!(
                "Content-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\nContent-Type: {media_type}\r\n\r\n"
            ),
        }
    }
}

/// A form as it is sent. What is in it is not printed.
#[derive(Clone)]
pub(super) struct Form {
    boundary: String,
    pub(super) body: Vec<u8>,
}

impl fmt::Debug for Form {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Form({} bytes)", self.body.len())
    }
}

impl Form {
    pub(super) fn of(parts: &[Part<'_>]) -> Self {
        let boundary = boundary(parts);
        let mut body = Vec::new();
        for part in parts {
            body.extend_from_slice(format!("--{boundary}\r\n{}", part.head()).as_bytes());
            body.extend_from_slice(part.content());
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        Self { boundary, body }
    }

    pub(super) fn media_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }
}

/// The first boundary that is in no part, so that nothing in a part can end it. There are more boundaries than a form has bytes.
fn boundary(parts: &[Part<'_>]) -> String {
    let is_in = |text: &str| parts.iter().any(|part| contains(part.content(), text.as_bytes()));
    let mut number = 0_u64;
    loop {
        let boundary = format!("synkro-form-{number:020}");
        if !is_in(&boundary) {
            return boundary;
        }
        number += 1;
    }
}

fn contains(bytes: &[u8], sought: &[u8]) -> bool {
    let starts = bytes.iter().enumerate().filter(|(_, byte)| Some(*byte) == sought.first());
    starts.into_iter().any(|(at, _)| bytes[at..].starts_with(sought))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_written_as_the_standard_says() {
        let file = Part::File { name: "photo", file_name: "chart.png", media_type: "image/png", content: b"\x89P\r\n" };
        let form = Form::of(&[Part::Text("chat_id", "-5"), file]);
        let boundary = "synkro-form-00000000000000000000";
        assert_eq!(form.media_type(), format!("multipart/form-data; boundary={boundary}"));
        let expected = [
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n-5\r\n").as_bytes(),
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"chart.png\"\r\n")
                .as_bytes(),
            b"Content-Type: image/png\r\n\r\n\x89P\r\n\r\n",
            format!("--{boundary}--\r\n").as_bytes(),
        ]
        .concat();
        assert_eq!(form.body, expected);
        assert_eq!(format!("{form:?}"), format!("Form({} bytes)", expected.len()));
    }

    /// Seen to fail: with one boundary for all forms.
    #[test]
    fn no_part_ends_before_its_end() {
        let hostile = "--synkro-form-00000000000000000000--\r\n synkro-form-00000000000000000001";
        let form = Form::of(&[Part::Text("caption", hostile)]);
        assert_eq!(form.boundary, "synkro-form-00000000000000000002");
    }
}
