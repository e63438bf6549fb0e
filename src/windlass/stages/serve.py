"""Serves the champion over HTTP, after it has proven behind its own server that it answers as it was trained."""

import asyncio
import secrets
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from windlass.errors import GateRefused, NotReady, WindlassError
from windlass.predictors import releases
from windlass.predictors.artifact import TOLERANCE
from windlass.predictors.papers import papers
from windlass.serving.access import AccessLog
from windlass.serving.app import create_app
from windlass.serving.database import Database, Failure, Sqlite, database
from windlass.serving.door import Door
from windlass.serving.guard import is_loopback
from windlass.serving.keyring import KeyRing
from windlass.serving.log import TABLES, RequestLog
from windlass.serving.probe import Golden, replay_over_http
from windlass.serving.retention import Retention
from windlass.serving.server import Server, address, bind
from windlass.serving.service import Service
from windlass.serving.settings import Settings
from windlass.serving.succession import Succession
from windlass.spec import Spec
from windlass.store import Store

LOG = "requests.sqlite"
KEYLESS_RATE = (100.0, 1.0)
"""Requests, and in how many seconds, from one address without a key, where others reach the server."""


def log_path(store: Store) -> Path:
    """Where the request log and the feedback are kept."""
    return store.folder / "serve" / LOG


def memory(store: Store, url: str) -> Database:
    """Where the service keeps what it must remember: the database of the URL, else a file of the project.

    Raises: SpecError: not such a URL. NotReady: the database cannot be used, or psycopg is missing.
    """
    if not url:
        return Sqlite(log_path(store))
    place = database(url)
    try:
        place.connect(TABLES).close()
    except Failure as failure:
        raise NotReady(
            f"database {place.where} cannot be used ({failure}), expected one to write to",
            "look at the URL of `--database` or WINDLASS_DATABASE",
        ) from None
    return place


def serve(
    spec: Spec,
    store: Store,
    host: str = "127.0.0.1",
    port: int = 8000,
    ready: Callable[[str], None] = lambda url: None,
    settings: Settings | None = None,
) -> None:
    """Serves the champion until SIGINT or SIGTERM; then finishes what was begun and writes what was logged.

    Args:   ready: called with the URL once golden rows were answered right through it; no client is answered before.
    Raises: NotReady: no release, no database, or the port is taken. SpecError: an address that others can
            reach, without a key. DataError: a file of the release was changed. GateRefused: an answer differs from
            the trained model's.
    """
    bounds = _bounds(settings or Settings(), spec, is_public=not is_loopback(host))
    with ExitStack() as stack:
        place = memory(store, bounds.database)
        door = _door(place, bounds, stack)
        listener = stack.enter_context(bind(host, port, door.is_guarded))
        seen = releases.pointer_mark(store)
        release, predictor = releases.open_release(store, releases.champion_id(store))
        golden = releases.golden(store, release.id)
        if spec.keep_days is not None:
            stack.enter_context(Retention(place, spec.keep_days))
        log = stack.enter_context(RequestLog(place))
        app = create_app(release, predictor, log, bounds, secrets.token_urlsafe(32), door)
        service: Service = app.state.service
        service.papers = partial(papers, store)
        proving = _Proving(service, listener, golden, ready)
        succession = Succession(service, store, (proving.host, proving.port), seen)

        def listening() -> None:
            proving.start(server)
            succession.start()

        server = Server(app, bounds.deadline_s, listening)
        try:
            server.run([listener])
        except SystemExit:
            raise NotReady("server did not start, expected it to listen", "its reason is on stderr") from None
        finally:
            succession.stop()
        proving.finish()


def _bounds(settings: Settings, spec: Spec, is_public: bool) -> Settings:
    """What the server accepts. is_public: others reach its address."""
    rate = settings.keyless_rate or (KEYLESS_RATE if is_public else None)
    return replace(settings, keep_inputs=spec.keep_inputs, is_public=is_public, keyless_rate=rate)


def _door(place: Database, settings: Settings, stack: ExitStack) -> Door:
    """The keys, and the log of requests where one is wanted. Raises: DataError, NotReady."""
    ring = stack.enter_context(KeyRing(place))
    return Door(ring, stack.enter_context(AccessLog(settings.access_log)) if settings.access_log else None)


class _Proving:
    """Replays golden rows behind the server, in a thread, and opens or stops it."""

    def __init__(self, service: Service, listener: socket.socket, golden: Golden, ready: Callable[[str], None]) -> None:
        self.service, self.golden, self.ready = service, golden, ready
        self.url = address(listener)
        self.host, self.port = listener.getsockname()[:2]
        self.refusal: WindlassError | None = None
        self.thread: threading.Thread | None = None

    def start(self, server: Server) -> None:
        """To be called in the server's loop."""
        loop = asyncio.get_running_loop()
        self.thread = threading.Thread(target=self._prove, args=(server, loop), name="windlass-proof")
        self.thread.start()

    def _prove(self, server: Server, loop: asyncio.AbstractEventLoop) -> None:
        try:
            difference = replay_over_http(
                self.port, self.service.release.id, self.service.predictor, self.golden, self.service.proof, self.host
            )
            if not difference <= TOLERANCE:
                raise GateRefused(
                    f"server answers its golden rows with a difference of {difference:.2g}, expected at "
                    f"most {TOLERANCE:g} from the trained model",
                    "`windlass release` makes a new one",
                )
        except (WindlassError, OSError) as error:
            if not server.should_exit:
                self.refusal = (
                    error
                    if isinstance(error, WindlassError)
                    else GateRefused(f"server cannot be reached at {self.url} ({error}), expected its own answers")
                )
            server.should_exit = True
            return
        self.service.proof = ""
        self.ready(self.url)

    def finish(self) -> None:
        """Raises: GateRefused: the server did not prove its release."""
        if self.thread is not None:
            self.thread.join()
        if self.refusal is not None:
            raise self.refusal
