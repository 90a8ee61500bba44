// Passkeys: the browser makes and shows them for scripts alone. This one asks it what the page wants to know, puts the answer
// into the page's form and sends it. Nothing else of the pages needs it.
"use strict";
(() => {
    const form = document.querySelector("form[data-passkey]");
    if (!form || !window.PublicKeyCredential) {
        return;
    }
    const told = form.querySelector("[role=status]");
    const options = JSON.parse(form.dataset.options);
    const creates = form.dataset.passkey === "create";
    const begun = performance.now();
    let autofill;

    // base64url, for browsers that do not read and write JSON by themselves.
    const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
    const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
        .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
    const named = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

    function question() {
        const parse = PublicKeyCredential[creates ? "parseCreationOptionsFromJSON" : "parseRequestOptionsFromJSON"];
        if (parse) {
            return parse.call(PublicKeyCredential, options);
        }
        const challenge = bytes(options.challenge);
        return creates
            ? { ...options, challenge, user: { ...options.user, id: bytes(options.user.id) }, excludeCredentials: named(options.excludeCredentials) }
            : { ...options, challenge, allowCredentials: named(options.allowCredentials) };
    }

    // What the issuer reads, and no more: the form is small.
    function answer({ id, type, response }) {
        const said = { clientDataJSON: text(response.clientDataJSON) };
        if (creates) {
            said.attestationObject = text(response.attestationObject);
            said.transports = response.getTransports ? response.getTransports() : [];
        } else {
            said.authenticatorData = text(response.authenticatorData);
            said.signature = text(response.signature);
            said.userHandle = response.userHandle ? text(response.userHandle) : null;
        }
        return JSON.stringify({ id, type, response: said });
    }

    function send(credential) {
        form.elements.credential.value = answer(credential);
        form.submit();
    }

    function tell(error) {
        const { known, refused, site, failed } = form.dataset;
        const words = { InvalidStateError: known, NotAllowedError: refused, SecurityError: site };
        told.textContent = words[error.name] || failed;
        told.hidden = false;
    }

    async function ask(event) {
        event.preventDefault();
        // Its question is no longer good: the page brings a new one.
        if (performance.now() - begun > 0.9 * options.timeout) {
            location.reload();
            return;
        }
        autofill?.abort();
        told.hidden = true;
        try {
            const publicKey = question();
            send(await (creates ? navigator.credentials.create({ publicKey }) : navigator.credentials.get({ publicKey })));
        } catch (error) {
            tell(error);
        }
    }

    // The field of the address offers passkeys beside what else the browser knows, until the question is too old.
    async function offer() {
        const possible = PublicKeyCredential.isConditionalMediationAvailable;
        const field = document.querySelector("input[autocomplete~=webauthn]");
        if (creates || !field || !possible || !(await possible.call(PublicKeyCredential))) {
            return;
        }
        autofill = new AbortController();
        setTimeout(() => autofill.abort(), 0.9 * options.timeout);
        try {
            send(await navigator.credentials.get({ publicKey: question(), mediation: "conditional", signal: autofill.signal }));
        } catch {
            // The person goes on in another way.
        }
    }

    form.hidden = false;
    document.querySelector("[data-without]")?.remove();
    form.addEventListener("submit", ask);
    offer();
})();
