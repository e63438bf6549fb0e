"""Nearest passages by PostgreSQL with pgvector, where several machines share what one has outgrown.

The artifact keeps the vectors themselves: they are what is hashed, and what found passages are weighed by. A table's
name is the digest of them, so that each release has its own, a rollback finds the older one, and another encoder is
another table.
Source: pgvector, https://github.com/pgvector/pgvector (PostgreSQL licence).
"""

import logging
import re
import threading
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np

from windlass.database.backend import Connection, Database, Failure
from windlass.errors import DataError, NotReady
from windlass.predictors.passages.scores import best_of

VARIABLE = "WINDLASS_VECTORS"
"""Of the environment: the URL of the PostgreSQL that holds vectors."""
PREFIX = "windlass_vectors_"
DIGEST = re.compile(r"[0-9a-f]{16}\Z")
N_PROBES, N_PROBED, LEAST_RECALL = 20, 10, 0.95
AT_ONCE = 500
LEAST_LOOKED = 100
"""Of `hnsw.ef_search`: 40 is pgvector's own, at which .9 of the nearest are found."""
logger = logging.getLogger("windlass.predictors")


@dataclass(frozen=True)
class Found:
    """keys: (<= n,) places of passages, as usearch names them."""

    keys: np.ndarray


class _Held:
    """A connection that is closed when the release that holds it is let go of, or its thread ends."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def __del__(self) -> None:
        self.connection.close()


@dataclass(frozen=True)
class Outside:
    """Stands where usearch's graph does. rows: (n, D), which answer where the server does not: slower, and the same."""

    database: Database
    table: str
    rows: np.ndarray
    threads: threading.local = field(default_factory=threading.local)

    def __len__(self) -> int:
        return len(self.rows)

    def search(self, asked: np.ndarray, n: int) -> Found:
        """The n nearest to a vector (D,)."""
        try:
            return Found(self.asked(asked, n))
        except Failure:
            logger.warning("vectors at %s cannot be asked: all are weighed here", self.database.where, exc_info=True)
            self.threads.held = None
            return Found(best_of(np.arange(len(self.rows)), self.rows @ asked, n))

    def asked(self, asked: np.ndarray, n: int) -> np.ndarray:
        """(<= n,) int64, as the server gives them. Raises: Failure."""
        query = f"select place from {self.table} order by near <#> ?::vector limit ?"
        rows = self._connection().execute(query, (_text(asked), n))
        return np.array([place for (place,) in rows], np.int64)

    def _connection(self) -> Connection:
        """This thread's own."""
        held: _Held | None = getattr(self.threads, "held", None)
        if held is None or not held.connection.is_current():
            held = self.threads.held = _Held(self.database.connect())
            held.connection.execute(f"set hnsw.ef_search = {LEAST_LOOKED}")
        return held.connection


def open_outside(database: Database, digest: str, rows: np.ndarray) -> Outside:
    """The table of these vectors, filled where it is not there, and proven: of 20 of them it gives the nearest that
    exact search gives.

    Args:   digest: of the file of vectors, 16 hexadecimal digits.
    Raises: NotReady: the server or its pgvector is not there. DataError: it gives others.
    """
    table = name_of(digest)
    try:
        with closing(database.connect()) as connection:
            if table not in connection.tables():
                _fill(connection, table, rows)
        found = Outside(database, table, rows)
        recall = _recall(found)
    except Failure as failure:
        raise NotReady(
            f"vectors at {database.where} cannot be used ({failure}), expected PostgreSQL with pgvector",
            f"`create extension vector` there, or leave {VARIABLE} out",
        ) from None
    if recall < LEAST_RECALL:
        raise DataError(
            f"vectors at {database.where} give {recall:.2f} of the nearest passages, expected {LEAST_RECALL}",
            f"drop table {table} there: it is filled again",
        )
    return found


def name_of(digest: str) -> str:
    """The table of vectors with this digest. Raises: DataError: it is none."""
    if not DIGEST.match(digest):
        raise DataError(f"digest of vectors is '{digest[:40]}', expected 16 hexadecimal digits")
    return PREFIX + digest


def drop(database: Database, digest: str) -> None:
    """Takes the table away, as when a document is forgotten. Raises: Failure."""
    with closing(database.connect()) as connection:
        connection.execute(f"drop table if exists {name_of(digest)}")


def _fill(connection: Connection, table: str, rows: np.ndarray) -> None:
    with connection.transaction():
        connection.execute("create extension if not exists vector")
        if table in connection.tables():  # another machine was first
            return
        connection.execute(f"create table {table} (place integer primary key, near vector({rows.shape[1]}) not null)")
        for start in range(0, len(rows), AT_ONCE):
            part = [(start + number, _text(row)) for number, row in enumerate(rows[start : start + AT_ONCE])]
            connection.executemany(f"insert into {table} values (?, ?::vector)", part)
        connection.execute(f"create index on {table} using hnsw (near vector_ip_ops)")


def _recall(found: Outside) -> float:
    chosen = np.random.default_rng(13).permutation(len(found.rows))[:N_PROBES]
    hits = []
    for asked in found.rows[chosen]:
        near = best_of(np.arange(len(found.rows)), found.rows @ asked, N_PROBED)
        least = float(found.rows[near[-1]] @ asked) - 1e-5  # equals may stand for each other
        hits.append((found.rows[found.asked(asked, N_PROBED)] @ asked >= least).mean())
    return float(np.mean(hits)) if hits else 1.0


def _text(vector: np.ndarray) -> str:
    """As pgvector reads it."""
    return "[" + ",".join(f"{value:.9g}" for value in vector.tolist()) + "]"
