"""Between which numbers the right number of boxes lies, for nine pictures in ten: by how unsure the boxes are.

A box is as doubtful as its score is near to the threshold from which on it is given, half a box at most. What counts of
validation pictures were off by, in the root of their doubt, tells how wide the interval is (split conformal).
Source: Lei et al. 2018, arXiv:1604.04173, section 5.2 (locally weighted).
"""

import math
from collections.abc import Sequence

import numpy as np

from windlass.metrics.measures import Array

SHARE = 0.9
LEAST_SCORE, FLOOR = 0.05, 0.25
"""Scores that are looked at, and the doubt of a picture without a box; measured on 800 drawn pictures of cells, where
one width for all pictures held 97 % of the counts at three times the width."""
LEAST_PICTURES = 10
Interval = tuple[float, float, float]


def doubt(scores: Array, thresholds: Array) -> float:
    """Of a picture. scores, thresholds: (n,) of its boxes."""
    looked = (scores >= LEAST_SCORE) & (thresholds > 0)
    scores, least = scores[looked], thresholds[looked]
    below, above = scores / (2 * least), (1 - scores) / np.maximum(2 * (1 - least), 1e-9)
    return float(np.clip(np.minimum(below, above), 0, 0.5).sum()) + FLOOR


def factor(off: Array, doubts: Array) -> float | None:
    """The width for `interval`; None: too few pictures tell it. off: (n,) right less given; doubts: (n,)."""
    n = len(off)
    place = math.ceil((n + 1) * SHARE)
    if n < LEAST_PICTURES or place > n:
        return None
    return float(np.sort(np.abs(off) / np.sqrt(doubts))[place - 1])


def interval(given: int, doubt: float, factor: float) -> Interval:
    """Whole numbers, and the share of pictures whose count lies between them."""
    by = factor * math.sqrt(doubt) + 1e-9
    return float(max(0, math.ceil(given - by))), float(math.floor(given + by)), SHARE


def inside(given: Sequence[int], there: Sequence[int], doubts: Sequence[float], factor: float) -> Array:
    """(n,) whether the right counts lie in their intervals."""
    found = [interval(*each, factor)[:2] for each in zip(given, doubts, strict=True)]
    return np.array([low <= count <= high for (low, high), count in zip(found, there, strict=True)], bool)
