"""Keeping web pages of others away from the server.

A browser sends what any page tells it to, also to a server on the loopback address that nobody else can reach. Such a
request carries the page's origin, or, where a name was bound to this machine's address, a host that is not ours.
"""

from ipaddress import ip_address
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ratchet.concurrency import to_thread
from ratchet.config.settings import Settings
from ratchet.errors import ConfigurationError

STUDIO = "https://smith.langchain.com"
_OURS = frozenset({"localhost", "api"})
"""Names of this server: its own client calls it `api`."""
_VIOLATION = 1008
"""Code that closes a web socket because of a rule."""


class Allowed(NamedTuple):
    """Hosts this server is asked by, and origins of pages that may ask it, beside the usual ones; in lower case."""

    hosts: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()


class Refusal(NamedTuple):
    """Status of the response, and one sentence on what to do."""

    status: int
    detail: str


class RefuseForeignPages:
    """Middleware that answers what only a web page of others would send; no route sees it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._allowed: Allowed | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        if self._allowed is None:
            self._allowed = await to_thread(_own_names)
        refused = refusal(scope["method"] if scope["type"] == "http" else "", Headers(scope=scope), self._allowed)
        if refused is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _VIOLATION, "reason": refused.detail})
        else:
            await JSONResponse({"detail": refused.detail}, refused.status)(scope, receive, send)


def refusal(method: str, headers: Headers, allowed: Allowed) -> Refusal | None:
    """Why a request is refused; None where it is not."""
    host = headers.get("host", "").lower()
    if not _is_known(host, allowed):
        return Refusal(421, f"the host {host!r:.80} is not known here; add it to RATCHET_ALLOWED_HOSTS if it is yours")
    for origin in (value.lower() for value in headers.getlist("origin")):
        if origin not in {STUDIO, *allowed.origins} and origin.partition("://")[2] != host:
            return Refusal(
                403,
                f"pages of {origin!r:.80} may not ask this server; add it to RATCHET_ALLOWED_ORIGINS if it is yours",
            )
    if method not in ("GET", "HEAD", "OPTIONS") and _has_body(headers) and not _is_json(headers):
        return Refusal(415, "send the body as content-type application/json")
    return None


def _is_known(host: str, allowed: Allowed) -> bool:
    """Whether the server may be asked by this name. An address is no name, and cannot be bound to another machine."""
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    if name in _OURS or name in allowed.hosts:
        return True
    try:
        ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _has_body(headers: Headers) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def _is_json(headers: Headers) -> bool:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def _own_names() -> Allowed:
    """From the settings; only the usual ones where these are wrong, which whoever runs a graph is told. Blocks."""
    try:
        settings = Settings.load()
    except ConfigurationError:
        return Allowed()
    return Allowed(frozenset(settings.allowed_hosts), frozenset(settings.allowed_origins))
