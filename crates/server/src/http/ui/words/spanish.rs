//! Spanish, polite (usted) and the same on both sides of the ocean. The words: account = cuenta, sign in = iniciar sesión, sign out =
//! cerrar sesión, application = aplicación, device = dispositivo, authenticator app = aplicación de autenticación, second factor =
//! segundo factor, recovery code = código de recuperación, permission = permiso, provider = proveedor, mail = correo, "whoever runs the
//! site" = quien administra este sitio.

mod problems;

use super::{
    Account, Address, Around, Back, Consent, Delete, Device, EmailAddress, Forgot, Invitation, Mailed, Note, Passkey,
    Problem, Register, Reset, SecondStep, Security, Settings, Shared, SignIn, SignOut, Wishes, Words,
};
use crate::domain::{
    activity::{Ended, Happened},
    ago::{Ago, date},
    password::Weakness,
    upstream::NoAccount,
    user_agent::Program,
};

pub(super) static WORDS: Words = Words {
    shared: Shared {
        again: " – inténtelo de nuevo",
        email: "Correo electrónico",
        password: "Contraseña",
        code: "Código",
        go_on: "Continuar",
        sign_in: "Iniciar sesión",
        sign_out: "Cerrar sesión",
        other_account: "Usar otra cuenta",
        policy: "Política de privacidad",
        terms: "Condiciones del servicio",
        rule: |least| format!("Al menos {least} caracteres. Cuatro o cinco palabras forman una buena contraseña."),
        your_account: "su cuenta",
    },
    sign_in: SignIn {
        go_on_to: Around("para continuar a ", ""),
        link: |label| {
            format!(
                "Ya existe una cuenta con esta dirección. Inicie sesión una vez con su contraseña y, a partir de entonces, {label} también la abrirá."
            )
        },
        forgot: "¿Ha olvidado su contraseña?",
        new_here: "¿Es su primera vez aquí?",
        make: "Crear una cuenta",
        others: "Otras formas de iniciar sesión",
        with: |label| format!("Continuar con {label}"),
        failed: |label| {
            format!("No se pudo iniciar sesión con {label}. Inténtelo de nuevo o inicie sesión de otra forma.")
        },
    },
    second: SecondStep {
        title: "Segundo paso",
        by_app: Around(
            "para continuar a ",
            ". Escriba los seis dígitos que su aplicación de autenticación muestra ahora.",
        ),
        by_either: Around(
            "para continuar a ",
            ". Escriba los seis dígitos que su aplicación de autenticación muestra ahora, o use una llave de acceso.",
        ),
        by_passkey: Around("para continuar a ", ". Use una de sus llaves de acceso."),
        not_at_hand: "No tengo la aplicación a mano",
        nothing_at_hand: "No tengo nada de esto a mano",
        recovery: "Código de recuperación",
        use_it: "Usar el código",
        once: "Cada uno sirve una vez. Si no tiene ninguno, consulte a quien administra este sitio.",
    },
    consent: Consent {
        title: Around("¿Permitir el acceso a ", "?"),
        signed_in_as: Around("Ha iniciado sesión como ", "."),
        asks: Around("La aplicación en ", " pide:"),
        lasts: |days| {
            format!(
                "Podrá hacerlo durante un máximo de {}, o hasta que cierre la sesión. Puede retirar el permiso en cualquier momento.",
                some(days, "día", "días")
            )
        },
        allow: "Permitir",
        deny: "No permitir",
    },
    wishes: Wishes {
        openid: "saber cuál es su cuenta",
        profile: "ver su nombre y su perfil",
        email: "ver su dirección de correo electrónico",
        address: "ver su dirección postal",
        phone: "ver su número de teléfono",
        roles: "ver sus roles",
        offline_access: "conservar el acceso mientras usted no la usa",
        none: "actuar en su nombre, sin ningún otro permiso",
        other: |scope| format!("usar el permiso {scope}"),
    },
    device: Device {
        title: "Conectar un dispositivo",
        what: "Escriba el código que muestra su dispositivo.",
        unknown: "Ningún dispositivo espera con este código. Compruébelo o empiece de nuevo en el dispositivo.",
        let_in: Around("¿Dejar entrar a ", "?"),
        shows: "El dispositivo que muestra",
        asks: "pide:",
        warning: "Solo si ese dispositivo está delante de usted y usted mismo empezó allí. Si alguien le envió el código o un enlace, esa persona entraría en su cuenta.",
        lasts: |days| {
            format!(
                "La sesión durará un máximo de {}, o hasta que cierre la sesión en todas partes.",
                some(days, "día", "días")
            )
        },
        allow: "Dejarlo entrar",
        deny: "No dejarlo entrar",
        allowed: Note {
            title: "Su dispositivo continúa",
            sentences: &["Tendrá la sesión iniciada en unos segundos. Puede cerrar esta página."],
        },
        denied: Note {
            title: "No se le dejó entrar",
            sentences: &["Se ha informado al dispositivo. Puede cerrar esta página."],
        },
    },
    register: Register {
        title: "Crear una cuenta",
        make: "Crear la cuenta",
        have_one: "¿Ya tiene una?",
        one_more: "Un paso más",
        mail: "Le hemos enviado un correo con un enlace. Ábralo para confirmar que la dirección es suya y después inicie sesión.",
        nothing: "¿No ha llegado nada tras unos minutos? Mire entre los correos no deseados y compruebe si la dirección era la correcta.",
        then: "Inicie sesión con la dirección y la contraseña que acaba de elegir.",
    },
    forgot: Forgot {
        title: "¿Ha olvidado su contraseña?",
        what: "Escriba la dirección de su cuenta y le enviaremos un correo con un enlace para establecer una contraseña nueva.",
        send: "Enviar el enlace",
        sent: Note {
            title: "Mire su correo",
            sentences: &[
                "Si existe una cuenta con esta dirección, un correo con un enlace va en camino. El enlace sirve una vez, durante una hora.",
                "¿No ha llegado nada tras unos minutos? Mire entre los correos no deseados y compruebe si la dirección es la correcta.",
            ],
        },
    },
    reset: Reset {
        title: "Establecer una contraseña nueva",
        what: Around(
            "para ",
            ". Se cerrará la sesión en todos los dispositivos y aplicaciones, para que nadie conserve la cuenta sin deber tenerla.",
        ),
        password: "Contraseña nueva",
        set: "Establecer la contraseña",
        done: Note {
            title: "Su contraseña está establecida",
            sentences: &[
                "Se cerró la sesión en todos los dispositivos y aplicaciones, en todas partes; quien tuviera antes su cuenta ya no la tiene.",
                "Se desconectaron las demás formas de iniciar sesión y se canceló el cambio de dirección que no estuviera confirmado.",
                "Aquí no ha iniciado sesión. Vuelva a la aplicación e inicie sesión con la contraseña nueva.",
            ],
        },
    },
    address: Address {
        title: "¿Es esta su dirección?",
        made: Around("Aquí se creó una cuenta con la dirección ", "."),
        yes: "Sí, yo creé esta cuenta",
        not_you: Around("Si no fue usted, ", " o cierre esta página."),
        own_password: "establezca su propia contraseña",
        confirmed: Note {
            title: "Su dirección está confirmada",
            sentences: &[
                "Vuelva a la aplicación e inicie sesión. Se cerró la sesión de quien usara antes esta cuenta.",
            ],
        },
        new_title: "Confirmar su nueva dirección",
        new_what: Around(
            "Su cuenta tendrá la dirección ",
            ". Escriba la contraseña de la cuenta, para que no la obtenga otra persona que lea este buzón.",
        ),
        new_confirm: "Confirmar la dirección",
        changed: Note {
            title: "Su dirección ha cambiado",
            sentences: &["A partir de ahora, inicie sesión con la nueva dirección. Se ha avisado a la anterior."],
        },
    },
    invitation: Invitation {
        title: |organisation| format!("¿Unirse a {organisation}?"),
        what: Around(
            "Se le ha invitado con la dirección ",
            ". Acepte como la persona que ha iniciado sesión en este navegador con esa dirección.",
        ),
        join: "Unirse",
        or_not: "Si no lo desea, cierre esta página.",
        not_signed_in: "Aquí no ha iniciado sesión",
        sign_in_first: |address| format!("Primero inicie sesión en una aplicación con la dirección {address}."),
        then: "Después abra de nuevo el enlace del correo; sigue sirviendo.",
        welcome: "Le damos la bienvenida",
        belongs: |organisation| format!("Ahora pertenece a {organisation}."),
        go_back: "Vuelva a la aplicación. Si todavía no lo sabe, inicie sesión allí de nuevo.",
    },
    sign_out: SignOut {
        title: "¿Cerrar sesión?",
        what: "Se cerrará su sesión aquí y en todas las aplicaciones en las que la inició con este navegador.",
        or_not: "Para mantener la sesión, cierre esta página.",
        done_title: "Sesión cerrada",
        done: "Ha cerrado la sesión",
        close: "Puede cerrar esta página.",
    },
    back: Back { title: "Un momento", what: "Está volviendo a la aplicación. Si no ocurre nada, pulse el botón." },
    mailed: Mailed {
        send: "Enviarme en su lugar un código por correo",
        what: Around(
            "Si existe una cuenta con esta dirección, y la dirección se confirmó, un correo va en camino. Escriba aquí su código para continuar a ",
            ", o abra su enlace en este navegador. Ambos sirven durante diez minutos.",
        ),
        other: "Otra dirección, otro correo o la contraseña",
        sign_in_as: Around("como ", ""),
        go_on_to: Around(", para continuar a ", ""),
        elsewhere: Note {
            title: "Ábralo donde lo pidió",
            sentences: &[
                "Este enlace inicia sesión en el navegador que lo pidió, y en ningún otro. Ábralo allí, o escriba allí el código del correo.",
                "Si fue hace mucho, pida otro correo. Si no lo pidió usted, no tiene que hacer nada.",
            ],
        },
    },
    security: Security {
        change: "Cambiar cómo inicia sesión",
        first: "Primer paso",
        none_yet: "todavía ninguno",
        nothing_yet: "Todavía ninguno: quien conozca su contraseña tiene su cuenta. Con una llave de acceso o una aplicación de autenticación en su teléfono, también la necesitaría.",
        kind_app: "aplicación de autenticación",
        since: |day| format!("desde {day}"),
        last_used: |when| format!("último uso: {when}"),
        never_used: "nunca usada",
        remove: |name| format!("Quitar {name}"),
        password_alone: "A partir de entonces su contraseña sola abre su cuenta, y los códigos de recuperación ya no valen.",
        others: "Cerrar también la sesión en todos los demás",
        yes_remove: "Sí, quitarla",
        add_app: "Añadir una aplicación de autenticación",
        read_square: "Abra la aplicación en su teléfono, elija añadir una cuenta y deje que lea este cuadrado.",
        square: "El cuadrado para su aplicación de autenticación; la clave de abajo dice lo mismo",
        cannot_read: "La aplicación no puede leerlo",
        type_key: "Escriba esta clave en la aplicación:",
        six_digits: "Los seis dígitos que la aplicación muestra ahora",
        add: "Añadir la aplicación",
        rather_not: "Mejor no",
        codes: "Códigos de recuperación",
        codes_left: |count| format!("Quedan {count}. Cada uno abre su cuenta una vez si pierde el teléfono."),
        make_codes: "Crear nuevos códigos de recuperación",
        old_codes: "A partir de entonces los anteriores ya no valen.",
        yes_make: "Sí, crear nuevos",
        your_codes: "Sus códigos de recuperación",
        new_codes: "Nuevos códigos de recuperación",
        app_added: "Se añadió la aplicación",
        write_down: "Anote estos códigos de recuperación o imprima esta página.",
        each_once: "Cada uno abre su cuenta una vez, en lugar del segundo paso, si pierde el teléfono. No se vuelven a mostrar.",
        have_them: "Ya los tengo",
        done_added: "Se añadió la aplicación. A partir de ahora se le pedirá un código de ella.",
        done_removed: "Se ha quitado.",
    },
    passkey: Passkey {
        sign_in: "Iniciar sesión con una llave de acceso",
        use_one: "Usar una llave de acceso",
        add: "Añadir una llave de acceso",
        what: "Con una llave de acceso inicia sesión sin contraseña: con lo que desbloquea este dispositivo (un PIN, el dedo, la cara) o con una llave de seguridad. Nadie puede robársela con una página falsa.",
        needs_script: "Para esto hace falta un navegador que conozca las llaves de acceso, y JavaScript.",
        name_label: "¿Cómo quiere llamarla?",
        name: "Mi llave de acceso",
        kind: "llave de acceso",
        added: "Su llave de acceso se ha añadido",
        done: "La llave de acceso se ha añadido. Desde ahora puede iniciar sesión con ella.",
        bad_value: "Un nombre tiene de 1 a 60 caracteres, y una cuenta diez llaves de acceso como máximo.",
        known_here: "Este dispositivo ya tiene una llave de acceso para su cuenta.",
        not_shown: "No se mostró ninguna llave de acceso. Inténtelo de nuevo o continúe de otra manera.",
        no_site: "Esta dirección no puede tener llaves de acceso.",
        failed: "El navegador no pudo hacerlo. Inténtelo de nuevo o continúe de otra manera.",
    },
    account: Account {
        title: "Su cuenta",
        confirmed: "dirección confirmada",
        not_confirmed: "dirección sin confirmar",
        here_since: |day| format!("aquí desde {day}"),
        going: |day| format!("Esta cuenta se eliminará el {day}."),
        keep: "Conservar mi cuenta",
        devices: "Dónde ha iniciado sesión",
        this_device: "este dispositivo",
        seen: |began, seen| format!("sesión iniciada: {began}; último uso: {seen}"),
        in_applications: |names| format!("en {names}"),
        sign_out_here: "Cerrar sesión aquí",
        sign_out_of: |device, began| format!("Cerrar la sesión de {device}, iniciada {began}"),
        more: |count| format!("y {count} más"),
        sign_out_others: "Cerrar sesión en todos los demás",
        ways: "Cómo inicia sesión",
        password_set: |when| format!("establecida {when}"),
        no_password: "todavía ninguna",
        new_password: "Establecer una contraseña nueva",
        applications: "Aplicaciones que pueden usar su cuenta",
        no_applications: "Ninguna.",
        may_since: |day| format!("desde {day}; puede"),
        take_back: "Retirar el permiso",
        take_back_from: |name| format!("Retirar el permiso de {name}"),
        activity: "Qué ha ocurrido últimamente",
        data: "Sus datos",
        data_what: "Todo lo que se guarda sobre usted, en un archivo que los programas pueden leer.",
        save: "Guardar mis datos",
        delete: "Eliminar mi cuenta",
        done_signed_out: "Se cerró la sesión en ese dispositivo. Lo que tuviera ya se rechaza en todas partes.",
        done_others: "Se cerró la sesión en todos los demás dispositivos. Lo que tuvieran ya se rechaza en todas partes.",
        done_kept: "Su cuenta se conserva.",
        done_withdrawn: "Esa aplicación ya no puede usar su cuenta, y se cerró su sesión.",
        done_settings: "El idioma y el aspecto se han guardado. Los correos también llegarán en este idioma.",
    },
    email: EmailAddress {
        title: "Su dirección de correo electrónico",
        verify: "Enviar de nuevo el correo de confirmación",
        verify_sent: Note {
            title: "Revise su correo",
            sentences: &["Un correo con un enlace va en camino. El enlace funciona una vez, durante una hora."],
        },
        new: "Nueva dirección de correo electrónico",
        what: "A la nueva dirección llega un correo con un enlace, y a la anterior un aviso. Nada cambia hasta que se abre el enlace.",
        change: "Cambiar la dirección",
        change_sent: Note {
            title: "Revise el correo de la nueva dirección",
            sentences: &[
                "Un correo con un enlace va en camino a la nueva dirección. Hasta que se abra, su cuenta conserva la dirección que tiene.",
            ],
        },
        password_first: "Para cambiar la dirección, establezca primero una contraseña.",
    },
    settings: Settings {
        title: "Idioma y aspecto",
        language: "Idioma",
        browser: "El de mi navegador",
        theme: "Aspecto",
        system: "El de mi sistema",
        light: "Claro",
        dark: "Oscuro",
        save: "Guardar",
    },
    delete: Delete {
        title: "¿Eliminar su cuenta?",
        what: |days| {
            format!(
                "Se cerrará de inmediato la sesión en todos los dispositivos y aplicaciones. {} después se eliminará la cuenta con todo lo que le pertenece, y nadie podrá recuperarla. Hasta entonces puede iniciar sesión y conservarla.",
                some(days, "día", "días")
            )
        },
        back: "Volver a su cuenta",
        done_title: "Su cuenta se eliminará",
        done: "Se cerró la sesión en todos los dispositivos y aplicaciones, en todas partes.",
        until: |day| format!("Si cambia de opinión, inicie sesión antes del {day} y elija «Conservar mi cuenta»."),
    },
    happened: Happened {
        account_made: "Cuenta creada",
        signed_in: "Sesión iniciada",
        signed_in_with: |upstream| format!("Sesión iniciada con {upstream}"),
        signed_in_by_passkey: "Sesión iniciada con una llave de acceso",
        signed_in_after_failures: "Sesión iniciada, tras intentos con una contraseña incorrecta",
        passkey_refused: "No se aceptó una llave de acceso",
        passkey_copied: "Se rechazó una llave de acceso: parece que hay una copia de ella",
        wrong_password: "Alguien intentó iniciar sesión con una contraseña incorrecta",
        had_to_wait: "Un intento de iniciar sesión tuvo que esperar: demasiados habían fallado",
        password_changed: "Contraseña cambiada",
        password_not_changed: "Alguien con la sesión iniciada intentó cambiar la contraseña sin conocerla",
        sign_in_mail_asked: "Se pidió un correo para iniciar sesión",
        reset_asked: "Se pidió un enlace para establecer una contraseña nueva",
        password_reset: "Contraseña nueva establecida con un enlace de un correo",
        address_confirmed: "Dirección confirmada",
        address_change_asked: "Se pidió un cambio de dirección",
        address_changed: "Dirección cambiada",
        disabled: "Cuenta desactivada por la administración",
        enabled: "Cuenta activada de nuevo",
        deletion_asked: "Se pidió eliminar la cuenta",
        kept: "La cuenta se conserva",
        recovery_code_used: "Se usó un código de recuperación",
        factor_added: "Se añadió un segundo factor",
        factor_removed: "Se quitó un segundo factor",
        recovery_codes_made: "Se crearon nuevos códigos de recuperación",
        factors_reset: "La administración quitó todos los segundos factores",
        roles_changed: "Roles cambiados",
        token_copied: "Se usó un token copiado: se cerró la sesión de su dispositivo",
        consent_given: "Se permitió a una aplicación usar la cuenta",
        consent_withdrawn: "Se retiró el permiso de una aplicación",
        ended: Ended {
            here: "Sesión cerrada",
            everywhere: "Sesión cerrada en todas partes",
            password: "Sesión cerrada en todas partes porque cambió la contraseña",
            disabled: "Sesión cerrada: la cuenta fue desactivada",
            application_disabled: "Sesión cerrada en una aplicación que fue desactivada",
            consent_withdrawn: "Sesión cerrada en una aplicación que ya no está permitida",
            administrator: "Sesión cerrada por la administración",
            factors: "Sesión cerrada porque cambiaron los segundos factores",
            copied: "Sesión cerrada porque se usó un token copiado",
            superseded: "Sesión cerrada porque otra persona inició sesión en el mismo navegador",
            application: "Sesión cerrada por la aplicación",
        },
    },
    problem: Problem {
        wait: |title, seconds| format!("{title}. Inténtelo de nuevo dentro de {seconds} s."),
        bad_email: "Esta no es una dirección de correo válida.",
        stop: ".",
        technical: "No ha sido posible",
        code: "Código",
        request: "solicitud",
    },
    problems: problems::PROBLEMS,
    weakness: |weakness| match weakness {
        Weakness::TooShort { min, got } => format!(
            "La contraseña necesita al menos {min} caracteres; tiene {got}. Varias palabras sin relación entre sí forman una buena."
        ),
        Weakness::TooLong { max } => format!("La contraseña tiene más de {max} bytes."),
        Weakness::Repeated { unit } => {
            format!("La contraseña repite los mismos pocos caracteres; solo cuentan {unit}.")
        }
        Weakness::Common => {
            "La contraseña es una de las más comunes, o está hecha de ellas, y sería de las primeras en adivinarse."
                .to_owned()
        }
        Weakness::Context => {
            "La contraseña está hecha de su dirección de correo o del nombre de este servicio.".to_owned()
        }
        Weakness::Sequence => {
            "La contraseña está hecha de series de letras o dígitos, como abcdef, 123456 o qwerty.".to_owned()
        }
    },
    no_account: |label, why| match why {
        NoAccount::Unusable => format!("{label} dice quién es usted, pero su cuenta aquí no se puede usar."),
        NoAccount::NoAddress => {
            format!("{label} dice quién es usted, pero no indica ninguna dirección de correo que sepa que es suya.")
        }
        NoAccount::None => format!("{label} dice quién es usted, pero todavía no tiene cuenta aquí."),
    },
    ago: |ago| match ago {
        Ago::JustNow => "ahora mismo".to_owned(),
        Ago::Minutes(count) => format!("hace {}", some(count, "minuto", "minutos")),
        Ago::Hours(count) => format!("hace {}", some(count, "hora", "horas")),
        Ago::Yesterday => "ayer".to_owned(),
        Ago::Days(count) => format!("hace {}", some(count, "día", "días")),
        Ago::On(at) => date(at),
    },
    program: |program| match program {
        Program::On(browser, system) => format!("{browser} en {system}"),
        Program::Named(name) => name,
        Program::Unknown => "Dispositivo desconocido".to_owned(),
    },
};

fn some(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
