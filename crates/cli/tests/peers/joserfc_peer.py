import json

from joserfc import jwe, jws, jwt
from joserfc.jwk import JWKRegistry, OctKey

from lines import b64, serve, unb64


def load(key):
    if "password" in key:
        return OctKey.import_key(key["password"])
    if "pem" in key:
        return JWKRegistry.import_key(key["pem"], key["kty"])
    return JWKRegistry.import_key(key["jwk"])


def generate(request):
    kty = request["kty"]
    key = JWKRegistry.generate_key(kty, request["bits"] if kty in ("oct", "RSA") else request["crv"])
    if kty == "oct":
        return {"private": {"jwk": key.as_dict(private=True)}}
    halves = {
        name: {"jwk": key.as_dict(private=private), "pem": key.as_pem(private=private).decode()}
        for name, private in (("private", True), ("public", False))
    }
    return {**halves, "thumbprint": key.thumbprint()}


def sign(request):
    payload, signers = unb64(request["payload"]), request["signers"]
    algs = [signer["alg"] for signer in signers]
    headers = [{"alg": signer["alg"], **signer.get("header", {})} for signer in signers]
    if request["form"] == "compact":
        return jws.serialize_compact(headers[0], payload, load(signers[0]["key"]), algs)
    if request["form"] == "flattened":
        return json.dumps(jws.serialize_json({"protected": headers[0]}, payload, load(signers[0]["key"]), algs))
    # One key for all signatures is what this library takes; several are signed one by one.
    parts = [
        jws.serialize_json([{"protected": header}], payload, load(signer["key"]), algs)
        for header, signer in zip(headers, signers)
    ]
    return json.dumps({**parts[0], "signatures": [part["signatures"][0] for part in parts]})


def verify(request):
    algs, key, message = [request["alg"]], load(request["key"]), request["message"]
    if request["form"] == "compact":
        detached = unb64(request["payload"]) if "payload" in request else None
        return b64(jws.deserialize_compact(message, key, algs, payload=detached).payload)
    return b64(jws.deserialize_json(json.loads(message), key, algs).payload)


def encrypt(request):
    payload, recipients, enc = unb64(request["payload"]), request["recipients"], request["enc"]
    algs = [enc, "DEF", *(recipient["alg"] for recipient in recipients)]
    header = {"enc": enc, **request.get("header", {})}
    if request["form"] == "compact":
        header["alg"] = recipients[0]["alg"]
        return jwe.encrypt_compact(header, payload, load(recipients[0]["key"]), algs)
    aad = unb64(request["aad"]) if "aad" in request else None
    form = jwe.FlattenedJSONEncryption if request["form"] == "flattened" else jwe.GeneralJSONEncryption
    message = form(header, payload, aad=aad)
    for recipient in recipients:
        message.add_recipient({"alg": recipient["alg"]}, load(recipient["key"]))
    return json.dumps(jwe.encrypt_json(message, None, algs))


def decrypt(request):
    algs, key, message = [request["alg"], request["enc"], "DEF"], load(request["key"]), request["message"]
    if request["form"] == "compact":
        return b64(jwe.decrypt_compact(message, key, algs).plaintext)
    return b64(jwe.decrypt_json(json.loads(message), key, algs).plaintext)


def claims(request):
    token = jwt.decode(request["token"], load(request["key"]), [request["alg"]])
    wanted = {name: {"essential": True, "value": request[full]} for name, full in (("iss", "issuer"), ("aud", "audience"))}
    jwt.JWTClaimsRegistry(**wanted, exp={"essential": True}).validate(token.claims)
    return token.claims


serve({name: globals()[name] for name in ("generate", "sign", "verify", "encrypt", "decrypt", "claims")})
