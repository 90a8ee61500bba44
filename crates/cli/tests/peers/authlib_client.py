"""Python's authlib: the operations of README.md, "Clients"."""

import os

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # the tests' issuer is on this machine

from authlib.common.security import generate_token
from authlib.integrations.base_client.sync_openid import OpenIDMixin
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc.jwk import JWKRegistry

from lines import serve

clients = []


class Client(OpenIDMixin):
    """What authlib's framework integrations are made of, without a framework."""

    def __init__(self, wanted):
        self.issuer, self.client_id = wanted["issuer"], wanted["id"]
        self.wanted, self.server_metadata = wanted, None
        self.session = self._get_session()

    def _get_session(self):
        wanted = self.wanted
        secret = wanted.get("secret")
        if wanted["method"] == "private_key_jwt":
            secret = JWKRegistry.import_key(wanted["key"])
        session = OAuth2Session(
            wanted["id"],
            secret,
            token_endpoint_auth_method=wanted["method"],
            revocation_endpoint_auth_method=wanted["method"],
            redirect_uri=wanted["redirect"],
            code_challenge_method="S256",
        )
        if wanted["method"] == "private_key_jwt":
            # Its name for the audience: the issuer, as RFC 7523 bis has it.
            headers = {"kid": wanted["key"]["kid"]}
            session.register_client_auth_method(PrivateKeyJWT(wanted["issuer"], alg="ES256", headers=headers))
        return session

    def load_server_metadata(self):
        if self.server_metadata is None:
            url = f"{self.issuer}/.well-known/openid-configuration"
            answer = self.session.get(url, withhold_token=True)
            answer.raise_for_status()
            metadata = OpenIDProviderMetadata(answer.json())
            if metadata["issuer"] != self.issuer:
                raise ValueError("another issuer")
            self.server_metadata = metadata
        return self.server_metadata

    def get(self, url):
        return self.session.get(url)


def setup(request):
    client = Client(request)
    metadata = client.load_server_metadata()
    # Its own check of the document (OpenID Connect Discovery §3) wants https everywhere.
    document = {name: secure(value) for name, value in metadata.items()}
    OpenIDProviderMetadata(document).validate()
    clients.append(client)
    return {"client": len(clients) - 1}


def secure(value):
    return value.replace("http://", "https://") if isinstance(value, str) else value


def begin(request):
    client = clients[request["client"]]
    client.verifier, client.nonce = generate_token(48), generate_token(20)
    url, client.state = client.session.create_authorization_url(
        client.load_server_metadata()["authorization_endpoint"],
        code_verifier=client.verifier,
        nonce=client.nonce,
        scope=request["scope"],
        **request.get("more", {}),
    )
    return {"url": url}


def finish(request):
    client = clients[request["client"]]
    url = request["url"]
    if "error=" in url:
        raise ValueError(url.split("error=")[1].split("&")[0])
    tokens = client.session.fetch_token(
        client.load_server_metadata()["token_endpoint"],
        authorization_response=url,
        state=client.state,
        code_verifier=client.verifier,
    )
    return {"tokens": dict(tokens), "claims": dict(client.parse_id_token(tokens, client.nonce))}


def refresh(request):
    session = clients[request["client"]].session
    url = clients[request["client"]].load_server_metadata()["token_endpoint"]
    return {"tokens": dict(session.refresh_token(url, refresh_token=request["token"]))}


def credentials(request):
    client = clients[request["client"]]
    url = client.load_server_metadata()["token_endpoint"]
    more = {"scope": request["scope"], "resource": request["resource"]}
    return {"tokens": dict(client.session.fetch_token(url, grant_type="client_credentials", **more))}


def device(request):
    client = clients[request["client"]]
    asked = {"scope": request["scope"]}
    url = client.load_server_metadata()["device_authorization_endpoint"]
    proof = client.session.client_auth(client.wanted["method"])
    answer = client.session.post(url, data=asked, auth=proof, withhold_token=True)
    answer.raise_for_status()
    client.device_code = answer.json()["device_code"]
    return answer.json()


def poll(request):
    client = clients[request["client"]]
    url = client.load_server_metadata()["token_endpoint"]
    grant = "urn:ietf:params:oauth:grant-type:device_code"
    tokens = client.session.fetch_token(url, grant_type=grant, device_code=client.device_code)
    return {"tokens": dict(tokens), "claims": dict(client.parse_id_token(tokens, None))}


def exchange(request):
    client = clients[request["client"]]
    url = client.load_server_metadata()["token_endpoint"]
    tokens = client.session.fetch_token(
        url,
        grant_type="urn:ietf:params:oauth:grant-type:token-exchange",
        subject_token=request["token"],
        subject_token_type="urn:ietf:params:oauth:token-type:access_token",
        audience=request["audience"],
    )
    return {"tokens": dict(tokens)}


def userinfo(request):
    client = clients[request["client"]]
    client.session.token = {"access_token": request["token"], "token_type": "Bearer"}
    return dict(client.userinfo())


def introspect(request):
    return told(request, "introspection_endpoint", "introspect_token").json()


def revoke(request):
    told(request, "revocation_endpoint", "revoke_token")
    return {}


def told(request, endpoint, method):
    client = clients[request["client"]]
    url = client.load_server_metadata()[endpoint]
    answer = getattr(client.session, method)(url, token=request["token"])
    answer.raise_for_status()
    return answer


def logout(request):
    client = clients[request["client"]]
    made = client.create_logout_url(request["to"], request["hint"], request["state"])
    return {"url": made["url"]}


serve({name: globals()[name] for name in (
    "setup", "begin", "finish", "refresh", "credentials", "device", "poll", "exchange", "userinfo",
    "introspect", "revoke", "logout",
)})
