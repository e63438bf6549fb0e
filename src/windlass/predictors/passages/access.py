"""Who may see which passage, as a mask that is applied before anything is ranked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from windlass.predictors.passages.scores import Mask

Readers = frozenset[str] | None
"""Names of users or groups that may see a passage; None: everybody, none: nobody."""


@dataclass(frozen=True)
class AccessLists:
    """lists: the different ones; which: (n,) int, of each passage the number of its list."""

    lists: Sequence[Readers]
    which: np.ndarray

    @classmethod
    def of(cls, readers: Sequence[Readers]) -> "AccessLists":
        """Of each passage who may see it."""
        places = {each: place for place, each in enumerate(dict.fromkeys(readers))}
        return cls(list(places), np.array([places[each] for each in readers], np.int64))

    def mask(self, names: Collection[str]) -> Mask | None:
        """(n,) bool: which passages somebody with these names, the own and those of the groups, may see; None: all."""
        known = frozenset(names)
        may = np.array([each is None or not each.isdisjoint(known) for each in self.lists], bool)
        return None if may.all() else may[self.which]
