"""The line before the model: requests answered together, and large ones slice by slice with others in between.

A batch is what waited while the last one ran, so that nobody waits for company: a request that finds the model idle is
answered at once and alone. The engine sorts the rows of a batch by their length (`predictors/onnx.py`), so that short
ones are not padded to long ones. Batches and slices take turns; whose client has gone is not begun. Among those who
ask, too, one of each has its turn; and a large request that would wait for too long is refused at once.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from math import ceil, isfinite
from typing import Any, Generic, NamedTuple, TypeVar

from windlass.errors import WindlassError
from windlass.records import Answer
from windlass.serving.contract.faults import Fault, overloaded
from windlass.serving.runtime.caller import Caller, gone, watched
from windlass.serving.runtime.fair_queue import Line

logger = logging.getLogger("windlass.serving")
MOST_REQUESTS, MOST_EFFORT = 64, 64 * 1024
"""Of one batch, the effort in characters. More is no faster, and the next ones wait for longer."""
LARGE_SHARE = 4
"""Of those that may wait, one in so many may be large."""
LONGEST_MS = 10_000.0
"""That the large requests of one who asks may take when another one comes, as far as is known what they take."""
Compute = Callable[[Sequence[Any], int], list[Answer]]
"""Gives the answers to rows of so much effort."""
T = TypeVar("T")
OVER: Any = object()
"""In place of a step: there is none left."""


class Waiting(NamedTuple):
    """A request in line, and its effort in characters. rows: as `compute` takes them."""

    rows: Sequence[Any]
    effort: int
    turn: "asyncio.Future[list[Answer]]"


@dataclass(eq=False)
class SteppedWork(Generic[T]):
    """What is done in steps, each in the thread, others between two of them. ms: that all of them take, if known."""

    steps: Iterator[T]
    turn: "asyncio.Future[list[T]]"
    who: str = ""
    ms: float = 0.0
    done: list[T] = field(default_factory=list)


class Batcher:
    """The line and the thread behind it. To be used in the event loop; `compute` and steps run in the thread."""

    def __init__(self, compute: Compute, max_waiting: int, thread: Executor) -> None:
        self.compute, self.max_waiting, self.thread = compute, max_waiting, thread
        self.batches = self.requests = self.slices = 0
        self._line: Line[Waiting] = Line(max_waiting, _is_over)
        self._large: Line[SteppedWork[Any]] = Line(max(1, max_waiting // LARGE_SHARE), _is_over)
        self._large_ms: Counter[str] = Counter()
        self._is_busy = self._was_batch = False

    def __len__(self) -> int:
        """How many requests wait."""
        return len(self._line) + len(self._large)

    async def answer(self, rows: Sequence[Any], effort: int, caller: Caller) -> list[Answer]:
        """The answers of a small request. Raises: Fault 503: too many wait; 499: it left; what `compute` raises."""
        waiting = Waiting(rows, effort, asyncio.get_running_loop().create_future())
        _refuse(self._line.add(caller.name, waiting), f"server has {self.max_waiting} predictions waiting")
        if not self._is_busy:
            self._start()
            return await waiting.turn
        return await self._turn(waiting.turn, caller)

    async def in_steps(self, steps: Iterator[T], caller: Caller, ms: float = 0.0) -> list[T]:
        """What each step gives; ms: that they take, where that is known.

        Raises: Fault 503: too many wait, or for too long; 499: the client left; what a step raises.
        """
        if self._large_ms[caller.name] > LONGEST_MS:
            raise _later(self._large_ms[caller.name])
        large = SteppedWork(steps, asyncio.get_running_loop().create_future(), caller.name, ms if isfinite(ms) else 0.0)
        _refuse(self._large.add(caller.name, large), f"server has {self._large.most} large requests waiting")
        self._large_ms[large.who] += round(large.ms)
        try:
            if not self._is_busy:
                self._start()
            return await self._turn(large.turn, caller)
        finally:
            self._large_ms[large.who] -= round(large.ms)
            if not self._large_ms[large.who]:
                del self._large_ms[large.who]

    async def _turn(self, turn: "asyncio.Future[T]", caller: Caller) -> T:
        def left() -> None:
            if not turn.done():
                turn.set_exception(gone())

        try:
            async with watched(caller.receive, left):
                return await turn
        finally:
            if turn.done() and not turn.cancelled():
                turn.exception()  # it may have come just as the request was given up: nobody else asks for it

    def _start(self) -> None:
        """Has the thread do what is next: a batch and a slice in turn, where both wait."""
        # 1. In turn, so that neither small requests nor the slices of large ones hold up the others for long.
        batch = [] if self._was_batch and self._large else self._take()
        large = None if batch else self._large.pop()
        if large is None and not batch:
            batch = self._take()
        # 2. The thread tells the loop when it is done, and the loop starts what is next: the line needs no lock.
        self._is_busy, self._was_batch = bool(batch or large), bool(batch)
        loop = asyncio.get_running_loop()
        if batch:
            self.batches += 1
            self.requests += len(batch)
            answered = self.thread.submit(answer_each, batch, self.compute)
            answered.add_done_callback(lambda done: _tell(loop, self._settle, batch, done))
        elif large is not None:
            self.slices += 1
            stepped = self.thread.submit(_step, large.steps)
            stepped.add_done_callback(lambda done: _tell(loop, self._settle_step, large, done))

    def _take(self) -> list[Waiting]:
        batch: list[Waiting] = []
        effort = 0
        while len(batch) < MOST_REQUESTS and (waiting := self._line.peek()) is not None:
            if batch and effort + waiting.effort > MOST_EFFORT:
                break
            self._line.pop()
            batch.append(waiting)
            effort += waiting.effort
        return batch

    def _settle(self, batch: list[Waiting], done: "Future[list[list[Answer] | Exception]]") -> None:
        for waiting, result in zip(batch, done.result(), strict=True):
            if waiting.turn.done():
                continue
            if isinstance(result, Exception):
                waiting.turn.set_exception(result)
            else:
                waiting.turn.set_result(result)
        self._start()

    def _settle_step(self, large: "SteppedWork[Any]", done: "Future[Any]") -> None:
        result = done.result()
        if not large.turn.done():
            if isinstance(result, Exception):
                large.turn.set_exception(result)
            elif result is OVER:
                large.turn.set_result(large.done)
            else:
                large.done.append(result)
                self._large.put_back(large.who, large)
        self._start()


def _is_over(each: "Waiting | SteppedWork[Any]") -> bool:
    return each.turn.done()


def _refuse(pushed: "Waiting | SteppedWork[Any] | None", why: str) -> None:
    """Tells the one that gave up its place so."""
    if pushed is not None:
        pushed.turn.set_exception(overloaded(f"{why}, expected fewer"))


def _later(ms: int) -> Fault:
    fault = overloaded(f"large requests of this key or address take {ms / 1_000:,.0f} s more, expected fewer at once")
    fault.retry_after_s = ceil((ms - LONGEST_MS) / 1_000)
    fault.hint = f"send it again after {fault.retry_after_s} s"
    return fault


def _tell(loop: asyncio.AbstractEventLoop, settle: Callable[..., None], *what: Any) -> None:
    """From the thread; after the last request, when the loop is closed, nobody listens."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(settle, *what)


def _step(steps: Iterator[T]) -> T | Exception:
    try:
        return next(steps, OVER)
    except Exception as error:  # noqa: BLE001  the edge of its own request must hear of it, and no other
        return error


def answer_each(requests: Sequence[Waiting], compute: Compute) -> list[list[Answer] | Exception]:
    """What each request gets, all computed at once: its answers, or the error that is its own and nobody else's.

    When that fails, the halves are, until the request that fails is alone.
    """
    if not requests:
        return []
    try:
        rows = [row for request in requests for row in request.rows]
        answers = iter(compute(rows, sum(request.effort for request in requests)))
        return [[next(answers) for _ in request.rows] for request in requests]
    except Exception as error:  # noqa: BLE001  as in `_step`
        if len(requests) == 1:
            return [error]
        if not isinstance(error, WindlassError):
            logger.warning("%d requests failed together: each half is tried", len(requests), exc_info=error)
    middle = len(requests) // 2
    return answer_each(requests[:middle], compute) + answer_each(requests[middle:], compute)
