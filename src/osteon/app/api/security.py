"""Who may talk to the app: checks in front of every page, file, API call and web socket.

The app has no users and no passwords; it is for the person at this machine. What guards it:

- the Host header must name this machine, so that a page elsewhere cannot reach it by a name of its own (rebinding);
- what other sites start is refused (Origin and Sec-Fetch-Site), save that a link may lead to a page;
- on another address than this machine's own, a token is needed (`?token=…` once, then a cookie; or `Authorization:
  Bearer …` from a script), compared in constant time;
- bodies and messages have a largest size; answers carry headers that keep a browser from doing more with them.
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse

from osteon.app import problem
from osteon.app.limits import MAX_BODY, MAX_MESSAGE
from osteon.errors import InputError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
ANY = frozenset({"0.0.0.0", "::", ""})
MIN_TOKEN = 16
COOKIE = "osteon_token"
_LARGE = f"the body is larger than {MAX_BODY:,} bytes"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# NiceGUI's pages hold an import map and a start script in the page, and Vue compiles templates in the browser, hence
# 'unsafe-inline' and 'unsafe-eval'; everything must come from this very server all the same.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' {socket}; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "SAMEORIGIN",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


@dataclass(frozen=True)
class Guard:
    """Where the app listens, and the token that it asks for (none on this machine's own addresses)."""

    host: str = "127.0.0.1"
    token: str | None = None

    def __post_init__(self) -> None:
        if not self.is_local and not self.token:
            raise InputError(f"--host {self.host}: other machines could use the app; give a --token as well")
        if self.token is not None and (len(self.token) < MIN_TOKEN or not self.token.isascii()):
            raise InputError(f"--token: give {MIN_TOKEN} plain characters or more")

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host.strip("[]").casefold() in LOCAL

    def knows(self, name: str) -> bool:
        """Whether a Host header may name the app so. Where the app listens on all addresses, these are addresses and
        this machine's own name: a name made up elsewhere is neither."""
        if name in LOCAL or name == self.host.strip("[]").casefold():
            return True
        return self.host in ANY and (_is_address(name) or name in _own_names())

    def admits(self, given: str | None) -> bool:
        """Whether this is the token; takes as long for a wrong one as for the right one."""
        if self.token is None:
            return True
        return given is not None and secrets.compare_digest(given.encode("utf-8", "replace"), self.token.encode())


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _own_names() -> frozenset[str]:
    own = socket.gethostname().casefold()
    return frozenset({own, f"{own}.local"})


def split_host(header: str) -> tuple[str, int | None] | None:
    """Name (lower case, no brackets) and port of a Host header; None when it is not one."""
    try:
        parts = urlsplit(f"//{header}")
        name, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not name or parts.path or parts.query or parts.fragment or "@" in header:
        return None
    return name.casefold().rstrip("."), port


class Refused(Exception):
    """A request that goes no further."""

    def __init__(self, status: int, what: str, where: str, hint: str) -> None:
        self.status, self.what, self.where, self.hint = status, what, where, hint
        super().__init__(what)


class Security:
    """The ASGI middleware."""

    def __init__(self, app: App, guard: Guard) -> None:
        self.app, self.guard = app, guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, then pass on with bounded input and marked output."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = _Headers(scope)
        try:
            host = self._host(headers)
            self._same_site(scope, headers, host)
            if scope["type"] == "http" and await self._redirects(scope, headers, receive, send):
                return
            self._token(headers)
            length = headers.one("content-length")
            if length and (not length.isdigit() or int(length) > MAX_BODY):
                raise Refused(413, _LARGE, "body", "send less")
        except Refused as no:
            await _refuse(scope, receive, send, no)
            return
        if scope["type"] == "websocket":
            await self.app(scope, _bounded_socket(receive, send), send)
            return
        marked = _marked(scope, send, headers.one("host"))
        try:
            await self.app(scope, _Bounded(receive), marked)
        except _TooLarge as much:  # what no handler of the app has answered
            await _refuse(scope, receive, send, Refused(413, much.detail, "body", "send less"))

    def _host(self, headers: _Headers) -> str:
        given = headers.every("host")
        parts = split_host(given[0]) if len(given) == 1 else None
        if parts is None:
            raise Refused(400, "the Host header is missing or not one name", "Host", "ask by http://127.0.0.1:PORT")
        if not self.guard.knows(parts[0]):
            raise Refused(421, f"this server is not called {parts[0][:80]!r}", "Host", "ask by http://127.0.0.1:PORT")
        return given[0].casefold()

    def _same_site(self, scope: Scope, headers: _Headers, host: str) -> None:
        where = "Origin"
        changes = scope["type"] == "websocket" or scope["method"] not in _SAFE
        site, mode = headers.one("sec-fetch-site"), headers.one("sec-fetch-mode")
        link = not changes and mode == "navigate" and headers.one("sec-fetch-dest") in ("", "document")
        if site not in ("", "same-origin", "none") and not (link and not scope["path"].startswith("/api")):
            raise Refused(403, "another site started this request", "Sec-Fetch-Site", "open the app itself")
        origin = headers.one("origin")
        if not origin or (not changes and site in ("same-origin", "none")):
            return
        parts = urlsplit(origin) if origin != "null" else None
        if parts is None or parts.netloc.casefold() != host or parts.scheme not in ("http", "https"):
            raise Refused(403, "another site started this request", where, "open the app itself")

    def _token(self, headers: _Headers) -> None:
        if self.guard.token is None:
            return
        kind, _, word = headers.one("authorization").partition(" ")
        given = word.strip() if kind.casefold() == "bearer" else headers.cookie(COOKIE)
        if not self.guard.admits(given):
            hint = "open the address with ?token=… that osteon app printed, or send Authorization: Bearer …"
            raise Refused(401, "the token is missing or wrong", "token", hint)

    async def _redirects(self, scope: Scope, headers: _Headers, receive: Receive, send: Send) -> bool:
        """Change the token in the address for a cookie, so that it stays out of histories and links."""
        query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        given = [value for key, value in query if key == "token"]
        if self.guard.token is None or not given or scope["method"] != "GET":
            return False
        if len(given) > 1 or not self.guard.admits(given[0]):
            raise Refused(401, "the token is wrong", "token", "copy the whole address that osteon app printed")
        rest = urlencode([(key, value) for key, value in query if key != "token"])
        path = "/" + scope["path"].lstrip("/\\")  # //elsewhere would be an address of another site
        answer = RedirectResponse(path + (f"?{rest}" if rest else ""), 303)
        answer.set_cookie(
            COOKIE, given[0], httponly=True, samesite="lax", path="/", secure=scope["scheme"] == "https"
        )
        await answer(scope, receive, _marked(scope, send, headers.one("host")))
        return True


class _Headers:
    """The headers of a scope, by lower-case name."""

    def __init__(self, scope: Scope) -> None:
        self._pairs = [(k.decode("latin-1").casefold(), v.decode("latin-1").strip()) for k, v in scope["headers"]]

    def every(self, name: str) -> list[str]:
        return [value for key, value in self._pairs if key == name]

    def one(self, name: str) -> str:
        return next(iter(self.every(name)), "")

    def cookie(self, name: str) -> str | None:
        try:
            found = SimpleCookie("; ".join(self.every("cookie"))).get(name)
        except CookieError:
            return None
        return found.value if found else None


class _TooLarge(HTTPException):
    def __init__(self) -> None:
        super().__init__(413, _LARGE)


class _Bounded:
    """Counts what of a body has come; a body without a length is cut off where it grows too large."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self._seen = receive, 0

    async def __call__(self) -> Message:
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        if self._seen > MAX_BODY:
            raise _TooLarge()
        return message


def _bounded_socket(receive: Receive, send: Send) -> Receive:
    async def bounded() -> Message:
        message = await receive()
        if len(message.get("bytes") or b"") + len(message.get("text") or "") <= MAX_MESSAGE:
            return message
        await send({"type": "websocket.close", "code": 1009, "reason": "the message is too large"})
        return {"type": "websocket.disconnect", "code": 1009}

    return bounded


def _marked(scope: Scope, send: Send, host: str) -> Send:
    """Adds the headers to an answer; one that is there already stays."""
    more = dict(_HEADERS)
    wire = "wss" if scope["scheme"] == "https" else "ws"
    more["content-security-policy"] = POLICY.format(socket=f"{wire}://{host}")
    if scope["path"].startswith("/api"):
        more["cache-control"] = "no-store"

    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            have = {key.lower() for key, _ in message["headers"]}
            message["headers"] = [*message["headers"], *((k.encode(), v.encode("latin-1")) for k, v in more.items()
                                                         if k.encode() not in have)]  # fmt: skip
        await send(message)

    return marked


async def _refuse(scope: Scope, receive: Receive, send: Send, no: Refused) -> None:
    if scope["type"] == "websocket":
        await receive()  # the connect
        await send({"type": "websocket.close", "code": 1008, "reason": no.what})
        return
    answer = JSONResponse(problem.body(no.what, no.where, no.hint), no.status, {"connection": "close"})
    await answer(scope, receive, _marked(scope, send, "localhost"))
