//! German: what went wrong, for those whom it happens to.

use crate::http::ui::words::{Problems, Told};

pub(super) const PROBLEMS: Problems = Problems {
    not_found: Told {
        title: "Unter dieser Adresse gibt es nichts",
        help: "Prüfen Sie die Adresse, oder gehen Sie zurück zur Anwendung.",
    },
    request_timeout: Told {
        title: "Die Anfrage kam zu langsam an",
        help: "Sie muss innerhalb von 10 Sekunden ankommen. Versuchen Sie es mit einer besseren Verbindung noch einmal.",
    },
    last_admin: Told {
        title: "Das ist die letzte Person, die verwaltet",
        help: "Ohne dieses Konto könnte niemand mehr aus der Ferne verwalten. Geben Sie zuerst jemand anderem die Rolle admin.",
    },
    cross_site: Told {
        title: "Eine Anfrage mit Cookies kam von einer anderen Website",
        help: "Was hier etwas ändert, muss von einer Seite dieser Website kommen. Gehen Sie zurück, und versuchen Sie es von dort noch einmal.",
    },
    duplicate_cookie: Told {
        title: "Dasselbe Cookie wurde zweimal gesendet",
        help: "Ein anderer Rechner derselben Domain hat vielleicht ein Cookie dieses Namens gesetzt. Beide wurden gelöscht; melden Sie sich noch einmal an.",
    },
    invalid_credentials: Told {
        title: "E-Mail-Adresse oder Passwort ist falsch",
        help: "Die Antwort ist dieselbe bei unbekannter Adresse, falschem Passwort, gesperrtem Konto und einer Adresse, die erst bestätigt werden muss. Wenn das Passwort stimmt und die Adresse nicht bestätigt ist, ist eine weitere E-Mail mit einem Link unterwegs.",
    },
    second_factor_wrong: Told {
        title: "Der Code ist falsch",
        help: "Sechs Ziffern der Authenticator-App, wie sie gerade angezeigt werden, oder einer der Wiederherstellungscodes. Ein Code gilt einmal: warten Sie auf den nächsten, höchstens 30 Sekunden. Wenn nie einer stimmt, geht die Uhr des Telefons falsch; stellen Sie sie auf automatisch.",
    },
    mail_code_wrong: Told {
        title: "Der Code ist falsch oder abgelaufen",
        help: "Acht Buchstaben, wie sie in der neuesten E-Mail stehen. Sie gelten einmal, zehn Minuten und fünf Versuche lang, in dem Browser, der sie angefordert hat. Fordern Sie eine neue E-Mail an, wenn keiner stimmt.",
    },
    passkey_refused: Told {
        title: "Der Passkey wurde nicht angenommen",
        help: "Die Antwort ist dieselbe für einen Passkey, der hier nicht bekannt ist, entfernt wurde oder jemand anderem gehört, und für eine Antwort, nach der nicht gefragt war. Verwenden Sie einen anderen Passkey, oder melden Sie sich auf einem anderen Weg an; einen Passkey, der vom Konto entfernt wurde, entfernen Sie am besten auch vom Gerät.",
    },
    passkey_late: Told {
        title: "Das hat zu lange gedauert",
        help: "Ein Passkey muss innerhalb von fünf Minuten verwendet werden, auf der Seite, die danach gefragt hat. Versuchen Sie es noch einmal.",
    },
    passkey_known: Told {
        title: "Dieser Passkey ist schon bekannt",
        help: "Er wurde bereits hinzugefügt, zu diesem Konto oder zu einem anderen. Erstellen Sie einen neuen.",
    },
    passkeys_unavailable: Told {
        title: "Hier gibt es keine Passkeys",
        help: "Browser erstellen Passkeys nur für einen Rechner mit Namen, und diese Website hat nur eine Nummer als Adresse. Wenden Sie sich an den Betreiber dieser Website.",
    },
    second_factor_missing: Told {
        title: "Diese Anwendung verlangt einen zweiten Faktor",
        help: "Das Konto hat keinen. Fügen Sie dem Konto zuerst einen Passkey oder eine Authenticator-App hinzu, und melden Sie sich dann noch einmal an.",
    },
    sign_in_stale: Told {
        title: "Die Anmeldung ist dafür zu lange her",
        help: "Was ein Konto öffnet, wird innerhalb von zehn Minuten nach der Anmeldung geändert, damit es niemand an einem Browser ändert, der offen geblieben ist. Melden Sie sich noch einmal an.",
    },
    step_up_needed: Told {
        title: "Eine Anmeldung mit dem zweiten Faktor ist nötig",
        help: "Das Konto hat einen zweiten Faktor, und diese Sitzung begann ohne ihn. Melden Sie sich noch einmal an, mit einem Passkey, dem Code der Authenticator-App oder einem Wiederherstellungscode.",
    },
    password_too_short: Told {
        title: "Das Passwort ist zu kurz",
        help: "Ein Passwort, das der einzige Faktor ist, braucht mindestens 15 Zeichen. Ein Satz aus vier oder fünf Wörtern ist leicht zu merken; weitere Regeln für seine Zeichen gibt es nicht.",
    },
    password_too_long: Told {
        title: "Das Passwort ist zu lang",
        help: "Höchstens 1024 Bytes werden angenommen, damit niemand den Server mit Rechnen aufhält.",
    },
    password_common: Told {
        title: "Das Passwort ist zu leicht zu erraten",
        help: "Es steht auf der Liste häufiger Passwörter, wiederholt ein Zeichen, oder besteht aus Ihrer E-Mail-Adresse oder dem Namen dieser Website.",
    },
    invalid_email: Told {
        title: "Das ist keine E-Mail-Adresse",
        help: "Ein @, höchstens 254 Bytes, keine Leerzeichen und keine Steuerzeichen.",
    },
    registration_closed: Told {
        title: "Hier kann man sich nicht selbst registrieren",
        help: "Konten werden von der Verwaltung angelegt. Wenden Sie sich an den Betreiber dieser Website.",
    },
    too_many_attempts: Told {
        title: "Zu viele Versuche",
        help: "Warten Sie eine Weile, und versuchen Sie es dann noch einmal. Die Wartezeit wächst mit den Fehlversuchen eines Kontos und endet mit der nächsten gelungenen Anmeldung.",
    },
    overloaded: Told {
        title: "Der Server ist beschäftigt",
        help: "Es wurde nichts geändert. Versuchen Sie es gleich noch einmal.",
    },
    unavailable: Told {
        title: "Der Server erreicht seine Datenbank nicht",
        help: "Es wurde nichts geändert, oder es ist nicht bekannt, ob etwas geändert wurde; noch einmal versuchen schadet nicht.",
    },
    key_store: Told {
        title: "Der Server erreicht seinen Schlüsselspeicher nicht",
        help: "Tokens werden in einem Schlüsselspeicher unterschrieben, der gerade nicht antwortet, deshalb gibt es im Moment keine neuen. Sie sind nicht abgemeldet, und nichts ist verloren. Versuchen Sie es gleich noch einmal.",
    },
    authorize_invalid: Told {
        title: "Die Anfrage der Anwendung kann nicht beantwortet werden",
        help: "Sie nennt keine Anwendung, die hier bekannt ist, oder keine Adresse, die diese Anwendung eingetragen hat; deshalb wird niemand weitergeleitet. Gehen Sie zurück zur Anwendung, und wenden Sie sich an deren Entwickler.",
    },
    mail_link_invalid: Told {
        title: "Dieser Link kann nicht verwendet werden",
        help: "Er wurde schon verwendet, ist älter als eine Stunde, oder wurde vom E-Mail-Programm abgeschnitten; oder das Konto hat seitdem ein anderes Passwort oder eine andere Adresse, oder jemand anders hat ein Konto mit der Adresse, um die es geht. Fordern Sie eine neue E-Mail an.",
    },
    form_expired: Told {
        title: "Diese Seite kann nicht mehr verwendet werden",
        help: "Sie war zu lange offen, wurde schon beantwortet, oder wurde in einem anderen Browser geöffnet. Gehen Sie zurück zur Anwendung, und beginnen Sie von vorn. Für diese Website müssen Cookies erlaubt sein.",
    },
    upstream_failed: Told {
        title: "Die Anmeldung beim anderen Anbieter hat nicht funktioniert",
        help: "Der andere Anbieter hat nicht geantwortet, hat abgelehnt, oder hat etwas gesendet, das niemanden ausweist. Versuchen Sie es noch einmal, oder melden Sie sich auf einem anderen Weg an.",
    },
    upstream_no_account: Told {
        title: "Hier gibt es kein Konto für Sie",
        help: "Der andere Anbieter hat gesagt, wer Sie sind, aber das öffnet hier kein Konto: es ist gesperrt, der Anbieter nannte keine bestätigte E-Mail-Adresse, oder Konten werden hier von der Verwaltung angelegt. Melden Sie sich auf einem anderen Weg an, oder wenden Sie sich an die Verwaltung.",
    },
    internal: Told {
        title: "Bei uns ist etwas kaputtgegangen",
        help: "Mit der Nummer der Anfrage findet der Betreiber die Zeile im Protokoll. Nach allem, was wir wissen, ist nichts verloren.",
    },
};
