"""What stands before the app: whom the server answers at all, and what every answer carries.

A page of elsewhere can make a visitor's browser ask here, under a name of its own (DNS rebinding), from its
own script, or inside its frame. The guard answers to the server's own names only, takes connections only
from pages of these names, and forbids frames. And what strangers send is bounded before it fills memory.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config, runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from csp.face.screen.page import admitted
from csp.face.screen.page.door import at_door
from csp.work.reviews.people import LOCAL, read_team

OPEN = ("health", "host-config", "stream", "upload_file", "bidi-components")
"""What is answered below `/_stcore/`: neither figures about the server nor ways to drive it by a program."""
SAFE = ("GET", "HEAD", "OPTIONS")
CHANNEL, UPLOAD = "/_stcore/", "/_stcore/upload_file/"

FILES = 3
"""So many uploads of a session are kept, the newest."""
HELD = 256 * 2**20
"""Bytes of uploads that the server holds at once."""
STRANGERS = 200
"""Connections of people who may not look, or of whom that is not known yet."""
WORDS = 64 * 2**10
"""Bytes of one message from such a connection."""
GOING_ON, TOO_BIG, TRY_LATER = 1008, 1009, 1013
"""Codes of RFC 6455 with which a connection ends: not allowed, too big, later."""


class Guard:
    """ASGI middleware; `document` is the HTML that the server sends, whose own inline scripts may run."""

    def __init__(self, app: ASGIApp, document: str) -> None:
        self._app = app
        self._policy = policy(document)
        self._strangers: set[str] = set()
        self._coming = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or connection, as ASGI has it."""
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._connect(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        why = refusal(headers, _address_here(scope), asks_only=scope["method"] in SAFE)
        send = self._dressed(send, "" if why else headers["host"])
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._answered(scope, receive, noted, why)
        except Exception as error:  # whatever fails: Starlette's own answer carries no headers
            if begun:
                raise
            await PlainTextResponse(f"{at_door(error)}.\n", 500)(scope, receive, send)

    async def _answered(self, scope: Scope, receive: Receive, send: Send, why: str) -> None:
        path = scope["path"]
        if why:
            await PlainTextResponse(why, 403)(scope, receive, send)
        elif CHANNEL in path and path.split(CHANNEL, 1)[1].split("/")[0] not in OPEN:
            await PlainTextResponse("There is nothing here.", 404)(scope, receive, send)
        elif UPLOAD in path and scope["method"] == "PUT":
            await self._upload(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Only from somebody who may look; a session keeps few files, and all sessions so many bytes."""
        session = scope["path"].split(UPLOAD, 1)[1].split("/")[0]
        if not admitted.has_session(session):
            await PlainTextResponse("Sign in first.", 403)(scope, receive, send)
            return
        most = int(config.get_option("server.maxUploadSize")) * 2**20
        files = runtime.get_instance().uploaded_file_mgr
        if isinstance(files, MemoryUploadedFileManager):
            _keep_newest(files, session)
            held = sum(len(file.data) for each in list(files.file_storage.values()) for file in each.values())
            if held + self._coming + most > HELD:
                await PlainTextResponse("Too many uploads at once: try later.", 503)(scope, receive, send)
                return
        self._coming += most
        try:
            await self._app(scope, receive, send)
        finally:
            self._coming -= most

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        why = refusal(Headers(scope=scope), _address_here(scope), asks_only=False)
        if why or len(self._strangers) >= STRANGERS:
            await receive()
            await send({"type": "websocket.close", "code": GOING_ON if why else TRY_LATER})
            return
        with self._named(scope) as connection:

            async def heard() -> Message:
                message = await receive()
                if admitted.is_admitted(connection):
                    self._strangers.discard(connection)
                elif len(message.get("bytes") or message.get("text") or b"") > WORDS:
                    await send({"type": "websocket.close", "code": TOO_BIG})
                    return {"type": "websocket.disconnect", "code": TOO_BIG}
                return message

            await self._app(scope, heard, send)

    @contextmanager
    def _named(self, scope: Scope) -> Iterator[str]:
        """The connection with a name of its own among its headers, whatever the visitor sent there.

        A proxy may have put its own word for the host: Streamlit is told the one that the browser knows.
        """
        connection, headers = secrets.token_hex(16), MutableHeaders(scope=scope)
        headers[admitted.HEADER] = connection
        headers["host"] = urlsplit(headers.get("origin", "")).netloc or headers["host"]
        self._strangers.add(connection)
        try:
            yield connection
        finally:
            self._strangers.discard(connection)
            admitted.closed(connection)

    def _dressed(self, send: Send, host: str) -> Send:
        carried = answer_headers(self._policy, host)

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(carried)
            await send(message)

        return dressed


def refusal(headers: Headers, here: str, *, asks_only: bool) -> str:
    """Why a request is not answered, in a sentence; "" when it is.

    `here` is the address at which it arrived: a browser that names it was told that very address. What does
    more than ask must come from a page of this server.
    """
    given = headers.getlist("host")
    host = given[0] if len(given) == 1 else ""
    name = name_of(host)
    try:
        own = own_names()
    except Exception as error:  # noqa: BLE001 # a mistake in the settings opens no door
        own, trouble = set(LOCAL), f" {at_door(error)}."
    else:
        trouble = ""
    if not name or name not in own | {here}:
        return (
            "This server does not answer to the name by which it was called. Whoever runs it can add the "
            f"name to hosts in team.toml; see docs/teams.md.{trouble}\n"
        )
    origins = headers.getlist("origin")
    if asks_only or not origins:
        return ""
    origin = urlsplit(origins[0]).netloc if len(origins) == 1 else ""
    if origin and (origin.lower() == host.lower() or name_of(origin) in own - set(LOCAL)):
        return ""
    return (
        "A page of another address asked for this. Behind a proxy, its name belongs into hosts in team.toml; "
        "see docs/teams.md.\n"
    )


def own_names() -> set[str]:
    """Names of this server: of this machine, and those that it was told. Raises BadInputError."""
    told = [config.get_option("server.address"), *config.get_option("server.allowedHosts")]
    if config.is_manually_set("browser.serverAddress"):
        told.append(config.get_option("browser.serverAddress"))
    if st.secrets.load_if_toml_exists() and isinstance(auth := st.secrets.get("auth"), Mapping):
        told.append(urlsplit(str(auth.get("redirect_uri", ""))).netloc)
    names = {name_of(str(one)) for one in told if one}
    return (names | set(LOCAL) | set(read_team().hosts)) - {"", "0.0.0.0", "::", "*"}  # noqa: S104 # left out


def name_of(host: str) -> str:
    """The name in `NAME:PORT`, in lower case; "" for anything else."""
    found = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?", host)
    bare = found or re.fullmatch(r"([0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)", host)
    return bare[1].strip("[]").lower().rstrip(".") if bare else ""


def policy(document: str) -> str:
    """The Content-Security-Policy: what the app's own pages need, and nothing from elsewhere.

    Styles are inline (Streamlit writes them as it draws), our components' scripts come as `blob:`, pictures
    and exported charts as `data:` and `blob:`.
    """
    inline = re.findall(r"<script>(.*?)</script>", document, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in inline]
    own = " ".join(f"'sha256-{one}'" for one in hashes)
    return "; ".join(
        [
            "default-src 'self'",
            f"script-src 'self' blob: 'wasm-unsafe-eval' {own}".rstrip(),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "media-src 'self' data: blob:",
            "worker-src 'self' blob:",
            "connect-src 'self'{sockets} data: blob:",
            "frame-src 'none'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    )


def answer_headers(policy: str, host: str) -> dict[str, str]:
    """What every answer carries."""
    # Some browsers do not take 'self' for WebSockets; a name in brackets can't stand in a policy.
    named = name_of(host) and not host.startswith("[")
    return {
        "Content-Security-Policy": policy.replace("{sockets}", f" ws://{host} wss://{host}" if named else ""),
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


def _address_here(scope: Scope) -> str:
    server = scope.get("server")
    return str(server[0]).lower() if server and server[1] is not None else ""


def _keep_newest(files: MemoryUploadedFileManager, session: str) -> None:
    """Room for one more file of the session."""
    kept = list(files.file_storage.get(session, {}))
    for file in kept[: max(0, len(kept) - FILES + 1)]:
        files.remove_file(session, file)
