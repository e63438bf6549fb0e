"""What scores all items for a history: numpy alone, from arrays in an artifact; and the one table of such scorers."""

from importlib import import_module
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from windlass.errors import DataError, expected
from windlass.records import Json

SCORER = "scorer"
"""Where the settings of a manifest name it."""


class Scorer(Protocol):
    """Items are numbers below n_items; an item that is not known is not in a history."""

    def scores(self, history: np.ndarray, weights: np.ndarray, times: np.ndarray, now: float) -> np.ndarray:
        """(n_items,) float32, larger is wanted more; all alike where the history tells nothing.

        Args: history: (m,) int, the oldest first. weights: (m,), 0 = not wanted. times: (m,) seconds. now: seconds.
        """
        ...

    def save(self, folder: Path) -> None:
        """Writes its arrays there."""
        ...


@runtime_checkable
class Because(Protocol):
    """A scorer that tells which events an item is recommended for."""

    def because(self, history: np.ndarray, weights: np.ndarray, times: np.ndarray, items: np.ndarray) -> np.ndarray:
        """(k, m) what each event of the history adds to the score of each of these items (k,)."""
        ...


SCORERS = {
    "popularity": "popular",
    "recent-popularity": "popular",
    "item-knn": "neighbours",
    "ease": "neighbours",
    "als": "factors",
    "bpr": "factors",
    "content": "content",
    "sasrec": "sequence",
    "item-blend": "blended",
}
"""Name -> its module below `predictors/recommend`, with `load(folder, settings) -> Scorer`."""

OF_PARTS = frozenset({"blended"})
"""Modules whose `load` is also given this one, for the scorers inside."""


def load(folder: Path, settings: Json) -> Scorer:
    """The scorer of an artifact. Raises: DataError: there is none of that name, or its arrays are damaged."""
    name = settings.get(SCORER)
    if name not in SCORERS:
        raise DataError(f"{folder} asks for the scorer {name!r}, expected {expected(SCORERS)}")
    module = import_module(f"windlass.predictors.recommend.{SCORERS[name]}")
    found: Scorer = module.load(folder, settings, load) if SCORERS[name] in OF_PARTS else module.load(folder, settings)
    return found
