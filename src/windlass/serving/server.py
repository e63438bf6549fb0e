"""Runs an application on a socket: loopback only, a deadline for headers, a graceful stop."""

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from windlass.errors import NotReady, SpecError
from windlass.serving.edge import is_loopback

BACKLOG = 1_024
GRACE_S = 10
KEEP_ALIVE_S = 15


class Protocol(H11Protocol):
    """HTTP/1.1 that closes a connection whose headers are not there in time, which uvicorn's own leaves open."""

    deadline_s = 10.0
    _clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._clock = self.loop.call_later(self.deadline_s, transport.close)

    def data_received(self, data: bytes) -> None:
        if self._clock is None and self.conn.their_state is h11.IDLE:
            self._clock = self.loop.call_later(self.deadline_s, self.transport.close)
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
        super().connection_lost(exc)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None


class Server(uvicorn.Server):
    """A server that calls `listening` once it accepts connections, and that a signal stops without killing."""

    def __init__(self, app: ASGIApp, deadline_s: float, listening: Callable[[], None]) -> None:
        protocol = type("TimedProtocol", (Protocol,), {"deadline_s": deadline_s})
        super().__init__(
            uvicorn.Config(
                app,
                http=protocol,
                ws="none",
                lifespan="on",
                log_config=None,
                log_level="critical",
                access_log=False,
                backlog=BACKLOG,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=GRACE_S,
                server_header=False,
            )
        )
        self.listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening()

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


def bind(host: str, port: int) -> socket.socket:
    """A listening address; port 0 takes any free one.

    Raises: SpecError: an address that others can reach, or not an address. NotReady: it is in use.
    """
    if not is_loopback(host):
        raise SpecError(
            f"host is '{host}', expected a loopback address such as '127.0.0.1'",
            "put a reverse proxy with TLS and a login before it; the service itself has no keys yet",
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
def running(app: ASGIApp, deadline_s: float = 10.0) -> Iterator[int]:
    """The application in a thread, on a free loopback port; gives the port."""
    started = threading.Event()
    with bind("127.0.0.1", 0) as listener:
        server = Server(app, deadline_s, started.set)
        thread = threading.Thread(target=_run, args=(server, listener, started), name="windlass-server")
        thread.start()
        started.wait()
        try:
            if not server.started:
                raise NotReady("server did not start, expected it to listen", "its reason is on stderr")
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def _run(server: Server, listener: socket.socket, started: threading.Event) -> None:
    try:
        with suppress(SystemExit):  # uvicorn's way to say that the start failed
            server.run([listener])
    finally:
        started.set()
