"""Runs an application on a socket: bounded connections, a deadline for headers, a graceful stop."""

import asyncio
import resource
import secrets
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus
from types import FrameType
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from windlass.errors import NotReady, SpecError
from windlass.language.chosen import ENGLISH, of_header, speaking
from windlass.serving.contract.faults import overloaded
from windlass.serving.http.access_control import is_loopback
from windlass.serving.http.middleware import HEADERS, MAX_HEADER_BYTES, POLICY, error_body
from windlass.serving.http.server_state import ServerState, SocketLimits
from windlass.serving.http.shedding import LANGUAGE, PATH, caller

BACKLOG = 1_024
AT_ONCE = 16
"""Connections that asyncio takes in one turn of its loop, between which answers are sent and the line moves on; the
others wait in the kernel (docs/log.md)."""
KEEP_ALIVE_S = 15
LINGER_S, MOST_THROWN = 2.0, 64 * 1024 * 1024
"""How long, and how many bytes, what follows a refused message is read and thrown away."""
TCP_INFO: int | None = getattr(socket, "TCP_INFO", None)
"""Linux tells the state of a connection by it; elsewhere a client has left once what it sent is read."""
CLOSED = (7, 8)
"""Of the states: CLOSE and CLOSE_WAIT."""
ID_HOLE = b"............"
"""Where the id of a refusal stands."""
SPARE_FILES = 128
"""Open files beside the connections."""


class Connection(h11.Connection):
    """Remembers as what status the last message of the other side is refused."""

    error_status: int = HTTPStatus.BAD_REQUEST

    def next_event(self) -> Any:
        try:
            return super().next_event()
        except h11.RemoteProtocolError as error:
            self.error_status = error.error_status_hint
            raise


class Protocol(H11Protocol):
    """HTTP/1.1 that closes a connection whose headers are not there in time, which uvicorn's own leaves open.

    sockets: address -> its open connections.
    """

    deadline_s = 10.0
    sockets: Counter[str]
    most: SocketLimits
    admission: ServerState
    _clock: asyncio.TimerHandle | None = None
    _address = ""
    _is_refused = False
    _n_thrown = 0
    _to_skip = 0
    """Bytes still to come of what was refused unread."""
    _asking = ""
    """Who has a prediction under way on this connection."""

    def __init__(self, config: uvicorn.Config, *others: Any, **named: Any) -> None:
        super().__init__(config, *others, **named)
        self.conn: Connection = Connection(h11.SERVER, MAX_HEADER_BYTES)
        self.app_state = {**self.app_state, "has_left": self.has_left}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        self.sockets[self._address] += 1
        if len(self.connections) > self.most.all or self.sockets[self._address] > self.most.of_address:
            self._refuse(503, "overloaded", "server has too many connections open, expected fewer")
            return
        self._clock = self.loop.call_later(self.deadline_s, transport.close)

    def has_left(self) -> bool:
        """True when the client has closed, be what it sent before that still unread."""
        wire = self.transport.get_extra_info("socket")
        if self.transport.is_closing() or wire is None:
            return True
        return TCP_INFO is not None and wire.getsockopt(socket.IPPROTO_TCP, TCP_INFO, 1)[0] in CLOSED

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            self._n_thrown += len(data)
            if self._n_thrown > MOST_THROWN:
                self.transport.abort()
            return
        if self._to_skip:
            skipped = min(self._to_skip, len(data))
            self._to_skip -= skipped
            data = data[skipped:]
            if not data:
                return
        is_free = self.conn.their_state is h11.IDLE and self.conn.our_state is h11.IDLE
        if is_free and self.admission.is_open and not self.conn.trailing_data[0] and self._sheds(data):
            return
        before = self.cycle
        if self._clock is None and self.conn.their_state is h11.IDLE:
            self._clock = self.loop.call_later(self.deadline_s, self.transport.close)
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE and not self._is_refused:
            self._stop_clock()
        if self.cycle is not before and self.scope["path"] == PATH and not self.cycle.response_complete:
            keys = [value for name, value in self.headers if name in (b"authorization", b"x-api-key")]
            self._asking = caller(self._address, keys[0] if keys else b"")
            self.admission.shedder.enter(self._asking)

    def on_response_complete(self) -> None:
        self._has_answer()
        super().on_response_complete()

    def _has_answer(self) -> None:
        if self._asking:
            self.admission.shedder.leave(self._asking)
            self._asking = ""

    def _sheds(self, data: bytes) -> bool:
        """True for what is refused unread: as many predictions are under way as may be. The connection stays."""
        asked = self.admission.shedder.refused(self._address, data)
        if asked is None:
            return False
        self._to_skip = asked.rest
        if self.flow.write_paused:  # it asks on and on, and reads nothing
            self.transport.abort()
            return True
        id, language = secrets.token_hex(6), LANGUAGE.search(asked.head)
        spoken = of_header(language[1].decode("latin-1")) if language else ENGLISH
        said = _overloaded(spoken, self.admission.shedder.most())
        self.transport.write(said.replace(ID_HOLE, id.encode()))
        if self.admission.access is not None:
            at = datetime.now(UTC).isoformat(timespec="milliseconds")
            self.admission.access.write({"at": at, "id": id, "method": "POST", "route": PATH, "status": 503, "ms": 0.0,
                                         "key": None, "release": None})  # fmt: skip
        self._stop_clock()
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
        self._has_answer()
        self.sockets[self._address] -= 1
        if not self.sockets[self._address]:
            del self.sockets[self._address]
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """What is not HTTP gets an answer, when none is on its way, and no second chance."""
        message = "request is not HTTP/1.1 with at most 64 KiB of headers, expected it to be"
        self._refuse(self.conn.error_status, "bad_http", message)

    def _refuse(self, status: int, kind: str, message: str) -> None:
        """Answers, then throws away what still comes for a moment: closed at once, the client would not read why."""
        self._is_refused = True
        self._stop_clock()
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.close()
            return
        body = error_body(kind, message)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
            *([(b"retry-after", b"1")] if status == HTTPStatus.SERVICE_UNAVAILABLE else []),
            *HEADERS,
        ]
        lines = b"".join(b"%s: %s\r\n" % header for header in headers)
        phrase = HTTPStatus(status).phrase.encode()
        self.transport.write(b"HTTP/1.1 %d %s\r\n%s\r\n%s" % (status, phrase, lines, body))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._clock = self.loop.call_later(LINGER_S, self.transport.close)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None


@lru_cache(maxsize=8)
def _overloaded(language: str, most: int) -> bytes:
    """The whole refusal in that language, without its id."""
    fault = overloaded(f"server has {most} predictions waiting, expected fewer")
    with speaking(language):
        body = error_body(fault.kind, fault.message, fault.hint, ID_HOLE.decode())
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)),
               (b"retry-after", b"%d" % fault.retry_after_s), *HEADERS, POLICY, (b"x-request-id", ID_HOLE)]  # fmt: skip
    return b"HTTP/1.1 503 Service Unavailable\r\n%s\r\n%s" % (b"".join(b"%s: %s\r\n" % each for each in headers), body)


class Server(uvicorn.Server):
    """A server that calls `listening` once it accepts connections, and that a signal stops without killing."""

    def __init__(self, app: ASGIApp, deadline_s: float, listening: Callable[[], None]) -> None:
        self.admission: ServerState = getattr(getattr(app, "state", None), "server_state", None) or ServerState()
        most = self.admission.max_sockets
        most = most._replace(all=min(most.all, _open_files()))
        bounds: dict[str, Any] = {
            "deadline_s": deadline_s,
            "sockets": Counter(),
            "most": most,
            "admission": self.admission,
        }
        protocol = type("BoundedProtocol", (Protocol,), bounds)
        super().__init__(
            uvicorn.Config(
                app,
                http=protocol,
                ws="none",
                lifespan="on",
                log_config=None,
                log_level="critical",
                access_log=False,
                backlog=AT_ONCE,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=1,
                server_header=False,
                proxy_headers=False,
            )
        )
        self.listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(BACKLOG)
        self.loop = asyncio.get_running_loop()
        self.listening()

    def accept_on(self, listener: socket.socket) -> None:
        """From now on it answers there, too. To be called outside of its loop, once it listens."""
        asyncio.run_coroutine_threadsafe(self._accept_on(listener), self.loop).result(self.admission.grace_s)

    async def _accept_on(self, listener: socket.socket) -> None:
        make: Any = self.config.http_protocol_class

        def protocol() -> Any:
            return make(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)

        self.servers.append(await self.loop.create_server(protocol, sock=listener, backlog=AT_ONCE))
        listener.listen(BACKLOG)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal shuts the service: what comes then is refused with 503, what was begun is finished."""
        if not self.admission.is_open:
            super().handle_exit(sig, frame)
            return
        self.admission.shut()

    async def on_tick(self, counter: int) -> bool:
        if not self.admission.is_open and (not self.admission.n_begun or time.monotonic() >= self.admission.stop_by):
            self.should_exit = True
        return await super().on_tick(counter)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM stop the server; unlike uvicorn's own, they are not raised again afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before: dict[int, Any] = {
            number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _open_files() -> int:
    """Connections that the process may have: as many files as it may open, less a few for itself."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536) if hard > 0 else 65_536, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return max(SPARE_FILES, soft - SPARE_FILES)


def bind(host: str, port: int, is_guarded: bool = False) -> socket.socket:
    """A listening address; port 0 takes any free one. is_guarded: keys are asked for, so others may reach it.

    Raises: SpecError: an address that others can reach without a key, or not an address. NotReady: it is in use.
    """
    if not is_loopback(host) and not is_guarded:
        raise SpecError(
            f"host is '{host}' and there is no key, expected a loopback address such as '127.0.0.1'",
            "make a key first: `windlass keys create NAME --scope predict`",
        )
    if not 0 <= port <= 65_535:
        raise SpecError(f"port is {port}, expected 0 to 65535")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends at once (TCP_NODELAY) only where the protocol is named: without it each answer waits 40 ms
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise NotReady(
            f"port {port} of {host} cannot be taken ({error.strerror}), expected it to be free",
            "`--port 0` takes any free one",
        ) from None
    return listener


def address(listener: socket.socket) -> str:
    """The URL of a listening address."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def running(
    app: ASGIApp, deadline_s: float = 10.0, listening: Callable[[int], None] = lambda port: None
) -> Iterator[int]:
    """The application in a thread, on a free loopback port; gives the port. listening: called with it in the loop."""
    started = threading.Event()
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]

        def begun() -> None:
            listening(port)
            started.set()

        server = Server(app, deadline_s, begun)
        thread = threading.Thread(target=_run, args=(server, listener, started), name="windlass-server")
        thread.start()
        started.wait()
        try:
            if not server.started:
                raise NotReady("server did not start, expected it to listen", "its reason is on stderr")
            yield port
        finally:
            server.should_exit = True
            thread.join()


def _run(server: Server, listener: socket.socket, started: threading.Event) -> None:
    try:
        with suppress(SystemExit):  # uvicorn's way to say that the start failed
            server.run([listener])
    finally:
        started.set()
