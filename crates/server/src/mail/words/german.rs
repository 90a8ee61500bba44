//! German, polite (Sie); the words are those of the pages (`http/ui/words/german.rs`).

use super::{Facts, Words};
use crate::domain::mail::Letter;

/// What stands below every link.
const LIMITS: &str = "Der Link gilt einmal, eine Stunde lang.";

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
        subject: format!("Bestätigen Sie Ihre E-Mail-Adresse für {host}"),
        before: vec![format!(
            "Bei {host} wurde ein Konto mit der Adresse {address} erstellt. Wenn Sie das waren, bestätigen Sie, dass die Adresse \
             Ihre ist:"
        )],
        button: "Adresse bestätigen",
        after: vec![
            LIMITS.to_owned(),
            "Wenn Sie es nicht waren, bestätigen Sie sie nicht. Um das Konto selbst zu bekommen, setzen Sie mit „Passwort \
             vergessen?“ auf der Anmeldeseite ein eigenes Passwort."
                .to_owned(),
        ],
    }
}

fn known(Facts { host, address, .. }: Facts<'_>) -> Words {
    Words {
        subject: format!("Sie haben bereits ein Konto bei {host}"),
        before: vec![
            format!(
                "Jemand, vielleicht Sie, wollte bei {host} ein Konto mit der Adresse {address} erstellen. Es gibt schon eines, und \
                 es blieb, wie es war."
            ),
            "Melden Sie sich mit dessen Passwort an. Wenn Sie es nicht kennen, oder jemand anders das Konto erstellt hat, setzen Sie \
             ein eigenes Passwort; das meldet alle ab:"
                .to_owned(),
        ],
        button: "Ein neues Passwort setzen",
        after: vec![LIMITS.to_owned(), "Wenn Sie es nicht waren, brauchen Sie nichts zu tun.".to_owned()],
    }
}

fn sign_in(Facts { host, address, .. }: Facts<'_>) -> Words {
    Words {
        subject: format!("Ihr Code für {host}"),
        before: vec![format!(
            "Jemand, vielleicht Sie, möchte sich bei {host} mit der Adresse {address} anmelden. Geben Sie dort diesen Code ein, oder \
             öffnen Sie den Link im selben Browser:"
        )],
        button: "Anmelden",
        after: vec![
            "Beide gelten einmal, zehn Minuten lang, nur in diesem Browser. Von hier wird Sie nie jemand nach dem Code fragen."
                .to_owned(),
            "Wenn Sie es nicht waren, brauchen Sie nichts zu tun.".to_owned(),
        ],
    }
}

fn reset(Facts { host, address, .. }: Facts<'_>) -> Words {
    Words {
        subject: format!("Ein neues Passwort für {host} setzen"),
        before: vec![format!(
            "Jemand, vielleicht Sie, hat für das Konto {address} bei {host} ein neues Passwort angefordert. Um eines zu setzen:"
        )],
        button: "Ein neues Passwort setzen",
        after: vec![
            LIMITS.to_owned(),
            "Wenn Sie es nicht waren, brauchen Sie nichts zu tun: das alte Passwort bleibt.".to_owned(),
        ],
    }
}

fn reset_done(Facts { host, address, .. }: Facts<'_>) -> Words {
    notice(
        format!("Ihr Passwort bei {host} wurde zurückgesetzt"),
        vec![
            format!(
                "Das Passwort Ihres Kontos {address} bei {host} wurde mit einem Link aus einer E-Mail an diese Adresse neu gesetzt."
            ),
            "Jedes Gerät und jede Anwendung wurde abgemeldet, andere Wege der Anmeldung wurden getrennt, und eine Änderung der \
             Adresse, die noch nicht bestätigt war, wurde verworfen."
                .to_owned(),
            "Wenn Sie es nicht waren, liest jemand Ihre E-Mails. Sichern Sie zuerst Ihr Postfach, und setzen Sie dann noch einmal \
             ein neues Passwort."
                .to_owned(),
        ],
    )
}

fn password_changed(Facts { host, address, .. }: Facts<'_>) -> Words {
    notice(
        format!("Ihr Passwort bei {host} wurde geändert"),
        vec![
            format!(
                "Das Passwort Ihres Kontos {address} bei {host} wurde geändert, und jedes Gerät und jede Anwendung wurde abgemeldet."
            ),
            "Wenn Sie es nicht waren, setzen Sie mit „Passwort vergessen?“ auf der Anmeldeseite ein neues.".to_owned(),
        ],
    )
}

fn change(Facts { host, address, .. }: Facts<'_>) -> Words {
    Words {
        subject: format!("Bestätigen Sie Ihre neue E-Mail-Adresse für {host}"),
        before: vec![format!(
            "Ein Konto bei {host} soll von jetzt an die Adresse {address} haben. Wenn es Ihres ist, bestätigen Sie das mit dem \
             Passwort des Kontos:"
        )],
        button: "Neue Adresse bestätigen",
        after: vec![
            LIMITS.to_owned(),
            "Wenn Sie es nicht waren, brauchen Sie nichts zu tun: ohne das Passwort ändert sich nichts.".to_owned(),
        ],
    }
}

fn change_asked(Facts { host, address, detail }: Facts<'_>) -> Words {
    notice(
        format!("Eine neue E-Mail-Adresse für Ihr Konto bei {host}"),
        vec![
            format!(
                "Jemand, der bei Ihrem Konto {address} bei {host} angemeldet ist, möchte, dass es stattdessen die Adresse {detail} \
                 hat. Es bekommt sie, sobald das dort bestätigt wurde."
            ),
            "Wenn Sie es nicht waren, setzen Sie jetzt mit „Passwort vergessen?“ auf der Anmeldeseite ein neues Passwort. Das meldet \
             alle ab und verwirft die Änderung."
                .to_owned(),
        ],
    )
}

fn change_done(Facts { host, address, detail }: Facts<'_>) -> Words {
    notice(
        format!("Die E-Mail-Adresse Ihres Kontos bei {host} wurde geändert"),
        vec![
            format!(
                "Ihr Konto bei {host} hat jetzt die Adresse {detail}. E-Mails dazu gehen dorthin, und {address} gehört nicht mehr \
                 dazu."
            ),
            "Wenn Sie es nicht waren, schreiben Sie dem Betreiber der Website.".to_owned(),
        ],
    )
}

fn deletion_asked(Facts { host, address, detail }: Facts<'_>) -> Words {
    notice(
        format!("Ihr Konto bei {host} wird gelöscht"),
        vec![
            format!(
                "Jemand, der das Passwort Ihres Kontos {address} bei {host} kennt, möchte es löschen. Jedes Gerät und jede Anwendung \
                 wurde abgemeldet. Es wird am {detail} entfernt, und dann kann es niemand zurückholen."
            ),
            "Um es zu behalten, melden Sie sich vor diesem Tag an und wählen „Mein Konto behalten“.".to_owned(),
            "Wenn Sie es nicht waren, setzen Sie mit „Passwort vergessen?“ auf der Anmeldeseite ein neues Passwort. Auch damit \
             bleibt das Konto bestehen."
                .to_owned(),
        ],
    )
}

fn invitation(Facts { host, address, detail }: Facts<'_>) -> Words {
    Words {
        subject: format!("Sie sind bei {host} eingeladen"),
        before: vec![format!(
            "Sie sind eingeladen, bei {host} der Organisation {detail} beizutreten. Melden Sie sich dort mit einem Konto an, das die \
             Adresse {address} hat, und sehen Sie sich dann die Einladung an:"
        )],
        button: "Einladung ansehen",
        after: vec![
            "Der Link gilt einmal, sieben Tage lang.".to_owned(),
            "Wenn Sie nicht wissen, worum es geht, brauchen Sie nichts zu tun: es geschieht nichts, bis Sie annehmen."
                .to_owned(),
        ],
    }
}

/// What a kind of factor is called, as what somebody adds or loses.
fn kind(detail: &str) -> &'static str {
    match detail {
        "totp" => "eine Authenticator-App",
        "passkey" => "einen Passkey",
        _ => "einen zweiten Faktor",
    }
}

/// What stands below every notice about what opens the account.
const NOT_YOU: &str = "Wenn Sie es nicht waren, ist jemand anders in Ihrem Konto: setzen Sie mit „Passwort vergessen?“ auf der \
                       Anmeldeseite ein neues Passwort, das meldet alle ab, und schreiben Sie dem Betreiber der Website.";

fn factor_added(Facts { host, address, detail }: Facts<'_>) -> Words {
    notice(
        format!("Ein zweiter Faktor für Ihr Konto bei {host}"),
        vec![
            format!("Die Anmeldung bei Ihrem Konto {address} bei {host} fragt von jetzt an nach: {}.", kind(detail)),
            NOT_YOU.to_owned(),
        ],
    )
}

fn factor_removed(Facts { host, address, detail }: Facts<'_>) -> Words {
    notice(
        format!("Ein zweiter Faktor Ihres Kontos bei {host} wurde entfernt"),
        vec![
            format!(
                "Ihr Konto {address} bei {host} hat {} verloren: das Konto lässt sich damit nicht mehr öffnen.",
                kind(detail)
            ),
            NOT_YOU.to_owned(),
        ],
    )
}

fn factors_reset(Facts { host, address, .. }: Facts<'_>) -> Words {
    notice(
        format!("Die zweiten Faktoren Ihres Kontos bei {host} wurden entfernt"),
        vec![
            format!(
                "Die Verwaltung hat alle zweiten Faktoren und Wiederherstellungscodes Ihres Kontos {address} bei {host} entfernt, und \
                 jedes Gerät und jede Anwendung wurde abgemeldet. Das Passwort allein öffnet es jetzt; fügen Sie wieder einen zweiten \
                 Faktor hinzu."
            ),
            "Wenn Sie nicht darum gebeten haben, schreiben Sie dem Betreiber der Website.".to_owned(),
        ],
    )
}

fn recovery_used(Facts { host, address, detail }: Facts<'_>) -> Words {
    notice(
        format!("Ein Wiederherstellungscode Ihres Kontos bei {host} wurde verwendet"),
        vec![
            format!(
                "Jemand hat sich bei Ihrem Konto {address} bei {host} mit dessen Passwort und einem Wiederherstellungscode \
                 angemeldet. Codes, die noch übrig sind: {detail}."
            ),
            NOT_YOU.to_owned(),
        ],
    )
}

fn recovery_made(Facts { host, address, .. }: Facts<'_>) -> Words {
    notice(
        format!("Neue Wiederherstellungscodes für Ihr Konto bei {host}"),
        vec![
            format!(
                "Ihr Konto {address} bei {host} hat neue Wiederherstellungscodes. Die alten sind nichts mehr wert."
            ),
            NOT_YOU.to_owned(),
        ],
    )
}

fn second_factor_guessed(Facts { host, address, .. }: Facts<'_>) -> Words {
    notice(
        format!("Jemand kennt Ihr Passwort bei {host}"),
        vec![
            format!(
                "Jemand hat sich bei Ihrem Konto {address} bei {host} mit dessen Passwort angemeldet und dann falsche Codes \
                 eingegeben, mehrere nacheinander. Diese Person ist nicht in Ihrem Konto, und weitere Versuche müssen immer länger \
                 warten."
            ),
            "Wenn Sie es nicht waren, setzen Sie jetzt mit „Passwort vergessen?“ auf der Anmeldeseite ein neues Passwort.".to_owned(),
        ],
    )
}

fn passkey_copied(Facts { host, address, detail }: Facts<'_>) -> Words {
    notice(
        format!("Ein Passkey Ihres Kontos bei {host} wurde abgelehnt"),
        vec![
            format!(
                "Jemand wollte sich bei Ihrem Konto {address} bei {host} mit dem Passkey „{detail}“ anmelden. Er gibt an, seltener verwendet worden zu sein, als er es wurde: vielleicht hat jemand eine Kopie davon. Diese Person ist nicht in Ihrem Konto."
            ),
            "Entfernen Sie diesen Passkey aus Ihrem Konto, und fügen Sie einen neuen hinzu, auch wenn Sie es selbst waren.".to_owned(),
        ],
    )
}

fn notice(subject: String, before: Vec<String>) -> Words {
    Words { subject, before, button: "", after: Vec::new() }
}
