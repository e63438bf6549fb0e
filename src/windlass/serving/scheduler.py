"""One thread that writes: requests wait in a bounded line, what can be written together is, and who leaves is dropped.

The event loop puts jobs in line and hears of them through their queues; the thread takes up to `BATCH` texts at a
time and asks the engine once for all of them. What it hears back decides at every token whether a text goes on.
"""

import asyncio
import secrets
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import NamedTuple

from starlette.types import Receive

from windlass.errors import DataError, NotReady
from windlass.predictors.writing import Engine, Writing, Written
from windlass.records import Row
from windlass.serving.cut import Cut, within
from windlass.serving.faults import Fault, overloaded
from windlass.serving.settings import Settings

BATCH = 8
GRACE_S = 5.0
"""How much later than its limit an answer may come: the engine looks at the clock only between two tokens."""
LATE = "late"
"""The finish of a text whose time was over."""


@dataclass(frozen=True)
class Order:
    """What a request wants written.

    rows: as their kinds read them. stop: texts that end an answer, beside those in `how`. is_seeded: the same chance
    is wanted again, so that nothing else may be written with it. streams: its pieces are wanted as they come.
    """

    rows: Sequence[Row]
    how: Writing
    stop: tuple[str, ...] = ()
    is_seeded: bool = True
    streams: bool = False


class Piece(NamedTuple):
    """The next piece of a text of a job."""

    number: int
    text: str


class Finished(NamedTuple):
    """A text of a job as it is in the end."""

    number: int
    written: Written


Event = Piece | Finished | Exception | None
"""What a job hears; None: its writing began."""


class Job:
    """A request that waits or is written for. To be made and read in the event loop."""

    def __init__(self, order: Order, scheduler: "Scheduler") -> None:
        self.order = order
        self.has_left = False
        self.n_taken = 0
        self._scheduler = scheduler
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._n_open = len(order.rows)
        self._has_begun = False
        how = order.how if order.how.temperature else replace(order.how, seed=0)
        mark = id(self) if order.how.temperature and order.is_seeded else 0
        self.key = (replace(how, max_tokens=1, seed=how.seed if mark else 0), mark)

    async def next(self) -> Piece | Finished | None:
        """What comes next; None when all its texts are finished.

        Raises: Fault 503: it takes too long. Fault 499: the client left. DataError: a row cannot be written for.
        """
        while self._n_open:
            event = await self._event()
            if isinstance(event, Exception):
                raise event
            self._n_open -= isinstance(event, Finished)
            self._has_begun = True
            if event is not None:
                return event
        return None

    async def all(self) -> list[Written]:
        """The finished texts, in order. Raises: as `next`."""
        found: dict[int, Written] = {}
        while (event := await self.next()) is not None:
            if isinstance(event, Finished):
                found[event.number] = event.written
        return [found[number] for number in sorted(found)]

    async def _event(self) -> Event:
        limit_s = self._scheduler.settings.answer_s
        try:
            async with asyncio.timeout(limit_s + GRACE_S if self._has_begun else limit_s):
                return await self._events.get()
        except TimeoutError:
            self.leave()
            if not self._has_begun:
                raise overloaded(f"writing did not begin within {limit_s:g} s, expected it sooner") from None
            raise too_slow(limit_s) from None

    def tell(self, event: Event) -> None:
        """From the thread that writes."""
        if isinstance(event, Piece) and not self.order.streams:
            return
        with suppress(RuntimeError):  # the loop is closed: nobody listens
            self._loop.call_soon_threadsafe(self._events.put_nowait, event)

    def leave(self) -> None:
        """Nobody waits for it any more: what waits is dropped, what is written ends at the next token."""
        if not self.has_left:
            self.has_left = True
            self._scheduler.drop(self)

    @asynccontextmanager
    async def watched(self, receive: Receive) -> AsyncIterator[None]:
        """Inside, it ends with a Fault as soon as its client goes; afterwards nobody waits for it."""
        watcher = asyncio.create_task(self._watch(receive))
        try:
            yield
        finally:
            watcher.cancel()
            self.leave()

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.leave()
        self._events.put_nowait(Fault(499, "gone", "client left before its answer was written"))


class _Text:
    """A text of a batch. All but its making runs in the thread that writes."""

    def __init__(self, job: Job, number: int) -> None:
        self.job, self.number = job, number
        self.row = job.order.rows[number]
        self.begin(None, 0.0)

    def begin(self, most: int | None, until: float) -> None:
        """most: hear so many tokens; until: and not after this time."""
        self.cut = Cut(self.job.order.stop)
        self.most, self.until, self.n_heard, self.reason = most, until, 0, ""

    def hear(self, piece: str) -> bool:
        """Takes the next piece; false when no more is wanted."""
        if self.reason:
            return False
        self.n_heard += 1
        self._show(self.cut.add(piece))
        if self.job.has_left:
            self.reason = "cancelled"
        elif self.cut.is_over:
            self.reason = "stop"
        elif self.most is not None and self.n_heard >= self.most:
            self.reason = "length"
        elif time.monotonic() > self.until:
            self.reason = LATE
        return not self.reason

    def finish(self, written: Written) -> Written:
        """The text as it is in the end, told to who waits for it."""
        if not self.reason:
            heard = self.cut.text
            if written.text.startswith(heard):
                self._show(self.cut.add(written.text[len(heard) :]))
            else:  # the engine tidied the ends of what it had told
                self._show(self.cut.rest())
                self.cut = Cut(self.job.order.stop)
                self.cut.add(written.text)
                self.cut.rest()
        if not self.cut.is_over:
            self._show(self.cut.rest())
        finish = "stop" if self.cut.is_over else self.reason or written.finish
        tokens = within(written.tokens, len(self.cut.text)) if self.reason or self.cut.is_over else written.tokens
        done = replace(written, text=self.cut.text, finish=finish, tokens=tokens)
        self.job.tell(Finished(self.number, done))
        return done

    def _show(self, text: str) -> None:
        if text:
            self.job.tell(Piece(self.number, text))


class Scheduler:
    """The line of jobs and the thread that writes for them."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine, self.settings = engine, settings
        self.running = self.n_tokens = self.n_prompt = self.n_cancelled = 0
        self._line: deque[Job] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False

    def __len__(self) -> int:
        """Jobs that wait, or have texts that wait."""
        return len(self._line)

    def put(self, order: Order) -> Job:
        """A job at the end of the line. To be called in the event loop. Raises: Fault 503: too many wait."""
        job = Job(order, self)
        with self._changed:
            if self._closing:
                raise NotReady("server is stopping, expected it to run")
            if len(self._line) >= self.settings.max_waiting:
                raise overloaded(f"server has {len(self._line)} requests waiting to be written, expected fewer")
            self._line.append(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="windlass-writer", daemon=True)
                self._thread.start()
            self._changed.notify()
        return job

    async def write(self, order: Order, receive: Receive) -> list[Written]:
        """All texts of the order, finished. Raises: Fault, DataError: as `put` and `Job.next`."""
        job = self.put(order)
        async with job.watched(receive):
            return await job.all()

    def drop(self, job: Job) -> None:
        """Takes the job out of the line."""
        with self._changed:
            if job in self._line:
                self._line.remove(job)
                self.n_cancelled += len(job.order.rows) - job.n_taken

    def close(self) -> None:
        """Ends the thread; what is being written ends at its next token."""
        with self._changed:
            self._closing = True
            waiting = list(self._line)
            self._line.clear()
            self._changed.notify()
        for job in waiting:
            job.tell(NotReady("server is stopping, expected it to run"))
        if self._thread is not None:
            self._thread.join(GRACE_S)

    def gauges(self) -> dict[str, tuple[str, float]]:
        """name -> (help, value), for Prometheus."""
        return {
            "windlass_writing_running": ("Texts that are being written.", float(self.running)),
            "windlass_writing_waiting": ("Requests that wait to be written.", float(len(self))),
            "windlass_tokens_written_total": ("Tokens that were written.", float(self.n_tokens)),
            "windlass_prompt_tokens_total": ("Tokens that were read.", float(self.n_prompt)),
            "windlass_writing_cancelled_total": ("Texts whose client left before they ended.", float(self.n_cancelled)),
        }

    def _run(self) -> None:
        while batch := self._take():
            self.running = len(batch)
            self._write(batch)
            self.running = 0

    def _take(self) -> list[_Text]:
        """The texts of the next batch: those of the first job, and of others that can be written with them.

        A job with more texts than fit goes to the end of the line, so that a long one holds up nobody for long.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._line or self._closing)
            if self._closing:
                return []
            first = self._line[0]
            batch: list[_Text] = []
            for job in [other for other in self._line if other.key == first.key]:
                room = min(BATCH - len(batch), len(job.order.rows) - job.n_taken)
                batch += [_Text(job, number) for number in range(job.n_taken, job.n_taken + room)]
                job.n_taken += room
                if job.n_taken == len(job.order.rows):
                    self._line.remove(job)
            if self._line and self._line[0] is first:
                self._line.rotate(-1)
            return batch

    def _write(self, batch: Sequence[_Text]) -> None:
        """Writes the batch; when the engine refuses it, each job alone, so that only the refused one fails."""
        jobs = list(dict.fromkeys(text.job for text in batch))
        try:
            written = self._ask(batch, jobs)
        except DataError as error:
            if len(jobs) == 1 or any(text.n_heard for text in batch):
                _fail(jobs, error)
                return
            for job in jobs:
                self._write([text for text in batch if text.job is job])
            return
        except Exception as error:  # noqa: BLE001  whatever went wrong, the edge of each request must hear of it
            _fail(jobs, error)
            return
        for text, given in zip(batch, written, strict=True):
            done = text.finish(given)
            self.n_tokens += done.n_tokens
            self.n_prompt += done.n_prompt
            self.n_cancelled += done.finish == "cancelled"

    def _ask(self, batch: Sequence[_Text], jobs: Sequence[Job]) -> list[Written]:
        most = max(job.order.how.max_tokens for job in jobs)
        first = jobs[0].order
        how = replace(first.how, max_tokens=most)
        if how.temperature and not first.is_seeded:
            how = replace(how, seed=secrets.randbelow(2**31))
        until = time.monotonic() + self.settings.answer_s
        for job in jobs:
            job.tell(None)
        for text in batch:
            own = text.job.order.how.max_tokens
            text.begin(own if own < most and self.engine.is_generating else None, until)

        def hear(row: int, piece: str) -> bool:
            return batch[row].hear(piece) and not self._closing

        written = self.engine.write([text.row for text in batch], how, hear)
        if len(written) != len(batch):
            raise RuntimeError(f"engine wrote {len(written)} texts, expected {len(batch)}")
        return written


def too_slow(limit_s: float) -> Fault:
    what = f"answer was not written in {limit_s:g} s, expected it sooner"
    return Fault(HTTPStatus.SERVICE_UNAVAILABLE, "too_slow", what)


def _fail(jobs: Sequence[Job], error: Exception) -> None:
    for job in jobs:
        job.tell(error)
