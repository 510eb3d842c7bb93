//! A right request for every operation.

use domain::integration::IntegrationKind;
use serde_json::{Value, json};

use super::world::{Someone, World};
use crate::operations::Operation;

/// A password that nobody has yet.
const NEW_PASSWORD: &str = "a bicycle made of glass";

/// What is asked of an operation.
pub(super) struct Call {
    pub(super) path: String,
    pub(super) body: Option<Value>,
}

impl World<'_> {
    /// A request that is right, about a thing of the company that is ready for it.
    pub(super) async fn call(&self, operation: &Operation, caller: &Someone) -> Call {
        let id = operation.id.as_str();
        let (mut path, body) = (operation.path.clone(), self.body(id, caller).await);
        if path.contains("{impersonation_id}") {
            let (impersonation, _) = self.impersonation(&self.session(None).await.user).await;
            path = path.replace("{id}", &self.company()).replace("{impersonation_id}", &impersonation);
        } else if path.contains("{user_id}") {
            let user = self.colleague(id == "disable_tenant_user").await;
            path = path.replace("{id}", &self.company()).replace("{user_id}", &user);
        } else if path.contains("{session_id}") {
            let session = self.session(None).await;
            path = path.replace("{id}", &session.user).replace("{session_id}", &session.id);
        } else if path.contains("{id}") {
            path = path.replace("{id}", &self.thing(id, caller).await);
        }
        path = path.replace("{position}", &self.position).replace("{kind}", "telegram").replace("{slug}", "acme");
        if id == "revoke_permission" {
            path += "?permission=runs:read";
        }
        Call { path, body }
    }

    /// The id of what the operation is about.
    async fn thing(&self, operation: &str, caller: &Someone) -> String {
        match operation {
            "open_impersonation" | "list_tenant_impersonations" => self.company(),
            "end_impersonation" => self.impersonation(&self.session(None).await.user).await.0,
            "get_run" | "resend_notification" => self.run.clone(),
            "cancel_run" => self.new_run().await,
            "get_report" => self.report.clone(),
            "end_own_session" => self.session(caller.credential.as_ref()).await.id,
            "get_user" | "change_user" | "deactivate_user" | "list_user_sessions" | "end_user_sessions" => {
                self.session(None).await.user
            }
            "reactivate_user" => self.colleague(false).await,
            "get_invitation" | "resend_invitation" | "revoke_invitation" => self.new_invitation().await,
            "get_role" | "change_role" | "remove_role" | "grant_permission" | "revoke_permission" => {
                self.new_role().await
            }
            "get_service" | "change_service" | "remove_service" => self.new_entry("services").await,
            "get_action" | "change_action" | "remove_action" => self.new_entry("actions").await,
            "get_permission" | "change_permission" | "remove_permission" => self.new_entry("permissions").await,
            "get_api_key" | "revoke_api_key" => self.new_api_key().await,
            "list_tenant_users" | "invite_tenant_user" => self.app.company.tenant_id.to_string(),
            "resume_tenant" => self.new_tenant(true).await,
            "get_tenant" | "rename_tenant" | "activate_tenant" | "suspend_tenant" | "offboard_tenant"
            | "close_tenant" => self.new_tenant(false).await,
            "change_staff_role" | "deactivate_staff" | "reset_staff_totp" => self.new_staff(true).await,
            "reactivate_staff" => self.new_staff(false).await,
            other => panic!("say here what {other} is asked about"),
        }
    }

    async fn body(&self, operation: &str, caller: &Someone) -> Option<Value> {
        let password = caller.credential.as_ref().map_or("not the password", |credential| &credential.password);
        let address = || format!("{}@acme.example", self.new_name());
        Some(match operation {
            "sign_in" => {
                let someone = self.session(None).await.credential;
                json!({"email": someone.email, "password": someone.password})
            }
            "open_impersonation" => json!({"user_id": self.session(None).await.user, "reason": "Help."}),
            "refresh_session" => json!({"refresh_token": self.session(None).await.refresh}),
            "register_company" => json!({
                "company": "Northern Forest", "slug": self.new_name(), "name": "Olga", "email": address(),
                "password": NEW_PASSWORD,
            }),
            "request_password_reset" => json!({"email": address()}),
            "reset_password" => json!({"token": "none", "password": NEW_PASSWORD}),
            "accept_invitation" => json!({"token": "none", "name": "Pavel", "password": NEW_PASSWORD}),
            "confirm_email_change" => json!({"token": "none"}),
            "change_password" => json!({"old_password": password, "new_password": NEW_PASSWORD}),
            "request_email_change" => json!({"email": address(), "password": password}),
            "change_user" | "rename_tenant" => json!({"name": "Another name"}),
            "invite_user" | "invite_tenant_user" => self.invitation(),
            "provision_tenant" => self.tenant(),
            "suspend_tenant" | "offboard_tenant" | "reset_staff_totp" => json!({"reason": "A test."}),
            "close_tenant" => json!({"confirm_slug": "another-company"}),
            "add_staff" => self.staff(),
            "change_staff_role" => json!({"role": "auditor"}),
            "save_integration" => {
                let settings = serde_json::to_value(self.app.settings(IntegrationKind::Telegram)).unwrap();
                json!({"settings": {"base_url": settings["base_url"], "chat_id": settings["chat_id"]}})
            }
            "test_integration" => json!({"trial": "message"}),
            // What the company has already, so that the other operations find it as it was.
            "define_automation" => json!({"time_zone": "UTC", "day_starts_at": "00:00", "schedule": "manual"}),
            "create_api_key" => self.api_key(),
            "begin_totp" => json!({"password": password}),
            "confirm_totp" | "disable_totp" | "renew_recovery_codes" => json!({"code": "000000"}),
            "start_run" => json!({"from": self.app.days().0, "to": self.app.days().1}),
            "define_role" => self.role(),
            "change_role" => json!({"title": "Other", "level": 2, "may_manage": []}),
            "grant_permission" => json!({"permission": "reports:read"}),
            "add_service" => self.entry("services").await,
            "add_action" => self.entry("actions").await,
            "add_permission" => self.entry("permissions").await,
            "change_service" | "change_action" | "change_permission" => json!({"title": "Other"}),
            "check_access" => {
                let user = self.session(None).await.user;
                json!({"checks": [{"user_id": user, "resource": "runs", "action": "read"}]})
            }
            _ => return None,
        })
    }
}
