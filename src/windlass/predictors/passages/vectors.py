"""Passages as vectors of length 1: exact products in numpy, beyond `MOST_EXACT` passages a graph of neighbours.

Source: HNSW, Malkov & Yashunin 2018, arXiv:1603.09320, in usearch (Apache-2.0).
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from windlass.database.backend import Failure
from windlass.database.postgres import Postgres
from windlass.errors import DataError, NotReady, pip_install
from windlass.predictors.passages import outside
from windlass.predictors.passages.scores import AllScores, Mask, Scores, best_of
from windlass.predictors.passages.tensors import MOST_READ, read_tensors, write_tensors
from windlass.store.files import hash_file

FILE, GRAPH = "vectors.safetensors", "vectors.usearch"
MOST_EXACT = 100_000
LARGEST_LENGTH = 1.01
WIDER = 4
"""Where the asker may not see all, the graph is asked for so many times as many, twice; after that all are weighed."""


@dataclass(frozen=True)
class Vectors:
    """rows: (n, D) float32, each of length 1, or 0 where the text was empty. graph: usearch's, None: exact."""

    rows: np.ndarray
    graph: Any = None

    def scores(self, asked: np.ndarray) -> Scores:
        """Cosines to a vector (D,) of length 1."""
        if self.graph is None:
            return AllScores(self.rows @ asked)
        return GraphScores(self, asked)

    def save(self, folder: Path) -> None:
        write_tensors(folder / FILE, {"rows": self.rows})
        if self.graph is not None:
            self.graph.save(str(folder / GRAPH))


@dataclass(frozen=True)
class GraphScores:
    """The same through the graph: the best are found in it, and weighed exactly."""

    vectors: Vectors
    asked: np.ndarray

    def best(self, n: int, allowed: Mask | None = None) -> np.ndarray:
        """Where few of the nearest are allowed, the allowed ones are weighed one by one: none is ever missing."""
        if allowed is None:
            near = self._near(n)
            return best_of(near, self.of(near), n)
        for wanted in (n * WIDER, n * WIDER * WIDER):
            near = self._near(wanted)
            near = near[allowed[near]]
            if len(near) >= n:
                return best_of(near, self.of(near), n)
        here = np.flatnonzero(allowed)
        return best_of(here, self.of(here), n)

    def _near(self, n: int) -> np.ndarray:
        found = self.vectors.graph.search(self.asked, min(n, len(self.vectors.rows))).keys
        return np.sort(np.asarray(found, np.int64))

    def of(self, places: np.ndarray) -> np.ndarray:
        return np.asarray(self.vectors.rows[places] @ self.asked)


def unit(rows: np.ndarray) -> np.ndarray:
    """(n, D) float32 of length 1; rows of nothing stay 0."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-12), np.float32)


def build(rows: np.ndarray, most_exact: int = MOST_EXACT) -> Vectors:
    """Raises: NotReady: there are so many that usearch is needed, and it is not installed."""
    rows = unit(rows)
    if len(rows) <= most_exact:
        return Vectors(rows)
    graph = _usearch()(ndim=rows.shape[1], metric="ip", dtype="f32")
    graph.add(np.arange(len(rows)), rows)
    return Vectors(rows, graph)


def load(folder: Path, most_exact: int = MOST_EXACT) -> Vectors:
    """Raises: NotReady: it is not there, or usearch or the server of `outside` is not. DataError: it is damaged."""
    rows = read_tensors(folder / FILE, {"rows"})[0]["rows"]
    if rows.ndim != 2 or rows.dtype != np.float32 or not _longest(rows) < LARGEST_LENGTH:
        raise DataError(f"{folder / FILE} is damaged, expected vectors of length 1")
    path = folder / GRAPH
    if len(rows) > most_exact and (url := os.environ.get(outside.VARIABLE)):
        return Vectors(rows, outside.open_outside(Postgres(url), hash_file(folder / FILE)[:16], rows))
    if not path.is_file():
        return Vectors(rows)
    try:
        graph = _usearch().restore(str(path), view=path.stat().st_size > MOST_READ)
    except (RuntimeError, ValueError, OSError) as error:
        raise DataError(f"{path} is damaged ({str(error)[:100]}), expected a graph of neighbours") from None
    if graph is None or len(graph) != len(rows) or graph.ndim != rows.shape[1]:
        raise DataError(f"{path} is damaged, expected a graph of {len(rows):,} vectors")
    return Vectors(rows, graph)


def drop_outside(release: Path) -> int:
    """Takes the tables of a release's vectors out of the server that `WINDLASS_VECTORS` names; gives how many files of
    vectors there were. Raises: NotReady: the server does not do it."""
    url, files = os.environ.get(outside.VARIABLE), sorted(release.rglob(FILE))
    if not url:
        return 0
    database = Postgres(url)
    for file in files:
        try:
            outside.drop(database, hash_file(file)[:16])
        except Failure as failure:
            raise NotReady(
                f"vectors at {database.where} cannot be removed ({failure}), expected PostgreSQL with pgvector"
            ) from None
    return len(files)


def _longest(rows: np.ndarray) -> float:
    """The largest length of a row, without a copy of all."""
    return float(np.sqrt(np.einsum("ij,ij->i", rows, rows).max(initial=0)))


def _usearch() -> Any:
    """Imported after LightGBM: usearch 2.26 opens its kernels for the whole process (RTLD_GLOBAL), and a LightGBM that
    comes later then fails with `Feature (Column_) appears more than one time`."""
    import lightgbm  # noqa: F401

    try:
        from usearch.index import Index
    except ImportError:
        raise NotReady(
            f"more than {MOST_EXACT:,} vectors need usearch, which is not installed", pip_install("documents")
        ) from None
    return Index
