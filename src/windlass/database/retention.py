"""What the service remembers of people is deleted: when it is old, and when somebody asks for it.

A row that is deleted is overwritten, too: SQLite would leave its bytes in the file and in the write-ahead log.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType

from windlass.database.backend import Connection, Database, Failure, Schema
from windlass.database.connection import database_at
from windlass.database.request_log import TABLES
from windlass.database.sqlite import Sqlite
from windlass.durations import DAY_S
from windlass.errors import DataError

logger = logging.getLogger("windlass.database")

EVERY_S = 3_600.0
BATCH = 500
"""Rows of one transaction, so that answers can be logged between two of them."""


def forget(place: Database | Path | str, ids: Sequence[str]) -> int:
    """Deletes these answers, what was asked and their feedback; gives how many answers. Raises: DataError."""
    return delete(place, lambda connection: _forget(connection, [id for id in ids if "\0" not in id]))


def delete_older(place: Database | Path | str, days: float, now: float | None = None) -> int:
    """The same for all answers that are older; gives how many. Raises: DataError."""
    before = (time.time() if now is None else now) - days * DAY_S
    return delete(place, lambda connection: _forget_before(connection, before))


class Retention:
    """Deletes what is older than so many days: now, and then every hour. fault: why the last time failed."""

    def __init__(self, place: Database | Path | str, days: float) -> None:
        self.fault = ""
        self._place, self._days = place, days
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="windlass-retention", daemon=True)

    def __enter__(self) -> "Retention":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                delete_older(self._place, self._days)
                self.fault = ""
            except DataError as error:
                if not self.fault:
                    logger.warning("what is older than `keep_days` cannot be deleted", exc_info=error)
                self.fault = error.message
            if self._stop.wait(EVERY_S):
                return


def delete(place: Database | Path | str, work: Callable[[Connection], int], *schemas: Schema) -> int:
    """What `work` gives, which deletes; nothing of that is left in the file. Raises: DataError."""
    found = database_at(place)
    if not found.exists():
        return 0
    try:
        with closing(found.connect(*(schemas or (TABLES,)))) as connection:
            if isinstance(found, Sqlite):
                connection.execute("pragma secure_delete = on")
            n_answers = work(connection)
            if isinstance(found, Sqlite):
                connection.execute("pragma wal_checkpoint(truncate)")
    except Failure as failure:
        raise DataError(f"{found.where} cannot be changed ({failure}), expected answers to forget") from None
    return n_answers


def _forget(connection: Connection, ids: Sequence[str]) -> int:
    n_answers = 0
    with connection.transaction():
        for id in ids:
            connection.execute("delete from feedback where id = ?", (id,))
            n_answers += len(connection.execute("delete from answers where id = ? returning id", (id,)))
    return n_answers


def _forget_before(connection: Connection, before: float) -> int:
    n_answers = 0
    query = f"select id from answers where at < ? order by at limit {BATCH}"
    while rows := connection.execute(query, (before,)):
        n_answers += _forget(connection, [id for (id,) in rows])
    return n_answers
