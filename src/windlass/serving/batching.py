"""The line before the model: requests answered together, and large ones slice by slice with others in between.

A batch is what waited while the last one ran, so that nobody waits for company: a request that finds the model idle is
answered at once and alone. The engine sorts the rows of a batch by their length (`predictors/onnx.py`), so that short
ones are not padded to long ones. Batches and slices take turns; whose client has gone is not begun.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

from windlass.records import Answer, Row
from windlass.serving.asker import Asker, gone, watched
from windlass.serving.faults import overloaded

MOST_REQUESTS, MOST_EFFORT = 64, 64 * 1024
"""Of one batch, the effort in characters. More is no faster, and the next ones wait for longer."""
LARGE_SHARE = 4
"""Of those that may wait, one in so many may be large."""
Compute = Callable[[Sequence[Row], int], list[Answer]]
"""Gives the answers to rows of so much effort."""
T = TypeVar("T")
OVER: Any = object()
"""In place of a step: there is none left."""


class Waiting(NamedTuple):
    """A request in line, and its effort in characters."""

    rows: list[Row]
    effort: int
    turn: "asyncio.Future[list[Answer]]"


@dataclass(eq=False)
class Large(Generic[T]):
    """What is done in steps, each in the thread, others between two of them."""

    steps: Iterator[T]
    turn: "asyncio.Future[list[T]]"
    done: list[T] = field(default_factory=list)


class Batcher:
    """The line and the thread behind it. To be used in the event loop; `compute` and steps run in the thread."""

    def __init__(self, compute: Compute, max_waiting: int, thread: Executor) -> None:
        self.compute, self.max_waiting, self.thread = compute, max_waiting, thread
        self.batches = self.requests = self.slices = 0
        self._line: deque[Waiting] = deque()
        self._large: deque[Large[Any]] = deque()
        self._is_busy = self._was_batch = False

    def __len__(self) -> int:
        """How many requests wait."""
        return len(self._line) + len(self._large)

    async def answer(self, rows: list[Row], effort: int, asker: Asker) -> list[Answer]:
        """The answers of a small request. Raises: Fault 503: too many wait; 499: it left; what `compute` raises."""
        if len(self._line) >= self.max_waiting:
            raise overloaded(f"server has {self.max_waiting} predictions waiting, expected fewer")
        waiting = Waiting(rows, effort, asyncio.get_running_loop().create_future())
        self._line.append(waiting)
        if not self._is_busy:
            self._start()
            return await waiting.turn
        return await self._turn(waiting.turn, asker)

    async def in_steps(self, steps: Iterator[T], asker: Asker) -> list[T]:
        """What each step gives. Raises: Fault 503: too many wait; 499: the client left; what a step raises."""
        if len(self._large) >= max(1, self.max_waiting // LARGE_SHARE):
            raise overloaded(f"server has {len(self._large)} large requests waiting, expected fewer")
        large = Large(steps, asyncio.get_running_loop().create_future())
        self._large.append(large)
        if not self._is_busy:
            self._start()
        return await self._turn(large.turn, asker)

    async def _turn(self, turn: "asyncio.Future[T]", asker: Asker) -> T:
        def left() -> None:
            if not turn.done():
                turn.set_exception(gone())

        try:
            async with watched(asker.receive, left):
                return await turn
        finally:
            if turn.done() and not turn.cancelled():
                turn.exception()  # it may have come just as the request was given up: nobody else asks for it

    def _start(self) -> None:
        """Has the thread do what is next: a batch and a slice in turn, where both wait."""
        batch = [] if self._was_batch and self._large else self._take()
        large = None if batch else self._next_large()
        if large is None and not batch:
            batch = self._take()
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
        while self._line and len(batch) < MOST_REQUESTS:
            if batch and effort + self._line[0].effort > MOST_EFFORT:
                break
            waiting = self._line.popleft()
            if not waiting.turn.done():
                batch.append(waiting)
                effort += waiting.effort
        return batch

    def _next_large(self) -> "Large[Any] | None":
        while self._large:
            large = self._large.popleft()
            if not large.turn.done():
                return large
        return None

    def _settle(self, batch: list[Waiting], done: "Future[list[list[Answer] | Exception]]") -> None:
        for waiting, result in zip(batch, done.result(), strict=True):
            if waiting.turn.done():
                continue
            if isinstance(result, Exception):
                waiting.turn.set_exception(result)
            else:
                waiting.turn.set_result(result)
        self._start()

    def _settle_step(self, large: "Large[Any]", done: "Future[Any]") -> None:
        result = done.result()
        if not large.turn.done():
            if isinstance(result, Exception):
                large.turn.set_exception(result)
            elif result is OVER:
                large.turn.set_result(large.done)
            else:
                large.done.append(result)
                self._large.append(large)
        self._start()


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
    middle = len(requests) // 2
    return answer_each(requests[:middle], compute) + answer_each(requests[middle:], compute)
