"""Vectors without weights from elsewhere: terms by rarity, on the directions in which these passages differ most.

Source: latent semantic analysis, Deerwester et al. 1990, JASIS 41(6).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from windlass.errors import DataError
from windlass.predictors.passages.tensors import read_tensors, write_tensors
from windlass.predictors.passages.terms import MOST_CHARACTERS, terms
from windlass.predictors.passages.vectors import unit

FILE = "lsa.safetensors"
NAME = "lsa"


@dataclass(frozen=True)
class Lsa:
    """numbers: of each term of the index's vocabulary. directions: (k, D) float16, of the terms of `known` (k,) int64,
    weighed by their rarity when they were learned. Terms of one passage alone, and those that came later, have none:
    a passage has the same vector whatever else is indexed. Half precision, since they are most of an index, and all of
    it is written anew when a document changes."""

    numbers: Mapping[str, int]
    directions: np.ndarray
    known: np.ndarray
    name: str = NAME

    @cached_property
    def places(self) -> np.ndarray:
        """(v,) int64: of each term its row of `directions`, -1: it has none."""
        found = np.full(len(self.numbers), -1, np.int64)
        found[self.known] = np.arange(len(self.known))
        return found

    def passages(self, texts: Sequence[str]) -> np.ndarray:
        """(n, D) float32 of length 1; 0 where a text has no known term."""
        rows = np.zeros((len(texts), self.directions.shape[1]), np.float32)
        for number, text in enumerate(texts):
            found, weights = counted(text, self.numbers)
            places = self.places[found]
            rows[number] = weights[places >= 0] @ self.directions[places[places >= 0]].astype(np.float32)
        return unit(rows)

    def questions(self, texts: Sequence[str]) -> np.ndarray:
        return self.passages([text[:MOST_CHARACTERS] for text in texts])

    def renumbered(self, renumbered: np.ndarray, numbers: Mapping[str, int]) -> "Lsa":
        """The same for an index whose terms have other numbers: renumbered (v,), -1 = a term is gone."""
        known = renumbered[self.known].astype(np.int64)
        there = known >= 0
        directions = self.directions if there.all() else self.directions[there]
        return Lsa(numbers, directions, known[there], self.name)

    def save(self, folder: Path) -> None:
        write_tensors(folder / FILE, {"directions": self.directions, "known": self.known})


def counted(text: str, numbers: Mapping[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """The known terms (t,) int64 of a text and their weights (t,) float32: 1 + log count."""
    counts = Counter(number for term in terms(text) if (number := numbers.get(term)) is not None)
    found = np.fromiter(counts.keys(), np.int64, len(counts))
    often = np.fromiter(counts.values(), np.float64, len(counts))
    return found, (1 + np.log(often)).astype(np.float32)


def load(folder: Path, numbers: Mapping[str, int]) -> Lsa:
    """Raises: NotReady: it is not there. DataError: it is damaged."""
    parts = read_tensors(folder / FILE, {"directions", "known"})[0]
    directions, known = parts["directions"], parts["known"]
    if (
        directions.ndim != 2
        or known.shape != (len(directions),)
        or known.dtype != np.dtype(np.int64)
        or not np.isfinite(directions).all()
        or (len(known) and not (int(known.min()) >= 0 and int(known.max()) < len(numbers)))
        or len(np.unique(known)) != len(known)
    ):
        raise DataError(f"{folder / FILE} is damaged, expected directions of terms of the vocabulary")
    return Lsa(numbers, directions, known)
