"""The service's memory by URL: request log, feedback, preferences, keys, jobs; in a SQLite file or in PostgreSQL.

Statements are written once, in what both understand: `?` for values, `{serial}` for a key that counts up,
`double precision` for numbers and `bigint` for whole ones over 2^31 (`real` and `integer` have 32 bits in PostgreSQL),
integer 0 and 1 for truth, no NUL in a text.
A transaction is the only one that writes, in either engine and among all processes: what it reads stays true until
its commit, and what was committed is on disk.
"""

import errno
import sqlite3
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal

from windlass.errors import DataError, SpecError
from windlass.serving.faults import Fault

Reason = Literal["full", "lost", "fsync", "busy", "conflict", "other"]
BUSY_S = 5.0
"""Seconds that a transaction waits for another one to end."""
MAX_PAUSE_S = 2.0
FSYNC_FAILED = frozenset({sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC})
VERSIONS = "create table if not exists windlass_schema (name text primary key, version integer not null)"


class Failure(Exception):
    """The database did not do it, and nothing of the transaction was acknowledged.

    reason: full: no space. lost: the file was removed or the server is away. fsync: the disk did not keep what was
    written. busy: another transaction did not end. conflict: a row with this key is there. other: the message.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason

    def refusal(self, what: str) -> Fault:
        """What the client is told: 507 when there is no space, else 503."""
        status, kind, first = HTTPStatus.SERVICE_UNAVAILABLE, "log_unavailable", "look at the server's database"
        if self.reason == "full":
            status, kind, first = HTTPStatus.INSUFFICIENT_STORAGE, "disk_full", "free some space"
        return Fault(
            status, kind, f"{what} cannot be written, expected a writable disk", f"{first}, then send it again"
        )


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
        """Begins a transaction when no other one writes; waits up to BUSY_S seconds for that."""

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
    """Where the memory is. where: for people, without a password. pause_s: until a lost server is asked again."""

    where: str
    pause_s: float = 0.0

    @abstractmethod
    def exists(self) -> bool:
        """False when nothing was ever written there."""

    @abstractmethod
    def connect(self, *schemas: Schema) -> Connection:
        """A new connection, its tables up to date; to be closed. Raises: Failure."""

    def __repr__(self) -> str:
        return self.where


class Sqlite(Database):
    """A file, in WAL, every commit flushed to disk. Several processes may write to it, one transaction at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.where = str(path)

    def exists(self) -> bool:
        return self.path.is_file()

    def connect(self, *schemas: Schema) -> Connection:
        with _translated():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = _SqliteConnection(self.path)
        try:
            connection.prepare(schemas)
        except BaseException:
            connection.close()
            raise
        return connection


class _SqliteConnection(Connection):
    serial = "integer primary key"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            _keep_safe(self._connection)
            self._inode = path.stat().st_ino
        except BaseException:
            self._connection.close()
            raise

    def execute(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with _translated():
            return self._connection.execute(query, values).fetchall()

    def executemany(self, query: str, rows: Sequence[Sequence[Any]]) -> None:
        with _translated():
            self._connection.executemany(query, rows)

    def stream(self, query: str, values: Sequence[Any] = ()) -> Iterator[dict[str, Any]]:
        with _translated():
            cursor = self._connection.execute(query, values)
            names = [column[0] for column in cursor.description]
        while rows := self._fetch(cursor):
            yield from (dict(zip(names, row, strict=True)) for row in rows)

    def _fetch(self, cursor: sqlite3.Cursor) -> list[Any]:
        with _translated():
            return cursor.fetchmany(1_000)

    def tables(self) -> set[str]:
        return {name for (name,) in self.execute("select name from sqlite_master where type = 'table'")}

    def begin(self) -> None:
        self.execute("begin immediate")

    def commit(self) -> None:
        self.execute("commit")
        if not self.is_current():
            raise Failure("lost", "the file was removed while it was written")

    def rollback(self) -> None:
        if self._connection.in_transaction:
            self.execute("rollback")

    def is_current(self) -> bool:
        try:
            return self.path.stat().st_ino == self._inode
        except OSError:
            return False

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self._connection.close()


def _keep_safe(connection: sqlite3.Connection) -> None:
    """WAL, each commit flushed; SQLite has no time-out while the mode changes, so what starts together waits here."""
    connection.execute("pragma synchronous = full")
    end = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
            return
        except sqlite3.OperationalError as error:
            if _sqlite_reason(error) != "busy" or time.monotonic() > end:
                raise
            time.sleep(0.01)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise Failure(_sqlite_reason(error), str(error)) from None


def _sqlite_reason(error: Exception) -> Reason:
    code = getattr(error, "sqlite_errorcode", 0)
    if code == sqlite3.SQLITE_FULL or getattr(error, "errno", None) == errno.ENOSPC:
        return "full"
    if code in FSYNC_FAILED:
        return "fsync"
    if code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "busy"
    if isinstance(error, sqlite3.IntegrityError):
        return "conflict"
    return "lost" if isinstance(error, FileNotFoundError) else "other"


class Memory:
    """One writing connection, shared by threads and made anew when it was lost. fault: why nothing can be written now.

    After a failed fsync nothing is written any more: what the disk holds is unknown then.
    """

    def __init__(self, place: "Database | Path | str", *schemas: Schema) -> None:
        self.database = database(place)
        self.fault = ""
        self._schemas = schemas
        self._connection: Connection | None = None
        self._lock = threading.RLock()
        self._is_final = False
        self._pause_s, self._not_before = 0.0, 0.0

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Commits what is done inside, or nothing of it; the one transaction that writes. Raises: Failure."""
        with self._lock:
            connection = self._begun()
            try:
                yield connection
                connection.commit()
            except Failure as failure:
                self._failed(failure)
                raise
            except BaseException:
                with suppress(Failure):
                    connection.rollback()
                raise
            self.fault = ""

    def close(self) -> None:
        with self._lock:
            self._disconnect()

    def _begun(self) -> Connection:
        """A connection in a transaction; a connection that was lost meanwhile is made anew, once."""
        if self._is_final:
            raise Failure("fsync", self.fault)
        try:
            if self._connection is not None and self._resumed(self._connection):
                return self._connection
            self._disconnect()
            self._connection = self._connect()
            self._connection.begin()
        except Failure as failure:
            self._failed(failure)
            raise
        return self._connection

    def _resumed(self, connection: Connection) -> bool:
        """True when the connection began a transaction, false when it was lost meanwhile."""
        try:
            if connection.is_current():
                connection.begin()
                return True
        except Failure as failure:
            if failure.reason != "lost":
                raise
        return False

    def _connect(self) -> Connection:
        if time.monotonic() < self._not_before:
            raise Failure("lost", self.fault)
        try:
            connection = self.database.connect(*self._schemas)
        except Failure:
            self._pause_s = min(max(2 * self._pause_s, self.database.pause_s), MAX_PAUSE_S)
            self._not_before = time.monotonic() + self._pause_s
            raise
        self._pause_s = 0.0
        return connection

    def _failed(self, failure: Failure) -> None:
        """The next transaction tries again, except after a failed fsync."""
        if failure.reason == "conflict" and self._connection is not None:
            with suppress(Failure):
                self._connection.rollback()
                return
        self._is_final = self._is_final or failure.reason == "fsync"
        self.fault = str(failure)
        self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def database(place: Database | Path | str) -> Database:
    """The database at a path (SQLite), or at a URL: `sqlite:///path`, `postgresql://user@host/name`.

    Raises: SpecError: another URL; it is not repeated, since it may hold a password. NotReady: psycopg is missing.
    """
    if isinstance(place, Database):
        return place
    if isinstance(place, Path):
        return Sqlite(place)
    scheme, _, rest = place.partition("://")
    if scheme in ("postgresql", "postgres"):
        from windlass.serving.postgres import Postgres

        return Postgres(place)
    if scheme == "sqlite" and rest.startswith("/") and len(rest) > 1:
        return Sqlite(Path(rest[1:]))
    raise SpecError(
        "database is not a URL of SQLite or PostgreSQL, expected 'sqlite:///path' or 'postgresql://user@host/name'"
    )


def read(place: Database | Path | str, schema: Schema, query: str, values: Sequence[Any] = ()) -> Iterator[Any]:
    """The rows that a query gives, by the names of their columns; none when nothing was ever written there.

    Raises: DataError: it cannot be read.
    """
    found = database(place)
    if not found.exists():
        return
    connection: Connection | None = None
    try:
        connection = found.connect(schema)
        yield from connection.stream(query, values)
    except Failure as failure:
        raise DataError(
            f"{found.where} cannot be read ({failure}), expected {schema.name}", "move it away to begin anew"
        ) from None
    finally:
        if connection is not None:
            connection.close()
