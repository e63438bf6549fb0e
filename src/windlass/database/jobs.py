"""Batch jobs as the database holds them: rows in parts, each answered once, whoever takes it and however often it dies.

A part is leased to one process for a while. What it is answered is written in one transaction with its lease; a lease
that ran out gives the part to another one. The rows of a part are deleted with the same commit that writes its answers.
"""

import json
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from windlass.database.backend import Connection, Database, Schema, as_text
from windlass.database.connection import Memory, database_at
from windlass.database.request_log import TABLES, Logged, insert
from windlass.database.sqlite import Sqlite
from windlass.durations import DAY_S
from windlass.errors import Refused
from windlass.records import Json, Row

PART = 64
"""Rows of a part."""
MOST_UNFINISHED = 4
"""Jobs of one key that are not done."""
MOST_TRIES = 3
"""A part that was taken so often and never answered is not tried again: it may be what its takers died of."""
KEEP_DAYS, LEASE_S = 7.0, 20.0
JOBS = Schema(
    "jobs",
    (
        """
create table if not exists jobs (
  id text primary key, caller text not null, key text unique, created double precision not null,
  finished double precision, n_rows bigint not null, n_done bigint not null, n_refused bigint not null);
create table if not exists job_parts (
  job text not null, number bigint not null, rows text, result text, lease double precision not null,
  holder text not null, tries bigint not null, primary key (job, number));
create index if not exists job_parts_open on job_parts (job, number) where result is null
""",
    ),
)
COLUMNS = "id, caller, created, finished, n_rows, n_done, n_refused"


@dataclass(frozen=True)
class Job:
    """A job as it is kept. caller: id of the key that made it, empty without one. Times: seconds since 1970, UTC.

    is_new: it was made just now; what was found has it False.
    """

    id: str
    caller: str
    created: float
    finished: float | None
    n_rows: int
    n_done: int
    n_refused: int
    is_new: bool = False

    def as_json(self) -> Json:
        state = "done" if self.finished is not None else "running" if self.n_done else "waiting"
        return {
            "id": self.id,
            "state": state,
            "rows": self.n_rows,
            "done": self.n_done,
            "refused": self.n_refused,
            "created": self.created,
            "finished": self.finished,
        }


@dataclass(frozen=True)
class Part:
    """Rows of a job to be answered. number: from 0. rows: each a row, or why it is none. first: the first one's number.

    is_poison: whoever took it died, again and again.
    """

    job: str
    caller: str
    number: int
    rows: list[Row | str]
    holder: str
    is_poison: bool = False

    @property
    def first(self) -> int:
        return self.number * PART


@dataclass(frozen=True)
class Done:
    """A part that was answered. lines: one a row. logged: the answers, so that feedback finds them."""

    lines: list[Json]
    n_refused: int
    logged: list[Logged]


class Jobs:
    """Reads and writes the jobs. To be used outside of an event loop; raises Failure as its database does."""

    def __init__(
        self,
        place: Database | Any,
        keep_days: float = KEEP_DAYS,
        lease_s: float = LEASE_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.database = database_at(place)
        self.keep_days, self.lease_s, self.clock = keep_days, lease_s, clock
        self._memory = Memory(place, TABLES, JOBS)

    def close(self) -> None:
        self._memory.close()

    def add(self, caller: str, key: str, rows: Sequence[Row | str]) -> Job:
        """A new job, on disk; the one that this caller made under the same key, if there is one.

        Raises: Refused: that one has another number of rows, or too many of this caller are not done. Failure.
        """
        job = Job(secrets.token_hex(12), caller, self.clock(), None, len(rows), 0, 0, is_new=True)
        name = f"{caller}:{key}" if key else None
        with self._memory.transaction() as connection:
            if name is not None and (found := _found(connection, "key = ?", name)):
                if found[0].n_rows != len(rows):
                    raise Refused("key_reused", "Idempotency-Key was used for other rows, expected a new one")
                return found[0]
            if len(_found(connection, "caller = ? and finished is null", caller)) >= MOST_UNFINISHED:
                raise _too_many()
            connection.execute(
                "insert into jobs (id, caller, key, created, finished, n_rows, n_done, n_refused) "
                "values (?, ?, ?, ?, null, ?, 0, 0)",
                (job.id, caller, name, job.created, job.n_rows),
            )
            parts = [rows[start : start + PART] for start in range(0, len(rows), PART)]
            connection.executemany(
                "insert into job_parts (job, number, rows, result, lease, holder, tries) "
                "values (?, ?, ?, null, 0, '', 0)",
                [(job.id, number, as_text(list(part))) for number, part in enumerate(parts)],
            )
        return job

    def get(self, id: str, caller: str | None) -> Job:
        """The job of this id. caller: whose it must be; None: anybody's. Raises: Refused: unknown; Failure."""
        with closing(self.database.connect(TABLES, JOBS)) as connection:
            return _own(connection, id, caller)

    def result(self, id: str, caller: str | None) -> Iterator[bytes]:
        """The answers of a job that is done, a part at a time. Raises: Refused: unknown, or not done; Failure."""
        with closing(self.database.connect(TABLES, JOBS)) as connection:
            job = _own(connection, id, caller)
            if job.finished is None:
                raise Refused(
                    "job_unfinished",
                    f"job has {job.n_done:,} of {job.n_rows:,} rows done, expected all",
                    "ask for it later",
                )
            query = "select result from job_parts where job = ? order by number"
            for row in connection.stream(query, (id,)):
                yield row["result"].encode("utf-8")

    def delete(self, id: str, caller: str | None) -> None:
        """Forgets the job with its rows and its result. Raises: Refused: unknown; Failure."""
        with self._writing() as connection:
            _own(connection, id, caller)
            _delete(connection, id)

    def delete_older(self) -> None:
        """Forgets what was made more than `keep_days` ago. Raises: Failure."""
        if not self.database.exists():
            return
        with self._writing() as connection:
            for job in _found(connection, "created < ?", self.clock() - self.keep_days * DAY_S):
                _delete(connection, job.id)

    def take(self) -> Part | None:
        """A part to answer, leased; nothing when there is none. Jobs that began first come first. Raises: Failure."""
        if not self.database.exists():
            return None
        query = (
            "select p.job, j.caller, p.number, p.rows, p.tries from job_parts p join jobs j on j.id = p.job "
            "where p.result is null and p.lease < ? order by j.created, p.job, p.number limit 1"
        )
        with self._memory.transaction() as connection:
            found = connection.execute(query, (self.clock(),))
            if not found:
                return None
            job, caller, number, rows, tries = found[0]
            part = Part(job, caller, number, json.loads(rows), secrets.token_hex(6), tries >= MOST_TRIES)
            connection.execute(
                "update job_parts set lease = ?, holder = ?, tries = tries + 1 where job = ? and number = ?",
                (self.clock() + self.lease_s, part.holder, job, number),
            )
        return part

    def hold(self, part: Part, lease_s: float | None = None) -> None:
        """Renews the lease; one of 0 s gives the part back, as if it had not been taken. Raises: Failure."""
        until = self.clock() + (self.lease_s if lease_s is None else lease_s)
        with self._memory.transaction() as connection:
            connection.execute(
                "update job_parts set lease = ?, tries = tries - ? where job = ? and number = ? and holder = ?",
                (until, int(lease_s == 0), part.job, part.number, part.holder),
            )

    def finish(self, part: Part, done: Done) -> bool:
        """Writes the answers of a part; False when another one did, or the job is gone. Raises: Failure."""
        text = "".join(as_text(line) + "\n" for line in done.lines)
        with self._writing() as connection:
            if not connection.execute(
                "update job_parts set result = ?, rows = null where job = ? and number = ? and result is null "
                "and holder = ? returning number",
                (text, part.job, part.number, part.holder),
            ):
                return False
            connection.execute(
                "update jobs set n_done = n_done + ?, n_refused = n_refused + ? where id = ?",
                (len(done.lines), done.n_refused, part.job),
            )
            connection.execute(
                "update jobs set finished = ? where id = ? and n_done = n_rows", (self.clock(), part.job)
            )
            insert(connection, done.logged)
        return True

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """A transaction in which SQLite overwrites what is deleted."""
        with self._memory.transaction() as connection:
            if isinstance(self.database, Sqlite):
                connection.execute("pragma secure_delete = on")
            yield connection


def _own(connection: Connection, id: str, caller: str | None) -> Job:
    found = _found(connection, "id = ?", id)
    if not found or caller not in (None, found[0].caller):
        raise Refused("unknown_job", "job is not known, expected the id of one that this key made")
    return found[0]


def _found(connection: Connection, condition: str, value: str | float) -> list[Job]:
    return [Job(*row) for row in connection.execute(f"select {COLUMNS} from jobs where {condition}", (value,))]


def _delete(connection: Connection, id: str) -> None:
    connection.execute("delete from job_parts where job = ?", (id,))
    connection.execute("delete from jobs where id = ?", (id,))


def _too_many() -> Refused:
    return Refused(
        "too_many_jobs",
        f"key has {MOST_UNFINISHED} jobs that are not done, expected fewer",
        "wait until one is done, or delete one",
        retry_after_s=10,
    )
