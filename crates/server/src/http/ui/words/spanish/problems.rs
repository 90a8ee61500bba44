//! Spanish: what went wrong, for those whom it happens to.

use crate::http::ui::words::{Problems, Told};

pub(super) const PROBLEMS: Problems = Problems {
    not_found: Told {
        title: "No hay nada en esta dirección",
        help: "Compruebe la dirección o vuelva a la aplicación.",
    },
    request_timeout: Told {
        title: "La solicitud tardó demasiado en llegar",
        help: "Debe llegar en 10 segundos. Inténtelo de nuevo con una conexión mejor.",
    },
    last_admin: Told {
        title: "Es la última cuenta de administración",
        help: "Sin ella nadie podría administrar a distancia. Dé primero el rol admin a otra persona.",
    },
    cross_site: Told {
        title: "Una solicitud con cookies llegó desde otro sitio",
        help: "Lo que cambia algo aquí debe venir de una página de este mismo sitio. Vuelva atrás e inténtelo desde allí.",
    },
    duplicate_cookie: Told {
        title: "La misma cookie se envió dos veces",
        help: "Quizá otro equipo del mismo dominio puso una cookie con este nombre. Se borraron ambas; inicie sesión de nuevo.",
    },
    invalid_credentials: Told {
        title: "El correo o la contraseña no son correctos",
        help: "La respuesta es la misma para una dirección desconocida, una contraseña incorrecta, una cuenta desactivada y una dirección que antes debe confirmarse. Si la contraseña es correcta y la dirección no está confirmada, otro correo con un enlace va en camino.",
    },
    second_factor_wrong: Told {
        title: "El código no es correcto",
        help: "Seis dígitos de la aplicación de autenticación, tal como los muestra ahora, o uno de los códigos de recuperación. Un código sirve una vez: espere al siguiente, 30 segundos como máximo. Si ninguno es correcto, el reloj del teléfono va mal; póngalo en automático.",
    },
    mail_code_wrong: Told {
        title: "El código no es correcto o ha caducado",
        help: "Ocho letras, tal como están en el correo más reciente. Sirven una vez, durante diez minutos y cinco intentos, en el navegador que las pidió. Pida otro correo si ninguno es correcto.",
    },
    passkey_refused: Told {
        title: "No se aceptó la llave de acceso",
        help: "La respuesta es la misma si la llave de acceso no se conoce aquí, se eliminó o es de otra persona, o si su respuesta no es la que se pidió. Use otra llave de acceso u otra manera de iniciar sesión; si la eliminó de la cuenta, elimínela también del dispositivo.",
    },
    passkey_late: Told {
        title: "Ha tardado demasiado",
        help: "La llave de acceso debe mostrarse en cinco minutos, en la página que la pidió. Inténtelo de nuevo.",
    },
    passkey_known: Told {
        title: "Esta llave de acceso ya se conoce",
        help: "Ya se añadió antes, a esta cuenta o a otra. Cree una nueva.",
    },
    passkeys_unavailable: Told {
        title: "Aquí no hay llaves de acceso",
        help: "Los navegadores crean llaves de acceso para un servidor con nombre, y la dirección de este sitio es solo un número. Consulte a quien administra este sitio.",
    },
    second_factor_missing: Told {
        title: "Esta aplicación exige un segundo factor",
        help: "La cuenta no tiene ninguno. Añada primero una llave de acceso o una aplicación de autenticación a la cuenta y después inicie sesión de nuevo.",
    },
    sign_in_stale: Told {
        title: "Ha pasado demasiado tiempo desde que inició sesión",
        help: "Lo que abre una cuenta se cambia en los diez minutos siguientes a iniciar sesión, para que nadie lo cambie en un navegador que quedó abierto. Inicie sesión de nuevo.",
    },
    step_up_needed: Told {
        title: "Hay que iniciar sesión con el segundo factor",
        help: "La cuenta tiene un segundo factor y esta sesión empezó sin él. Inicie sesión de nuevo, con una llave de acceso, el código de la aplicación de autenticación o un código de recuperación.",
    },
    password_too_short: Told {
        title: "La contraseña es demasiado corta",
        help: "Una contraseña que es el único factor necesita al menos 15 caracteres. Una frase de cuatro o cinco palabras es fácil de recordar; no hay otras reglas sobre sus caracteres.",
    },
    password_too_long: Told {
        title: "La contraseña es demasiado larga",
        help: "Se aceptan como máximo 1024 bytes, para que nadie tenga ocupado al servidor.",
    },
    password_common: Told {
        title: "La contraseña es demasiado fácil de adivinar",
        help: "Está en la lista de contraseñas comunes, repite un carácter, o está hecha de su dirección de correo o del nombre de este sitio.",
    },
    invalid_email: Told {
        title: "Esto no es una dirección de correo",
        help: "Una @, como máximo 254 bytes, sin espacios ni caracteres de control.",
    },
    registration_closed: Told {
        title: "Aquí no es posible registrarse",
        help: "Las cuentas las crea la administración. Consulte a quien administra este sitio.",
    },
    too_many_attempts: Told {
        title: "Demasiados intentos",
        help: "Espere un rato e inténtelo de nuevo. La espera crece con los fallos de una cuenta y termina cuando se inicia sesión con éxito.",
    },
    overloaded: Told {
        title: "El servidor está ocupado",
        help: "No se ha cambiado nada. Inténtelo de nuevo enseguida.",
    },
    unavailable: Told {
        title: "El servidor no puede llegar a su base de datos",
        help: "No se ha cambiado nada, o no se sabe si se cambió; intentarlo de nuevo no hace daño.",
    },
    key_store: Told {
        title: "El servidor no puede acceder a su almacén de claves",
        help: "Los tokens se firman en un almacén de claves que no responde, así que por ahora no hay nuevos. Su sesión sigue abierta y no se ha perdido nada. Inténtelo de nuevo dentro de un momento.",
    },
    authorize_invalid: Told {
        title: "No se puede responder a la solicitud de la aplicación",
        help: "No indica una aplicación conocida aquí ni una dirección que esa aplicación haya registrado, así que no se envía a nadie a ninguna parte. Vuelva a la aplicación y consulte a quien la desarrolla.",
    },
    mail_link_invalid: Told {
        title: "Este enlace no se puede usar",
        help: "Ya se usó, tiene más de una hora, o el programa de correo lo cortó; o la cuenta tiene desde entonces otra contraseña u otra dirección, o la cuenta de otra persona tiene la dirección de la que se trata. Pida un correo nuevo.",
    },
    form_expired: Told {
        title: "Esta página ya no se puede usar",
        help: "Estuvo abierta demasiado tiempo, ya se respondió, o se abrió en otro navegador. Vuelva a la aplicación y empiece de nuevo. Este sitio necesita que se permitan las cookies.",
    },
    upstream_failed: Told {
        title: "No se pudo iniciar sesión con el otro proveedor",
        help: "El otro proveedor no respondió, lo rechazó, o envió algo que no identifica a nadie. Inténtelo de nuevo o inicie sesión de otra forma.",
    },
    upstream_no_account: Told {
        title: "Aquí no hay una cuenta para usted",
        help: "El otro proveedor dijo quién es usted, pero eso no abre ninguna cuenta aquí: la cuenta está desactivada, el proveedor no indicó ninguna dirección de correo confirmada, o las cuentas las crea la administración. Inicie sesión de otra forma o consulte a la administración.",
    },
    internal: Told {
        title: "Algo ha fallado por nuestra parte",
        help: "Con el número de la solicitud, quien administra el sitio encuentra la línea en el registro. Que se sepa, no se ha perdido nada.",
    },
};
