"""What a person prefers, in SQLite: one writer, acknowledged after the commit, each key stored once.

Rows are only added; of a pair that was judged again the latest counts.
"""

import errno
import random
import sqlite3
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal, NamedTuple

from windlass.errors import DataError
from windlass.records import Json
from windlass.serving.faults import Fault
from windlass.serving.log import FSYNC_FAILED

Choice = Literal["first", "second", "tie"]
TABLE = """
create table if not exists preferences (
  number integer primary key, key text not null unique, pair text not null, choice text not null, at real not null)
"""


@dataclass(frozen=True)
class Pair:
    """Two answers to one request. asked: as a person reads it; prompt: as a learner does, a text or messages."""

    id: str
    asked: str
    first: str
    second: str
    prompt: Any = None


class Preference(NamedTuple):
    """What was chosen of a pair. key: the client's, which stores it once."""

    key: str
    pair: str
    choice: Choice


class Preferences:
    """The writing end. `fault` says why nothing can be written any more; empty when all is well."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fault = ""
        self._connection: sqlite3.Connection | None = None
        self._thread = ThreadPoolExecutor(1, "windlass-preferences")

    def store(self, preference: Preference) -> "Future[bool]":
        """Done when it is on disk: true when it is new, false when it was there; it may hold a Fault 409, 503, 507."""
        return self._thread.submit(self._store, preference)

    def close(self) -> None:
        """Writes what waits, then ends."""
        self._thread.submit(self._disconnect)
        self._thread.shutdown()

    def _store(self, preference: Preference) -> bool:
        if self.fault:
            raise _cannot_write(HTTPStatus.SERVICE_UNAVAILABLE, "log_unavailable")
        try:
            connection = self._connected()
            connection.execute("begin immediate")
            before = connection.execute(
                "select pair, choice from preferences where key = ?", (preference.key,)
            ).fetchone()
            if before is None:
                connection.execute(
                    "insert into preferences (key, pair, choice, at) values (?, ?, ?, ?)", (*preference, time.time())
                )
            connection.execute("commit")
        except (sqlite3.Error, OSError) as error:
            raise self._failed(error) from None
        if before is not None and before != preference[1:]:
            raise Fault(HTTPStatus.CONFLICT, "key_reused", "Idempotency-Key was used for another, expected a new one")
        return before is None

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self.path, timeout=5, isolation_level=None)
            self._connection.execute("pragma journal_mode = wal")
            self._connection.execute("pragma synchronous = full")
            self._connection.execute(TABLE)
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _failed(self, error: Exception) -> Fault:
        """Nothing of it is on disk. The next write tries again, except after a failed fsync."""
        code = getattr(error, "sqlite_errorcode", None)
        if code in FSYNC_FAILED:
            self.fault = str(error)
        self._disconnect()
        if code == sqlite3.SQLITE_FULL or getattr(error, "errno", None) == errno.ENOSPC:
            return _cannot_write(HTTPStatus.INSUFFICIENT_STORAGE, "disk_full")
        return _cannot_write(HTTPStatus.SERVICE_UNAVAILABLE, "log_unavailable")


def _cannot_write(status: HTTPStatus, kind: str) -> Fault:
    return Fault(
        status, kind, "preference cannot be written, expected a writable disk", "mend that, then send it again"
    )


def chosen(path: Path) -> dict[str, Choice]:
    """Pair -> what was chosen last; nothing when there is no file. Raises: DataError: it is damaged."""
    if not path.is_file():
        return {}
    try:
        with closing(sqlite3.connect(path, timeout=5)) as connection:
            connection.execute(TABLE)  # a kill may have come between the file and its table
            return dict(connection.execute("select pair, choice from preferences order by number"))
    except sqlite3.Error as error:
        raise DataError(
            f"{path} cannot be read ({error}), expected preferences", "move it away to begin anew"
        ) from None


def first_is_left(pair: str, seed: int) -> bool:
    """On which side the first answer of a pair stands: by chance, the same each time for one seed."""
    return random.Random(f"{seed}:{pair}").random() < 0.5


def training_rows(pairs: Sequence[Pair], choices: Mapping[str, Choice]) -> list[Json]:
    """Rows for preference training (DPO): prompt, chosen, rejected; ties have none."""
    rows = []
    for pair in pairs:
        choice = choices.get(pair.id)
        if choice == "first":
            rows.append({"prompt": pair.prompt, "chosen": pair.first, "rejected": pair.second})
        elif choice == "second":
            rows.append({"prompt": pair.prompt, "chosen": pair.second, "rejected": pair.first})
    return rows
