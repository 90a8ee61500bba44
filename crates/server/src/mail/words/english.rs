//! English.

use super::{Facts, Words};
use crate::domain::mail::Letter;

/// What stands below every link.
const LIMITS: &str = "The link works once, within an hour.";

pub(super) fn words(letter: Letter, facts: Facts<'_>) -> Words {
    match letter {
        Letter::Verify => verify(facts),
        Letter::Known => known(facts),
        Letter::Reset => reset(facts),
        Letter::SignIn => sign_in(facts),
        Letter::ResetDone => reset_done(facts),
        Letter::PasswordChanged => password_changed(facts),
        Letter::Change => change(facts),
        Letter::ChangeAsked => change_asked(facts),
        Letter::ChangeDone => change_done(facts),
        Letter::DeletionAsked => deletion_asked(facts),
        Letter::Invitation => invitation(facts),
        Letter::FactorAdded => factor_added(facts),
        Letter::FactorRemoved => factor_removed(facts),
        Letter::FactorsReset => factors_reset(facts),
        Letter::RecoveryUsed => recovery_used(facts),
        Letter::RecoveryMade => recovery_made(facts),
        Letter::SecondFactorGuessed => second_factor_guessed(facts),
        Letter::PasskeyCopied => passkey_copied(facts),
    }
}

fn verify(Facts { host, address, .. }: Facts<'_>) -> Words {
    Words {
        subject: format!("Confirm your e-mail address for {host}"),
        before: vec![format!(
            "An account was made at {host} with the address {address}. If that was you, confirm that the address is yours:"
        )],
        button: "Confirm the address",
        after: vec![
            LIMITS.to_owned(),
            "If it was not you, do not confirm it. To have the account for yourself, set a password of your own with \
             \"Forgot your password?\" on the sign-in page."
                .to_owned(),
        ],
    }
}

fn known(Facts { host, address, .. }: Facts<'_>) -> Words {
    Words {
        subject: format!("You have an account at {host} already"),
        before: vec![
            format!(
                "Somebody, perhaps you, wanted to make an account at {host} with the address {address}. There is one \
                 already, and it was left as it is."
            ),
            "Sign in with its password. If you do not know it, or somebody else made the account, set a password of your \
             own; that signs everybody out:"
                .to_owned(),
        ],
        button: "Set a new password",
        after: vec![LIMITS.to_owned(), "If it was not you, you need not do anything.".to_owned()],
    }
}

fn sign_in(Facts { host, address, .. }: Facts<'_>) -> Words {
    Words {
        subject: format!("Your code for {host}"),
        before: vec![format!(
            "Somebody, perhaps you, wants to sign in at {host} with the address {address}. Type this code there, or open the \
             link in the same browser:"
        )],
        button: "Sign in",
        after: vec![
            "Both are good once, within ten minutes, in that browser alone. Nobody from here will ever ask you for the code."
                .to_owned(),
            "If it was not you, you need not do anything.".to_owned(),
        ],
    }
}

fn reset(Facts { host, address, .. }: Facts<'_>) -> Words {
    Words {
        subject: format!("Set a new password for {host}"),
        before: vec![format!(
            "Somebody, perhaps you, asked for a new password for the account {address} at {host}. To set one:"
        )],
        button: "Set a new password",
        after: vec![
            LIMITS.to_owned(),
            "If it was not you, you need not do anything: the old password stays.".to_owned(),
        ],
    }
}

fn reset_done(Facts { host, address, .. }: Facts<'_>) -> Words {
    notice(
        format!("Your password at {host} was reset"),
        vec![
            format!(
                "The password of your account {address} at {host} was reset with a link from a mail to this address."
            ),
            "Every device and every application was signed out, other ways to sign in were disconnected, and a change of \
             address that was not confirmed was cancelled."
                .to_owned(),
            "If it was not you, somebody reads your mail. Secure your mailbox first, then set a new password again."
                .to_owned(),
        ],
    )
}

fn password_changed(Facts { host, address, .. }: Facts<'_>) -> Words {
    notice(
        format!("Your password at {host} was changed"),
        vec![
            format!(
                "The password of your account {address} at {host} was changed, and every device and every application was \
                 signed out."
            ),
            "If it was not you, set a new one with \"Forgot your password?\" on the sign-in page.".to_owned(),
        ],
    )
}

fn change(Facts { host, address, .. }: Facts<'_>) -> Words {
    Words {
        subject: format!("Confirm your new e-mail address for {host}"),
        before: vec![format!(
            "An account at {host} is to have the address {address} from now on. If that is your account, confirm it with the \
             account's password:"
        )],
        button: "Confirm the new address",
        after: vec![
            LIMITS.to_owned(),
            "If it was not you, you need not do anything: without the password nothing changes.".to_owned(),
        ],
    }
}

fn change_asked(Facts { host, address, detail }: Facts<'_>) -> Words {
    notice(
        format!("A new e-mail address for your account at {host}"),
        vec![
            format!(
                "Somebody who is signed in to your account {address} at {host} wants it to have the address {detail} \
                 instead. It has it once that was confirmed there."
            ),
            "If it was not you, set a new password now, with \"Forgot your password?\" on the sign-in page. That signs \
             everybody out and cancels the change."
                .to_owned(),
        ],
    )
}

fn change_done(Facts { host, address, detail }: Facts<'_>) -> Words {
    notice(
        format!("The e-mail address of your account at {host} was changed"),
        vec![
            format!(
                "Your account at {host} has the address {detail} now. Mail about it goes there, and {address} is no longer \
                 part of it."
            ),
            "If it was not you, write to whoever runs the site.".to_owned(),
        ],
    )
}

fn deletion_asked(Facts { host, address, detail }: Facts<'_>) -> Words {
    notice(
        format!("Your account at {host} will be deleted"),
        vec![
            format!(
                "Somebody who knows the password of your account {address} at {host} wants it deleted. Every device and every \
                 application was signed out. It will be removed on {detail}, and nobody can bring it back then."
            ),
            "To keep it, sign in before that day and choose \"Keep my account\".".to_owned(),
            "If it was not you, set a new password with \"Forgot your password?\" on the sign-in page. That keeps the account, too."
                .to_owned(),
        ],
    )
}

fn invitation(Facts { host, address, detail }: Facts<'_>) -> Words {
    Words {
        subject: format!("You are invited at {host}"),
        before: vec![format!(
            "You are invited to join {detail} at {host}. Sign in there with an account that has the address {address}, then look \
             at the invitation:"
        )],
        button: "Look at the invitation",
        after: vec![
            "The link works once, within seven days.".to_owned(),
            "If you do not know what this is about, you need not do anything: nothing happens until you accept."
                .to_owned(),
        ],
    }
}

/// What a kind of factor is called.
fn kind(detail: &str) -> &'static str {
    match detail {
        "totp" => "an authenticator app",
        "passkey" => "a passkey",
        _ => "a second factor",
    }
}

/// What stands below every notice about what opens the account.
const NOT_YOU: &str = "If it was not you, somebody else is in your account: set a new password with \"Forgot your password?\" \
                       on the sign-in page, which signs everybody out, and write to whoever runs the site.";

fn factor_added(Facts { host, address, detail }: Facts<'_>) -> Words {
    notice(
        format!("A second factor for your account at {host}"),
        vec![
            format!("Signing in to your account {address} at {host} asks for {} from now on.", kind(detail)),
            NOT_YOU.to_owned(),
        ],
    )
}

fn factor_removed(Facts { host, address, detail }: Facts<'_>) -> Words {
    notice(
        format!("A second factor of your account at {host} was removed"),
        vec![
            format!("Your account {address} at {host} has lost {}: it opens the account no longer.", kind(detail)),
            NOT_YOU.to_owned(),
        ],
    )
}

fn factors_reset(Facts { host, address, .. }: Facts<'_>) -> Words {
    notice(
        format!("The second factors of your account at {host} were removed"),
        vec![
            format!(
                "An administrator removed every second factor and all recovery codes of your account {address} at {host}, and \
                 every device and every application was signed out. The password alone opens it now; add a second factor again."
            ),
            "If you did not ask for it, write to whoever runs the site.".to_owned(),
        ],
    )
}

fn recovery_used(Facts { host, address, detail }: Facts<'_>) -> Words {
    notice(
        format!("A recovery code of your account at {host} was used"),
        vec![
            format!(
                "Somebody signed in to your account {address} at {host} with its password and a recovery code. Codes that are \
                 left: {detail}."
            ),
            NOT_YOU.to_owned(),
        ],
    )
}

fn recovery_made(Facts { host, address, .. }: Facts<'_>) -> Words {
    notice(
        format!("New recovery codes for your account at {host}"),
        vec![
            format!("Your account {address} at {host} has new recovery codes. The old ones are worth nothing."),
            NOT_YOU.to_owned(),
        ],
    )
}

fn second_factor_guessed(Facts { host, address, .. }: Facts<'_>) -> Words {
    notice(
        format!("Somebody knows your password at {host}"),
        vec![
            format!(
                "Somebody signed in to your account {address} at {host} with its password, and then typed wrong codes, several \
                 in a row. They are not in your account, and further tries must wait ever longer."
            ),
            "If it was not you, set a new password now, with \"Forgot your password?\" on the sign-in page.".to_owned(),
        ],
    )
}

fn passkey_copied(Facts { host, address, detail }: Facts<'_>) -> Words {
    notice(
        format!("A passkey of your account at {host} was refused"),
        vec![
            format!(
                "Somebody tried to sign in to your account {address} at {host} with the passkey \"{detail}\". It says that it was \
                 used less often than it was: somebody may have a copy of it. They are not in your account."
            ),
            "Remove this passkey from your account and add a new one, even if it was you.".to_owned(),
        ],
    )
}

fn notice(subject: String, before: Vec<String>) -> Words {
    Words { subject, before, button: "", after: Vec::new() }
}
