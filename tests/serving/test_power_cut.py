"""A power cut, simulated: what was acknowledged is on disk, though all that was not flushed is gone.

Under SQLite lies a file system (an APSW VFS) that remembers what each file held at its last flush; a cut leaves just
that. APSW has no shared memory for the WAL, so one connection holds the file, as the writing one does here.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from windlass.database.backend import Connection, Schema
from windlass.database.request_log import Feedback, Logged, RequestLog
from windlass.database.sqlite import Sqlite, _keep_safe

apsw = pytest.importorskip("apsw", reason="apsw is not installed: pip install apsw")
CUTS, KEYS = 300, 240


class Disk(apsw.VFS):
    """The files of a machine. flushed: what a cut leaves; cuts: that, and how many were told, at each write."""

    def __init__(self, name: str) -> None:
        super().__init__(name, base="")
        self.flushed: dict[str, bytes] = {}
        self.cuts: list[tuple[dict[str, bytes], int]] = []
        self.told: list[str] = []

    def xOpen(self, name: Any, flags: list[int]) -> Any:
        return File(self, name, flags)

    def xDelete(self, name: str, sync_folder: bool) -> None:
        super().xDelete(name, sync_folder)
        self.flushed.pop(Path(name).name, None)


class File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self.disk = disk
        self.name = Path(name.filename() if isinstance(name, apsw.URIFilename) else name).name
        if self.name not in disk.flushed and self.xFileSize():
            disk.flushed[self.name] = self.xRead(self.xFileSize(), 0)

    def xWrite(self, data: bytes, offset: int) -> None:
        self.disk.cuts.append((dict(self.disk.flushed), len(self.disk.told)))
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        self.disk.flushed[self.name] = self.xRead(self.xFileSize(), 0)


class Driven:
    """An APSW connection with the few methods of sqlite3's that ours uses. synchronous: `full`, or the control's."""

    def __init__(self, path: Path, disk: str, synchronous: str) -> None:
        self.connection = apsw.Connection(str(path), vfs=disk)
        self.synchronous = synchronous
        self.executemany = self.connection.executemany
        self.close = self.connection.close
        self.connection.execute("pragma locking_mode = exclusive")

    def execute(self, query: str, values: Any = ()) -> Any:
        return self.connection.execute(query.replace("= full", f"= {self.synchronous}"), values or None)

    @property
    def in_transaction(self) -> bool:
        return self.connection.in_transaction


class OnDisk(Sqlite):
    def __init__(self, path: Path, disk: str, synchronous: str) -> None:
        super().__init__(path)
        self.how = (disk, synchronous)

    def connect(self, *schemas: Schema) -> Connection:
        connection: Any = super().connect()
        connection._connection.close()
        connection._connection = Driven(self.path, *self.how)
        _keep_safe(connection._connection, self.busy_s)
        connection.prepare(schemas)
        return connection


def cuts_while_writing(path: Path, synchronous: str) -> list[tuple[dict[str, bytes], list[str]]]:
    """Feedback is written one by one; CUTS moments of it, each with what was flushed and the keys that were told."""
    disk = Disk(f"{path.name}-{synchronous}")
    with RequestLog(OnDisk(path / "log.sqlite", f"{path.name}-{synchronous}", synchronous)) as log:
        log.record([Logged("1", 1_000.0, "toy-1", "card", 0.9, 1.0, None)], 128)
        for number in range(KEYS):
            log.feedback(Feedback("1", "refund", None, f"k{number}")).result(60)
            disk.told.append(f"client::k{number}")
        cuts = list(disk.cuts)
    disk.unregister()
    chosen = [cuts[round(place * (len(cuts) - 1) / (CUTS - 1))] for place in range(CUTS)]
    return [(files, disk.told[:told]) for files, told in chosen]


def lost(folder: Path, files: dict[str, bytes], told: list[str]) -> set[str]:
    """The keys that were told and are not there when the machine is on again; what is there is there once."""
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    with closing(sqlite3.connect(folder / "log.sqlite")) as connection:
        connection.execute("pragma synchronous = off")  # the test's own reading need not wait for the disk
        is_made = connection.execute("select count(*) from sqlite_master where name = 'feedback'").fetchone()[0]
        keys = [key for (key,) in connection.execute("select key from feedback")] if is_made else []
    assert len(keys) == len(set(keys))
    return set(told) - set(keys)


def machines_that_lost(tmp_path: Path, synchronous: str) -> int:
    cuts = cuts_while_writing(tmp_path, synchronous)
    assert len(cuts) == CUTS
    return sum(bool(lost(tmp_path / str(number), *cut)) for number, cut in enumerate(cuts))


def test_three_hundred_power_cuts_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """0 of 300 bounds the rate of loss at 1 %."""
    assert machines_that_lost(tmp_path, "full") == 0


def test_a_log_that_is_not_flushed_at_each_commit_loses_rows(tmp_path: Path) -> None:
    """Control: `synchronous = normal`, which survives every kill -9."""
    assert machines_that_lost(tmp_path, "normal") > CUTS // 2
