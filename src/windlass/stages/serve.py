"""Serves the champion over HTTP, after it has proven behind its own server that it answers as it was trained."""

import asyncio
import gc
import json
import logging
import os
import secrets
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from windlass.database.backend import Database
from windlass.database.jobs import KEEP_DAYS, Jobs
from windlass.database.keys import Rate
from windlass.database.location import memory
from windlass.database.request_log import RequestLog
from windlass.database.retention import Retention
from windlass.errors import GateRefused, NotReady, SpecError, WindlassError
from windlass.improving.protection import Protection
from windlass.kinds.decoding import return_large_blocks
from windlass.language.chosen import translated
from windlass.predictors.artifact import TOLERANCE
from windlass.predictors.language import threads
from windlass.registry import releases
from windlass.registry.model_cards import model_cards
from windlass.registry.project_files import ProjectFiles
from windlass.serving.api.app import service_app
from windlass.serving.contract import page_look
from windlass.serving.contract.settings import Settings
from windlass.serving.http.access_control import is_loopback
from windlass.serving.http.keyring import KeyRing
from windlass.serving.http.server import Server, address, bind
from windlass.serving.http.server_state import ServerState
from windlass.serving.http.workers import Workers, say
from windlass.serving.runtime.golden_probe import Golden, replay_over_http
from windlass.serving.runtime.hot_swap import HotSwap
from windlass.serving.runtime.live_items import LiveItems
from windlass.serving.runtime.service import Service
from windlass.serving.telemetry.access_log import AccessLog
from windlass.serving.telemetry.multiprocess import FIRST, MultiprocessMetrics
from windlass.spec import Spec, dump, parse
from windlass.store import diagnostics
from windlass.store.store import Store

logger = logging.getLogger("windlass.stages")
WORKER = "from windlass.stages.serve import work; work()"
MOST_WORKERS = 64
NOT_KEPT = (
    "feedback is counted, but cannot teach: what is asked is not kept; `keep_inputs: true` in windlass.yaml keeps it "
    "for `windlass improve`, and `keep_days: 90` for so long"
)
TURN_S = 0.001
"""How long the thread that computes keeps the interpreter when the event loop wants it: a short answer asks for it
some three times, and Python's 5 ms would make each of them wait."""
KEYLESS_RATE = Rate(100.0, 1.0)
"""Of one address without a key, where others reach the server."""


@dataclass(frozen=True)
class _Task:
    """What one process serves. ready: called once its release is proven. name: of a worker; empty without a group."""

    spec: Spec
    store: Store
    bounds: Settings
    listener: socket.socket
    ready: Callable[[], None]
    name: str = ""


def serve(
    spec: Spec,
    store: Store,
    host: str = "127.0.0.1",
    port: int = 8000,
    ready: Callable[[str], None] = lambda url: None,
    settings: Settings | None = None,
) -> None:
    """Serves the champion until SIGINT or SIGTERM; then finishes what was begun and writes what was logged.

    Says on stderr when feedback cannot teach.

    Args:   ready: called with the URL once golden rows were answered right through it; no client is answered before.
    Raises: NotReady: no release, no database, or the port is taken. SpecError: an address that others can
            reach, without a key. DataError: a file of the release was changed. GateRefused: an answer differs from
            the trained model's.
    """
    bounds = _bounds(settings or Settings(), spec, is_public=not is_loopback(host))
    if not 1 <= bounds.workers <= MOST_WORKERS:
        raise SpecError(f"workers is {bounds.workers}, expected 1 to {MOST_WORKERS}")
    if not spec.keep_inputs:
        print(translated(NOT_KEPT), file=sys.stderr, flush=True)
    with ExitStack() as stack:
        place = memory(store, bounds.database)
        server_state = _server_state(place, bounds, stack)
        listener = bind(host, port, server_state.is_guarded)
        task = _Task(spec, store, bounds, listener, lambda: ready(address(listener)))
        if bounds.workers == 1:
            stack.enter_context(listener)
            _serve(task, place, server_state, stack)
            return
    with listener:
        _lead(task)


def _lead(task: _Task) -> None:
    """Has workers serve. What each is told travels by a pipe: a URL with a password stands in no list of processes."""
    bounds = task.bounds
    share = str(max(1, threads.n_threads() // bounds.workers))
    with tempfile.TemporaryDirectory(prefix="windlass-") as folder:
        settings = asdict(replace(bounds, workers_folder=folder))
        order = {
            "spec": dump(task.spec),
            "store": str(task.store.project.resolve()),
            "settings": settings,
            "debug": diagnostics.is_shown(),
        }
        environment = {threads.NAME: share, **os.environ}
        Workers(task.listener, [sys.executable, "-c", WORKER], order, bounds.workers, environment).run(task.ready)


def work() -> None:
    """One worker of a group; it ends when its group does, even by kill -9: its stdin is closed then."""
    file = sys.stdin.fileno()
    order = json.loads(_line(file))
    threading.Thread(target=_until_alone, args=(file,), daemon=True).start()
    spec, store, bounds = parse(order["spec"]), Store(Path(order["store"])), Settings.from_json(order["settings"])
    diagnostics.keep_in(store.folder)
    diagnostics.show(order["debug"])
    try:
        with ExitStack() as stack, socket.socket(fileno=order["socket"]) as listener:
            place = memory(store, bounds.database)
            task = _Task(spec, store, bounds, listener, lambda: say({"ready": True}), order["name"])
            _serve(task, place, _server_state(place, bounds, stack), stack)
    except WindlassError as error:
        say({"error": type(error).__name__, "message": error.message, "hint": error.hint})
        sys.exit(error.exit_code)
    except Exception as error:
        logger.error("worker %s ended", order["name"], exc_info=error)
        raise


def _line(file: int) -> bytes:
    line = b""
    while not line.endswith(b"\n") and (part := os.read(file, 65_536)):
        line += part
    return line


def _until_alone(file: int) -> None:
    while os.read(file, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _serve(task: _Task, place: Database, server_state: ServerState, stack: ExitStack) -> None:
    """Serves in this process. A worker proves its release on an address of its own, and only then takes what comes."""
    return_large_blocks()
    store, bounds = task.store, task.bounds
    diagnostics.keep_in(store.folder)
    private = stack.enter_context(bind("127.0.0.1", 0)) if bounds.workers_folder else task.listener
    seen = releases.pointer_mark(store)
    release, predictor = releases.open_release(store, releases.champion_id(store), replays=False)
    golden = releases.golden(store, release.id)
    if task.spec.keep_days is not None and task.name in ("", FIRST):
        stack.enter_context(Retention(place, task.spec.keep_days))
    if task.name in ("", FIRST):
        stack.enter_context(Protection(task.spec, store, place))
    service = Service(
        release,
        predictor,
        stack.enter_context(RequestLog(place, is_shared=bool(bounds.workers_folder))),
        bounds,
        secrets.token_urlsafe(32),
        jobs=stack.enter_context(closing(Jobs(place, min(KEEP_DAYS, task.spec.keep_days or KEEP_DAYS)))),
        shared_metrics=MultiprocessMetrics(Path(bounds.workers_folder), task.name) if bounds.workers_folder else None,
        releases=partial(releases.listing, store),
        roadmap=lambda: store.read_record("plan") if store.record("plan").is_file() else {},
        model_cards=partial(model_cards, store),
        files=ProjectFiles(store),
        look=page_look.read(task.spec.look, store.project),
    )
    app = service_app(service, server_state)

    def proven() -> None:
        gc.collect()
        gc.freeze()  # what is here now stays: looked through for cycles, it held up a request by 60 ms now and then
        if bounds.workers_folder:
            server.accept_on(task.listener)
        task.ready()

    proving = _Proving(service, private, golden, proven)
    live = LiveItems(task.spec, store) if task.spec.items is not None and task.spec.items.catalogue else None
    hot_swap = HotSwap(service, store, proving.host, proving.port, seen, items=live)

    def listening() -> None:
        proving.start(server)
        hot_swap.start()

    sys.setswitchinterval(TURN_S)
    server = Server(app, bounds.deadline_s, listening)
    try:
        server.run([private])
    except SystemExit:
        raise NotReady("server did not start, expected it to listen", "its reason is on stderr") from None
    finally:
        hot_swap.stop()
    proving.finish()


def _bounds(settings: Settings, spec: Spec, is_public: bool) -> Settings:
    """What the server accepts. is_public: others reach its address."""
    rate = settings.keyless_rate or (KEYLESS_RATE if is_public else None)
    settings = replace(
        settings, keep_inputs=spec.keep_inputs, new_labels=spec.improve.new_labels, embed=tuple(spec.embed)
    )
    return replace(settings, is_public=is_public, keyless_rate=rate)


def _server_state(place: Database, settings: Settings, stack: ExitStack) -> ServerState:
    """The keys, and the log of requests where one is wanted. Raises: DataError, NotReady."""
    ring = stack.enter_context(KeyRing(place, workers_folder=settings.workers_folder))
    return ServerState(ring, stack.enter_context(AccessLog(settings.access_log)) if settings.access_log else None)


class _Proving:
    """Replays golden rows behind the server, in a thread, and opens or stops it."""

    def __init__(self, service: Service, listener: socket.socket, golden: Golden, ready: Callable[[], None]) -> None:
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
                logger.warning("release '%s' does not prove itself", self.service.release.id, exc_info=error)
                self.refusal = (
                    error
                    if isinstance(error, WindlassError)
                    else GateRefused(f"server cannot be reached at {self.url} ({error}), expected its own answers")
                )
            server.should_exit = True
            return
        self.service.proof = ""
        self.ready()

    def finish(self) -> None:
        """Raises: GateRefused: the server did not prove its release."""
        if self.thread is not None:
            self.thread.join()
        if self.refusal is not None:
            raise self.refusal
