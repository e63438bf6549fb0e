"""The service's memory by URL: request log, feedback, preferences, keys, jobs; in a SQLite file or in PostgreSQL."""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from windlass.database.backend import Connection, Database, Failure, Schema
from windlass.database.postgres import Postgres
from windlass.database.sqlite import Sqlite
from windlass.errors import DataError, SpecError

logger = logging.getLogger("windlass.database")
MAX_PAUSE_S = 2.0
"""Between two tries of a server that is away; it doubles from the engine's `pause_s`."""


class Memory:
    """One writing connection, shared by threads and made anew when it was lost. fault: why nothing can be written now.

    After a failed fsync nothing is written any more: what the disk holds is unknown then.
    """

    def __init__(self, place: Database | Path | str, *schemas: Schema) -> None:
        self.database = database_at(place)
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
        if not self.fault:
            logger.warning("the database fails (%s)", failure.reason, exc_info=failure)
        self.fault = str(failure)
        self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def database_at(place: Database | Path | str) -> Database:
    """The database at a path (SQLite), or at a URL: `sqlite:///path`, `postgresql://user@host/name`.

    Raises: SpecError: another URL; it is not repeated, since it may hold a password. NotReady: psycopg is missing.
    """
    if isinstance(place, Database):
        return place
    if isinstance(place, Path):
        return Sqlite(place)
    scheme, _, rest = place.partition("://")
    if scheme in ("postgresql", "postgres"):
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
    found = database_at(place)
    if not found.exists():
        return
    connection: Connection | None = None
    try:
        connection = found.connect(schema)
        yield from connection.stream(query, values)
    except Failure as failure:
        hint = failure.hint or "move it away to begin anew"
        raise DataError(f"{found.where} cannot be read ({failure}), expected {schema.name}", hint) from None
    finally:
        if connection is not None:
            connection.close()
