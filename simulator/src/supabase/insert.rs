//! Inserts and upserts (Supabase sheet §2).

use std::collections::HashSet;

use poem::http::StatusCode;
use serde_json::Value;

use super::{
    TableDefinition,
    failure::Failure,
    gateway::Role,
    prefer::{Preferences, Return},
    select::{Selection, total},
    store::{Row, Store},
};
use crate::http::{Incoming, Reply};

pub(super) fn answer(
    store: &Store,
    call: &Incoming,
    role: Role,
    table: &str,
    preferences: &Preferences,
) -> Result<Reply, Failure> {
    let (definition, proposed) =
        store.with(table, |table| Ok((table.definition.clone(), payload(call, &table.definition)?)))?;
    if role == Role::Anon {
        return Err(Failure::no_rights(table, role));
    }
    if preferences.resolution.is_some() {
        check_constraint(call, &definition)?;
    }
    let selection = Selection::of(call, &definition)?;
    let outcome = store.write(table, proposed, preferences.resolution)?;

    let status = if outcome.inserted > 0 { StatusCode::CREATED } else { StatusCode::OK };
    let mut reply = match preferences.returns {
        Return::Representation => Reply::json(status, &selection.rows(outcome.affected.iter())),
        Return::Minimal | Return::HeadersOnly => Reply::empty(status),
    };
    if let (Return::HeadersOnly, [row]) = (preferences.returns, outcome.affected.as_slice()) {
        reply = reply.header("location", location(&definition, row));
    }
    Ok(reply.header("content-range", format!("*/{}", total(preferences.count, outcome.affected.len()))))
}

/// `on_conflict` must name the key, in any order; left out, it is the key.
fn check_constraint(call: &Incoming, definition: &TableDefinition) -> Result<(), Failure> {
    let Some(named) = call.param("on_conflict") else { return Ok(()) };
    let named: HashSet<&str> = named.split(',').map(str::trim).collect();
    let key: HashSet<&str> = definition.key.iter().map(String::as_str).collect();
    if named == key { Ok(()) } else { Err(Failure::no_such_constraint()) }
}

/// The rows of the payload, their values as the columns store them.
fn payload(call: &Incoming, definition: &TableDefinition) -> Result<Vec<Row>, Failure> {
    let media_type = call.header("content-type").unwrap_or("application/json");
    if !media_type.starts_with("application/json") {
        return Err(Failure::unsupported_media_type(media_type));
    }
    let body = call.json().map_err(|error| Failure::bad_body(format!("Empty or invalid json: {error}")))?;
    let items = match body {
        Value::Array(items) => items,
        single @ Value::Object(_) => vec![single],
        _ => return Err(Failure::bad_body("The payload must be a JSON object or a list of them")),
    };
    let objects = items
        .into_iter()
        .map(|item| match item {
            Value::Object(row) => Ok(row),
            _ => Err(Failure::bad_body("All items of the payload must be JSON objects")),
        })
        .collect::<Result<Vec<Row>, _>>()?;
    let columns = columns(call, &objects)?;
    if let Some(unknown) = columns.iter().find(|name| definition.column(name).is_none()) {
        return Err(Failure::unknown_payload_column(&definition.name, unknown));
    }
    objects.iter().map(|object| stored(object, &columns, definition)).collect()
}

/// The columns that the payload sets: those of `columns=`, else the keys, which must be the same in all objects.
fn columns(call: &Incoming, objects: &[Row]) -> Result<Vec<String>, Failure> {
    if let Some(named) = call.param("columns") {
        return Ok(named.split(',').map(|name| name.trim().trim_matches('"').to_owned()).collect());
    }
    let Some(first) = objects.first() else { return Ok(Vec::new()) };
    let is_same = |other: &Row| other.len() == first.len() && other.keys().all(|key| first.contains_key(key));
    if objects.iter().all(is_same) {
        Ok(first.keys().cloned().collect())
    } else {
        Err(Failure::bad_body("All object keys must match"))
    }
}

fn stored(object: &Row, columns: &[String], definition: &TableDefinition) -> Result<Row, Failure> {
    let mut row = Row::new();
    for column in definition.columns.iter().filter(|column| columns.contains(&column.name)) {
        let given = object.get(&column.name).unwrap_or(&Value::Null);
        row.insert(column.name.clone(), column.kind.store(given)?);
    }
    Ok(row)
}

/// The address of a single row by its key.
fn location(definition: &TableDefinition, row: &Row) -> String {
    let conditions: Vec<String> = definition
        .key
        .iter()
        .filter_map(|name| {
            let value = row.get(name)?;
            let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
            Some(url::form_urlencoded::Serializer::new(String::new()).append_pair(name, &format!("eq.{text}")).finish())
        })
        .collect();
    format!("/{}?{}", definition.name, conditions.join("&"))
}
