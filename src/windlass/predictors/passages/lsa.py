"""Vectors without weights from elsewhere: terms by rarity, on the directions in which these passages differ most.

Source: latent semantic analysis, Deerwester et al. 1990, JASIS 41(6).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
    """numbers: of each term of the index's vocabulary; directions: (v, D) float32, of each term weighed by its rarity
    when they were learned, 0 of terms that came later: a passage has the same vector whatever else is indexed."""

    numbers: Mapping[str, int]
    directions: np.ndarray
    name: str = NAME

    def passages(self, texts: Sequence[str]) -> np.ndarray:
        """(n, D) float32 of length 1; 0 where a text has no known term."""
        rows = np.zeros((len(texts), self.directions.shape[1]), np.float32)
        for place, text in enumerate(texts):
            found, weights = counted(text, self.numbers)
            rows[place] = weights @ self.directions[found]
        return unit(rows)

    def questions(self, texts: Sequence[str]) -> np.ndarray:
        return self.passages([text[:MOST_CHARACTERS] for text in texts])

    def renumbered(self, renumbered: np.ndarray, numbers: Mapping[str, int]) -> "Lsa":
        """The same for an index whose terms have other numbers: renumbered (v,), -1 = a term is gone."""
        directions = np.zeros((len(numbers), self.directions.shape[1]), np.float32)
        directions[renumbered[renumbered >= 0]] = self.directions[renumbered >= 0]
        return replace(self, numbers=numbers, directions=directions)

    def save(self, folder: Path) -> None:
        write_tensors(folder / FILE, {"directions": self.directions})


def counted(text: str, numbers: Mapping[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """The known terms (t,) int64 of a text and their weights (t,) float32: 1 + log count."""
    counts = Counter(number for term in terms(text) if (number := numbers.get(term)) is not None)
    found = np.fromiter(counts.keys(), np.int64, len(counts))
    often = np.fromiter(counts.values(), np.float64, len(counts))
    return found, (1 + np.log(often)).astype(np.float32)


def load(folder: Path, numbers: Mapping[str, int]) -> Lsa:
    """Raises: NotReady: it is not there. DataError: it is damaged."""
    directions = read_tensors(folder / FILE, {"directions"})[0]["directions"]
    if directions.ndim != 2 or len(directions) != len(numbers) or not np.isfinite(directions).all():
        raise DataError(f"{folder / FILE} is damaged, expected a row a term of the vocabulary")
    return Lsa(numbers, directions)
