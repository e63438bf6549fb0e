"""What the routes of a service share: its release, what answers, its log, its counts and its queues."""

import asyncio
import hmac
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from fastapi import Request
from starlette.types import Receive

from windlass.errors import NotReady
from windlass.predictors.contract import Predictor
from windlass.predictors.writer import Writer, answers
from windlass.records import Answer, Release, Row
from windlass.serving.log import Logged, RequestLog
from windlass.serving.measures import Measures
from windlass.serving.rows import read_rows
from windlass.serving.scheduler import LATE, Order, Scheduler, too_slow
from windlass.serving.settings import Settings
from windlass.serving.turnstile import Turnstile

QUICK_MS, QUICK_BYTES = 3.0, 8 * 1024
"""A request this small, of a model this quick, is computed in the event loop: a thread costs more than it saves."""
T = TypeVar("T")


@dataclass
class Service:
    """What the routes share. proof: while it is set, only requests that carry it are predicted, and none is logged."""

    release: Release
    predictor: Predictor
    log: RequestLog | None
    settings: Settings
    proof: str = ""
    measures: Measures = field(default_factory=Measures)
    thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "windlass-answers"))
    started: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    cost_ms: float = float("inf")

    def __post_init__(self) -> None:
        self.turnstile = Turnstile(self.settings.max_waiting)
        self.columns = [column.name for column in self.predictor.manifest.inputs]
        self.labels = frozenset(self.predictor.manifest.output.state.get("labels", ()))
        self.writer = self.predictor if isinstance(self.predictor, Writer) else None
        self.scheduler = Scheduler(self.writer.engine, self.settings) if self.writer is not None else None

    def close(self) -> None:
        """Ends its threads."""
        if self.scheduler is not None:
            self.scheduler.close()
        self.thread.shutdown()

    def is_proving(self, request: Request) -> bool:
        """True for a request that proves the release. Raises: NotReady: another one, before it is proven."""
        if self.proof and not self.is_proof(request.headers.get("x-windlass-proof", "")):
            raise NotReady("server is proving its release, expected it to be ready", "send it again after 1 s")
        return bool(self.proof)

    def is_proof(self, given: str) -> bool:
        """True for what only the server itself knows while it proves its release."""
        return bool(self.proof) and hmac.compare_digest(given.encode(), self.proof.encode())

    async def aside(self, size_bytes: int, work: Callable[[], T]) -> T:
        """What `work` gives; beside the event loop when there is much to read."""
        return work() if size_bytes <= QUICK_BYTES else await self.beside(work)

    async def beside(self, work: Callable[[], T]) -> T:
        """What `work` gives, computed in the service's own thread."""
        return await asyncio.get_running_loop().run_in_executor(self.thread, work)

    async def answer(self, body: bytes, receive: Receive) -> tuple[list[Row], list[Answer]]:
        """The rows of the body and their answers, when its turn has come. Raises: Fault, DataError."""
        if self.writer is not None and self.scheduler is not None:
            return await self._write(body, receive, self.writer, self.scheduler)
        async with self.turnstile:
            if self.cost_ms <= QUICK_MS and len(body) <= QUICK_BYTES:
                return self._compute(body)
            return await self.beside(lambda: self._compute(body))

    def _compute(self, body: bytes) -> tuple[list[Row], list[Answer]]:
        started = time.perf_counter()
        rows = read_rows(body, self.columns, self.settings.max_rows)
        answers = self.predictor.answer(rows)
        if len(body) <= QUICK_BYTES:
            spent_ms = (time.perf_counter() - started) * 1_000
            self.cost_ms = spent_ms if self.cost_ms == float("inf") else 0.8 * self.cost_ms + 0.2 * spent_ms
        return rows, answers

    async def _write(
        self, body: bytes, receive: Receive, writer: Writer, scheduler: Scheduler
    ) -> tuple[list[Row], list[Answer]]:
        def read() -> tuple[list[Row], list[Row]]:
            rows = read_rows(body, self.columns, self.settings.max_rows)
            return rows, writer.read(rows)

        rows, asked = await self.aside(len(body), read)
        written = await scheduler.write(Order(asked, writer.writing), receive)
        if any(each.finish == LATE for each in written):
            raise too_slow(self.settings.answer_s)
        return rows, answers(written)

    def keep(self, rows: list[Row], ids: list[str], answers: list[Answer], request: tuple[float, int]) -> None:
        """Counts the answers and has them logged. request: its latency in ms and its bytes."""
        latency_ms, size_bytes = request
        for answer in answers:
            self.measures.answered(str(answer.value) if self.labels else "text", answer.confidence)
        if self.log is None:
            return
        at, keep_inputs = time.time(), self.settings.keep_inputs
        self.log.record(
            [
                Logged(
                    id,
                    at,
                    self.release.id,
                    str(answer.value),
                    answer.confidence,
                    latency_ms,
                    row if keep_inputs else None,
                )
                for id, row, answer in zip(ids, rows, answers, strict=True)
            ],
            size_bytes if keep_inputs else 128 * len(ids),
        )
