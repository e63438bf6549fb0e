"""A release in its seat: what answers, and all that leaves with it when another release takes its place."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from starlette.types import Receive

from windlass.predictors.contract import Predictor
from windlass.predictors.reference import Reference
from windlass.predictors.writer import Writer, answers
from windlass.records import Answer, Manifest, Release, Row
from windlass.serving.batching import Batcher, Read
from windlass.serving.cache import Cache
from windlass.serving.scheduler import LATE, Order, Scheduler, too_slow
from windlass.serving.settings import Settings
from windlass.serving.turnstile import Turnstile

QUICK_MS, QUICK_BYTES = 3.0, 8 * 1024
"""A request this small, of a model this quick, is computed in the event loop: a thread costs more than it saves."""
T = TypeVar("T")
NETWORKS = frozenset({"onnx", "blend"})
"""Predictors that answer several rows in far less time than one after the other: their requests are gathered."""


class Seat:
    """One release, opened. Counts what is under way, so that it can be closed when the last answer is given."""

    def __init__(
        self, release: Release, predictor: Predictor, settings: Settings, reference: Reference | None = None
    ) -> None:
        self.release, self.predictor, self.settings, self.reference = release, predictor, settings, reference
        self.columns = [column.name for column in predictor.manifest.inputs]
        self.labels = frozenset(predictor.manifest.output.state.get("labels", ()))
        self.writer = predictor if isinstance(predictor, Writer) else None
        self.scheduler = Scheduler(self.writer.engine, settings) if self.writer is not None else None
        self.turnstile = Turnstile(settings.max_waiting)
        self.thread = ThreadPoolExecutor(1, "windlass-answers")
        self.batcher = Batcher(self._compute, settings.max_waiting, self.thread)
        self.cache = Cache(settings.cache) if settings.cache else None
        self.is_network = predictor.manifest.predictor in NETWORKS
        self.cost_ms = float("inf")  # of a row
        self.under_way = 0

    def __enter__(self) -> "Seat":
        """While a request is inside, the seat is not closed. In the event loop only."""
        self.under_way += 1
        return self

    def __exit__(self, *error: object) -> None:
        self.under_way -= 1

    @property
    def waiting(self) -> int:
        """Predictions that wait for their turn."""
        return len(self.turnstile) + len(self.batcher)

    @property
    def is_idle(self) -> bool:
        """True when nothing is under way, nothing waits, and nothing is written."""
        busy = self.scheduler is not None and (len(self.scheduler) or self.scheduler.running)
        return not (self.under_way or self.waiting or busy)

    def gauges(self) -> dict[str, tuple[str, float]]:
        """name -> (help, value), for Prometheus: of this release, since it took its seat."""
        found = {
            "windlass_waiting_predictions": ("Predictions that wait for their turn.", float(self.waiting)),
            "windlass_batches_total": ("Batches of requests that were computed.", float(self.batcher.batches)),
            "windlass_batched_requests_total": ("Requests that were in them.", float(self.batcher.requests)),
        }
        if self.cache is not None:
            found |= {
                "windlass_cache_hits_total": ("Requests answered from the cache.", float(self.cache.hits)),
                "windlass_cache_misses_total": ("Requests that were not.", float(self.cache.misses)),
                "windlass_cache_bytes": ("Size of the cached answers.", float(self.cache.size_bytes)),
            }
        return found | (self.scheduler.gauges() if self.scheduler is not None else {})

    def close(self) -> None:
        """Ends its threads."""
        if self.scheduler is not None:
            self.scheduler.close()
        self.thread.shutdown()

    async def answer(self, read: Read, size_bytes: int, receive: Receive) -> tuple[list[Row], list[Answer]]:
        """The rows that `read` gives and their answers, when its turn has come.

        Args:   size_bytes: of what `read` reads; much of it is not read in the event loop.
        Raises: Fault 503: too many wait; Fault, DataError: a row cannot be read or answered.
        """
        is_small = size_bytes <= QUICK_BYTES
        if self.writer is not None and self.scheduler is not None:
            return await self._write(read, is_small, receive, self.writer, self.scheduler)
        if not is_small:
            return await self.batcher.answer(read, size_bytes)
        rows = read()
        known = self.cache.find(rows) if self.cache is not None else None
        if known is not None:
            return rows, known
        found = await self._label(rows, size_bytes)
        if self.cache is not None:
            self.cache.keep(*found)
        return found

    async def _label(self, rows: list[Row], size_bytes: int) -> tuple[list[Row], list[Answer]]:
        if self.is_network or self.cost_ms * len(rows) > QUICK_MS:
            return await self.batcher.answer(lambda: rows, size_bytes)
        async with self.turnstile:
            return rows, self._compute(rows)

    def _compute(self, rows: Sequence[Row]) -> list[Answer]:
        started = time.perf_counter()
        given = self.predictor.answer(rows)
        spent_ms = (time.perf_counter() - started) * 1_000 / max(1, len(rows))
        self.cost_ms = spent_ms if self.cost_ms == float("inf") else 0.8 * self.cost_ms + 0.2 * spent_ms
        return given

    async def _write(
        self, read: Read, is_small: bool, receive: Receive, writer: Writer, scheduler: Scheduler
    ) -> tuple[list[Row], list[Answer]]:
        def understood() -> tuple[list[Row], list[Row]]:
            rows = read()
            return rows, writer.read(rows)

        rows, asked = understood() if is_small else await self.beside(understood)
        written = await scheduler.write(Order(asked, writer.writing), receive)
        if any(each.finish == LATE for each in written):
            raise too_slow(self.settings.answer_s)
        return rows, answers(written)

    async def beside(self, work: Callable[[], T]) -> T:
        """What `work` gives, computed in the thread that computes answers."""
        return await asyncio.get_running_loop().run_in_executor(self.thread, work)

    async def aside(self, size_bytes: int, work: Callable[[], T]) -> T:
        """What `work` gives; beside the event loop when there is much to read."""
        return work() if size_bytes <= QUICK_BYTES else await self.beside(work)


def is_same_product(one: Manifest, other: Manifest) -> bool:
    """True when who asks the one can ask the other: the same columns of the same kinds go in and come out."""
    shapes = [
        ([(column.name, column.kind) for column in manifest.inputs], manifest.output.name, manifest.output.kind)
        for manifest in (one, other)
    ]
    return shapes[0] == shapes[1]
