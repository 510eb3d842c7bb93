//! Deals, which amoCRM calls leads (amoCRM sheet §3.1, §3.2).

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
    world::{Case, PIPELINE, World},
};

pub(super) fn list(world: &World, call: &Incoming) -> Reply {
    let mut matching = matching(world, call);
    let order = query::order(call);
    matching.sort_by_key(|case| {
        let value = match order {
            Some(("updated_at", _)) => updated_at(world, case),
            Some(("created_at", _)) => created_at(world, case),
            _ => 0,
        };
        (value, case.deal_id())
    });
    if order.is_some_and(|(_, direction)| direction == Direction::Descending) {
        matching.reverse();
    }
    let (page, cases) = Page::cut(call, &matching);
    let items: Vec<Value> = cases.iter().map(|case| lead(world, call, case)).collect();
    hal_list(call, "leads", &page, &items)
}

pub(super) fn one(world: &World, call: &Incoming, id: &str) -> Result<Reply, Problem> {
    Ok(hal(&lead(world, call, find(world, id)?)))
}

pub(super) fn links(world: &World, call: &Incoming, id: &str) -> Result<Reply, Problem> {
    let case = find(world, id)?;
    let links = json!([
        {"to_entity_id": case.contact_id(), "to_entity_type": "contacts", "metadata": {"main_contact": true}},
    ]);
    Ok(hal(&json!({
        "_links": {"self": {"href": format!("{}{}", call.origin(), call.target())}},
        "_embedded": {"links": links},
    })))
}

fn find<'a>(world: &'a World, id: &str) -> Result<&'a Case, Problem> {
    id.parse().ok().and_then(|id| world.case_of_deal(id)).ok_or(Problem::NotFound)
}

fn matching<'a>(world: &'a World, call: &Incoming) -> Vec<&'a Case> {
    let ids = query::filter_numbers(call, "id");
    let responsible = query::filter_numbers(call, "responsible_user_id");
    let pipelines = query::filter_numbers(call, "pipeline_id");
    let statuses = query::filter_statuses(call);
    let created = query::filter_range(call, "created_at");
    let updated = query::filter_range(call, "updated_at");
    let closed = query::filter_range(call, "closed_at");
    let fits = |case: &Case| {
        ids.as_ref().is_none_or(|ids| ids.contains(&case.deal_id()))
            && responsible.as_ref().is_none_or(|users| users.contains(&case.responsible_user))
            && pipelines.as_ref().is_none_or(|pipelines| pipelines.contains(&PIPELINE))
            && statuses.as_ref().is_none_or(|pairs| pairs.contains(&(PIPELINE, case.status.id())))
            && created.as_ref().is_none_or(|range| range.contains(&created_at(world, case)))
            && updated.as_ref().is_none_or(|range| range.contains(&updated_at(world, case)))
            && closed.as_ref().is_none_or(|range| closed_at(world, case).is_some_and(|at| range.contains(&at)))
    };
    world.cases.iter().filter(|case| fits(case)).collect()
}

fn lead(world: &World, call: &Incoming, case: &Case) -> Value {
    let mut embedded = json!({"tags": [], "companies": []});
    if query::wants(call, "contacts") {
        let id = case.contact_id();
        embedded["contacts"] = json!([{"id": id, "is_main": true, "_links": self_link(call, "contacts", id)}]);
    }
    json!({
        "id": case.deal_id(), "name": format!("Dialogue {}", world.dialogue(case).id), "price": 0,
        "responsible_user_id": case.responsible_user, "group_id": 0,
        "status_id": case.status.id(), "pipeline_id": PIPELINE, "loss_reason_id": null,
        "created_by": case.responsible_user, "updated_by": case.responsible_user,
        "created_at": created_at(world, case), "updated_at": updated_at(world, case),
        "closed_at": closed_at(world, case), "closest_task_at": null, "is_deleted": false,
        "custom_fields_values": null, "score": null, "account_id": ACCOUNT_ID,
        "labor_cost": null, "is_price_computed": false,
        "_links": self_link(call, "leads", case.deal_id()), "_embedded": embedded,
    })
}

fn created_at(world: &World, case: &Case) -> i64 {
    world.dialogue(case).first_at().timestamp()
}

fn updated_at(world: &World, case: &Case) -> i64 {
    world.dialogue(case).last_at().timestamp()
}

fn closed_at(world: &World, case: &Case) -> Option<i64> {
    case.status.is_closed().then(|| updated_at(world, case))
}
