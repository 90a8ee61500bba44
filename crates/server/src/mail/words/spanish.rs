//! Spanish, polite (usted); the words are those of the pages (`http/ui/words/spanish.rs`).

use super::{Facts, Words};
use crate::domain::mail::Letter;

/// What stands below every link.
const LIMITS: &str = "El enlace sirve una vez, durante una hora.";

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
        subject: format!("Confirme su dirección de correo para {host}"),
        before: vec![format!(
            "Se creó una cuenta en {host} con la dirección {address}. Si fue usted, confirme que la dirección es suya:"
        )],
        button: "Confirmar la dirección",
        after: vec![
            LIMITS.to_owned(),
            "Si no fue usted, no la confirme. Para quedarse con la cuenta, establezca su propia contraseña con «¿Ha olvidado su \
             contraseña?» en la página de inicio de sesión."
                .to_owned(),
        ],
    }
}

fn known(Facts { host, address, .. }: Facts<'_>) -> Words {
    Words {
        subject: format!("Ya tiene una cuenta en {host}"),
        before: vec![
            format!(
                "Alguien, quizá usted, quiso crear una cuenta en {host} con la dirección {address}. Ya existe una, y se dejó como \
                 estaba."
            ),
            "Inicie sesión con su contraseña. Si no la conoce, o la cuenta la creó otra persona, establezca su propia contraseña; con \
             ello se cierran todas las sesiones:"
                .to_owned(),
        ],
        button: "Establecer una contraseña nueva",
        after: vec![LIMITS.to_owned(), "Si no fue usted, no tiene que hacer nada.".to_owned()],
    }
}

fn sign_in(Facts { host, address, .. }: Facts<'_>) -> Words {
    Words {
        subject: format!("Su código para {host}"),
        before: vec![format!(
            "Alguien, quizá usted, quiere iniciar sesión en {host} con la dirección {address}. Escriba allí este código, o abra el \
             enlace en el mismo navegador:"
        )],
        button: "Iniciar sesión",
        after: vec![
            "Ambos sirven una vez, durante diez minutos, solo en ese navegador. Nadie de aquí le pedirá nunca el código."
                .to_owned(),
            "Si no fue usted, no tiene que hacer nada.".to_owned(),
        ],
    }
}

fn reset(Facts { host, address, .. }: Facts<'_>) -> Words {
    Words {
        subject: format!("Establezca una contraseña nueva para {host}"),
        before: vec![format!(
            "Alguien, quizá usted, pidió una contraseña nueva para la cuenta {address} en {host}. Para establecerla:"
        )],
        button: "Establecer una contraseña nueva",
        after: vec![
            LIMITS.to_owned(),
            "Si no fue usted, no tiene que hacer nada: la contraseña anterior sigue valiendo.".to_owned(),
        ],
    }
}

fn reset_done(Facts { host, address, .. }: Facts<'_>) -> Words {
    notice(
        format!("Su contraseña en {host} se ha restablecido"),
        vec![
            format!(
                "La contraseña de su cuenta {address} en {host} se restableció con un enlace de un correo enviado a esta dirección."
            ),
            "Se cerró la sesión en todos los dispositivos y aplicaciones, se desconectaron las demás formas de iniciar sesión, y se \
             canceló el cambio de dirección que no estuviera confirmado."
                .to_owned(),
            "Si no fue usted, alguien lee su correo. Asegure primero su buzón y después establezca otra contraseña nueva."
                .to_owned(),
        ],
    )
}

fn password_changed(Facts { host, address, .. }: Facts<'_>) -> Words {
    notice(
        format!("Su contraseña en {host} ha cambiado"),
        vec![
            format!(
                "La contraseña de su cuenta {address} en {host} ha cambiado, y se cerró la sesión en todos los dispositivos y \
                 aplicaciones."
            ),
            "Si no fue usted, establezca una nueva con «¿Ha olvidado su contraseña?» en la página de inicio de sesión."
                .to_owned(),
        ],
    )
}

fn change(Facts { host, address, .. }: Facts<'_>) -> Words {
    Words {
        subject: format!("Confirme su nueva dirección de correo para {host}"),
        before: vec![format!(
            "Una cuenta en {host} ha de tener a partir de ahora la dirección {address}. Si es su cuenta, confírmelo con la contraseña \
             de la cuenta:"
        )],
        button: "Confirmar la nueva dirección",
        after: vec![
            LIMITS.to_owned(),
            "Si no fue usted, no tiene que hacer nada: sin la contraseña nada cambia.".to_owned(),
        ],
    }
}

fn change_asked(Facts { host, address, detail }: Facts<'_>) -> Words {
    notice(
        format!("Una nueva dirección de correo para su cuenta en {host}"),
        vec![
            format!(
                "Alguien que ha iniciado sesión en su cuenta {address} en {host} quiere que tenga en su lugar la dirección {detail}. \
                 La tendrá cuando se haya confirmado allí."
            ),
            "Si no fue usted, establezca ahora una contraseña nueva con «¿Ha olvidado su contraseña?» en la página de inicio de \
             sesión. Con ello se cierran todas las sesiones y se cancela el cambio."
                .to_owned(),
        ],
    )
}

fn change_done(Facts { host, address, detail }: Facts<'_>) -> Words {
    notice(
        format!("La dirección de correo de su cuenta en {host} ha cambiado"),
        vec![
            format!(
                "Su cuenta en {host} tiene ahora la dirección {detail}. Los correos sobre ella van allí, y {address} ya no forma parte \
                 de ella."
            ),
            "Si no fue usted, escriba a quien administra el sitio.".to_owned(),
        ],
    )
}

fn deletion_asked(Facts { host, address, detail }: Facts<'_>) -> Words {
    notice(
        format!("Su cuenta en {host} se eliminará"),
        vec![
            format!(
                "Alguien que conoce la contraseña de su cuenta {address} en {host} quiere eliminarla. Se cerró la sesión en todos los \
                 dispositivos y aplicaciones. Se eliminará el {detail}, y entonces nadie podrá recuperarla."
            ),
            "Para conservarla, inicie sesión antes de ese día y elija «Conservar mi cuenta».".to_owned(),
            "Si no fue usted, establezca una contraseña nueva con «¿Ha olvidado su contraseña?» en la página de inicio de sesión. \
             También así se conserva la cuenta."
                .to_owned(),
        ],
    )
}

fn invitation(Facts { host, address, detail }: Facts<'_>) -> Words {
    Words {
        subject: format!("Tiene una invitación en {host}"),
        before: vec![format!(
            "Se le invita a unirse a {detail} en {host}. Inicie sesión allí con una cuenta que tenga la dirección {address} y después \
             vea la invitación:"
        )],
        button: "Ver la invitación",
        after: vec![
            "El enlace sirve una vez, durante siete días.".to_owned(),
            "Si no sabe de qué se trata, no tiene que hacer nada: no ocurre nada hasta que acepte.".to_owned(),
        ],
    }
}

/// What a kind of factor is called.
fn kind(detail: &str) -> &'static str {
    match detail {
        "totp" => "una aplicación de autenticación",
        "passkey" => "una llave de acceso",
        _ => "un segundo factor",
    }
}

/// What stands below every notice about what opens the account.
const NOT_YOU: &str = "Si no fue usted, otra persona está en su cuenta: establezca una contraseña nueva con «¿Ha olvidado su \
                       contraseña?» en la página de inicio de sesión, con lo que se cierran todas las sesiones, y escriba a quien \
                       administra el sitio.";

fn factor_added(Facts { host, address, detail }: Facts<'_>) -> Words {
    notice(
        format!("Un segundo factor para su cuenta en {host}"),
        vec![
            format!("A partir de ahora, iniciar sesión en su cuenta {address} en {host} exige {}.", kind(detail)),
            NOT_YOU.to_owned(),
        ],
    )
}

fn factor_removed(Facts { host, address, detail }: Facts<'_>) -> Words {
    notice(
        format!("Se quitó un segundo factor de su cuenta en {host}"),
        vec![format!("Su cuenta {address} en {host} ha perdido {}: ya no la abre.", kind(detail)), NOT_YOU.to_owned()],
    )
}

fn factors_reset(Facts { host, address, .. }: Facts<'_>) -> Words {
    notice(
        format!("Se quitaron los segundos factores de su cuenta en {host}"),
        vec![
            format!(
                "La administración quitó todos los segundos factores y códigos de recuperación de su cuenta {address} en {host}, y se \
                 cerró la sesión en todos los dispositivos y aplicaciones. Ahora la abre la contraseña sola; añada de nuevo un segundo \
                 factor."
            ),
            "Si no lo pidió, escriba a quien administra el sitio.".to_owned(),
        ],
    )
}

fn recovery_used(Facts { host, address, detail }: Facts<'_>) -> Words {
    notice(
        format!("Se usó un código de recuperación de su cuenta en {host}"),
        vec![
            format!(
                "Alguien inició sesión en su cuenta {address} en {host} con su contraseña y un código de recuperación. Códigos que \
                 quedan: {detail}."
            ),
            NOT_YOU.to_owned(),
        ],
    )
}

fn recovery_made(Facts { host, address, .. }: Facts<'_>) -> Words {
    notice(
        format!("Nuevos códigos de recuperación para su cuenta en {host}"),
        vec![
            format!("Su cuenta {address} en {host} tiene nuevos códigos de recuperación. Los anteriores ya no valen."),
            NOT_YOU.to_owned(),
        ],
    )
}

fn second_factor_guessed(Facts { host, address, .. }: Facts<'_>) -> Words {
    notice(
        format!("Alguien conoce su contraseña en {host}"),
        vec![
            format!(
                "Alguien inició sesión en su cuenta {address} en {host} con su contraseña y después escribió códigos incorrectos, \
                 varios seguidos. No está en su cuenta, y los intentos siguientes tienen que esperar cada vez más."
            ),
            "Si no fue usted, establezca ahora una contraseña nueva con «¿Ha olvidado su contraseña?» en la página de inicio de sesión."
                .to_owned(),
        ],
    )
}

fn passkey_copied(Facts { host, address, detail }: Facts<'_>) -> Words {
    notice(
        format!("Se rechazó una llave de acceso de su cuenta en {host}"),
        vec![
            format!(
                "Alguien intentó iniciar sesión en su cuenta {address} en {host} con la llave de acceso «{detail}». Dice que se usó menos veces de las que se usó: es posible que alguien tenga una copia. No está en su cuenta."
            ),
            "Elimine esta llave de acceso de su cuenta y añada una nueva, aunque haya sido usted.".to_owned(),
        ],
    )
}

fn notice(subject: String, before: Vec<String>) -> Words {
    Words { subject, before, button: "", after: Vec::new() }
}
