//! People who come back from another site, to which their browser does not take the access token along.

use std::sync::Arc;

use domain::access::Rights;

use super::{Actor, Origin, Principal, RequestContext};

impl RequestContext {
    /// A request of somebody who comes back, with the rights of the user's role. No token proves who it is: whoever makes
    /// this has found what was begun in the session, and in the log that the session stands (ADR 0028).
    pub(crate) fn for_returned(principal: Principal, rights: Arc<Rights>, origin: Origin) -> Self {
        let tenant = principal.membership.tenant();
        Self::asked_by(Actor::User(principal), tenant, rights, origin.request_id).with(origin.client, None)
    }
}
