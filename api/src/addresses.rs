//! The operations' addresses, found by the router's pattern: how the document writes them, and their methods.

use std::collections::HashMap;

use poem::http::{HeaderValue, Method};
use poem_openapi::registry::{MetaApi, MetaPath};

/// An address of the OpenAPI document.
pub(crate) struct Address {
    /// As the document writes it, such as `/api/v1/runs/{id}`.
    pub(crate) path: String,
    /// Its methods, as the header `Allow` lists them.
    pub(crate) allow: Option<HeaderValue>,
}

/// All of them, by shape.
pub(crate) struct Addresses(HashMap<String, Address>);

impl Addresses {
    /// The addresses of these resources.
    pub(crate) fn of(resources: Vec<MetaApi>) -> Self {
        let paths = resources.into_iter().flat_map(|resource| resource.paths);
        Self(paths.map(|path| (shape(&path.path), Address::of(path))).collect())
    }

    /// The address that the router knows under this pattern; none for files.
    pub(crate) fn find(&self, pattern: &str) -> Option<&Address> {
        self.0.get(&shape(pattern))
    }
}

impl Address {
    fn of(MetaPath { path, operations }: MetaPath) -> Self {
        let mut methods: Vec<Method> = operations.into_iter().map(|operation| operation.method).collect();
        if methods.contains(&Method::GET) {
            methods.push(Method::HEAD);
        }
        let mut names: Vec<&str> = methods.iter().map(Method::as_str).collect();
        names.sort_unstable();
        Self { path, allow: HeaderValue::from_str(&names.join(", ")).ok() }
    }
}

/// A path without the names of its variables, which the router and the document write differently.
fn shape(path: &str) -> String {
    let variable = |part: &str| part.starts_with(':') || part.starts_with('{');
    path.split('/').map(|part| if variable(part) { "*" } else { part }).collect::<Vec<_>>().join("/")
}
