//! Who calls, and what of others' is open to them.

use crate::{
    domain::invalid::Invalid,
    error::{Error, Result},
    ids::{FleetId, UserId},
};

/// What a caller may do beyond their own affairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    #[default]
    User,
    /// Reads what is anybody's, and starts sessions for others.
    Trainer,
    Admin,
}

/// Whom a verified token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub user_id: UserId,
    pub role: Role,
    /// The fleets whose engines the caller works with.
    pub fleets: Vec<String>,
}

impl Caller {
    /// Trainer or admin.
    pub fn is_staff(&self) -> bool {
        match self.role {
            Role::Trainer | Role::Admin => true,
            Role::User => false,
        }
    }

    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }

    /// Refuses to begin something for another, unless a trainer or an admin does it.
    ///
    /// # Errors
    /// `Forbidden`
    pub fn may_act_for(&self, user: UserId) -> Result<()> {
        if self.user_id == user || self.is_staff() {
            Ok(())
        } else {
            Err(Error::Forbidden("only trainers and admins may act for another user"))
        }
    }

    /// The owner reads, and so do trainers and admins.
    pub fn may_read(&self, owner: UserId) -> bool {
        self.user_id == owner || self.is_staff()
    }

    /// The fleet that the caller means: one that they name and that is theirs (or anybody's, for an admin), or the only
    /// one that they have.
    ///
    /// # Errors
    /// `Forbidden`; `Invalid` where none is named and it is not clear which.
    pub fn fleet(&self, named: Option<FleetId>) -> Result<FleetId> {
        match (named, self.fleets.as_slice()) {
            (Some(named), fleets) if self.is_admin() || fleets.iter().any(|own| own == named.as_str()) => Ok(named),
            (Some(_), _) => Err(Error::Forbidden("another fleet's engines are for those who work with them")),
            (None, [only]) => Ok(FleetId::parse(only).map_err(|fault| fault.within("fleet_id"))?),
            (None, fleets) => {
                let why = format!("is required: the token names {} fleets", fleets.len());
                Err(Invalid::at("/fleet_id", why).into())
            }
        }
    }

    /// The owner writes, an admin does, and a trainer does to what they started.
    pub fn may_write(&self, owner: UserId, started_by: UserId) -> bool {
        match self.role {
            Role::Admin => true,
            Role::Trainer => self.user_id == owner || self.user_id == started_by,
            Role::User => self.user_id == owner,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_fleet_is_named_or_the_only_one() {
        let caller = |role, fleets: &[&str]| Caller {
            user_id: UserId(Uuid::nil()),
            role,
            fleets: fleets.iter().map(ToString::to_string).collect(),
        };
        let fleet = |name| FleetId::parse(name).unwrap();
        assert_eq!(caller(Role::User, &["a"]).fleet(None).unwrap(), fleet("a"));
        assert_eq!(caller(Role::User, &["a", "b"]).fleet(Some(fleet("b"))).unwrap(), fleet("b"));
        assert_eq!(caller(Role::Admin, &[]).fleet(Some(fleet("b"))).unwrap(), fleet("b"));
        for fleets in [&[][..], &["a", "b"]] {
            assert!(matches!(caller(Role::User, fleets).fleet(None), Err(Error::Invalid(_))), "{fleets:?}");
        }
        for role in [Role::User, Role::Trainer] {
            assert!(matches!(caller(role, &["a"]).fleet(Some(fleet("b"))), Err(Error::Forbidden(_))), "{role:?}");
        }
    }

    #[test]
    fn what_is_whose_to_do() {
        let [owner, other] = [1, 2].map(|id| UserId(Uuid::from_u128(id)));
        // role, whose it is, who started it: act for, read, write
        for (role, of, started_by, expected) in [
            (Role::User, owner, owner, [true, true, true]),
            (Role::User, owner, other, [true, true, true]),
            (Role::User, other, other, [false, false, false]),
            // A trainer who is none any more.
            (Role::User, other, owner, [false, false, false]),
            (Role::Trainer, owner, owner, [true, true, true]),
            (Role::Trainer, other, other, [true, true, false]),
            (Role::Trainer, other, owner, [true, true, true]),
            (Role::Admin, other, other, [true, true, true]),
        ] {
            let caller = Caller { user_id: owner, role, fleets: Vec::new() };
            let rights = [caller.may_act_for(of).is_ok(), caller.may_read(of), caller.may_write(of, started_by)];
            assert_eq!(rights, expected, "{role:?}, of {of}, started by {started_by}");
        }
    }
}
