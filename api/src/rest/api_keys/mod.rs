//! Keys with which the company's programs ask.

mod body;

use std::sync::Arc;

use application::IdempotencyKey;
use domain::ids::ApiKeyId;
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use serde_json::json;
use uuid::Uuid;

use self::body::{Created, FoundKey, KeyList, NewKey};
use super::Chapter;
use super::body::{Done, Shown};
use crate::AppState;
use crate::cursor::{After, PageLimit, page_request};
use crate::headers::{Sent, key};
use crate::idempotency::receipt;
use crate::identity::SignedInUser;
use crate::input::{Input, one};
use crate::limits::api_limit;
use crate::position::{header, settled};
use crate::problem::ApiError;

pub(super) struct ApiKeysApi;

#[OpenApi(prefix_path = "/api/v1", tag = "Chapter::ApiKeys")]
impl ApiKeysApi {
    /// Create an API key
    ///
    /// The answer shows the key, this once. A program sends it as `Authorization: Bearer syn_…` or as `X-Api-Key: syn_…`.
    /// Needs the right `api_keys:write` and a person who signed in; `403` names the scopes that your own role does not have.
    #[oai(path = "/api-keys", method = "post", operation_id = "create_api_key", transform = "api_limit")]
    async fn create(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// Your name for this request: a repeat under it creates no second key, for 30 days. It cannot show the key again.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: Sent<IdempotencyKey>,
        new: Json<NewKey>,
    ) -> Result<Created, ApiError> {
        let key = key(idempotency_key)?;
        let new = new.0.read()?;
        let asked = json!({"name": new.name, "scopes": new.scopes, "expires_at": new.expires_at});
        let context = user.0.repeatable(receipt(key, "create_api_key", &[], &asked));
        let created = state.api_keys.create(&context, new).await?;
        settled(&state, created.position).await;
        let position = created.position.map(header);
        Ok(Created::new(created, position))
    }

    /// List API keys
    ///
    /// The company's keys, newest first, those that were revoked or have expired included. Needs the right `api_keys:read`.
    #[oai(path = "/api-keys", method = "get", operation_id = "list_api_keys", transform = "api_limit")]
    async fn list(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// How many keys at most.
        limit: Query<Option<Input<PageLimit>>>,
        /// The `next` of the answer before.
        cursor: Query<Option<Input<After>>>,
    ) -> Result<Shown<KeyList>, ApiError> {
        let page = page_request(limit.0, cursor.0)?;
        Ok(Shown::new(state.api_keys.list(&user.0.context(), page).await?))
    }

    /// Look at an API key
    ///
    /// Needs the right `api_keys:read`.
    #[oai(path = "/api-keys/:id", method = "get", operation_id = "get_api_key", transform = "api_limit")]
    async fn get(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The key.
        id: Path<Input<Uuid>>,
    ) -> Result<Shown<FoundKey>, ApiError> {
        let id = ApiKeyId::from(one("id", id.0)?);
        Ok(Shown::new(state.api_keys.get(&user.0.context(), id).await?))
    }

    /// Revoke an API key
    ///
    /// It is refused everywhere within a second, for good. Repeating it changes nothing. Needs the right `api_keys:write` and
    /// a person who signed in.
    #[oai(path = "/api-keys/:id/revoke", method = "post", operation_id = "revoke_api_key", transform = "api_limit")]
    async fn revoke(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The key.
        id: Path<Input<Uuid>>,
    ) -> Result<Done, ApiError> {
        let id = ApiKeyId::from(one("id", id.0)?);
        let position = state.api_keys.revoke(&user.0.context(), id).await?;
        Ok(Done::after(&state, position).await)
    }
}
