//! Contacts and users (amoCRM sheet §3.3, §3.4).

use serde_json::{Value, json};

use super::{
    ACCOUNT_ID,
    errors::Problem,
    hal, hal_list,
    query::{self, Direction, Page},
    self_link,
};
use crate::{
    http::{Incoming, Reply},
    world::{Case, UNASSIGNED_USER, User, World},
};

const PHONE_FIELD: i64 = 3;

pub(super) fn contacts(world: &World, call: &Incoming) -> Reply {
    let ids = query::filter_numbers(call, "id");
    let mut matching: Vec<&Case> = match &ids {
        Some(ids) => ids.iter().filter_map(|id| world.case_of_contact(*id)).collect(),
        None => world.cases.iter().collect(),
    };
    let order = query::order(call);
    matching.sort_by_key(|case| match order {
        Some(("updated_at", _)) => (world.dialogue(case).last_at().timestamp(), case.contact_id()),
        _ => (0, case.contact_id()),
    });
    if order.is_some_and(|(_, direction)| direction == Direction::Descending) {
        matching.reverse();
    }
    let (page, cases) = Page::cut(call, &matching);
    let items: Vec<Value> = cases.iter().map(|case| contact_json(world, call, case)).collect();
    hal_list(call, "contacts", &page, &items)
}

pub(super) fn contact(world: &World, call: &Incoming, id: &str) -> Result<Reply, Problem> {
    let case = id.parse().ok().and_then(|id| world.case_of_contact(id)).ok_or(Problem::NotFound)?;
    Ok(hal(&contact_json(world, call, case)))
}

fn contact_json(world: &World, call: &Incoming, case: &Case) -> Value {
    let dialogue = world.dialogue(case);
    let (first_name, last_name) = case.contact_name.split_once(' ').unwrap_or((&case.contact_name, ""));
    let mut embedded = json!({"tags": [], "companies": []});
    if query::wants(call, "leads") {
        embedded["leads"] = json!([{"id": case.deal_id(), "_links": self_link(call, "leads", case.deal_id())}]);
    }
    json!({
        "id": case.contact_id(), "name": case.contact_name, "first_name": first_name, "last_name": last_name,
        "responsible_user_id": case.responsible_user, "group_id": 0,
        "created_by": case.responsible_user, "updated_by": case.responsible_user,
        "created_at": dialogue.first_at().timestamp(), "updated_at": dialogue.last_at().timestamp(),
        "closest_task_at": null, "is_deleted": false, "is_unsorted": false,
        "custom_fields_values": [{
            "field_id": PHONE_FIELD, "field_name": "Phone", "field_code": "PHONE", "field_type": "multitext",
            "values": [{"value": case.typed_phone, "enum_id": 1, "enum_code": "WORK"}],
        }],
        "account_id": ACCOUNT_ID,
        "_links": self_link(call, "contacts", case.contact_id()), "_embedded": embedded,
    })
}

pub(super) fn users(world: &World, call: &Incoming) -> Reply {
    let (page, users) = Page::cut(call, &world.users);
    let items: Vec<Value> = users.iter().map(|user| user_json(call, user)).collect();
    hal_list(call, "users", &page, &items)
}

fn user_json(call: &Incoming, user: &User) -> Value {
    let is_owner = user.id == UNASSIGNED_USER;
    let reach = if is_owner { "A" } else { "M" };
    let all = json!({"view": reach, "edit": reach, "add": "A", "delete": reach, "export": reach});
    json!({
        "id": user.id, "name": user.name, "email": format!("user{}@example.test", user.id), "lang": "en",
        "rights": {
            "leads": all, "contacts": all, "companies": all, "tasks": {"edit": reach, "delete": reach},
            "mail_access": false, "catalog_access": false, "status_rights": [],
            "is_admin": is_owner, "is_free": false, "is_active": true, "group_id": null, "role_id": null,
        },
        "_links": self_link(call, "users", user.id),
        "_embedded": {"roles": [], "groups": []},
    })
}
