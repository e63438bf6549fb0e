"""What is known of the users of a log: their histories, to which what is asked with adds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.predictors.recommend.arrays import read_arrays, write_arrays
from windlass.store.json_files import read_json, write_json

USERS, HISTORIES = "users.json", "users.safetensors"


@dataclass(frozen=True)
class Known:
    """m events of a user, the oldest first. items: (m,) int32 numbers; times: (m,) s; weights: (m,)."""

    items: np.ndarray
    times: np.ndarray
    weights: np.ndarray

    def __len__(self) -> int:
        return len(self.items)


NOTHING = Known(np.zeros(0, np.int32), np.zeros(0), np.zeros(0, np.float32))


@dataclass(frozen=True)
class KnownUsers:
    """places: user -> its number u, whose events are those from starts[u] to starts[u + 1] of all."""

    places: Mapping[str, int] = field(default_factory=dict)
    starts: np.ndarray = field(default_factory=lambda: np.zeros(1, np.int64))
    every: Known = NOTHING

    def __len__(self) -> int:
        return len(self.places)

    def of(self, user: str) -> Known | None:
        """None: nobody knows this user."""
        place = self.places.get(user)
        if place is None:
            return None
        part = slice(int(self.starts[place]), int(self.starts[place + 1]))
        return Known(self.every.items[part], self.every.times[part], self.every.weights[part])

    def save(self, folder: Path) -> None:
        write_json(folder / USERS, {"users": list(self.places)})
        arrays = {"starts": self.starts, "items": self.every.items, "times": self.every.times}
        write_arrays(folder / HISTORIES, {**arrays, "weights": self.every.weights})


def load(folder: Path, n_items: int) -> KnownUsers:
    """Raises: DataError: it is damaged."""
    values: Any = read_json(folder / USERS)
    found = read_arrays(folder / HISTORIES, "starts", "items", "times", "weights")
    users = values.get("users") if isinstance(values, dict) else None
    starts, items = found["starts"], found["items"]
    if (
        not isinstance(users, list)
        or len(starts) != len(users) + 1
        or (len(starts) and (starts[0] != 0 or starts[-1] != len(items) or (np.diff(starts) < 0).any()))
        or not len(items) == len(found["times"]) == len(found["weights"])
        or (len(items) and not 0 <= int(items.min()) <= int(items.max()) < n_items)
    ):
        raise DataError(f"{folder / HISTORIES} is damaged, expected the events of each user in {USERS}")
    places = {str(user): place for place, user in enumerate(users)}
    return KnownUsers(places, starts, Known(items, found["times"], found["weights"]))
