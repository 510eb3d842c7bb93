use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "reports")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub tenant_id: Uuid,
    pub run_id: Uuid,
    pub kind: String,
    pub period_from: DateTime<Utc>,
    pub period_to: DateTime<Utc>,
    pub headline: String,
    pub summary: String,
    pub metrics: Json,
    #[sea_orm(column_name = "model")]
    pub ai_model: String,
    pub prompt_version: Option<i32>,
    pub published_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
