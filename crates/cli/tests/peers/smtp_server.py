"""aiosmtpd, a mail server, that stalls or refuses where it is told to."""

import asyncio
import base64
import ssl
import threading

from aiosmtpd.smtp import SMTP, AuthResult
from lines import serve

LOOP = asyncio.new_event_loop()
STAGES = {"EHLO": "ehlo", "STARTTLS": "starttls", "AUTH": "auth", "MAIL": "mail", "RCPT": "rcpt", "QUIT": "quit"}


class Server:
    """What one listening server was told, and what it took."""

    def __init__(self, request):
        self.user, self.password = request.get("user"), request.get("password")
        self.at, self.do, self.times = None, None, 0
        self.taken, self.connections = [], 0

    def told(self, stage):
        """What to do at this stage, if anything is left to be done there."""
        if self.at != stage or self.times == 0:
            return None
        self.times -= 1
        return self.do

    def authenticate(self, server, session, envelope, mechanism, data):
        right = data.login == self.user.encode() and data.password == self.password.encode()
        return AuthResult(success=right)

    async def handle_DATA(self, server, session, envelope):
        if self.at == "end" and self.times and self.do[0].isdigit():
            return self.told("end")
        body = base64.b64encode(envelope.content).decode()
        tls = session.ssl is not None or server.transport.get_extra_info("ssl_object") is not None
        self.taken.append({"from": envelope.mail_from, "to": envelope.rcpt_tos, "data": body, "tls": tls})
        return "250 OK"


class Conversation(SMTP):
    """Each answer passes here on its way out, with the stage that it belongs to."""

    def __init__(self, server, **arguments):
        self.told, self.stage = server, "connect"
        super().__init__(server, **arguments)
        for command, stage in STAGES.items():
            self._smtp_methods[command] = self.staged(stage, self._smtp_methods[command])
        self._smtp_methods["DATA"] = self.staged("data", self._smtp_methods["DATA"])

    def connection_made(self, transport):
        self.told.connections += 1
        super().connection_made(transport)

    def staged(self, stage, method):
        async def run(argument):
            self.stage = stage
            await method(argument)

        return run

    async def push(self, status):
        # DATA is answered twice: before the mail and after it.
        stage, do = self.stage, self.told.told(self.stage)
        if stage == "data":
            self.stage = "end"
        if do is None:
            await super().push(status)
        elif do == "stall":
            await asyncio.sleep(3600)
        elif do == "close":
            self.transport.close()
        else:
            await super().push(do)
            if stage == "starttls":
                raise ConnectionResetError("no TLS today")


SERVERS = []


def start(request):
    told = Server(request)
    context = None
    if "certificate" in request:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(request["certificate"], request["key"])
    implicit = request.get("implicit", False)
    arguments = {"tls_context": None if implicit else context, "enable_SMTPUTF8": request.get("smtputf8", True)}
    if told.user:
        arguments |= {"authenticator": told.authenticate, "auth_required": True, "auth_require_tls": context is not None and not implicit}

    async def listen():
        return await LOOP.create_server(
            lambda: Conversation(told, loop=LOOP, hostname="localhost", **arguments),
            "127.0.0.1",
            0,
            ssl=context if implicit else None,
        )

    listening = asyncio.run_coroutine_threadsafe(listen(), LOOP).result()
    SERVERS.append(told)
    return {"server": len(SERVERS) - 1, "port": listening.sockets[0].getsockname()[1]}


def behave(request):
    told = SERVERS[request["server"]]
    told.at, told.do, told.times = request.get("at"), request.get("do"), request.get("times", -1)
    return {}


def taken(request):
    told = SERVERS[request["server"]]
    return {"mails": told.taken, "connections": told.connections}


threading.Thread(target=LOOP.run_forever, daemon=True).start()
serve({"start": start, "behave": behave, "taken": taken})
