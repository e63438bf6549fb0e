"""What the routes of a service share: the release loaded, its log, its counts, and who is answered by what."""

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple, TypeVar

from fastapi import Request

from windlass.database.jobs import Jobs
from windlass.database.request_log import Logged, RequestLog
from windlass.errors import NotReady
from windlass.predictors.contract import Predictor
from windlass.predictors.writer import Writer
from windlass.records import Answer, Json, Release, Row
from windlass.registry.model_cards import ModelCards
from windlass.registry.project_files import ProjectFiles
from windlass.serving.contract.page_look import PageLook
from windlass.serving.contract.rows import read_rows
from windlass.serving.contract.settings import Settings
from windlass.serving.runtime.bounded_queue import BoundedQueue
from windlass.serving.runtime.caller import caller_of, received
from windlass.serving.runtime.replica import Replica
from windlass.serving.runtime.scheduler import Scheduler
from windlass.serving.runtime.traffic_split import Given, TrafficSplit, Work, with_release
from windlass.serving.telemetry.metrics import Measures
from windlass.serving.telemetry.multiprocess import MultiprocessMetrics
from windlass.serving.telemetry.profiles import Profiler
from windlass.serving.telemetry.watch_status import Watched

PROOF = "x-windlass-proof"
T = TypeVar("T")
Reads = Callable[[Replica], list[Row]]
"""Gives the rows of a request for a release, or raises why it cannot be read."""


class LoggedRequest(NamedTuple):
    """A request as the log remembers it. caller: id of its API key, empty without one."""

    latency_ms: float
    size_bytes: int
    caller: str


def receipt(request: Request, started: float, size_bytes: int) -> LoggedRequest:
    """What is remembered of a request that is answered now. started: of time.perf_counter()."""
    return LoggedRequest((time.perf_counter() - started) * 1_000, size_bytes, caller(request))


def caller(request: Request) -> str:
    """The id of the API key that the request came with; empty without one."""
    return getattr(request.state, "key", "")


@dataclass
class Service:
    """What the routes share. proof: while it is set, only requests that carry it are predicted, and none is logged.

    The release can be replaced while it runs: who answers a request takes a replica once, and stays with it.
    """

    first: Release
    opened: Predictor
    log: RequestLog | None
    settings: Settings
    proof: str = ""
    measures: Measures = field(default_factory=Measures)
    started: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    refused: str = ""
    """Why the champion of the store is not the one that serves; empty when it is."""
    jobs: Jobs | None = None
    """Its batch jobs, where it has a memory for them."""
    shared_metrics: MultiprocessMetrics | None = None
    """Where it counts together with the other workers of its group."""
    releases: Callable[[], list[Json]] = list
    """The releases of the store, newest first, as `predictors.releases.listing` gives them."""
    roadmap: Callable[[], Json] = dict
    """What `windlass plan` wrote last; empty: nothing yet."""
    watched: Watched = field(default_factory=Watched)
    """What `watch` found last."""
    model_cards: Callable[[str], ModelCards] = lambda id: ModelCards()
    """What the release of this id carries for people."""
    files: ProjectFiles = field(default_factory=ProjectFiles)
    """What the project holds for its owner: audit log, roadmap, reports."""
    look: PageLook = field(default_factory=PageLook)
    """How its pages look."""

    def __post_init__(self) -> None:
        self.replica = Replica(self.first, self.opened, self.settings)
        self.entrants: dict[str, Replica] = {}
        """Proof -> a release that is proving itself beside the one that serves."""
        self.traffic = TrafficSplit()
        """The release on trial, and its part of the requests."""
        self._profiler = Profiler()

    @property
    def release(self) -> Release:
        return self.replica.release

    @property
    def predictor(self) -> Predictor:
        return self.replica.predictor

    @property
    def writer(self) -> Writer | None:
        return self.replica.writer

    @property
    def scheduler(self) -> Scheduler | None:
        return self.replica.scheduler

    @property
    def bounded_queue(self) -> BoundedQueue:
        return self.replica.bounded_queue

    def close(self) -> None:
        """Ends its threads."""
        canary = self.traffic.canary
        for replica in (self.replica, *self.entrants.values(), *([canary.replica] if canary else [])):
            replica.close()

    def is_proving(self, request: Request) -> bool:
        """True for a request that proves a release. Raises: NotReady: another one, before it is proven."""
        return self.place(request)[1]

    def place(self, request: Request) -> tuple[Replica, bool]:
        """The release that answers this request, and whether that is to prove it. Raises: NotReady: not proven yet."""
        replica = self._proves(request.headers.get(PROOF, ""))
        if replica is None and self.proof:
            raise NotReady("server is proving its release, expected it to be ready", "send it again after 1 s")
        return replica or self.replica, replica is not None

    def is_proof(self, given: str) -> bool:
        """True for what only the server itself knows while it proves a release."""
        return self._proves(given) is not None

    def _proves(self, given: str) -> Replica | None:
        """The release that proves itself by requests that carry this."""
        for proof, replica in {**self.entrants, self.proof: self.replica}.items():
            if proof and hmac.compare_digest(given.encode(), proof.encode()):
                return replica
        return None

    async def aside(self, size_bytes: int, work: Callable[[], T]) -> T:
        """What `work` gives; beside the event loop when there is much to read."""
        return await self.replica.aside(size_bytes, work)

    async def beside(self, work: Callable[[], T]) -> T:
        """What `work` gives, computed beside the event loop."""
        return await self.replica.beside(work)

    async def answer(self, request: Request, reads: Reads | None = None) -> Given:
        """The rows of the request and their answers, when its turn has come. Raises: Fault, DataError.

        reads: of bodies of another form than `/v1/predict`'s.
        """
        body, who = received(request), caller_of(request)
        replica, is_proof = self.place(request)

        async def work(replica: Replica) -> Given:
            with replica:
                return Given(replica, *await replica.answer(_reader(replica, body, reads), len(body), who), is_proof)

        given = await self.given(request, work)
        if given.replica is replica and not is_proof:
            self.traffic.mirror(given, request, len(body))
        return given

    async def given(self, request: Request, work: Work[T]) -> T:
        """What `work` gives with the release that answers this request. Raises: NotReady; what `work` raises."""
        replica, is_proof = self.place(request)
        if is_proof:
            return await with_release(replica, request, work)
        return await self.traffic.given(replica, request, work)

    def told(self, release: str, right: bool) -> None:
        """Feedback on an answer of this release, which any process may have given."""
        self.measures.feedback[right] += 1
        self.traffic.told(release, right)

    def keep(
        self, replica: Replica, rows: list[Row], ids: list[str], answers: list[Answer], receipt: LoggedRequest
    ) -> None:
        """Counts the answers of this release and has them logged."""
        logged, reference = self.logged(replica, rows, ids, answers, receipt), replica.reference
        if self.log is None:
            return
        holds_rows = self.settings.keep_inputs or reference
        profiles = partial(self._profiler.profiles, reference, ids, rows, answers) if reference else None
        self.log.record(logged, receipt.size_bytes if holds_rows else 128 * len(ids), profiles)

    def logged(
        self, replica: Replica, rows: list[Row], ids: list[str], answers: list[Answer], receipt: LoggedRequest
    ) -> list[Logged]:
        """Counts the answers of this release; gives them as the log has them."""
        for answer in answers:
            self.measures.answered(replica.output.named(answer.value) or replica.output.kind, answer.confidence)
            if replica.output.cites:
                self.measures.refusals = (self.measures.refusals or 0) + replica.output.refuses(answer.value)
        at, keep_inputs = self.log.clock() if self.log is not None else time.time(), self.settings.keep_inputs
        return [
            Logged(
                id,
                at,
                replica.release.id,
                replica.output.kept_as(answer.value),
                answer.confidence,
                receipt.latency_ms,
                row if keep_inputs else None,
                receipt.caller,
            )
            for id, row, answer in zip(ids, rows, answers, strict=True)
        ]


def _reader(replica: Replica, body: bytes, reads: Reads | None) -> Callable[[], list[Row]]:
    if reads is not None:
        return lambda: reads(replica)
    return lambda: read_rows(body, replica.columns, replica.settings.max_rows)
