//! The page that shows the OpenAPI document and lets people try the operations.
//!
//! Swagger UI comes with the framework as one page with everything inline. It is served here in separate files, so
//! that the page's content security policy can refuse inline scripts.

use poem::endpoint::make_sync;
use poem::http::header;
use poem::{IntoResponse, Response, Route, get};

/// Where the page is.
pub(crate) const PAGE: &str = "/api/v1/public/docs";
/// Where the document is.
pub(crate) const DOCUMENT: &str = "/api/v1/public/openapi.json";

const HTML: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Synkro API</title>
<link rel="stylesheet" href="/api/v1/public/docs/swagger-ui.css">
<script src="/api/v1/public/docs/swagger-ui.js" defer></script>
<script src="/api/v1/public/docs/start.js" defer></script>
</head>
<body><div id="ui"></div></body>
</html>
"#;

const START: &str = r"SwaggerUIBundle({ dom_id: '#ui', url: '/api/v1/public/openapi.json', deepLinking: true });
";

/// Swagger UI sets styles on its elements and shows its icons as `data:` images; everything else is its own files.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The files change only with the program.
const CACHED: &str = "public, max-age=3600";

/// The page, its files and the document. `bundled` is the framework's page.
pub(crate) fn routes(route: Route, bundled: &str, document: String) -> Route {
    let style = between(bundled, "<style charset=\"UTF-8\">", "</style>");
    let script = between(bundled, "<script charset=\"UTF-8\">", "</script>");
    route
        .at(PAGE, file(HTML.to_owned(), "text/html; charset=utf-8"))
        .at(format!("{PAGE}/swagger-ui.css"), file(style, "text/css; charset=utf-8"))
        .at(format!("{PAGE}/swagger-ui.js"), file(script, "text/javascript; charset=utf-8"))
        .at(format!("{PAGE}/start.js"), file(START.to_owned(), "text/javascript; charset=utf-8"))
        .at(DOCUMENT, file(document, "application/json"))
}

fn file(content: String, content_type: &'static str) -> impl poem::IntoEndpoint<Endpoint: 'static> {
    get(make_sync(move |_| -> Response {
        content
            .clone()
            .with_content_type(content_type)
            .with_header(header::CACHE_CONTROL, CACHED)
            .with_header(header::CONTENT_SECURITY_POLICY, POLICY)
            .into_response()
    }))
}

fn between(text: &str, begin: &str, end: &str) -> String {
    let part = text.split_once(begin).and_then(|(_, rest)| rest.split_once(end));
    part.map(|(part, _)| part.to_owned()).unwrap_or_default()
}
