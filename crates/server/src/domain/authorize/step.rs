//! What has to happen next: signing in, agreeing, or nothing more.

use super::{AuthorizationRequest, Problem, Prompt};
use crate::domain::{
    assurance::Level,
    client::{ClientSettings, Consent},
    organisation::NotAMember,
    redirect::Redirect,
    scope::Scope,
    time::Timestamp,
};

/// The next step of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    SignIn,
    /// The person is signed in, and shows a second factor besides.
    SecondFactor,
    /// The person is signed in and is asked whether the client may have this.
    Agree,
    Grant,
}

/// Who the request is from.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    pub client: &'a ClientSettings,
    /// It proves itself when it redeems the code.
    pub confidential: bool,
    pub redirect: &'a Redirect,
    /// When the request first came: an earlier sign-in does not answer `prompt=login`.
    pub since: Timestamp,
}

/// Who sits in front of the browser, as far as a live sign-in says.
#[derive(Debug, Clone, Copy)]
pub struct Person<'a> {
    pub user_id: &'a str,
    pub auth_time: Timestamp,
    /// How strong their sign-in was.
    pub level: Level,
    /// They have a second factor.
    pub second_factor: bool,
    /// What they have agreed to before, for this client.
    pub remembered: Option<&'a Scope>,
    /// They have agreed on the page just now.
    pub agrees: bool,
    /// They belong to the organisation that the session is to speak for, or it is to speak for none.
    pub member: bool,
    /// The person whom the client expects, by a hint that verified.
    pub expected: Option<&'a str>,
}

/// The next step at `now`.
///
/// # Errors
/// [`Problem`]: with `prompt=none`, if anything has to be asked (OAU-12); somebody else's organisation.
pub fn next(
    request: &AuthorizationRequest,
    facts: &Facts<'_>,
    person: Option<&Person<'_>>,
    now: Timestamp,
) -> Result<Step, Problem> {
    let silent = request.prompt.contains(&Prompt::None);
    let refuse = |error, description: &str| if silent { Err(Problem::new(error, description)) } else { Ok(()) };
    let Some(person) = person.filter(|person| is_answered(request, facts, person, now)) else {
        refuse("login_required", "the person has to sign in")?;
        return Ok(Step::SignIn);
    };
    if !person.member {
        return Err(Problem::new("access_denied", NotAMember.to_string()));
    }
    match strength(request, person) {
        Strength::Enough => {}
        Strength::Wished if silent => {}
        Strength::Wished | Strength::Needed => {
            refuse("login_required", "the person has to show a second factor")?;
            return Ok(Step::SecondFactor);
        }
        Strength::Impossible => {
            let words = "the person has no second factor";
            return Err(Problem::new("unmet_authentication_requirements", words));
        }
    }
    if must_agree(request, facts, person) {
        refuse("consent_required", "the person has to agree")?;
        return Ok(Step::Agree);
    }
    Ok(Step::Grant)
}

/// Whether this sign-in is one that the request accepts (MFA-06).
fn is_answered(request: &AuthorizationRequest, facts: &Facts<'_>, person: &Person<'_>, now: Timestamp) -> bool {
    let fresh = [Prompt::Login, Prompt::SelectAccount].iter().any(|prompt| request.prompt.contains(prompt));
    let expected = person.expected.is_none_or(|expected| expected == person.user_id);
    // A sign-in for this very request is as young as can be, whatever time the form has taken.
    let for_this = person.auth_time >= facts.since;
    let young = request.max_age.is_none_or(|limit| for_this || now.since(person.auth_time) <= limit);
    expected && young && (for_this || !fresh)
}

/// Whether a sign-in is as strong as it has to be, and as it can be made.
enum Strength {
    Enough,
    /// It could be made as strong as is wished.
    Wished,
    /// It must be made stronger, and can.
    Needed,
    Impossible,
}

fn strength(request: &AuthorizationRequest, person: &Person<'_>) -> Strength {
    match (person.level < request.needed, person.level < request.wished, person.second_factor) {
        (true, _, false) => Strength::Impossible,
        (true, _, true) => Strength::Needed,
        (false, true, true) => Strength::Wished,
        (false, _, _) => Strength::Enough,
    }
}

/// OAU-11: what was agreed to is remembered for a client that proves who it is. Another program may pose as a client that
/// cannot, so each of its requests is agreed to, unless it belongs to the house and its answers cannot be taken.
fn must_agree(request: &AuthorizationRequest, facts: &Facts<'_>, person: &Person<'_>) -> bool {
    if person.agrees {
        return false;
    }
    if request.prompt.contains(&Prompt::Consent) {
        return true;
    }
    let implied = facts.client.sign_in.consent == Consent::Implied;
    if facts.confidential {
        return !implied && !person.remembered.is_some_and(|remembered| request.wishes().is_subset(remembered));
    }
    !implied || facts.redirect.can_be_taken()
}
