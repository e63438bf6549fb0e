"""The edge: every request is checked against the table of routes, counted while it is received, and always answered.

Nothing behind it sees a request whose route is not in the table, whose Host is not ours, whose body is too large or
too slow. Every error leaves it as JSON; one that is not ours leaves it as an id alone.
"""

import asyncio
import logging
import secrets
import sys
import time
import traceback
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from windlass.database.backend import RETRY_AFTER_S
from windlass.errors import WindlassError, did_you_mean, expected
from windlass.language.chosen import CHINESE, COOKIE, asked_for, of_request, speak, spoken, translated
from windlass.records import Json
from windlass.serving.contract import codec
from windlass.serving.contract.faults import Fault, overloaded, status_of
from windlass.serving.contract.routes import Places, Route, Routes
from windlass.serving.http import cross_origin
from windlass.serving.http.access_control import AccessControl, RequestCharge
from windlass.serving.http.intake import too_large
from windlass.serving.runtime.caller import gone
from windlass.serving.telemetry.metrics import Measures

logger = logging.getLogger("windlass.serving")
DRAIN_FACTOR = 4
"""A body that is too large is read and thrown away up to this many times its limit, so that the client reads why."""
NO_FRAME = (b"x-frame-options", b"DENY")
"""Left out where the policy names who may frame a page: the header knows no list."""
REMEMBERED = "; Path=/; SameSite=Strict; Max-Age=31536000"
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    NO_FRAME,
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
MAX_HEADERS, MAX_HEADER_BYTES = 100, 64 * 1024
SINGLE = frozenset(
    b"authorization content-encoding content-type cookie expect host idempotency-key origin sec-fetch-site "
    b"x-api-key x-windlass-proof x-windlass-session".split()
)
SMALL_BYTES = 64 * 1024
"""Of a body, whose bytes wait for no other."""
LARGE_SHARE = 0.75
"""Of the bytes that may be held, those of large bodies: what small ones need is never taken."""
PLAIN = b"identity"
UNPAID = frozenset({429, *range(500, 600)})
"""Statuses of requests that were not answered, through no fault in them: they are not of the quota."""
SIGN_IN = frozenset({401, 403})
QUEUE_S = 60.0
"""What waiting may add to the seconds of a text."""
POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")


class Middleware:
    """ASGI middleware around the whole application, which has these routes.

    sign_in: the page, and its policy, that people get in place of one for which they must sign in first.
    """

    def __init__(
        self,
        app: ASGIApp,
        access_control: AccessControl,
        measures: Measures,
        routes: Routes,
        sign_in: tuple[bytes, str] = (b"", ""),
    ) -> None:
        self.app = app
        self.access_control = access_control
        self.settings = access_control.settings
        self.server_state = access_control.server_state
        self.measures = measures
        self.routes = routes
        self.sign_in = sign_in
        self.places = Places(routes)
        self.held_bytes = 0
        self.intake = self.server_state.intake

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

    def __init__(self, edge: Middleware, scope: Scope, receive: Receive, send: Send) -> None:
        self.edge, self.receive, self._send = edge, receive, send
        self.scope = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope  # uvicorn sends no body then
        self.headers = dict(scope["headers"])
        self.path = edge.places.place(scope["path"])
        self.route = edge.routes.get((self.scope["method"], self.path))
        self.started = time.perf_counter()
        self.status = 0
        self.body: bytes | None = b""
        self.held = 0
        self.is_received = self.has_begun = False
        self.id = secrets.token_hex(6)
        self.bill: RequestCharge | None = None

    async def run(self) -> None:
        edge, headers = self.edge, self.headers
        cookies, accepted = (headers.get(name, b"").decode("latin-1") for name in (b"cookie", b"accept-language"))
        speak(of_request(self._query(), cookies, accepted))
        _check_framing(self.scope, headers)
        edge.access_control.check_host(headers)
        if cross_origin.is_preflight(self.scope["method"], headers, edge.access_control.origins):
            await self._answer(200, b"", cross_origin.permission(edge.places.methods(self.path)))
            return
        route = self._known_route()
        edge.access_control.check_origin(self.scope["method"], headers)
        if not edge.server_state.is_open:
            raise overloaded("server is stopping, expected another one")
        self._begin()
        state = self.scope.setdefault("state", {})
        self.bill = await edge.access_control.admit(self.scope, headers, route)
        state |= {"key": self.bill.key, "charge": self.bill.charge, "refund": self.bill.refund,
                  "names": self.bill.names}  # fmt: skip
        if self.scope["method"] not in ("GET", "HEAD", "DELETE"):
            _check_type(headers, route.media)
        deadline_s = min(route.deadline_s, edge.settings.deadline_s)
        async with _within(deadline_s, 408, f"request did not arrive in time, expected it within {deadline_s:g} s"):
            await self._receive_body(headers, min(route.max_bytes, edge.settings.max_bytes))
        state["body"] = self.body
        answer_s = edge.settings.answer_s + QUEUE_S if route.answer_s is None else route.answer_s
        async with _within(answer_s, 503, f"answer took too long, expected it within {answer_s:g} s"):
            await edge.app(self.scope, self._replay, self.send)

    def _begin(self) -> None:
        self.has_begun = True
        self.edge.server_state.n_begun += 1

    def _known_route(self) -> Route:
        path = self.scope["path"]
        is_plain = self.scope.get("raw_path", path.encode()) == path.encode()
        if self.route is not None and is_plain:
            return self.route
        allowed = self.edge.places.methods(self.path)
        if allowed and is_plain:
            raise Fault(
                HTTPStatus.METHOD_NOT_ALLOWED,
                "wrong_method",
                f"method of {self.path} is {self.scope['method'][:20]}, expected {expected(allowed)}",
            )
        raise Fault(
            HTTPStatus.NOT_FOUND,
            "unknown_route",
            f"there is no route {self.path[:80]}, expected {expected(sorted(self.edge.places.paths))}",
            did_you_mean(self.path[:80], self.edge.places.paths),
        )

    async def _receive_body(self, headers: dict[bytes, bytes], limit: int) -> None:
        declared = headers.get(b"content-length", b"0")
        n_declared = int(declared) if declared.isdigit() and len(declared) < 16 else limit + 1
        if n_declared > limit and (n_declared > DRAIN_FACTOR * limit or b"expect" in headers):
            raise too_large(limit)
        parts, size, more, state = [], 0, True, self.scope.get("state", {})
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise gone()
            chunk, more = message.get("body", b""), message.get("more_body", False)
            size += len(chunk)
            if size > DRAIN_FACTOR * limit:
                raise too_large(limit)
            if size > SMALL_BYTES:
                await self.edge.intake.take(len(chunk))
                if more and state.get("has_left", _stays)():
                    raise gone()
            if size <= limit:
                self._hold(len(chunk), size)
                parts.append(chunk)
        self.is_received = True
        if size > limit:
            raise too_large(limit)
        self.body = await self.edge.intake.joined(parts) if size > SMALL_BYTES else b"".join(parts)
        if headers.get(b"content-encoding", PLAIN) != PLAIN:
            self.body = await self.edge.intake.unpacked(self.body, limit, lambda n_bytes: self._hold(n_bytes, n_bytes))

    def _hold(self, n_bytes: int, size: int) -> None:
        most = self.edge.settings.max_held_bytes * (1 if size <= SMALL_BYTES else LARGE_SHARE)
        if self.edge.held_bytes + n_bytes > most:
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
            if self.status in UNPAID and self.bill is not None:
                self.bill.refund()
            headers = list(message["headers"])
            said = dict(headers)
            if POLICY[0] not in said:
                headers.append(POLICY)
            is_framed = b"frame-ancestors 'none'" not in said.get(POLICY[0], POLICY[1])
            headers += [each for each in HEADERS if each[0] not in said and not (is_framed and each == NO_FRAME)]
            if said.get(b"content-type", b"").startswith(b"text/html") and (chosen := asked_for(self._query())):
                headers.append((b"set-cookie", f"{COOKIE}={chosen}{REMEMBERED}".encode()))
            headers += cross_origin.shared_with(self.headers, self.edge.access_control.origins)
            message = {**message, "headers": [*headers, (b"x-request-id", self.id.encode())]}
        await self._send(message)

    def _query(self) -> str:
        return bytes(self.scope.get("query_string", b"")).decode("latin-1")

    async def refuse(self, error: WindlassError) -> None:
        """Answers with the error, unless a response is on its way or nobody is there to read it."""
        self.edge.measures.errors[error.kind] += 1
        if self.status:
            return
        status = status_of(error)
        headers = []
        if retry_after_s := getattr(error, "retry_after_s", RETRY_AFTER_S if status == 503 else 0):
            headers.append((b"retry-after", str(retry_after_s).encode()))
        if status == HTTPStatus.UNAUTHORIZED:
            headers.append((b"www-authenticate", b"Bearer"))
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            headers.append((b"allow", ", ".join(self.edge.places.methods(self.path)).encode()))
        if not self.is_received and (self.scope["method"] not in ("GET", "HEAD") or not self.edge.server_state.is_open):
            headers.append((b"connection", b"close"))
        content, policy = self.edge.sign_in
        if content and status in SIGN_IN and self.route is not None and self.route.is_page:
            headers.append((POLICY[0], policy.encode()))
            await self._answer(status, content, headers, b"text/html; charset=utf-8")
            return
        await self._answer(status, self._error_body(error), headers)

    async def fail(self, error: Exception) -> None:
        """A fault of ours: the client gets its id, stderr gets where it happened; neither gets the client's text."""
        self.edge.measures.errors["internal"] += 1
        logger.error("request %s failed", self.id, exc_info=error)
        where = "".join(traceback.format_tb(error.__traceback__))
        print(f"error {self.id}: {type(error).__name__}\n{where}", end="", file=sys.stderr, flush=True)
        if not self.status:
            fault = Fault(500, "internal", "server failed", "report this id to who runs it")
            await self._answer(fault.status, self._error_body(fault), [])

    def _error_body(self, error: WindlassError) -> bytes:
        if self.route is not None and self.route.is_openai:
            return codec.dumps(openai_error(error, self.id if status_of(error) == 500 else ""))
        if self.route is not None and self.route.is_plain:
            said = openai_error(error, self.id if status_of(error) == 500 else "")
            return codec.dumps({"error": said["error"]["message"]})
        return error_body(error.kind, error.message, error.hint, self.id)

    async def _answer(
        self, status: int, body: bytes, headers: list[tuple[bytes, bytes]], media: bytes = b"application/json"
    ) -> None:
        headers = [(b"content-type", media), (b"content-length", str(len(body)).encode()), *headers]
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    def finish(self) -> None:
        self.edge.held_bytes -= self.held
        self.edge.server_state.n_begun -= self.has_begun
        seconds = time.perf_counter() - self.started
        path, status = self.path if self.path in self.edge.places.paths else "other", self.status or 499
        self.edge.measures.request(path, status, seconds)
        if self.edge.server_state.access is not None:
            self.edge.server_state.access.write(
                {
                    "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
                    "id": self.id,
                    "method": self.scope["method"] if self.route else "other",
                    "route": path,
                    "status": status,
                    "ms": round(1_000 * seconds, 2),
                    "key": (self.bill.key if self.bill else "") or None,
                    "release": self.scope.get("state", {}).get("release"),
                }
            )


def _stays() -> bool:
    """Of a client of which nothing is known before it has left."""
    return False


@asynccontextmanager
async def _within(seconds: float, status: int, message: str) -> AsyncIterator[None]:
    """Raises: Fault: what is inside took longer."""
    try:
        async with asyncio.timeout(seconds) as clock:
            yield
    except TimeoutError:
        if not clock.expired():
            raise
        raise Fault(status, "too_slow", message) from None


def error_body(kind: str, message: str, hint: str = "", id: str = "") -> bytes:
    """`{"error": {...}}`, the one form of every error but those of OpenAI's interface."""
    said = {"kind": kind, "message": translated(message), "hint": translated(hint), "id": id or secrets.token_hex(6)}
    return codec.dumps({"error": said})


def openai_error(error: WindlassError, id: str = "") -> Json:
    """The error as clients of OpenAI's interface read it; its hint and its id stand in the message."""
    parts = [
        translated(error.message),
        *([translated(error.hint)] if error.hint else []),
        *([f"id {id}"] if id else []),
    ]
    is_ours = status_of(error) >= HTTPStatus.INTERNAL_SERVER_ERROR
    return {
        "error": {
            "message": ("；" if spoken() == CHINESE else "; ").join(parts),
            "type": "server_error" if is_ours else "invalid_request_error",
            "param": getattr(error, "param", "") or None,
            "code": error.kind,
        }
    }


def _check_framing(scope: Scope, headers: dict[bytes, bytes]) -> None:
    """Raises: Fault 400, 431, 505: what the parser lets through, and another server may read in another way."""
    if scope["http_version"] not in ("1.0", "1.1"):
        raise Fault(505, "bad_http", "protocol is not HTTP/1.1, expected it to be")
    if b"transfer-encoding" in headers and b"content-length" in headers:
        raise Fault(400, "bad_http", "request has Content-Length and Transfer-Encoding, expected one of them")
    if len(headers) < len(scope["headers"]):
        _check_single(scope)
    size = sum(len(name) + len(value) for name, value in scope["headers"])
    if len(scope["headers"]) > MAX_HEADERS or size > MAX_HEADER_BYTES:
        raise Fault(431, "bad_http", f"request has more than {MAX_HEADERS} headers or 64 KiB of them, expected fewer")


def _check_single(scope: Scope) -> None:
    """Raises: Fault 400: a header is there twice of which another server may take the other one."""
    names = [name for name, _ in scope["headers"] if name in SINGLE]
    for name in names:
        if names.count(name) > 1:
            raise Fault(400, "bad_http", f"request has the header {name.decode()} twice, expected it once")


def _check_type(headers: dict[bytes, bytes], media: Sequence[str]) -> None:
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != b"application/json" and kind.decode("latin-1") not in media:
        raise Fault(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "wrong_type",
            f"Content-Type is '{kind[:80].decode('latin-1')}', expected 'application/json'",
        )
    if headers.get(b"content-encoding", PLAIN) not in (PLAIN, b"gzip"):
        message = "Content-Encoding is neither gzip nor identity, expected one of them"
        raise Fault(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "wrong_type", message)
