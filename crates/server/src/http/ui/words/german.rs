//! German, polite (Sie). The words: account = Konto, sign in = sich anmelden, sign out = abmelden, application = Anwendung, device =
//! Gerät, authenticator app = Authenticator-App, second factor = zweiter Faktor, recovery code = Wiederherstellungscode, permission =
//! Berechtigung, provider = Anbieter, mail = E-Mail, "whoever runs the site" = der Betreiber dieser Website.

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
        again: " – bitte noch einmal",
        email: "E-Mail-Adresse",
        password: "Passwort",
        code: "Code",
        go_on: "Weiter",
        sign_in: "Anmelden",
        sign_out: "Abmelden",
        other_account: "Ein anderes Konto verwenden",
        policy: "Datenschutzerklärung",
        terms: "Nutzungsbedingungen",
        rule: |least| format!("Mindestens {least} Zeichen. Vier oder fünf Wörter ergeben ein gutes Passwort."),
        your_account: "Ihrem Konto",
    },
    sign_in: SignIn {
        go_on_to: Around("weiter zu ", ""),
        link: |label| {
            format!(
                "Mit dieser Adresse gibt es bereits ein Konto. Melden Sie sich einmal mit dessen Passwort an; danach öffnet es auch {label}."
            )
        },
        forgot: "Passwort vergessen?",
        new_here: "Neu hier?",
        make: "Konto erstellen",
        others: "Andere Wege, sich anzumelden",
        with: |label| format!("Weiter mit {label}"),
        failed: |label| {
            format!(
                "Die Anmeldung mit {label} hat nicht funktioniert. Versuchen Sie es noch einmal, oder melden Sie sich auf einem anderen Weg an."
            )
        },
    },
    second: SecondStep {
        title: "Zweiter Schritt",
        by_app: Around("weiter zu ", ". Geben Sie die sechs Ziffern ein, die Ihre Authenticator-App gerade anzeigt."),
        by_either: Around(
            "weiter zu ",
            ". Geben Sie die sechs Ziffern ein, die Ihre Authenticator-App gerade anzeigt, oder verwenden Sie einen Passkey.",
        ),
        by_passkey: Around("weiter zu ", ". Verwenden Sie einen Ihrer Passkeys."),
        not_at_hand: "Die App ist nicht zur Hand",
        nothing_at_hand: "Nichts davon ist zur Hand",
        recovery: "Wiederherstellungscode",
        use_it: "Code verwenden",
        once: "Jeder gilt einmal. Wenn Sie keinen haben, wenden Sie sich an den Betreiber dieser Website.",
    },
    consent: Consent {
        title: Around("Zugriff für ", " erlauben?"),
        signed_in_as: Around("Sie sind angemeldet als ", "."),
        asks: Around("Die Anwendung unter ", " möchte:"),
        lasts: |days| {
            format!(
                "Das gilt für höchstens {}, oder bis Sie sich abmelden. Sie können es jederzeit zurücknehmen.",
                some(days, "Tag", "Tage")
            )
        },
        allow: "Erlauben",
        deny: "Nicht erlauben",
    },
    wishes: Wishes {
        openid: "wissen, welches Konto Ihres ist",
        profile: "Ihren Namen und Ihr Profil sehen",
        email: "Ihre E-Mail-Adresse sehen",
        address: "Ihre Postanschrift sehen",
        phone: "Ihre Telefonnummer sehen",
        roles: "Ihre Rollen sehen",
        offline_access: "den Zugriff behalten, während Sie sie nicht benutzen",
        none: "für Sie handeln, ohne weitere Berechtigung",
        other: |scope| format!("die Berechtigung {scope} nutzen"),
    },
    device: Device {
        title: "Ein Gerät verbinden",
        what: "Geben Sie den Code ein, den Ihr Gerät anzeigt.",
        unknown: "Mit diesem Code wartet kein Gerät. Prüfen Sie ihn, oder beginnen Sie auf dem Gerät von vorn.",
        let_in: Around("", " zulassen?"),
        shows: "Das Gerät, das diesen Code anzeigt,",
        asks: "möchte:",
        warning: "Nur wenn dieses Gerät vor Ihnen steht und Sie den Vorgang dort selbst begonnen haben. Wenn Ihnen jemand den Code oder einen Link geschickt hat, käme diese Person in Ihr Konto.",
        lasts: |days| {
            format!("Es bleibt höchstens {} angemeldet, oder bis Sie sich überall abmelden.", some(days, "Tag", "Tage"))
        },
        allow: "Zulassen",
        deny: "Nicht zulassen",
        allowed: Note {
            title: "Auf Ihrem Gerät geht es weiter",
            sentences: &["Es ist in wenigen Sekunden angemeldet. Sie können diese Seite schließen."],
        },
        denied: Note {
            title: "Nicht zugelassen",
            sentences: &["Das Gerät hat es erfahren. Sie können diese Seite schließen."],
        },
    },
    register: Register {
        title: "Konto erstellen",
        make: "Konto erstellen",
        have_one: "Sie haben schon eines?",
        one_more: "Noch ein Schritt",
        mail: "Eine E-Mail mit einem Link ist zu Ihnen unterwegs. Öffnen Sie ihn, um zu bestätigen, dass die Adresse Ihre ist, und melden Sie sich dann an.",
        nothing: "Nach einigen Minuten ist nichts da? Sehen Sie unter den unerwünschten E-Mails nach, und ob die Adresse die richtige war.",
        then: "Melden Sie sich mit der Adresse und dem Passwort an, die Sie eben gewählt haben.",
    },
    forgot: Forgot {
        title: "Passwort vergessen?",
        what: "Geben Sie die Adresse Ihres Kontos ein. Eine E-Mail mit einem Link, um ein neues Passwort zu setzen, geht dorthin.",
        send: "Link senden",
        sent: Note {
            title: "Sehen Sie in Ihre E-Mails",
            sentences: &[
                "Wenn es mit dieser Adresse ein Konto gibt, ist eine E-Mail mit einem Link dorthin unterwegs. Der Link gilt einmal, eine Stunde lang.",
                "Nach einigen Minuten ist nichts da? Sehen Sie unter den unerwünschten E-Mails nach, und ob die Adresse die richtige ist.",
            ],
        },
    },
    reset: Reset {
        title: "Ein neues Passwort setzen",
        what: Around(
            "für ",
            ". Jedes Gerät und jede Anwendung wird abgemeldet, damit niemand das Konto behält, der es nicht haben soll.",
        ),
        password: "Neues Passwort",
        set: "Passwort setzen",
        done: Note {
            title: "Ihr Passwort ist gesetzt",
            sentences: &[
                "Jedes Gerät und jede Anwendung wurde abgemeldet, überall; wer Ihr Konto vorher hatte, hat es nicht mehr.",
                "Andere Wege der Anmeldung wurden getrennt, und eine Änderung Ihrer Adresse, die noch nicht bestätigt war, wurde verworfen.",
                "Sie sind hier nicht angemeldet. Gehen Sie zurück zur Anwendung, und melden Sie sich mit dem neuen Passwort an.",
            ],
        },
    },
    address: Address {
        title: "Ist das Ihre Adresse?",
        made: Around("Hier wurde ein Konto mit der Adresse ", " erstellt."),
        yes: "Ja, ich habe dieses Konto erstellt",
        not_you: Around("Wenn Sie das nicht waren, ", ", oder schließen Sie diese Seite."),
        own_password: "setzen Sie ein eigenes Passwort",
        confirmed: Note {
            title: "Ihre Adresse ist bestätigt",
            sentences: &[
                "Gehen Sie zurück zur Anwendung, und melden Sie sich an. Wer mit diesem Konto vorher angemeldet war, wurde abgemeldet.",
            ],
        },
        new_title: "Neue Adresse bestätigen",
        new_what: Around(
            "Ihr Konto bekommt die Adresse ",
            ". Geben Sie das Passwort des Kontos ein, damit es niemand sonst bekommt, der dieses Postfach liest.",
        ),
        new_confirm: "Adresse bestätigen",
        changed: Note {
            title: "Ihre Adresse wurde geändert",
            sentences: &["Melden Sie sich von jetzt an mit der neuen Adresse an. Die alte wurde benachrichtigt."],
        },
    },
    invitation: Invitation {
        title: |organisation| format!("{organisation} beitreten?"),
        what: Around(
            "Sie sind mit der Adresse ",
            " eingeladen. Nehmen Sie als die Person an, die in diesem Browser mit dieser Adresse angemeldet ist.",
        ),
        join: "Beitreten",
        or_not: "Wenn Sie das nicht möchten, schließen Sie diese Seite.",
        not_signed_in: "Sie sind hier nicht angemeldet",
        sign_in_first: |address| format!("Melden Sie sich zuerst mit der Adresse {address} bei einer Anwendung an."),
        then: "Öffnen Sie dann den Link der E-Mail noch einmal; er gilt weiterhin.",
        welcome: "Willkommen",
        belongs: |organisation| format!("Sie gehören jetzt zu {organisation}."),
        go_back: "Gehen Sie zurück zur Anwendung. Wenn sie es noch nicht weiß, melden Sie sich dort noch einmal an.",
    },
    sign_out: SignOut {
        title: "Abmelden?",
        what: "Sie werden hier abgemeldet, und bei jeder Anwendung, bei der Sie sich mit diesem Browser angemeldet haben.",
        or_not: "Um angemeldet zu bleiben, schließen Sie diese Seite.",
        done_title: "Abgemeldet",
        done: "Sie sind abgemeldet",
        close: "Sie können diese Seite schließen.",
    },
    back: Back {
        title: "Einen Moment",
        what: "Sie sind auf dem Weg zurück zur Anwendung. Wenn nichts geschieht, drücken Sie die Schaltfläche.",
    },
    mailed: Mailed {
        send: "Stattdessen einen Code per E-Mail senden",
        what: Around(
            "Wenn es mit dieser Adresse ein Konto gibt und die Adresse bestätigt wurde, ist eine E-Mail dorthin unterwegs. Geben Sie ihren Code hier ein, um weiterzugehen zu ",
            ", oder öffnen Sie ihren Link in diesem Browser. Beide gelten zehn Minuten lang.",
        ),
        other: "Eine andere Adresse, eine weitere E-Mail, oder das Passwort",
        sign_in_as: Around("als ", ""),
        go_on_to: Around(", weiter zu ", ""),
        elsewhere: Note {
            title: "Öffnen Sie ihn dort, wo Sie ihn angefordert haben",
            sentences: &[
                "Dieser Link meldet den Browser an, der ihn angefordert hat, und keinen anderen. Öffnen Sie ihn dort, oder geben Sie dort den Code der E-Mail ein.",
                "Wenn das lange her ist, fordern Sie eine neue E-Mail an. Wenn Sie es nicht waren, brauchen Sie nichts zu tun.",
            ],
        },
    },
    security: Security {
        change: "Ändern, wie Sie sich anmelden",
        first: "Erster Schritt",
        none_yet: "noch keiner",
        nothing_yet: "Noch keiner: wer Ihr Passwort erfährt, hat Ihr Konto. Mit einem Passkey oder einer Authenticator-App auf Ihrem Telefon wird auch das gebraucht.",
        kind_app: "Authenticator-App",
        since: |day| format!("seit {day}"),
        last_used: |when| format!("zuletzt verwendet: {when}"),
        never_used: "nie verwendet",
        remove: |name| format!("{name} entfernen"),
        password_alone: "Von da an öffnet Ihr Passwort allein Ihr Konto, und die Wiederherstellungscodes sind nichts mehr wert.",
        others: "Auch überall sonst abmelden",
        yes_remove: "Ja, entfernen",
        add_app: "Eine Authenticator-App hinzufügen",
        read_square: "Öffnen Sie die App auf Ihrem Telefon, wählen Sie, ein Konto hinzuzufügen, und lassen Sie sie dieses Quadrat lesen.",
        square: "Das Quadrat für Ihre Authenticator-App; der Schlüssel darunter sagt dasselbe",
        cannot_read: "Die App kann es nicht lesen",
        type_key: "Geben Sie diesen Schlüssel in die App ein:",
        six_digits: "Die sechs Ziffern, die die App jetzt anzeigt",
        add: "App hinzufügen",
        rather_not: "Lieber nicht",
        codes: "Wiederherstellungscodes",
        codes_left: |count| format!("Noch {count}. Jeder öffnet Ihr Konto einmal, wenn Ihr Telefon verloren ist."),
        make_codes: "Neue Wiederherstellungscodes erstellen",
        old_codes: "Die alten sind von da an nichts mehr wert.",
        yes_make: "Ja, neue erstellen",
        your_codes: "Ihre Wiederherstellungscodes",
        new_codes: "Neue Wiederherstellungscodes",
        app_added: "Die App wurde hinzugefügt",
        write_down: "Schreiben Sie diese Wiederherstellungscodes auf, oder drucken Sie diese Seite.",
        each_once: "Jeder öffnet Ihr Konto einmal, anstelle des zweiten Schritts, wenn Ihr Telefon verloren ist. Sie werden nicht noch einmal angezeigt.",
        have_them: "Ich habe sie",
        done_added: "Die App wurde hinzugefügt. Von jetzt an werden Sie nach einem Code von ihr gefragt.",
        done_removed: "Sie wurde entfernt.",
    },
    passkey: Passkey {
        sign_in: "Mit einem Passkey anmelden",
        use_one: "Einen Passkey verwenden",
        add: "Passkey hinzufügen",
        what: "Mit einem Passkey melden Sie sich ohne Passwort an: durch das, was dieses Gerät entsperrt (PIN, Finger, Gesicht), oder mit einem Sicherheitsschlüssel. Niemand kann ihn Ihnen mit einer gefälschten Seite entlocken.",
        needs_script: "Dafür braucht es einen Browser, der Passkeys kennt, und JavaScript.",
        name_label: "Wie möchten Sie ihn nennen?",
        name: "Mein Passkey",
        kind: "Passkey",
        added: "Ihr Passkey wurde hinzugefügt",
        done: "Der Passkey wurde hinzugefügt. Von jetzt an können Sie sich damit anmelden.",
        bad_value: "Ein Name hat 1 bis 60 Zeichen, und ein Konto höchstens zehn Passkeys.",
        known_here: "Dieses Gerät hat bereits einen Passkey für Ihr Konto.",
        not_shown: "Es wurde kein Passkey verwendet. Versuchen Sie es noch einmal, oder gehen Sie einen anderen Weg.",
        no_site: "Für diese Adresse kann es keine Passkeys geben.",
        failed: "Der Browser konnte es nicht ausführen. Versuchen Sie es noch einmal, oder gehen Sie einen anderen Weg.",
    },
    account: Account {
        title: "Ihr Konto",
        confirmed: "Adresse bestätigt",
        not_confirmed: "Adresse nicht bestätigt",
        here_since: |day| format!("hier seit {day}"),
        going: |day| format!("Dieses Konto wird am {day} gelöscht."),
        keep: "Mein Konto behalten",
        devices: "Wo Sie angemeldet sind",
        this_device: "dieses Gerät",
        seen: |began, seen| format!("angemeldet: {began}, zuletzt gesehen: {seen}"),
        in_applications: |names| format!("in {names}"),
        sign_out_here: "Hier abmelden",
        sign_out_of: |device, began| format!("{device} abmelden, angemeldet: {began}"),
        more: |count| format!("und {count} weitere"),
        sign_out_others: "Überall sonst abmelden",
        ways: "Wie Sie sich anmelden",
        password_set: |when| format!("gesetzt: {when}"),
        no_password: "noch keines",
        new_password: "Ein neues Passwort setzen",
        applications: "Anwendungen, die Ihr Konto nutzen dürfen",
        no_applications: "Keine.",
        may_since: |day| format!("seit {day}; sie darf"),
        take_back: "Zurücknehmen",
        take_back_from: |name| format!("Erlaubnis für {name} zurücknehmen"),
        activity: "Was zuletzt geschah",
        data: "Ihre Daten",
        data_what: "Alles, was über Sie gespeichert ist, in einer Datei, die Programme lesen können.",
        save: "Meine Daten speichern",
        delete: "Mein Konto löschen",
        done_signed_out: "Dieses Gerät wurde abgemeldet. Was es hatte, wird inzwischen überall abgewiesen.",
        done_others: "Jedes andere Gerät wurde abgemeldet. Was sie hatten, wird inzwischen überall abgewiesen.",
        done_kept: "Ihr Konto bleibt bestehen.",
        done_withdrawn: "Diese Anwendung darf Ihr Konto nicht mehr nutzen und wurde abgemeldet.",
        done_settings: "Sprache und Aussehen sind gespeichert. Auch E-Mails kommen in dieser Sprache.",
    },
    email: EmailAddress {
        title: "Ihre E-Mail-Adresse",
        verify: "Die Bestätigungs-E-Mail noch einmal senden",
        verify_sent: Note {
            title: "Sehen Sie in Ihre E-Mails",
            sentences: &[
                "Eine E-Mail mit einem Link ist zu Ihnen unterwegs. Der Link funktioniert einmal, innerhalb einer Stunde.",
            ],
        },
        new: "Neue E-Mail-Adresse",
        what: "An die neue Adresse geht eine E-Mail mit einem Link, an die alte ein Hinweis darauf. Bis der Link geöffnet wird, ändert sich nichts.",
        change: "Adresse ändern",
        change_sent: Note {
            title: "Sehen Sie in die E-Mails der neuen Adresse",
            sentences: &[
                "Eine E-Mail mit einem Link ist zur neuen Adresse unterwegs. Bis er geöffnet wird, behält Ihr Konto seine jetzige Adresse.",
            ],
        },
        password_first: "Um die Adresse zu ändern, setzen Sie zuerst ein Passwort.",
    },
    settings: Settings {
        title: "Sprache und Aussehen",
        language: "Sprache",
        browser: "Wie mein Browser",
        theme: "Aussehen",
        system: "Wie mein System",
        light: "Hell",
        dark: "Dunkel",
        save: "Speichern",
    },
    delete: Delete {
        title: "Ihr Konto löschen?",
        what: |days| {
            format!(
                "Jedes Gerät und jede Anwendung wird sofort abgemeldet. {} später wird das Konto mit allem, was dazu gehört, entfernt, und niemand kann es zurückholen. Bis dahin können Sie sich anmelden und es behalten.",
                some(days, "Tag", "Tage")
            )
        },
        back: "Zurück zu Ihrem Konto",
        done_title: "Ihr Konto wird gelöscht",
        done: "Jedes Gerät und jede Anwendung wurde abgemeldet, überall.",
        until: |day| {
            format!(
                "Wenn Sie es sich anders überlegen, melden Sie sich vor dem {day} an und wählen „Mein Konto behalten“."
            )
        },
    },
    happened: Happened {
        account_made: "Konto erstellt",
        signed_in: "Angemeldet",
        signed_in_with: |upstream| format!("Angemeldet mit {upstream}"),
        signed_in_by_passkey: "Mit einem Passkey angemeldet",
        signed_in_after_failures: "Angemeldet, nach Versuchen mit falschem Passwort",
        passkey_refused: "Ein Passkey wurde nicht angenommen",
        passkey_copied: "Ein Passkey wurde abgelehnt: es gibt anscheinend eine Kopie davon",
        wrong_password: "Jemand hat versucht, sich mit einem falschen Passwort anzumelden",
        had_to_wait: "Ein Anmeldeversuch musste warten: zu viele waren gescheitert",
        password_changed: "Passwort geändert",
        password_not_changed: "Jemand, der hier angemeldet war, wollte das Passwort ändern, ohne es zu kennen",
        sign_in_mail_asked: "Eine E-Mail, um sich anzumelden, wurde angefordert",
        reset_asked: "Ein Link, um ein neues Passwort zu setzen, wurde angefordert",
        password_reset: "Neues Passwort mit einem Link aus einer E-Mail gesetzt",
        address_confirmed: "Adresse bestätigt",
        address_change_asked: "Eine Änderung der Adresse wurde angefordert",
        address_changed: "Adresse geändert",
        disabled: "Konto von der Verwaltung gesperrt",
        enabled: "Konto wieder freigegeben",
        deletion_asked: "Das Löschen des Kontos wurde angefordert",
        kept: "Das Konto bleibt bestehen",
        recovery_code_used: "Ein Wiederherstellungscode wurde verwendet",
        factor_added: "Ein zweiter Faktor wurde hinzugefügt",
        factor_removed: "Ein zweiter Faktor wurde entfernt",
        recovery_codes_made: "Neue Wiederherstellungscodes wurden erstellt",
        factors_reset: "Die Verwaltung hat alle zweiten Faktoren entfernt",
        roles_changed: "Rollen geändert",
        token_copied: "Ein kopiertes Token wurde verwendet: sein Gerät wurde abgemeldet",
        consent_given: "Einer Anwendung die Nutzung des Kontos erlaubt",
        consent_withdrawn: "Die Erlaubnis einer Anwendung zurückgenommen",
        ended: Ended {
            here: "Abgemeldet",
            everywhere: "Überall abgemeldet",
            password: "Überall abgemeldet, weil das Passwort geändert wurde",
            disabled: "Abgemeldet: das Konto wurde gesperrt",
            application_disabled: "Von einer Anwendung abgemeldet, die gesperrt wurde",
            consent_withdrawn: "Von einer Anwendung abgemeldet, die nicht mehr erlaubt ist",
            administrator: "Von der Verwaltung abgemeldet",
            factors: "Abgemeldet, weil die zweiten Faktoren geändert wurden",
            copied: "Abgemeldet, weil ein kopiertes Token verwendet wurde",
            superseded: "Abgemeldet, weil sich im selben Browser jemand anders angemeldet hat",
            application: "Von der Anwendung abgemeldet",
        },
    },
    problem: Problem {
        wait: |title, seconds| format!("{title}. Versuchen Sie es in {seconds} s noch einmal."),
        bad_email: "Das ist keine gültige E-Mail-Adresse.",
        stop: ".",
        technical: "Das war nicht möglich",
        code: "Code",
        request: "Anfrage",
    },
    problems: problems::PROBLEMS,
    weakness: |weakness| {
        match weakness {
        Weakness::TooShort { min, got } => format!(
            "Das Passwort braucht mindestens {min} Zeichen; es hat {got}. Mehrere Wörter, die nichts miteinander zu tun haben, ergeben ein gutes."
        ),
        Weakness::TooLong { max } => format!("Das Passwort ist länger als {max} Bytes."),
        Weakness::Repeated { unit } => {
            format!("Das Passwort wiederholt dieselben wenigen Zeichen; nur {unit} davon zählen.")
        }
        Weakness::Common => {
            "Das Passwort ist eines der häufigsten, oder aus solchen zusammengesetzt, und würde als eines der ersten geraten."
                .to_owned()
        }
        Weakness::Context => "Das Passwort besteht aus Ihrer E-Mail-Adresse oder dem Namen dieses Dienstes.".to_owned(),
        Weakness::Sequence => {
            "Das Passwort besteht aus Reihen von Buchstaben oder Ziffern, wie abcdef, 123456 oder qwertz.".to_owned()
        }
    }
    },
    no_account: |label, why| match why {
        NoAccount::Unusable => format!("{label} sagt, wer Sie sind, aber Ihr Konto hier kann nicht verwendet werden."),
        NoAccount::NoAddress => {
            format!(
                "{label} sagt, wer Sie sind, nennt aber keine E-Mail-Adresse, von der es weiß, dass sie Ihnen gehört."
            )
        }
        NoAccount::None => format!("{label} sagt, wer Sie sind, aber Sie haben hier noch kein Konto."),
    },
    ago: |ago| match ago {
        Ago::JustNow => "gerade eben".to_owned(),
        Ago::Minutes(count) => format!("vor {}", some(count, "Minute", "Minuten")),
        Ago::Hours(count) => format!("vor {}", some(count, "Stunde", "Stunden")),
        Ago::Yesterday => "gestern".to_owned(),
        Ago::Days(count) => format!("vor {}", some(count, "Tag", "Tagen")),
        Ago::On(at) => date(at),
    },
    program: |program| match program {
        Program::On(browser, system) => format!("{browser} auf {system}"),
        Program::Named(name) => name,
        Program::Unknown => "Unbekanntes Gerät".to_owned(),
    },
};

fn some(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
