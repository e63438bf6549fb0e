"""Vectors without weights from elsewhere: terms by rarity, on the directions in which these passages differ most.

Source: latent semantic analysis, Deerwester et al. 1990, JASIS 41(6).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    """numbers: of each term of the index's vocabulary; rarity: (v,) its idf; directions: (v, D) float32."""

    numbers: Mapping[str, int]
    rarity: np.ndarray
    directions: np.ndarray
    name: str = NAME

    def passages(self, texts: Sequence[str]) -> np.ndarray:
        """(n, D) float32 of length 1; 0 where a text has no known term."""
        rows = np.zeros((len(texts), self.directions.shape[1]), np.float32)
        for place, text in enumerate(texts):
            found, weights = weighed(text, self.numbers, self.rarity)
            rows[place] = weights @ self.directions[found]
        return unit(rows)

    def questions(self, texts: Sequence[str]) -> np.ndarray:
        return self.passages([text[:MOST_CHARACTERS] for text in texts])

    def save(self, folder: Path) -> None:
        write_tensors(folder / FILE, {"directions": self.directions})


def weighed(text: str, numbers: Mapping[str, int], rarity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The known terms (t,) int64 of a text and their weights (t,) float32: (1 + log count) x idf."""
    counts = Counter(number for term in terms(text) if (number := numbers.get(term)) is not None)
    found = np.fromiter(counts.keys(), np.int64, len(counts))
    often = np.fromiter(counts.values(), np.float64, len(counts))
    return found, ((1 + np.log(often)) * rarity[found]).astype(np.float32)


def load(folder: Path, numbers: Mapping[str, int], rarity: np.ndarray) -> Lsa:
    """Raises: NotReady: it is not there. DataError: it is damaged."""
    directions = read_tensors(folder / FILE, {"directions"})[0]["directions"]
    if directions.ndim != 2 or len(directions) != len(rarity) or not np.isfinite(directions).all():
        raise DataError(f"{folder / FILE} is damaged, expected a row a term of the vocabulary")
    return Lsa(numbers, rarity, directions)
