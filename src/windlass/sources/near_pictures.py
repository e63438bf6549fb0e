"""Which pictures show nearly the same: found by a hash of 64 bits, confirmed by their small grey copies.

Source: the difference hash, N. Krawetz 2013, "Kind of Like That": is a point darker than its left one.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from windlass.kinds import image
from windlass.metrics.measures import Array

SIDE, BITS = 32, 8
"""Of the grey copies that are compared; points across and down that the hash looks at."""
FAR = 10
"""Bits of 64 by which the hashes of near pictures differ at most."""
NEAR = 0.985
"""Correlation of the grey copies from which on pictures are near: whatever their size, packing and brightness.
Of BCCD's 364 blood smears no two reach it; the nearest have .976."""
FLAT = 1.0
"""Deviation, of 255, below which a picture shows nothing, and is near to none."""
BLOCK, PAIRS = 512, 10_000
"""Pictures whose hashes are compared with all others at once, and pairs whose copies are: 40 MB."""


def grey_copy(value: Any, root: Path | None) -> Array:
    """(SIDE, SIDE) float32, 0-255. Raises: DataError: the picture cannot be read."""
    from PIL import Image

    small = Image.fromarray(image.read(value, root)).convert("L")
    return np.asarray(small.resize((SIDE, SIDE), Image.Resampling.BOX), np.float32)


def hashes(copies: Array) -> Array:
    """(n, SIDE, SIDE) -> (n, 64) float32 of 1 and -1: a point is darker than the one to its left, or not."""
    down, across = (np.linspace(0, SIDE, n + 1).astype(int) for n in (BITS, BITS + 1))
    coarse = np.add.reduceat(np.add.reduceat(copies, down[:-1], axis=1), across[:-1], axis=2)
    coarse = coarse / np.outer(np.diff(down), np.diff(across))
    return np.where(np.diff(coarse, axis=2) < 0, np.float32(1), np.float32(-1)).reshape(len(copies), -1)


def near_pairs(copies: Array) -> list[tuple[int, int]]:
    """The pairs of places, the smaller one first, whose pictures show nearly the same."""
    marks, flat = hashes(copies), copies.reshape(len(copies), -1)
    middle, spread = flat.mean(axis=1), flat.std(axis=1)
    whole = (flat - middle[:, None]) / np.maximum(spread, FLAT)[:, None] / SIDE
    found: list[tuple[int, int]] = []
    for start in range(0, len(copies), BLOCK):
        agree = marks[start : start + BLOCK] @ marks[start:].T  # bits that agree less those that differ
        ones, others = np.nonzero(np.triu(agree >= marks.shape[1] - 2 * FAR, 1))
        for part in range(0, len(ones), PAIRS):  # of plain pictures every pair comes through
            one, other = start + ones[part : part + PAIRS], start + others[part : part + PAIRS]
            alike = np.einsum("nd,nd->n", whole[one], whole[other]) >= NEAR
            found += list(zip(one[alike].tolist(), other[alike].tolist(), strict=True))
    return found


def connected(n: int, pairs: Sequence[tuple[int, int]]) -> Array:
    """(n,) int: the same number for places that pairs connect, that of the first one."""
    home = list(range(n))

    def root(place: int) -> int:
        while home[place] != place:
            home[place] = place = home[home[place]]
        return place

    for one, other in pairs:
        low, high = sorted((root(one), root(other)))
        home[high] = low
    return np.array([root(place) for place in range(n)])
