"""One thread that writes: requests wait in a bounded line, what can be written together is, and who leaves is dropped.

The event loop puts jobs in line and hears of them through their queues; the thread has up to `BATCH` texts written at a
time. What it hears back decides at every token whether a text goes on. An engine that serves tells each text when it
has ended, and others may take its place; any other engine is asked once for a batch, and tells all in the end.
"""

import asyncio
import secrets
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from http import HTTPStatus
from itertools import takewhile
from typing import NamedTuple

from starlette.types import Receive

from windlass.errors import DataError, NotReady, WindlassError
from windlass.predictors.language.writing import Engine, Serves, Writing, Written
from windlass.records import Row
from windlass.serving.contract.faults import Fault, overloaded
from windlass.serving.contract.settings import Settings
from windlass.serving.runtime.caller import gone, watched
from windlass.serving.runtime.stop_sequences import Cut, within
from windlass.serving.telemetry.metrics import Gauge

BATCH = 8
GRACE_S = 5.0
"""How much later than its limit an answer may come: the engine looks at the clock only between two tokens."""
JOIN_S = 1.0
"""How long the thread is waited for when all is over; the process ends without it."""
LATE = "late"
"""The finish of a text whose time was over."""


@dataclass(frozen=True)
class WriteRequest:
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

    def __init__(self, order: WriteRequest, scheduler: "Scheduler") -> None:
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
        try:
            async with watched(receive, self._gone):
                yield
        finally:
            self.leave()

    def _gone(self) -> None:
        self.leave()
        self._events.put_nowait(gone())


class _Text:
    """A text of a batch. All but its making runs in the thread that writes."""

    def __init__(self, job: Job, number: int) -> None:
        self.job, self.number = job, number
        self.row = job.order.rows[number]
        self.begin(0.0)

    @property
    def most(self) -> int:
        """Tokens that it may have."""
        return self.job.order.how.max_tokens

    def begin(self, until: float, is_counted: bool = False) -> None:
        """until: nothing is heard after this time. is_counted: the engine does not count its tokens by itself."""
        self.cut = Cut(self.job.order.stop)
        self.until, self.is_counted, self.n_heard, self.reason = until, is_counted, 0, ""

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
        elif self.is_counted and self.n_heard >= self.most:
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

    def put(self, order: WriteRequest) -> Job:
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

    async def write(self, order: WriteRequest, receive: Receive) -> list[Written]:
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
            self._thread.join(JOIN_S)

    def gauges(self) -> dict[str, Gauge]:
        """By name, for Prometheus."""
        return {
            "windlass_writing_running": Gauge("Texts that are being written.", float(self.running)),
            "windlass_writing_waiting": Gauge("Requests that wait to be written.", float(len(self))),
            "windlass_tokens_written_total": Gauge("Tokens that were written.", float(self.n_tokens)),
            "windlass_prompt_tokens_total": Gauge("Tokens that were read.", float(self.n_prompt)),
            "windlass_writing_cancelled_total": Gauge(
                "Texts whose client left before they ended.", float(self.n_cancelled)
            ),
        }

    def _run(self) -> None:
        while batch := self.take(BATCH):
            how = self._how(batch)
            if isinstance(self.engine, Serves):
                self._serve(self.engine, batch, how)
            else:
                self._write(batch, how)
            self.running = 0

    def take(self, most: int, key: object = None) -> "list[_Text]":
        """Texts to be written now: those of the first job, and of others that can be written with them.

        A job with more texts than fit goes to the end of the line, so that a long one holds up nobody for long.

        Args: key: of what is being written, which they are to join; none then overtakes what cannot join.
              None: wait until there is something.
        """
        with self._changed:
            if key is None:
                self._changed.wait_for(lambda: self._line or self._closing)
            if self._closing or not self._line or key not in (None, self._line[0].key):
                return []
            first = self._line[0]
            batch: list[_Text] = []
            alike = [job for job in self._line if job.key == first.key]
            for job in alike if key is None else list(takewhile(lambda job: job.key == key, self._line)):
                room = min(most - len(batch), len(job.order.rows) - job.n_taken)
                batch += [_Text(job, number) for number in range(job.n_taken, job.n_taken + room)]
                job.n_taken += room
                if job.n_taken == len(job.order.rows):
                    self._line.remove(job)
            if self._line and self._line[0] is first:
                self._line.rotate(-1)
        self.running += len(batch)
        return batch

    def count(self, done: Written) -> None:
        """A text has ended."""
        self.running -= 1
        self.n_tokens += done.n_tokens
        self.n_prompt += done.n_prompt
        self.n_cancelled += done.finish == "cancelled"

    @property
    def is_closing(self) -> bool:
        return self._closing

    def _how(self, batch: Sequence[_Text]) -> Writing:
        first = batch[0].job.order
        if first.how.temperature and not first.is_seeded:
            return replace(first.how, seed=secrets.randbelow(2**31))
        return first.how

    def _serve(self, engine: Serves, batch: Sequence[_Text], how: Writing) -> None:
        table = _Table(self, batch)
        try:
            engine.serve(table, how)
        except Exception as error:  # noqa: BLE001  whatever went wrong, the edge of each request must hear of it
            _fail([text.job for text in (*table.open, *table.waiting)], error)

    def _write(self, batch: Sequence[_Text], how: Writing) -> None:
        """Writes the batch; when the engine refuses it, each job alone, so that only the refused one fails."""
        jobs = list(dict.fromkeys(text.job for text in batch))
        try:
            written = self._ask(batch, how)
        except DataError as error:
            if len(jobs) == 1 or any(text.n_heard for text in batch):
                _fail(jobs, error)
                return
            for job in jobs:
                self._write([text for text in batch if text.job is job], how)
            return
        except Exception as error:  # noqa: BLE001  as above
            _fail(jobs, error)
            return
        for text, given in zip(batch, written, strict=True):
            self.count(text.finish(given))

    def _ask(self, batch: Sequence[_Text], how: Writing) -> list[Written]:
        most = max(text.most for text in batch)
        until = time.monotonic() + self.settings.answer_s
        for text in batch:
            text.job.tell(None)
            text.begin(until, self.engine.is_generating and text.most < most)

        def hear(row: int, piece: str) -> bool:
            return batch[row].hear(piece) and not self._closing

        written = self.engine.write([text.row for text in batch], replace(how, max_tokens=most), hear)
        if len(written) != len(batch):
            raise RuntimeError(f"engine wrote {len(written)} texts, expected {len(batch)}")
        return written


class _Table:
    """The texts that an engine is serving, as its intake."""

    def __init__(self, scheduler: Scheduler, batch: Sequence[_Text]) -> None:
        self.scheduler, self.waiting, self.key = scheduler, list(batch), batch[0].job.key
        self.texts: list[_Text] = []
        self.open: set[_Text] = set()

    def take(self) -> list[tuple[Row, int]]:
        """As `Intake`: the batch that it began with, then whoever can join it."""
        room = BATCH - len(self.open)
        batch, self.waiting = self.waiting or (self.scheduler.take(room, self.key) if room else []), []
        until = time.monotonic() + self.scheduler.settings.answer_s
        for text in batch:
            text.begin(until)
            text.job.tell(None)
        self.texts += batch
        self.open |= set(batch)
        return [(text.row, text.most) for text in batch]

    def hear(self, number: int, piece: str) -> bool:
        return self.texts[number].hear(piece) and not self.scheduler.is_closing

    def end(self, number: int, written: Written) -> None:
        self.open.remove(self.texts[number])
        self.scheduler.count(self.texts[number].finish(written))

    def refuse(self, number: int, error: WindlassError) -> None:
        self.open.remove(self.texts[number])
        self.scheduler.running -= 1
        self.texts[number].job.tell(error)


def too_slow(limit_s: float) -> Fault:
    what = f"answer was not written in {limit_s:g} s, expected it sooner"
    return Fault(HTTPStatus.SERVICE_UNAVAILABLE, "too_slow", what)


def _fail(jobs: Iterable[Job], error: Exception) -> None:
    for job in dict.fromkeys(jobs):
        job.tell(error)
