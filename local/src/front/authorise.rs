//! Whether a function may make a call: by its own policies in the template, as IAM would decide.

use std::collections::BTreeSet;

use hyper::StatusCode;

use super::needs::{Need, needs};
use super::operation::Operation;
use super::permissions::{Permission, Withheld};
use super::{Call, Front, Refusal, Service};
use crate::http::Answer;

impl Front {
    /// Everything that the functions' policies allow them.
    pub fn permissions(&self) -> BTreeSet<Permission> {
        self.inner.permissions.all()
    }

    /// Takes a permission of a function's away until what is returned is dropped. Action and resource are as the template
    /// has them, resolved; nothing where it has no such permission.
    #[must_use = "the permission is back when this is dropped"]
    pub fn without(&self, function: &str, action: &str, resource: &str) -> Option<Withheld> {
        self.inner.permissions.withhold(function, action, resource)
    }

    /// The answer to a call that its caller may not make. What allows it, or what was missing, is noted with the call.
    pub(super) fn refuse(&self, call: &mut Call, operation: &Operation) -> Option<Refusal> {
        let permissions = &self.inner.permissions;
        if !permissions.binds(&call.function) {
            return None;
        }
        let needs = needs(&self.inner.site, call.service, operation);
        self.decide(call, &needs)
    }

    /// What S3 answers in place of "no such key" to those who may not know which keys there are.
    pub(super) fn refuse_to_miss(&self, call: &mut Call, answer: &Answer) -> Option<Refusal> {
        if call.service != Service::S3 || answer.status() != StatusCode::NOT_FOUND {
            return None;
        }
        let need = Need::to_miss(&self.inner.site, &call.operation, &call.resources)?;
        self.decide(call, &[need])
    }

    fn decide(&self, call: &mut Call, needs: &[Need]) -> Option<Refusal> {
        match self.inner.permissions.check(&call.function, needs) {
            Ok(allowing) => {
                call.permissions.extend(allowing);
                None
            }
            Err(denied) => {
                let refusal = Refusal::denied(call.service, &denied);
                self.inner.logs.note(&format!("{} refused: {}", call.function, refusal.message));
                call.denied = Some(denied);
                Some(refusal)
            }
        }
    }
}
