//! Which right each operation needs. Its description says so in words, for people; this is the one place that reads it there,
//! and the document says it once more, for programs.

use poem_openapi::registry::MetaApi;

/// The OpenAPI document with the right of each operation that needs one, as `x-synkro-right`. The framework has no words of its
/// own for what is no OAuth scope.
pub(super) fn name_in(document: String, resources: Vec<MetaApi>) -> String {
    let operations = resources.into_iter().flat_map(|resource| resource.paths).flat_map(|path| path.operations);
    let named = operations.filter_map(|operation| Some((operation.operation_id?, right(operation.description?)?)));
    named.fold(document, |document, (operation, right)| {
        let id = format!("\"operationId\": \"{operation}\"");
        document.replace(&id, &format!("\"x-synkro-right\": \"{right}\",\n        {id}"))
    })
}

/// The right that a description names: "Needs the right `runs:read`", or "For staff with the platform right
/// `platform.staff:read`". Lines may end anywhere in it.
fn right(description: &str) -> Option<String> {
    let words = description.split_whitespace().collect::<Vec<_>>().join(" ");
    let named = ["eeds the right `", "the platform right `"].iter().find_map(|before| words.split_once(before));
    let (_, named) = named?;
    Some(named.split_once('`')?.0.to_owned())
}
