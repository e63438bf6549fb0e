"""The request log and the feedback: one writer thread, group commits, acknowledged after the commit.

Answers are logged off the request path; when they come faster than the disk takes them, the surplus is counted
in `unlogged`. Feedback waits for its commit. Both pass through one line, in order, so that feedback sent right
after an answer finds it.
"""

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from windlass.database.backend import RETRY_AFTER_S, Connection, Database, Failure, Schema, as_text
from windlass.database.connection import Memory, read
from windlass.database.sqlite import Sqlite
from windlass.errors import DataError, Refused
from windlass.records import Json, Row

MAX_LINE = 4_096
MAX_LINE_BYTES = 64 * 1024 * 1024
GROUP = 512
GATHER_S = 0.05
"""How long answers are gathered for one commit; feedback does not wait for it."""
LOOKS_AGAIN_S = (GATHER_S, 2 * GATHER_S, 4 * GATHER_S, 8 * GATHER_S, 16 * GATHER_S)
TABLES = Schema(
    "log",
    (
        """
create table if not exists answers (
  id text primary key, at double precision not null, release text not null, value text, confidence double precision,
  latency_ms double precision not null, inputs text);
create index if not exists answers_by_at on answers (at);
create table if not exists feedback (
  number {serial}, key text not null unique, id text not null, correct text not null, note text,
  at double precision not null);
create index if not exists feedback_by_id on feedback (id, number)
""",
        """
alter table answers add column caller text not null default '';
alter table answers add column profile text;
alter table feedback add column caller text not null default ''
""",
        """
create table if not exists requests (
  number {serial}, at double precision not null, answered bigint not null, refused bigint not null,
  failed bigint not null);
create index if not exists requests_by_at on requests (at)
""",
    ),
)
COLUMNS = ("id", "at", "release", "value", "confidence", "latency_ms", "inputs", "caller", "profile")


class Logged(NamedTuple):
    """One answer that was given. at: seconds since 1970, UTC; inputs: the row, or None when it is not kept.

    value: a text as it is, any other value as JSON; the output of the release reads it back (`Output.value_of`).

    caller: id of the API key that asked, empty without one. profile: what may be remembered of the row without keeping
    it, as JSON; None when nothing is.
    """

    id: str
    at: float
    release: str
    value: str
    confidence: float | None
    latency_ms: float
    inputs: Row | None
    caller: str = ""
    profile: str | None = None


class Requests(NamedTuple):
    """Requests for answers since the last such count. at: its end; refused: by the client's fault; failed: ours."""

    at: float
    answered: int
    refused: int
    failed: int


class Feedback(NamedTuple):
    """What a person says was right, as the log keeps answers. key: the client's idempotency key, empty when there is
    none.

    right: said instead of `correct`: the answer was right, or wrong in a way that is not known. caller: as of Logged.
    is_right(value, correct) -> the answer counts as right. settled(value, correct) -> what is right, where `correct`
    tells what to change of the answer.
    """

    id: str
    correct: str
    note: str | None
    key: str
    right: bool | None = None
    caller: str = ""
    is_right: Callable[[str, str], bool] = str.__eq__
    settled: Callable[[str, str], str] = lambda value, correct: correct


NOT_KEPT = (
    "it counts, but `windlass improve` cannot learn from it: what was asked was not kept; "
    "`keep_inputs: true` in windlass.yaml keeps it from now on"
)
NEW_LABEL = (
    "the release does not know this label, and `windlass improve` does not learn new ones; "
    "`improve: {new_labels: 10}` in windlass.yaml lets it learn one that ten rows have"
)


class Stored(NamedTuple):
    """Feedback that is on disk. is_new: False when this very feedback was there before. release: that answered.
    is_kept: what had been asked is in the log, too. asked_by: id of the key that the answer was given to."""

    id: str
    correct: str
    at: float
    right: bool
    is_new: bool
    release: str
    is_kept: bool
    asked_by: str = ""


Profiles = Callable[[], Sequence[str | None]]
"""Gives the profiles of a few answers; called in the thread that writes."""


class _Entry(NamedTuple):
    content: list[Logged] | Feedback | Requests
    size_bytes: int
    done: "Future[Stored]"
    profiles: Profiles | None = None

    def complete(self) -> "list[Logged] | Feedback | Requests":
        """What is written: answers with their profiles."""
        if self.profiles is None or isinstance(self.content, Feedback | Requests):
            return self.content
        pairs = zip(self.content, self.profiles(), strict=True)
        return [answer._replace(profile=profile) for answer, profile in pairs]


class RequestLog:
    """The writing end. `fault` says why nothing can be written now; empty when all is well.

    clock: seconds since 1970 that answers and feedback are stamped with; another one replays traffic of other days.
    looks_again_s: pauses after which an answer that is not there is looked for again, since another process may be
    gathering it; none where this process alone writes.
    """

    def __init__(
        self, place: Database | Path | str, clock: Callable[[], float] = time.time, is_shared: bool = False
    ) -> None:
        self.memory = Memory(place, TABLES)
        self.clock = clock
        self.looks_again_s = LOOKS_AGAIN_S if is_shared or not isinstance(self.database, Sqlite) else ()
        self.unlogged = 0
        self._line: deque[_Entry] = deque()
        self._line_bytes = 0
        self._lock = threading.Lock()
        self._wake, self._urgent = threading.Event(), threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="windlass-log", daemon=True)
        self._thread.start()

    def __enter__(self) -> "RequestLog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def database(self) -> Database:
        return self.memory.database

    @property
    def path(self) -> Path:
        """The file of a log that is kept in SQLite."""
        assert isinstance(self.database, Sqlite)
        return self.database.path

    @property
    def fault(self) -> str:
        return self.memory.fault

    def __len__(self) -> int:
        """Entries that wait to be written."""
        return len(self._line)

    def record(self, answers: list[Logged], size_bytes: int, profiles: Profiles | None = None) -> None:
        """Has the answers written soon. Never waits; answers that find the line full are counted as unlogged.

        profiles: gives one for each of the answers, and never raises.
        """
        if not self._put(_Entry(answers, size_bytes, Future(), profiles)):
            with self._lock:
                self.unlogged += len(answers)

    def count(self, requests: Requests) -> None:
        """Has the counts written soon. Never waits; they are lost when the line is full."""
        self._put(_Entry(requests, 128, Future()))

    def feedback(self, feedback: Feedback) -> "Future[Stored]":
        """A future that is done when the feedback is on disk; it may hold a Refused.

        Raises: Refused: the line is full.
        """
        entry = _Entry(feedback, 256 + 4 * len(feedback.correct) + 4 * len(feedback.note or ""), Future())
        if not self._put(entry):
            message = "feedback cannot be written as fast as it comes, expected less of it"
            raise Refused("overloaded", message, f"send it again after {RETRY_AFTER_S} s", RETRY_AFTER_S)
        self._urgent.set()
        return entry.done

    def close(self) -> None:
        """Writes what waits, then ends."""
        with self._lock:
            self._closing = True
        self._urgent.set()
        self._wake.set()
        self._thread.join()

    def _put(self, entry: _Entry) -> bool:
        with self._lock:
            full = len(self._line) >= MAX_LINE or self._line_bytes + entry.size_bytes > MAX_LINE_BYTES
            if full or self._closing:
                return False
            self._line.append(entry)
            self._line_bytes += entry.size_bytes
            if len(self._line) >= GROUP:
                self._urgent.set()
        self._wake.set()
        return True

    def _run(self) -> None:
        try:
            while not self._is_done():
                self._wake.wait()
                self._urgent.wait(GATHER_S)
                self._urgent.clear()
                self._wake.clear()
                self._write_line()
        finally:
            self._closing = True
            self.memory.close()

    def _write_line(self) -> None:
        """Writes what waits; what comes meanwhile is gathered anew where it is little: commits cost most."""
        while entries := self._take():
            self._write(entries)
            if len(self._line) < GROUP:
                break
        if self._line:
            self._wake.set()

    def _is_done(self) -> bool:
        with self._lock:
            return self._closing and not self._line

    def _take(self) -> list[_Entry]:
        with self._lock:
            entries = [self._line.popleft() for _ in range(min(GROUP, len(self._line)))]
            self._line_bytes -= sum(entry.size_bytes for entry in entries)
        return entries

    def _write(self, entries: list[_Entry]) -> None:
        """One transaction; each entry's future is settled only after its commit."""
        contents = [entry.complete() for entry in entries]
        try:
            with self.memory.transaction() as connection:
                results = _apply(connection, contents, self.clock())
        except Failure as failure:
            self._fail(entries, failure)
            return
        for entry, result in zip(entries, results, strict=True):
            _settle(entry.done, result)

    def _fail(self, entries: list[_Entry], failure: Failure) -> None:
        """Nothing of these entries was acknowledged."""
        for entry in entries:
            if isinstance(entry.content, Feedback):
                _settle(entry.done, failure.refusal("feedback"))
            elif isinstance(entry.content, list):
                with self._lock:
                    self.unlogged += len(entry.content)


def _settle(done: "Future[Stored]", result: Stored | Refused | None) -> None:
    """Tells who waits, if anyone still does: a request that gave up has cancelled its future."""
    if result is None or not done.set_running_or_notify_cancel():
        return
    if isinstance(result, Refused):
        done.set_exception(result)
    else:
        done.set_result(result)


def _apply(
    connection: Connection, contents: list[list[Logged] | Feedback | Requests], now: float
) -> list[Stored | Refused | None]:
    """In order, answers that follow each other by one statement: a server is asked once for them, not for each."""
    results: list[Stored | Refused | None] = []
    rows: list[tuple[str | float | None, ...]] = []
    for content in contents:
        if isinstance(content, Feedback):
            _insert(connection, rows)
            rows = []
            results.append(_apply_feedback(connection, content, now))
        elif isinstance(content, Requests):
            connection.execute("insert into requests (at, answered, refused, failed) values (?, ?, ?, ?)", content)
            results.append(None)
        else:
            rows += map(_columns, content)
            results.append(None)
    _insert(connection, rows)
    return results


def insert(connection: Connection, answers: Iterable[Logged]) -> None:
    """Writes the answers, in the transaction of the caller. Raises: Failure."""
    _insert(connection, [*map(_columns, answers)])


def _insert(connection: Connection, rows: list[tuple[str | float | None, ...]]) -> None:
    if rows:
        values = ", ".join("?" * len(COLUMNS))
        connection.executemany(f"insert into answers ({', '.join(COLUMNS)}) values ({values})", rows)


def _columns(answer: Logged) -> tuple[str | float | None, ...]:
    """A writer's text may hold NUL, which PostgreSQL has no place for; JSON escapes it."""
    inputs = None if answer.inputs is None else as_text(answer.inputs)
    value = answer.value.replace("\0", "\ufffd") if "\0" in answer.value else answer.value
    return (*answer[:3], value, *answer[4:6], inputs, *answer[7:])


def _apply_feedback(connection: Connection, feedback: Feedback, now: float) -> Stored | Refused:
    """Adds a row, unless this very feedback is the latest of its answer or came under the same key."""
    if "\0" in feedback.correct or "\0" in (feedback.note or ""):
        return Refused("data_error", "feedback holds a NUL character, expected text", "leave it out")
    query = "select value, release, inputs is not null, caller from answers where id = ?"
    found = [] if "\0" in feedback.id else connection.execute(query, (feedback.id,))
    if not found:
        return Refused("unknown_answer", f"answer '{feedback.id}' is not in the log, expected the id of an answer")
    value, release, is_kept, asked_by = found[0]
    try:
        correct = feedback.settled(value, feedback.correct) if feedback.correct else ""
    except DataError as error:  # what was said does not fit what was answered
        return Refused("data_error", error.message, error.hint)
    right = bool(correct) and feedback.is_right(value, correct)
    if feedback.right is not None:
        correct, right = (value if feedback.right else ""), feedback.right
    said = (feedback.id, correct, feedback.note)
    if feedback.key:
        key = f"client:{feedback.caller}:{feedback.key}"
        before = connection.execute("select id, correct, note, at from feedback where key = ?", (key,))
        if before and before[0][:3] != said:
            return Refused("key_reused", "Idempotency-Key was used for other feedback, expected a new one")
    else:
        count = connection.execute("select count(*) from feedback where id = ?", (feedback.id,))[0][0]
        key = f"auto:{feedback.id}:{count}"
        before = connection.execute(
            "select id, correct, note, at from feedback where id = ? order by number desc limit 1", (feedback.id,)
        )
    if before and before[0][:3] == said:
        return Stored(feedback.id, correct, before[0][3], right, False, release, bool(is_kept), asked_by)
    connection.execute(
        "insert into feedback (key, id, correct, note, at, caller) values (?, ?, ?, ?, ?, ?)",
        (key, *said, now, feedback.caller),
    )
    return Stored(feedback.id, correct, now, right, True, release, bool(is_kept), asked_by)


def feedback_count(place: Database | Path | str, release: str) -> int:
    """How often feedback on answers of this release was given. Raises: DataError: the log cannot be read."""
    query = "select count(*) as n from feedback f join answers a on a.id = f.id where a.release = ?"
    return next((int(row["n"]) for row in read(place, TABLES, query, (release,))), 0)


def feedback_total(place: Database | Path | str) -> int:
    """How often feedback was given, on any answer. Raises: DataError: the log cannot be read."""
    return next((int(row["n"]) for row in read(place, TABLES, "select count(*) as n from feedback")), 0)


def feedback_rows(place: Database | Path | str, of: Sequence[str] = (), most: int = 2**62) -> Iterator[Json]:
    """The last feedback, oldest first, each with the answer that it is about; nothing when there is no log.

    of: releases whose answers are meant; none given: all. most: so much feedback.
    Keys: id, correct (empty: wrong, nobody said what would have been right), note, at, caller (who said it), release,
    value, confidence, inputs (the row, or None when it was not kept). An answer that was corrected twice has two rows:
    the later one counts. Raises: DataError: the log cannot be read.
    """
    chosen = f"where a.release in ({', '.join('?' * len(of))}) " if of else ""
    query = (
        "select f.id, f.correct, f.note, f.at, f.caller, a.release, a.value, a.confidence, a.inputs, f.number "
        f"from feedback f join answers a on a.id = f.id {chosen}order by f.number desc limit ?"
    )
    query = f"select * from ({query}) as latest order by number"
    for row in read(place, TABLES, query, (*of, most)):
        del row["number"]
        yield _with_inputs(row)


def feedback_after(place: Database | Path | str, number: int) -> Iterator[Json]:
    """Feedback that came after the one of this number, in order, with what had been asked where it was kept: number,
    id, correct, inputs. Raises: DataError: the log cannot be read."""
    query = (
        "select f.number, f.id, f.correct, a.inputs from feedback f join answers a on a.id = f.id "
        "where f.number > ? order by f.number"
    )
    yield from map(_with_inputs, read(place, TABLES, query, (number,)))


def feedback_counts(place: Database | Path | str) -> Iterator[Json]:
    """The last word on each answer, without what was asked: id, release, value, correct. Raises: DataError."""
    query = (
        "select a.id, a.release, a.value, f.correct from feedback f join answers a on a.id = f.id "
        "where f.number = (select max(number) from feedback where id = f.id) order by f.number"
    )
    yield from read(place, TABLES, query)


def latest_inputs(place: Database | Path | str, most: int) -> list[Row]:
    """What was asked last, where it was kept, newest first. Raises: DataError: the log cannot be read."""
    query = "select inputs from answers where inputs is not null order by at desc limit ?"
    return [_with_inputs(row)["inputs"] for row in read(place, TABLES, query, (most,))]


def latest_without_feedback(place: Database | Path | str, most: int) -> Iterator[Json]:
    """The last answers whose inputs were kept and of which nobody spoke, newest first. Raises: DataError: the log."""
    query = (
        f"select {', '.join(COLUMNS)} from answers where inputs is not null "
        "and not exists (select 1 from feedback where feedback.id = answers.id) order by at desc limit ?"
    )
    yield from map(_with_inputs, read(place, TABLES, query, (most,)))


def answer_rows(place: Database | Path | str, since: float = 0.0) -> Iterator[Json]:
    """The answers given at or after `since` (seconds since 1970), in order of time; nothing when there is no log.

    Raises: DataError: the log cannot be read.
    """
    query = f"select {', '.join(COLUMNS)} from answers where at >= ? order by at"
    yield from map(_with_inputs, read(place, TABLES, query, (since,)))


def _with_inputs(row: Json) -> Json:
    return row if row["inputs"] is None else {**row, "inputs": json.loads(row["inputs"])}
