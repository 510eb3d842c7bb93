//! Services, actions and permissions: three lists with the same operations.

use std::sync::Arc;

use application::use_cases::EntryOutcome;
use application::{AppError, IdempotencyKey, RequestContext};
use domain::access::EntryKind;
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use serde_json::json;
use uuid::Uuid;

use super::body::{
    ChangedEntry, EntryBody, EntryCommandAnswer, EntryList, NewAction, NewEntry, NewPermission, NewService, Recorded,
};
use crate::AppState;
use crate::cursor::{After, PageLimit, page_request};
use crate::headers::{Sent, key};
use crate::idempotency::receipt;
use crate::identity::SignedInUser;
use crate::input::{Input, both, one};
use crate::limits::api_limit;
use crate::problem::ApiError;
use crate::rest::Chapter;
use crate::rest::body::Shown;
use crate::rest::recorded::{headers, seen_after};

type EntryAnswer = Recorded<EntryCommandAnswer>;

async fn after(
    state: &AppState,
    context: &RequestContext,
    kind: EntryKind,
    outcome: EntryOutcome,
) -> Result<EntryAnswer, AppError> {
    let EntryOutcome { entry_id: id, position, replayed } = outcome;
    let entry = seen_after(state, position, state.read_matrix.entry(context, kind, id)).await?;
    let answer = Json(EntryCommandAnswer { id: id.uuid(), entry: entry.map(EntryBody::from) });
    let location = format!("/api/v1/admin/matrix/{}s/{id}", kind.name());
    let (position, replayed) = headers(position, replayed);
    Ok(Recorded::Recorded(answer, location, position, replayed))
}

/// The operations of one list. Paths and ids are written out, so that a search finds them.
macro_rules! entry_operations {
    (
        $api:ident, $kind:expr, $new:ident, $all:literal, $one:literal,
        $add_id:literal $list_id:literal $get_id:literal $change_id:literal $remove_id:literal,
        $(#[$add:meta])+, $(#[$list:meta])+, $(#[$get:meta])+, $(#[$change:meta])+, $(#[$remove:meta])+
    ) => {
        pub(in crate::rest) struct $api;

        #[OpenApi(prefix_path = "/api/v1/admin/matrix", tag = "Chapter::Access")]
        impl $api {
            $(#[$add])+
            #[oai(path = $all, method = "post", operation_id = $add_id, transform = "api_limit")]
            async fn add(
                &self,
                state: Data<&Arc<AppState>>,
                user: SignedInUser,
                /// Your name for this request: a repeat under it is answered with the first outcome, for 30 days.
                #[oai(name = "Idempotency-Key")]
                idempotency_key: Sent<IdempotencyKey>,
                entry: Json<$new>,
            ) -> Result<EntryAnswer, ApiError> {
                let (key, (entry, title)) = (key(idempotency_key)?, entry.0.read()?);
                let asked = json!({"name": entry.to_string(), "title": title});
                let context = user.0.repeatable(receipt(key, $add_id, &[], &asked));
                let outcome = state.manage_catalogue.add(&context, entry, title).await?;
                Ok(after(&state, &context, $kind, outcome).await?)
            }

            $(#[$list])+
            #[oai(path = $all, method = "get", operation_id = $list_id, transform = "api_limit")]
            async fn list(
                &self,
                state: Data<&Arc<AppState>>,
                user: SignedInUser,
                /// How many entries at most.
                limit: Query<Option<Input<PageLimit>>>,
                /// The `next` of the answer before.
                cursor: Query<Option<Input<After>>>,
            ) -> Result<Shown<EntryList>, ApiError> {
                let page = page_request(limit.0, cursor.0)?;
                Ok(Shown::new(state.read_matrix.entries(&user.0.context(), $kind, page).await?))
            }

            $(#[$get])+
            #[oai(path = $one, method = "get", operation_id = $get_id, transform = "api_limit")]
            async fn get(
                &self,
                state: Data<&Arc<AppState>>,
                user: SignedInUser,
                /// The entry.
                id: Path<Input<Uuid>>,
            ) -> Result<Shown<EntryBody>, ApiError> {
                let id = one("id", id.0)?.into();
                Ok(Shown::new(state.read_matrix.entry(&user.0.context(), $kind, id).await?))
            }

            $(#[$change])+
            #[oai(path = $one, method = "put", operation_id = $change_id, transform = "api_limit")]
            async fn change(
                &self,
                state: Data<&Arc<AppState>>,
                user: SignedInUser,
                /// The entry.
                id: Path<Input<Uuid>>,
                entry: Json<ChangedEntry>,
            ) -> Result<EntryAnswer, ApiError> {
                let (id, title) = both(("id", id.0), ("title", entry.0.title))?;
                let context = user.0.context();
                let outcome = state.manage_catalogue.rename(&context, ($kind, id.into()), title).await?;
                Ok(after(&state, &context, $kind, outcome).await?)
            }

            $(#[$remove])+
            #[oai(path = $one, method = "delete", operation_id = $remove_id, transform = "api_limit")]
            async fn remove(
                &self,
                state: Data<&Arc<AppState>>,
                user: SignedInUser,
                /// The entry.
                id: Path<Input<Uuid>>,
            ) -> Result<EntryAnswer, ApiError> {
                let (id, context) = (one("id", id.0)?, user.0.context());
                let outcome = state.manage_catalogue.remove(&context, ($kind, id.into())).await?;
                Ok(after(&state, &context, $kind, outcome).await?)
            }
        }
    };
}

entry_operations! {
    ServicesApi, EntryKind::Service, NewService, "/services", "/services/:id",
    "add_service" "list_services" "get_service" "change_service" "remove_service",
    /// Add a service
    ///
    /// Something that rights are about. Needs the right `roles:write`.
    ,
    /// List services
    ///
    /// Those that the company added, newest first, then the built-in ones. Needs the right `roles:read`.
    ,
    /// Look at a service
    ///
    /// Needs the right `roles:read`.
    ,
    /// Give a service another title
    ///
    /// Needs the right `roles:write`. What is built in cannot be changed.
    ,
    /// Remove a service
    ///
    /// Needs the right `roles:write`. What is built in stays, and what a permission is made of, as long as that.
}

entry_operations! {
    ActionsApi, EntryKind::Action, NewAction, "/actions", "/actions/:id",
    "add_action" "list_actions" "get_action" "change_action" "remove_action",
    /// Add an action
    ///
    /// Something that rights allow to do. Needs the right `roles:write`.
    ,
    /// List actions
    ///
    /// Those that the company added, newest first, then the built-in ones. Needs the right `roles:read`.
    ,
    /// Look at an action
    ///
    /// Needs the right `roles:read`.
    ,
    /// Give an action another title
    ///
    /// Needs the right `roles:write`. What is built in cannot be changed.
    ,
    /// Remove an action
    ///
    /// Needs the right `roles:write`. What is built in stays, and what a permission is made of, as long as that.
}

entry_operations! {
    PermissionsApi, EntryKind::Permission, NewPermission, "/permissions", "/permissions/:id",
    "add_permission" "list_permissions" "get_permission" "change_permission" "remove_permission",
    /// Add a permission
    ///
    /// An action that makes sense with a service, so that roles can be granted it. Needs the right `roles:write`.
    ,
    /// List permissions
    ///
    /// Those that the company added, newest first, then the built-in ones. Needs the right `roles:read`.
    ,
    /// Look at a permission
    ///
    /// Needs the right `roles:read`.
    ,
    /// Give a permission another title
    ///
    /// Needs the right `roles:write`. What is built in cannot be changed.
    ,
    /// Remove a permission
    ///
    /// It denies at once to every role that names it. Needs the right `roles:write`. What is built in stays.
}
