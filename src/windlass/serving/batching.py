"""Requests answered together: a batch is what waited while the last one ran, so that nobody waits for company.

A request that finds the model idle is answered at once and alone. The engine sorts the rows of a batch by their
length (`predictors/onnx.py`), so that short ones are not padded to long ones.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from typing import NamedTuple

from windlass.records import Answer, Row
from windlass.serving.faults import overloaded

MOST_REQUESTS, MOST_BYTES = 64, 64 * 1024
"""Of one batch; a larger request is a batch of its own. More is no faster, and the next ones wait for longer."""
Read = Callable[[], list[Row]]
Compute = Callable[[Sequence[Row]], list[Answer]]
Answered = tuple[list[Row], list[Answer]]


class Waiting(NamedTuple):
    """A request in line. read: gives its rows, or raises why it cannot be read."""

    read: Read
    size_bytes: int
    turn: "asyncio.Future[Answered]"


class Batcher:
    """The line and the thread behind it. To be used in the event loop; `compute` runs in the thread."""

    def __init__(self, compute: Compute, max_waiting: int, thread: Executor) -> None:
        self.compute, self.max_waiting, self.thread = compute, max_waiting, thread
        self.batches = self.requests = 0
        self._line: deque[Waiting] = deque()
        self._is_busy = False

    def __len__(self) -> int:
        """How many requests wait."""
        return len(self._line)

    async def answer(self, read: Read, size_bytes: int) -> Answered:
        """The rows of a request and their answers. Raises: Fault 503: too many wait; and what `read` raises."""
        if len(self._line) >= self.max_waiting:
            raise overloaded(f"server has {self.max_waiting} predictions waiting, expected fewer")
        waiting = Waiting(read, size_bytes, asyncio.get_running_loop().create_future())
        self._line.append(waiting)
        if not self._is_busy:
            self._start()
        return await waiting.turn

    def _start(self) -> None:
        batch = self._take()
        self._is_busy = bool(batch)
        if not batch:
            return
        self.batches += 1
        self.requests += len(batch)
        loop = asyncio.get_running_loop()
        done = self.thread.submit(answer_each, [waiting.read for waiting in batch], self.compute)
        done.add_done_callback(lambda future: loop.call_soon_threadsafe(self._settle, batch, future))

    def _take(self) -> list[Waiting]:
        batch: list[Waiting] = []
        size = 0
        while self._line and len(batch) < MOST_REQUESTS:
            if batch and size + self._line[0].size_bytes > MOST_BYTES:
                break
            waiting = self._line.popleft()
            if not waiting.turn.done():
                batch.append(waiting)
                size += waiting.size_bytes
        return batch

    def _settle(self, batch: list[Waiting], done: "Future[list[Answered | Exception]]") -> None:
        for waiting, result in zip(batch, done.result(), strict=True):
            if waiting.turn.done():
                continue
            if isinstance(result, Exception):
                waiting.turn.set_exception(result)
            else:
                waiting.turn.set_result(result)
        self._start()


def answer_each(reads: Sequence[Read], compute: Compute) -> list[Answered | Exception]:
    """What each request gets: its rows and answers, or the error that is its own and nobody else's."""
    found: list[list[Row] | Exception] = [_read(read) for read in reads]
    whole = [rows for rows in found if not isinstance(rows, Exception)]
    answered = iter(_together(whole, compute))
    return [rows if isinstance(rows, Exception) else next(answered) for rows in found]


def _read(read: Read) -> list[Row] | Exception:
    try:
        return read()
    except Exception as error:  # noqa: BLE001  the edge of its own request must hear of it, and no other
        return error


def _together(requests: Sequence[list[Row]], compute: Compute) -> list[Answered | Exception]:
    """All at once; when that fails, the halves, until the request that fails is alone."""
    if not requests:
        return []
    try:
        answers = iter(compute([row for rows in requests for row in rows]))
        return [(rows, [next(answers) for _ in rows]) for rows in requests]
    except Exception as error:  # noqa: BLE001  as in `_read`
        if len(requests) == 1:
            return [error]
    middle = len(requests) // 2
    return _together(requests[:middle], compute) + _together(requests[middle:], compute)
