"""The service's memory in a SQLite file: for one machine, with as many processes as it has."""

import errno
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from windlass.database.backend import Connection, Database, Failure, Reason, Schema

FSYNC_FAILED = frozenset({sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC})


class Sqlite(Database):
    """A file, in WAL, every commit flushed to disk. Several processes may write to it, one transaction at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.where = str(path)

    def exists(self) -> bool:
        return self.path.is_file()

    def connect(self, *schemas: Schema) -> Connection:
        with _translated(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = _SqliteConnection(self.path, self.busy_s)
        try:
            connection.prepare(schemas)
        except BaseException:
            connection.close()
            raise
        return connection


class _SqliteConnection(Connection):
    serial = "integer primary key"

    def __init__(self, path: Path, busy_s: float) -> None:
        self.path = path
        self._connection = sqlite3.connect(path, timeout=busy_s, isolation_level=None, check_same_thread=False)
        try:
            _keep_safe(self._connection, busy_s)
            self._inode = path.stat().st_ino
        except BaseException:
            self._connection.close()
            raise

    def execute(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with _translated(self.path):
            return self._connection.execute(query, values).fetchall()

    def executemany(self, query: str, rows: Sequence[Sequence[Any]]) -> None:
        with _translated(self.path):
            self._connection.executemany(query, rows)

    def stream(self, query: str, values: Sequence[Any] = ()) -> Iterator[dict[str, Any]]:
        with _translated(self.path):
            cursor = self._connection.execute(query, values)
            names = [column[0] for column in cursor.description]
        while rows := self._fetch(cursor):
            yield from (dict(zip(names, row, strict=True)) for row in rows)

    def _fetch(self, cursor: sqlite3.Cursor) -> list[Any]:
        with _translated(self.path):
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


def _keep_safe(connection: sqlite3.Connection, busy_s: float) -> None:
    """WAL, each commit flushed; SQLite has no time-out while the mode changes, so what starts together waits here."""
    connection.execute("pragma synchronous = full")
    end = time.monotonic() + busy_s
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
            return
        except sqlite3.OperationalError as error:
            if _reason(error) != "busy" or time.monotonic() > end:
                raise
            time.sleep(0.01)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        reason = _reason(error)
        if reason in ("full", "other") and (disk := _blocked(path)):
            raise Failure(*disk) from None
        raise Failure(reason, str(error)) from None


def _blocked(path: Path) -> tuple[Reason, str] | None:
    """Why nothing can be written at that place, where SQLite only says that it cannot open or read the file."""
    with suppress(OSError):
        disk = os.statvfs(path.parent)
        if disk.f_flag & os.ST_RDONLY:
            return "read-only", "read-only file system"
        if not disk.f_bavail:
            return "full", "no space left on device"
    return None


def _reason(error: Exception) -> Reason:
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
