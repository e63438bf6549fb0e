"""Who may see which passage, as a mask that is applied before anything is ranked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from windlass.predictors.passages.scores import Mask


@dataclass(frozen=True)
class AccessLists:
    """readers: of each passage who may see it: names of users or groups; None: everybody, an empty list: nobody."""

    readers: Sequence[frozenset[str] | None]

    def mask(self, names: Collection[str]) -> Mask:
        """(n,) bool: which passages somebody with these names, the own and those of the groups, may see."""
        known = frozenset(names)
        return np.array([each is None or not each.isdisjoint(known) for each in self.readers], bool)
