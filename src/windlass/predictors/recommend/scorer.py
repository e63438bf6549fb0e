"""What scores all items for a history: numpy alone, from arrays in an artifact; and the one table of such scorers."""

from collections.abc import Callable
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

    def because(self, history: np.ndarray, weights: np.ndarray, times: np.ndarray, item: int) -> np.ndarray:
        """(m,) what each event of the history adds to the item's score."""
        ...


SCORERS = {"popularity": "popular", "recent-popularity": "popular"}
"""Name -> its module below `predictors/recommend`, with `load(folder, settings) -> Scorer`."""


def load(folder: Path, settings: Json) -> Scorer:
    """The scorer of an artifact. Raises: DataError: there is none of that name, or its arrays are damaged."""
    name = settings.get(SCORER)
    if name not in SCORERS:
        raise DataError(f"{folder} asks for the scorer {name!r}, expected {expected(SCORERS)}")
    found: Callable[[Path, Json], Scorer] = import_module(f"windlass.predictors.recommend.{SCORERS[name]}").load
    return found(folder, settings)
