"""Rows of token ids and dense features as batches of like length, in an order that seed and epoch alone decide."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from windlass.kinds.text import widths

POOL = 50
"""Batches that are sorted together by length: wide enough for even lengths, narrow enough for chance."""


@dataclass(frozen=True)
class Inputs:
    """One array an input, (n, ...) each; `pads` holds the filler of those that are token ids, else None."""

    arrays: tuple[np.ndarray, ...]
    pads: tuple[int | None, ...]

    def __len__(self) -> int:
        return len(self.arrays[0])

    def widths(self) -> list[np.ndarray]:
        """For each input of token ids: the tokens of each row up to the last real one, at least 1, (n,) int64."""
        return [widths(array, pad) for array, pad in zip(self.arrays, self.pads, strict=True) if pad is not None]

    def lengths(self) -> np.ndarray:
        """Tokens of each row, all inputs together, (n,) int64; 0 where nothing is text."""
        return sum(self.widths(), np.zeros(len(self), np.int64))

    def rows(self, rows: np.ndarray) -> "Inputs":
        """These rows alone."""
        return Inputs(tuple(array[rows] for array in self.arrays), self.pads)

    def take(self, rows: np.ndarray) -> list[np.ndarray]:
        """The arrays of these rows; token ids are cut to the longest of them."""
        taken = [array[rows] for array in self.arrays]
        return [
            array if pad is None else array[:, : widths(array, pad).max(initial=1)]
            for array, pad in zip(taken, self.pads, strict=True)
        ]


def shuffled(lengths: np.ndarray, size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """Row numbers of each training batch: every row once, rows of like length together, all else by chance."""
    random = np.random.default_rng([seed, epoch])
    order = random.permutation(len(lengths))
    pools = [order[start : start + POOL * size] for start in range(0, len(order), POOL * size)]
    ordered = np.concatenate([pool[np.argsort(lengths[pool], kind="stable")] for pool in pools])
    batches = cut(ordered, size)
    return [batches[place] for place in random.permutation(len(batches))]


def by_length(lengths: np.ndarray, size: int) -> list[np.ndarray]:
    """Row numbers in batches from short to long, for answering."""
    return cut(np.argsort(lengths, kind="stable"), size)


def cut(order: np.ndarray, size: int) -> list[np.ndarray]:
    return [order[start : start + size] for start in range(0, len(order), size)]


def spread(batches: Sequence[np.ndarray], lengths: np.ndarray, count: int) -> list[np.ndarray]:
    """`count` of the batches, evenly from the shortest to the longest: their mean stands for all."""
    ranked = sorted(batches, key=lambda rows: int(lengths[rows].max()))
    places = [int((number + 0.5) * len(ranked) / count) for number in range(count)]
    return [ranked[place] for place in sorted(set(places))]
