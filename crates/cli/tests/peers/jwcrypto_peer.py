import json

from jwcrypto import jwa, jwe, jws, jwt
from jwcrypto.jwk import JWK

from lines import b64, serve, unb64

ALL = [*jws.default_allowed_algs, *jwe.default_allowed_algs, "RSA1_5"]


def load(key):
    if "password" in key:
        return JWK.from_password(key["password"])
    if "pem" in key:
        return JWK.from_pem(key["pem"].encode())
    return JWK.from_json(json.dumps(key["jwk"]))


def generate(request):
    kty = request["kty"]
    named = {"oct": "size", "RSA": "size", "AKP": "alg"}.get(kty, "crv")
    key = JWK.generate(kty=kty, **{named: request["bits"] if named == "size" else request[named]})
    if kty == "oct":
        return {"private": {"jwk": key.export(as_dict=True)}}
    return {
        "private": {
            "jwk": key.export_private(as_dict=True),
            "pem": key.export_to_pem(private_key=True, password=None).decode(),
        },
        "public": {"jwk": key.export_public(as_dict=True), "pem": key.export_to_pem().decode()},
        "thumbprint": key.thumbprint(),
    }


def sign(request):
    payload = unb64(request["payload"])
    # Unencoded, it must be a text here.
    unencoded = any(signer.get("header", {}).get("b64") is False for signer in request["signers"])
    message = jws.JWS(payload.decode() if unencoded else payload)
    for signer in request["signers"]:
        protected = {"alg": signer["alg"], **signer.get("header", {})}
        message.add_signature(load(signer["key"]), None, json.dumps(protected), None)
    text = message.serialize(compact=request["form"] == "compact")
    return general(text, "signatures", ("protected", "header", "signature")) if request["form"] == "general" else text


def general(text, name, members):
    """This library writes one signature or recipient flattened; the general form has a list of one."""
    message = json.loads(text)
    if name not in message:
        one = {member: message.pop(member) for member in members if member in message}
        message[name] = [one]
    return json.dumps(message)


def verify(request):
    message = jws.JWS()
    message.allowed_algs = [request["alg"]]
    message.deserialize(request["message"])
    detached = unb64(request["payload"]) if "payload" in request else None
    message.verify(load(request["key"]), detached_payload=detached)
    payload = message.payload if detached is None else detached
    return b64(payload.encode() if isinstance(payload, str) else payload)


def encrypt(request):
    recipients, header = request["recipients"], {"enc": request["enc"], **request.get("header", {})}
    several = len(recipients) > 1
    if not several:
        header["alg"] = recipients[0]["alg"]
    aad = unb64(request["aad"]) if "aad" in request else None
    message = jwe.JWE(unb64(request["payload"]), header, aad=aad, algs=ALL, flattened=not several)
    for recipient in recipients:
        per = {"alg": recipient["alg"]} if several else None
        message.add_recipient(load(recipient["key"]), per)
    text = message.serialize(compact=request["form"] == "compact")
    return general(text, "recipients", ("header", "encrypted_key")) if request["form"] == "general" else text


def decrypt(request):
    message = jwe.JWE(algs=[request["alg"], request["enc"]])
    message.deserialize(request["message"])
    message.decrypt(load(request["key"]))
    return b64(message.payload)


def claims(request):
    wanted = {"iss": request["issuer"], "aud": request["audience"], "exp": None}
    token = jwt.JWT(check_claims=wanted, algs=[request["alg"]])
    token.deserialize(request["token"], load(request["key"]))
    return json.loads(token.claims)


serve({name: globals()[name] for name in ("generate", "sign", "verify", "encrypt", "decrypt", "claims")})
