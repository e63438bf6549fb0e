"""The items of an artifact by number, what is told of each, and which may be recommended to whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds.number import parse
from windlass.predictors.recommend.arrays import read_arrays, write_arrays
from windlass.records import Catalogue
from windlass.records.catalogue import AVAILABLE, MARGIN, MIN_AGE, NO
from windlass.store.json_files import read_json, write_json

ITEMS, COUNTS = "items.json", "items.safetensors"
ARRAYS = ("events", "people", "touched")
GROWN_UP = 18.0
"""Where nobody says how old who asks is, items from this age on are left out."""


@dataclass(frozen=True)
class ItemIndex:
    """catalogue: every item that is known, in the order of its number. events: (n,) float32 of training, each as much
    as it weighs; people: (n,) int32, how many users wanted it; touched: (n,) int32, events of any weight."""

    catalogue: Catalogue
    events: np.ndarray
    people: np.ndarray
    touched: np.ndarray

    def __len__(self) -> int:
        return len(self.catalogue)

    def numbers(self, items: Sequence[str]) -> np.ndarray:
        """(n,) int, -1 of one that is not known."""
        places = self.catalogue.places
        return np.fromiter((places.get(each, -1) for each in items), np.int64, len(items))

    def _column(self, name: str) -> tuple[str, ...]:
        wanted = {each.strip().lower(): each for each in self.catalogue.columns}
        return self.catalogue.columns[wanted[name]] if name in wanted else ()

    @cached_property
    def is_available(self) -> np.ndarray:
        """(n,) bool; all of them where the catalogue does not say."""
        told = self._column(AVAILABLE)
        return np.array([each.strip().lower() not in NO for each in told], bool) if told else np.ones(len(self), bool)

    @cached_property
    def min_age(self) -> np.ndarray:
        """(n,) float, 0 where the catalogue does not say."""
        return np.array([_age(each) for each in self._column(MIN_AGE)] or np.zeros(len(self)))

    @cached_property
    def margins(self) -> np.ndarray:
        """(n,) float, what one earns with each; NaN where the catalogue does not say."""
        return np.array([_number(each) for each in self._column(MARGIN)] or np.full(len(self), np.nan))

    def may_see(self, age: float) -> np.ndarray:
        """(n,) bool: what may be recommended to somebody of that age, NaN = not told."""
        least = self.min_age
        return self.is_available & (least < GROWN_UP if age != age else least <= age)

    def hides_for_age(self, age: float) -> bool:
        """Something is left out since the age is not told."""
        return age != age and bool((self.is_available & (self.min_age >= GROWN_UP)).any())

    def save(self, folder: Path) -> None:
        columns = {name: list(values) for name, values in self.catalogue.columns.items()}
        write_json(folder / ITEMS, {"ids": list(self.catalogue.ids), "columns": columns})
        write_arrays(
            folder / COUNTS, {"events": self.events.astype(np.float32), "people": self.people, "touched": self.touched}
        )


def _number(value: str) -> float:
    """NaN where it is none."""
    try:
        return float(parse(value.strip().rstrip("%")))
    except (ValueError, OverflowError):
        return float("nan")


def _age(value: str) -> float:
    """A number, `16+` as well; where it cannot be read, it is for grown-ups alone."""
    text = value.strip().rstrip("+")
    if not text:
        return 0.0
    try:
        return float(parse(text))
    except (ValueError, OverflowError):
        return GROWN_UP


def load(folder: Path) -> ItemIndex:
    """Raises: DataError: it is damaged."""
    values: Any = read_json(folder / ITEMS)
    try:
        ids = tuple(str(each) for each in values["ids"])
        columns = {str(name): tuple(str(each) for each in column) for name, column in values["columns"].items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{folder / ITEMS} is damaged ({str(error)[:80]}), expected ids and columns") from None
    found = read_arrays(folder / COUNTS, *ARRAYS)
    sizes = {len(ids), *(len(found[name]) for name in ARRAYS), *map(len, columns.values())}
    if len(set(ids)) != len(ids) or len(sizes) > 1:
        raise DataError(f"{folder / ITEMS} is damaged, expected as many ids, each once, as counts and values")
    return ItemIndex(Catalogue(ids, columns), *(found[name] for name in ARRAYS))
