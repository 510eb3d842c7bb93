//! AI providers: Gemini's own API and the OpenAI-compatible one (Gemini sheet §1–6), over one engine that derives every
//! answer from the prompt it was given.

mod derive;
mod engine;
mod gemini;
mod models;
mod openai;

pub(crate) use gemini::Gemini;
pub(crate) use openai::Openai;
