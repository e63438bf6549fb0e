"""What an engine of the service's memory keeps to, SQLite or PostgreSQL, and the tables that it keeps up to date.

Statements are written once, in what both understand: `?` for values, `{serial}` for a key that counts up,
`double precision` for numbers and `bigint` for whole ones over 2^31 (`real` and `integer` have 32 bits in PostgreSQL),
integer 0 and 1 for truth, no NUL in a text.
A transaction is the only one that writes, in either engine and among all processes: what it reads stays true until
its commit, and what was committed is on disk.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal

from windlass.errors import Refused

Reason = Literal["full", "lost", "fsync", "busy", "conflict", "read-only", "other"]
BUSY_S = 5.0
"""Seconds that a transaction waits for another one to end."""
VERSIONS = "create table if not exists windlass_schema (name text primary key, version integer not null)"

RETRY_AFTER_S = 1
"""Seconds after which what could not be written may be sent again."""


class Failure(Exception):
    """The database did not do it, and nothing of the transaction was acknowledged.

    reason: full: no space. lost: the file was removed or the server is away. fsync: the disk did not keep what was
    written. busy: another transaction did not end. conflict: a row with this key is there. read-only: the disk.
    other: the message.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason

    @property
    def hint(self) -> str:
        """What helps; empty where the reason does not say."""
        return {"full": "free some space", "read-only": "let the disk be written to", "busy": "try it again"}.get(
            self.reason, ""
        )

    def refusal(self, what: str) -> Refused:
        """What who asked is told."""
        kind, first, retry_after_s = "log_unavailable", "look at the server's database", RETRY_AFTER_S
        if self.reason == "full":
            kind, first, retry_after_s = "disk_full", "free some space", 0
        message = f"{what} cannot be written, expected a writable disk"
        return Refused(kind, message, f"{first}, then send it again", retry_after_s)


@dataclass(frozen=True)
class Schema:
    """The tables of one part. steps: statements parted by `;`, each step once and in order; only ever appended to.

    The first step says `if not exists`: files from before there were versions have its tables.
    """

    name: str
    steps: tuple[str, ...]


class Connection(ABC):
    """One connection, for one thread at a time. Every method raises Failure and nothing else of the engine's."""

    serial: str

    @abstractmethod
    def execute(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows that the statement gives; none for a statement that gives none."""

    @abstractmethod
    def executemany(self, query: str, rows: Sequence[Sequence[Any]]) -> None:
        """The statement for each of the rows."""

    @abstractmethod
    def stream(self, query: str, values: Sequence[Any] = ()) -> Iterator[dict[str, Any]]:
        """The rows by the names of their columns, a few in memory at a time."""

    @abstractmethod
    def tables(self) -> set[str]:
        """The names of all tables."""

    @abstractmethod
    def begin(self) -> None:
        """Begins a transaction when no other one writes; waits up to `Database.busy_s` for that."""

    @abstractmethod
    def commit(self) -> None:
        """What the transaction wrote is on disk when this returns."""

    @abstractmethod
    def rollback(self) -> None: ...

    @abstractmethod
    def is_current(self) -> bool:
        """False when the database is another one than was opened, or known to be gone."""

    @abstractmethod
    def close(self) -> None:
        """Never raises; what was not committed is undone."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commits what is done inside, or nothing of it."""
        self.begin()
        try:
            yield
            self.commit()
        except BaseException:
            with suppress(Failure):
                self.rollback()
            raise

    def prepare(self, schemas: Sequence[Schema]) -> None:
        """Brings the tables up to date, once among all processes that start together."""
        if self._are_current(schemas):
            return
        with self.transaction():
            self.execute(VERSIONS)
            for schema in schemas:
                self._bring(schema)

    def _are_current(self, schemas: Sequence[Schema]) -> bool:
        if "windlass_schema" not in self.tables():
            return False
        versions = dict(self.execute("select name, version from windlass_schema"))
        for schema in schemas:
            if versions.get(schema.name, 0) > len(schema.steps):
                raise Failure("other", f"its '{schema.name}' tables are of a newer Windlass, expected this version's")
        return all(versions.get(schema.name) == len(schema.steps) for schema in schemas)

    def _bring(self, schema: Schema) -> None:
        found = self.execute("select version from windlass_schema where name = ?", (schema.name,))
        version = found[0][0] if found else 0
        for step in schema.steps[version:]:
            for statement in filter(str.strip, step.split(";")):
                self.execute(statement.replace("{serial}", self.serial))
        if not found:
            self.execute("insert into windlass_schema (name, version) values (?, ?)", (schema.name, len(schema.steps)))
        elif version < len(schema.steps):
            self.execute("update windlass_schema set version = ? where name = ?", (len(schema.steps), schema.name))


class Database(ABC):
    """Where the memory is. where: for people, without a password. pause_s: until a lost server is asked again.

    busy_s: how long a transaction waits for another one to end.
    """

    where: str
    pause_s: float = 0.0
    busy_s: float = BUSY_S

    @abstractmethod
    def exists(self) -> bool:
        """False when nothing was ever written there."""

    @abstractmethod
    def connect(self, *schemas: Schema) -> Connection:
        """A new connection, its tables up to date; to be closed. Raises: Failure."""

    def __repr__(self) -> str:
        return self.where


def as_text(value: Any) -> str:
    """A value as compact JSON, as it is kept. Raises: ValueError: a number is not finite."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
