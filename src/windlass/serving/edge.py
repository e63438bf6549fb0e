"""The edge: every request is checked against the table of routes, counted while it is received, and always answered.

Nothing behind it sees a request whose route is not in the table, whose Host is not ours, whose body is too large or
too slow. Every error leaves it as JSON; one that is not ours leaves it as an id alone.
"""

import asyncio
import ipaddress
import secrets
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from windlass.errors import SpecError, WindlassError, expected
from windlass.serving import codec
from windlass.serving.faults import RETRY_AFTER_S, Fault, overloaded, status_of
from windlass.serving.measures import Measures
from windlass.serving.settings import MEBIBYTE, Settings

DRAIN_FACTOR = 4
"""A body that is too large is read and thrown away up to this many times its limit, so that the client reads why."""
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")


@dataclass(frozen=True)
class Route:
    """What a route takes: bytes of a body (0: none) and seconds until it must be there."""

    max_bytes: int
    deadline_s: float


ROUTES: dict[tuple[str, str], Route] = {
    ("POST", "/v1/predict"): Route(16 * MEBIBYTE, 10),
    ("POST", "/v1/feedback"): Route(32 * 1024, 10),
    ("GET", "/health"): Route(0, 5),
    ("GET", "/metrics"): Route(0, 5),
    ("GET", "/openapi.json"): Route(0, 5),
    ("GET", "/"): Route(0, 5),
}
PATHS = frozenset(path for _, path in ROUTES)


def check_declared(routes: Sequence[BaseRoute]) -> None:
    """Raises: SpecError: a route without a byte limit and a deadline in `ROUTES`."""
    for route in routes:
        path = getattr(route, "path", str(route))
        for method in getattr(route, "methods", None) or ("any",):
            if (method, path) not in ROUTES:
                raise SpecError(f"route {method} {path} is not declared, expected its limit and deadline in ROUTES")


def is_loopback(host: str) -> bool:
    """True for `localhost` and the loopback addresses."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Edge:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, settings: Settings, measures: Measures) -> None:
        self.app = app
        self.settings = settings
        self.measures = measures
        self.held_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        exchange = _Exchange(self, scope, receive, send)
        try:
            await exchange.run()
        except WindlassError as error:
            await exchange.refuse(error)
        except Exception as error:  # noqa: BLE001  the HTTP edge: whatever went wrong, the client gets an id
            await exchange.fail(error)
        finally:
            exchange.finish()


class _Exchange:
    """One request and its response."""

    def __init__(self, edge: Edge, scope: Scope, receive: Receive, send: Send) -> None:
        self.edge, self.scope, self.receive, self._send = edge, scope, receive, send
        self.started = time.perf_counter()
        self.status = 0
        self.body: bytes | None = b""
        self.held = 0
        self.is_received = False

    async def run(self) -> None:
        headers: dict[bytes, bytes] = dict(self.scope["headers"])
        route = self._route()
        _check_host(headers.get(b"host", b""), self.edge.settings.hosts)
        if self.scope["method"] == "POST":
            _check_type(headers)
        try:
            async with asyncio.timeout(min(route.deadline_s, self.edge.settings.deadline_s)) as clock:
                await self._receive_body(headers, min(route.max_bytes, self.edge.settings.max_bytes))
        except TimeoutError:
            if not clock.expired():
                raise
            raise Fault(
                HTTPStatus.REQUEST_TIMEOUT,
                "too_slow",
                "request did not arrive in time, expected it within "
                f"{min(route.deadline_s, self.edge.settings.deadline_s):g} s",
            ) from None
        await self.edge.app(self.scope, self._replay, self.send)

    def _route(self) -> Route:
        method, path = self.scope["method"], self.scope["path"]
        route = ROUTES.get((method, path))
        if route is None and path in PATHS:
            allowed = [name for name, place in ROUTES if place == path]
            raise Fault(
                HTTPStatus.METHOD_NOT_ALLOWED,
                "wrong_method",
                f"method of {path} is {method[:20]}, expected {expected(allowed)}",
            )
        if route is None:
            raise Fault(
                HTTPStatus.NOT_FOUND,
                "unknown_route",
                f"there is no route {path[:80]}, expected {expected(sorted(PATHS))}",
            )
        return route

    async def _receive_body(self, headers: dict[bytes, bytes], limit: int) -> None:
        declared = headers.get(b"content-length", b"0")
        n_declared = int(declared) if declared.isdigit() and len(declared) < 16 else limit + 1
        if n_declared > limit and (n_declared > DRAIN_FACTOR * limit or b"expect" in headers):
            raise _too_large(limit)
        parts, size, more = [], 0, True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise Fault(499, "gone", "client left before its request was complete")
            chunk, more = message.get("body", b""), message.get("more_body", False)
            size += len(chunk)
            if size > DRAIN_FACTOR * limit:
                raise _too_large(limit)
            if size <= limit:
                self._hold(len(chunk))
                parts.append(chunk)
        self.is_received = True
        if size > limit:
            raise _too_large(limit)
        self.body = b"".join(parts) if len(parts) > 1 else bytes(parts[0])

    def _hold(self, n_bytes: int) -> None:
        if self.edge.held_bytes + n_bytes > self.edge.settings.max_held_bytes:
            raise overloaded("server holds as many request bytes as it may, expected fewer at once")
        self.edge.held_bytes += n_bytes
        self.held += n_bytes

    async def _replay(self) -> Message:
        """The body that was received, in one piece; after it, whatever the server says (the client has left)."""
        if self.body is not None:
            body, self.body = self.body, None
            return {"type": "http.request", "body": body, "more_body": False}
        return await self.receive()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message["headers"])
            if not any(name == POLICY[0] for name, _ in headers):
                headers.append(POLICY)
            message = {**message, "headers": [*headers, *HEADERS]}
        await self._send(message)

    async def refuse(self, error: WindlassError) -> None:
        """Answers with the error, unless a response is on its way or nobody is there to read it."""
        if self.status:
            return
        status = status_of(error)
        headers = []
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers.append((b"retry-after", str(RETRY_AFTER_S).encode()))
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            allowed = [name for name, place in ROUTES if place == self.scope["path"]]
            headers.append((b"allow", ", ".join(allowed).encode()))
        if not self.is_received and self.scope["method"] not in ("GET", "HEAD"):
            headers.append((b"connection", b"close"))
        await self._answer(status, error_body(error.kind, error.message, error.hint), headers)

    async def fail(self, error: Exception) -> None:
        """A fault of ours: the client gets its id, stderr gets where it happened; neither gets the client's text."""
        id = secrets.token_hex(6)
        where = "".join(traceback.format_tb(error.__traceback__))
        print(f"error {id}: {type(error).__name__}\n{where}", end="", file=sys.stderr, flush=True)
        if not self.status:
            await self._answer(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                error_body("internal", "server failed", "report this id to who runs it", id),
                [],
            )

    async def _answer(self, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *headers]
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    def finish(self) -> None:
        self.edge.held_bytes -= self.held
        path = self.scope["path"] if self.scope["path"] in PATHS else "other"
        self.edge.measures.request(path, self.status or 499, time.perf_counter() - self.started)


def error_body(kind: str, message: str, hint: str = "", id: str = "") -> bytes:
    """`{"error": {...}}`, the one form of every error."""
    return codec.dumps({"error": {"kind": kind, "message": message, "hint": hint, "id": id or secrets.token_hex(6)}})


def _check_host(value: bytes, hosts: tuple[str, ...]) -> None:
    """Raises: Fault 421: a name that is not ours, as a page elsewhere would send after rebinding its DNS name."""
    host = value.decode("latin-1").lower()
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    if not is_loopback(name) and name not in hosts:
        raise Fault(
            HTTPStatus.MISDIRECTED_REQUEST,
            "wrong_host",
            f"Host is '{host[:80]}', expected {expected(['localhost', *hosts])}",
        )


def _check_type(headers: dict[bytes, bytes]) -> None:
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != b"application/json":
        raise Fault(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "wrong_type",
            f"Content-Type is '{kind[:80].decode('latin-1')}', expected 'application/json'",
        )
    if headers.get(b"content-encoding", b"identity") != b"identity":
        raise Fault(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "wrong_type", "Content-Encoding is set, expected plain bytes")


def _too_large(limit: int) -> Fault:
    return Fault(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too_large",
        f"body is larger than {limit:,} bytes, expected it to fit",
        "send fewer rows at a time",
    )
