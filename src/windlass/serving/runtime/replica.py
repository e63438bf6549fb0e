"""A release loaded: what answers, and all that leaves with it when another release takes its place."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

from windlass.outputs import table as outputs
from windlass.predictors.contract import PUBLIC, Guarded, Names, Predictor, seen_by
from windlass.predictors.writer import Writer, answers, writer_of
from windlass.records import Answer, Manifest, Release, Row
from windlass.registry.reference import Reference
from windlass.serving.contract.settings import Settings
from windlass.serving.runtime import cost
from windlass.serving.runtime.batching import Batcher
from windlass.serving.runtime.bounded_queue import BoundedQueue
from windlass.serving.runtime.cache import Cache
from windlass.serving.runtime.caller import Caller
from windlass.serving.runtime.scheduler import LATE, Scheduler, WriteRequest, too_slow
from windlass.serving.telemetry.metrics import Gauge

QUICK_MS, QUICK_BYTES = 3.0, 8 * 1024
"""A request this small, of a model this quick, is computed in the event loop: a thread costs more than it saves."""
MEASURED_ROWS = 16
"""Whose cost is found at once: then it is seen whether the client is still there, and another request has its turn."""
T = TypeVar("T")
Read = Callable[[], list[Row]]
"""Gives the rows of a request, or raises why it cannot be read."""


class Asked(NamedTuple):
    """A row of a batch, and the groups of who asks it."""

    row: Row
    names: Names


NETWORKS = frozenset({"onnx", "blend"})
"""Predictors that answer several rows in far less time than one after the other: their requests are gathered."""


class Replica:
    """One release, opened. Counts what is under way, so that it can be closed when the last answer is given."""

    def __init__(
        self, release: Release, predictor: Predictor, settings: Settings, reference: Reference | None = None
    ) -> None:
        self.release, self.predictor, self.settings, self.reference = release, predictor, settings, reference
        self.columns = [column.name for column in predictor.manifest.inputs]
        self.output = outputs.get(predictor.manifest.output.kind)
        self.labels = frozenset(self.output.widget(predictor.manifest)["labels"])
        self.writer = writer_of(predictor)
        self.scheduler = Scheduler(self.writer.engine, settings) if self.writer is not None else None
        self.bounded_queue = BoundedQueue(settings.max_waiting)
        self.thread = ThreadPoolExecutor(1, "windlass-answers")
        self.batcher = Batcher(self._compute_each, settings.max_waiting, self.thread)
        self.reading = ThreadPoolExecutor(1, "windlass-reads")
        self.reader = Batcher(self._compute, settings.max_waiting, self.reading)
        self.cache = Cache(settings.cache) if settings.cache else None
        self.is_guarded = isinstance(predictor, Guarded)
        self.is_network = predictor.manifest.predictor in NETWORKS
        self.pace, self.embedding_pace = cost.CostModel(), cost.CostModel()
        self._clock = time.perf_counter if self.is_network or self.writer is not None else time.thread_time
        self.under_way = 0

    def __enter__(self) -> "Replica":
        """While a request is inside, the replica is not closed. In the event loop only."""
        self.under_way += 1
        return self

    def __exit__(self, *error: object) -> None:
        self.under_way -= 1

    @property
    def waiting(self) -> int:
        """Predictions that wait for their turn."""
        return len(self.bounded_queue) + len(self.batcher) + len(self.reader)

    @property
    def most_under_way(self) -> int:
        """Predictions that may wait or be computed before more of them are refused unread; 0: who writes knows."""
        if self.writer is not None:
            return 0
        is_quick = not self.is_network and self.pace.row_ms <= QUICK_MS
        return self.settings.max_waiting * (1 if is_quick else 2)  # others are computed in batches of as many

    @property
    def is_idle(self) -> bool:
        """True when nothing is under way, nothing waits, and nothing is written."""
        busy = self.scheduler is not None and (len(self.scheduler) or self.scheduler.running)
        return not (self.under_way or self.waiting or busy)

    def gauges(self) -> dict[str, Gauge]:
        """By name, for Prometheus: of this release, since it took its place."""
        found = {
            "windlass_waiting_predictions": Gauge("Predictions that wait for their turn.", float(self.waiting)),
            "windlass_batches_total": Gauge("Batches of requests that were computed.", float(self.batcher.batches)),
            "windlass_batched_requests_total": Gauge("Requests that were in them.", float(self.batcher.requests)),
            "windlass_slices_total": Gauge("Slices of large requests that were computed.", float(self.batcher.slices)),
        }
        if self.cache is not None:
            found |= {
                "windlass_cache_hits_total": Gauge("Requests answered from the cache.", float(self.cache.hits)),
                "windlass_cache_misses_total": Gauge("Requests that were not.", float(self.cache.misses)),
                "windlass_cache_bytes": Gauge("Size of the cached answers.", float(self.cache.size_bytes)),
            }
        return found | (self.scheduler.gauges() if self.scheduler is not None else {})

    def renew(self, predictor: Predictor) -> None:
        """Answers by the same release with what is told of its items now. In the event loop only."""
        self.predictor = predictor
        self.cache = Cache(self.settings.cache) if self.settings.cache else None

    def close(self) -> None:
        """Ends its threads."""
        if self.scheduler is not None:
            self.scheduler.close()
        self.thread.shutdown()
        self.reading.shutdown()

    async def answer(self, read: Read, size_bytes: int, caller: Caller) -> tuple[list[Row], list[Answer]]:
        """The rows that `read` gives and their answers, when its turn has come.

        Args:   size_bytes: of what `read` reads; much of it is not read in the event loop.
        Raises: Fault 413: it costs too much; 503: too many wait; 499: the client left; Fault, DataError: a row cannot
                be read or answered.
        """
        is_small = size_bytes <= QUICK_BYTES
        if self.writer is not None and self.scheduler is not None:
            return await self._write(read, is_small, caller, self.writer, self.scheduler)
        rows, efforts = await self.measured(read, is_small, caller)
        cache = self.cache if is_small else None
        names = caller.names if self.is_guarded else PUBLIC
        known = cache.find(rows, names) if cache is not None else None
        if known is not None:
            return rows, known
        found = rows, await self._label(rows, efforts, caller)
        if cache is not None:
            cache.keep(*found, names)
        return found

    async def measured(self, read: Read, is_small: bool, caller: Caller) -> tuple[list[Row], list[int]]:
        """The rows and what each costs, charged to who asks. Raises: Fault 413: together more than they may."""
        rows: list[Row] = []

        def steps() -> Iterator[list[int]]:
            rows.extend(read())
            for start in range(0, len(rows), MEASURED_ROWS):
                yield cost.efforts(self.predictor.manifest.inputs, rows[start : start + MEASURED_ROWS])

        parts = list(steps()) if is_small else await self.reader.in_steps(steps(), caller)
        efforts = [effort for part in parts for effort in part]
        self.charge(efforts, caller)
        return rows, efforts

    def charge(self, efforts: Sequence[int], caller: Caller) -> None:
        """Bounds what a request costs and charges it; a text that is to be written counts as a request at least.

        Raises: Fault 413: it costs more than one may.
        """
        cost.check(sum(efforts), self.settings.max_effort)
        least = cost.A_REQUEST if self.writer is not None else 0
        caller.charge(sum(max(least, effort) for effort in efforts))

    async def _label(self, rows: list[Row], efforts: list[int], caller: Caller) -> list[Answer]:
        effort = sum(efforts)
        if not self.is_network and self.pace.ms(effort, len(rows)) <= QUICK_MS:
            async with self.bounded_queue.of(caller.name):
                return self._compute(rows, effort, caller.names)
        if self.pace.is_one_slice(effort, len(rows)):
            asked = [Asked(row, caller.names) for row in rows] if self.is_guarded else rows
            return await self.batcher.answer(asked, effort, caller)
        steps = (self._compute(rows[part], sum(efforts[part]), caller.names) for part in self.pace.slices(efforts))
        parts = await self.batcher.in_steps(steps, caller, self.pace.ms(effort, len(rows)))
        return [answer for answers in parts for answer in answers]

    def _compute_each(self, rows: Sequence[Any], effort: int) -> list[Answer]:
        """Of a batch: rows of several who ask, each answered as its own asker may see it."""
        if not self.is_guarded:
            return self._compute(rows, effort)
        answers: dict[int, Answer] = {}
        places: dict[Names, list[int]] = {}
        for place, each in enumerate(rows):
            places.setdefault(each.names, []).append(place)
        for names, held in places.items():
            share = effort * len(held) // len(rows)
            given = self._compute([rows[place].row for place in held], share, names)
            answers |= dict(zip(held, given, strict=True))
        return [answers[place] for place in range(len(rows))]

    def _compute(self, rows: Sequence[Row], effort: int, names: Names = PUBLIC) -> list[Answer]:
        started = self._clock()
        given = seen_by(self.predictor, names).answer(rows)
        self.pace.learn(effort, len(rows), (self._clock() - started) * 1_000)
        return given

    async def _write(
        self, read: Read, is_small: bool, caller: Caller, writer: Writer, scheduler: Scheduler
    ) -> tuple[list[Row], list[Answer]]:
        rows, _ = await self.measured(read, is_small, caller)
        asked = writer.read(rows) if is_small else await self.beside(lambda: writer.read(rows))
        written = await scheduler.write(WriteRequest(asked, writer.writing), caller.receive)
        if any(each.finish == LATE for each in written):
            raise too_slow(self.settings.answer_s)
        return rows, answers(written)

    async def beside(self, work: Callable[[], T]) -> T:
        """What `work` gives, computed in the thread that reads large requests."""
        return await asyncio.get_running_loop().run_in_executor(self.reading, work)

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
