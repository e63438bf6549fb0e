"""Which pictures an epoch has: those with a rare class more often, and enough of them beside what judging costs."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

RARE_SHARE, MOST_REPEATED = 0.15, 4
"""Pictures with a class that fewer than this share of pictures hold are seen more often, so many times at most."""


def epoch_places(held: Sequence[set[int]], n_validation: int, judged_share: float) -> np.ndarray:
    """(m,) int, the training pictures of an epoch.

    Args: held: the classes on each training picture. judged_share: validation pictures that an epoch may have for one
          of its own, at most.
    """
    counts = Counter(number for classes in held for number in classes)
    share = {number: count / len(held) for number, count in counts.items()}
    times = [
        min(MOST_REPEATED, max((round((RARE_SHARE / share[number]) ** 0.5) for number in classes), default=1))
        for classes in held
    ]
    places = np.repeat(np.arange(len(held)), np.maximum(1, times))
    return np.tile(places, max(1, round(n_validation / judged_share / max(1, len(places)))))
