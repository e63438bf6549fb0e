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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from windlass.errors import SpecError, WindlassError, expected
from windlass.records import Json
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
    """What a route takes: bytes of a body (0: none) and seconds until it must be there.

    is_openai: its errors have the form of OpenAI's interface, which its clients read. is_plain: its errors are a text,
    as clients of Hugging Face and KServe read them. media: what its body may be, beside JSON.
    """

    max_bytes: int
    deadline_s: float
    is_openai: bool = False
    is_plain: bool = False
    media: tuple[str, ...] = ()


BINARY = ("", "application/octet-stream")
PICTURE = (*BINARY, "image/bmp", "image/gif", "image/jpeg", "image/png", "image/tiff", "image/webp")
Routes = Mapping[tuple[str, str], Route]
ROUTES: Routes = {
    ("POST", "/v1/predict"): Route(16 * MEBIBYTE, 10),
    ("POST", "/v1/explain"): Route(16 * MEBIBYTE, 10),
    ("POST", "/v1/feedback"): Route(32 * 1024, 10),
    ("POST", "/v1/chat/completions"): Route(2 * MEBIBYTE, 10, is_openai=True),
    ("POST", "/v1/completions"): Route(2 * MEBIBYTE, 10, is_openai=True),
    ("POST", "/v1/embeddings"): Route(4 * MEBIBYTE, 10, is_openai=True),
    ("GET", "/v1/models"): Route(0, 5, is_openai=True),
    ("GET", "/v1/models/{id}"): Route(0, 5, is_openai=True),
    ("POST", "/"): Route(16 * MEBIBYTE, 10, is_plain=True, media=PICTURE),
    ("POST", "/models/{id}"): Route(16 * MEBIBYTE, 10, is_plain=True, media=PICTURE),
    ("GET", "/v2"): Route(0, 5, is_plain=True),
    ("GET", "/v2/health/live"): Route(0, 5, is_plain=True),
    ("GET", "/v2/health/ready"): Route(0, 5, is_plain=True),
    ("GET", "/v2/models/{id}"): Route(0, 5, is_plain=True),
    ("GET", "/v2/models/{id}/ready"): Route(0, 5, is_plain=True),
    ("POST", "/v2/models/{id}/infer"): Route(16 * MEBIBYTE, 10, is_plain=True, media=BINARY),
    ("GET", "/health"): Route(0, 5),
    ("GET", "/metrics"): Route(0, 5),
    ("GET", "/openapi.json"): Route(0, 5),
    ("GET", "/"): Route(0, 5),
    ("GET", "/chat"): Route(0, 5),
}
"""All that may be served; a part `{id}` of a path stands for any name."""


def check_declared(routes: Sequence[BaseRoute], declared: Routes = ROUTES) -> Routes:
    """What these routes take. Raises: SpecError: a route without a byte limit and a deadline in `declared`."""
    places = [
        (method, getattr(route, "path", str(route)))
        for route in routes
        for method in getattr(route, "methods", None) or ("any",)
    ]
    for method, path in places:
        if (method, path) not in declared:
            raise SpecError(f"route {method} {path} is not declared, expected its limit and deadline in ROUTES")
    return {place: declared[place] for place in places}


def is_loopback(host: str) -> bool:
    """True for `localhost` and the loopback addresses."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Edge:
    """ASGI middleware around the whole application, which has these routes."""

    def __init__(self, app: ASGIApp, settings: Settings, measures: Measures, routes: Routes) -> None:
        self.app = app
        self.settings = settings
        self.measures = measures
        self.routes = routes
        self.paths = frozenset(path for _, path in routes)
        self.named = [path.split("/") for path in sorted(self.paths) if "{id}" in path]
        self.held_bytes = 0

    def place(self, path: str) -> str:
        """The path as the table of routes has it."""
        if path in self.paths:
            return path
        parts = path.split("/")
        for named in self.named:
            if len(named) == len(parts) and all(map(_fits, named, parts)):
                return "/".join(named)
        return path

    def methods(self, path: str) -> list[str]:
        return [method for method, place in self.routes if place == path]

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
        self.path = edge.place(scope["path"])
        self.route = edge.routes.get((scope["method"], self.path))
        self.started = time.perf_counter()
        self.status = 0
        self.body: bytes | None = b""
        self.held = 0
        self.is_received = False

    async def run(self) -> None:
        headers: dict[bytes, bytes] = dict(self.scope["headers"])
        route = self._known_route()
        _check_host(headers.get(b"host", b""), self.edge.settings.hosts)
        if self.scope["method"] == "POST":
            _check_type(headers, route.media)
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

    def _known_route(self) -> Route:
        if self.route is not None:
            return self.route
        allowed = self.edge.methods(self.path)
        if allowed:
            raise Fault(
                HTTPStatus.METHOD_NOT_ALLOWED,
                "wrong_method",
                f"method of {self.path} is {self.scope['method'][:20]}, expected {expected(allowed)}",
            )
        raise Fault(
            HTTPStatus.NOT_FOUND,
            "unknown_route",
            f"there is no route {self.path[:80]}, expected {expected(sorted(self.edge.paths))}",
        )

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
        self.edge.measures.errors[error.kind] += 1
        if self.status:
            return
        status = status_of(error)
        headers = []
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers.append((b"retry-after", str(RETRY_AFTER_S).encode()))
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            headers.append((b"allow", ", ".join(self.edge.methods(self.path)).encode()))
        if not self.is_received and self.scope["method"] not in ("GET", "HEAD"):
            headers.append((b"connection", b"close"))
        await self._answer(status, self._error_body(error), headers)

    async def fail(self, error: Exception) -> None:
        """A fault of ours: the client gets its id, stderr gets where it happened; neither gets the client's text."""
        self.edge.measures.errors["internal"] += 1
        id = secrets.token_hex(6)
        where = "".join(traceback.format_tb(error.__traceback__))
        print(f"error {id}: {type(error).__name__}\n{where}", end="", file=sys.stderr, flush=True)
        if not self.status:
            fault = Fault(500, "internal", "server failed", "report this id to who runs it")
            await self._answer(fault.status, self._error_body(fault, id), [])

    def _error_body(self, error: WindlassError, id: str = "") -> bytes:
        if self.route is not None and self.route.is_openai:
            return codec.dumps(openai_error(error, id))
        if self.route is not None and self.route.is_plain:
            return codec.dumps({"error": openai_error(error, id)["error"]["message"]})
        return error_body(error.kind, error.message, error.hint, id)

    async def _answer(self, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *headers]
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    def finish(self) -> None:
        self.edge.held_bytes -= self.held
        path = self.path if self.path in self.edge.paths else "other"
        self.edge.measures.request(path, self.status or 499, time.perf_counter() - self.started)


def error_body(kind: str, message: str, hint: str = "", id: str = "") -> bytes:
    """`{"error": {...}}`, the one form of every error but those of OpenAI's interface."""
    return codec.dumps({"error": {"kind": kind, "message": message, "hint": hint, "id": id or secrets.token_hex(6)}})


def openai_error(error: WindlassError, id: str = "") -> Json:
    """The error as clients of OpenAI's interface read it; its hint and its id stand in the message."""
    parts = [error.message, *([error.hint] if error.hint else []), *([f"id {id}"] if id else [])]
    is_ours = status_of(error) >= HTTPStatus.INTERNAL_SERVER_ERROR
    return {
        "error": {
            "message": "; ".join(parts),
            "type": "server_error" if is_ours else "invalid_request_error",
            "param": getattr(error, "param", "") or None,
            "code": error.kind,
        }
    }


def _fits(named: str, part: str) -> bool:
    return named == part or (named == "{id}" and part != "")


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


def _check_type(headers: dict[bytes, bytes], media: Sequence[str]) -> None:
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != b"application/json" and kind.decode("latin-1") not in media:
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
