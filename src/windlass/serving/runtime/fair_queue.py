"""A bounded line in which everybody who asks has a share: one of each in turn, and nobody fills it alone.

Source: fair queueing with the longest queue dropped (Suter et al. 1998, "Design considerations for supporting TCP with
per-flow queueing", https://doi.org/10.1109/INFCOM.1998.659666).
"""

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Line(Generic[T]):
    """What waits, by who asked. most: that may wait. is_over: of one whose client has gone: it takes no place."""

    def __init__(self, most: int, is_over: Callable[[T], bool]) -> None:
        self.most, self.is_over = most, is_over
        self._waiting: dict[str, deque[T]] = {}

    def __len__(self) -> int:
        return sum(len(each) for each in self._waiting.values())

    def add(self, who: str, item: T) -> T | None:
        """Has it wait. Where all places are taken: what gives up its own, to be refused, which may be `item`.

        That is the newest of who has most waiting, when that is at least two more than `who` has.
        """
        if len(self) >= self.most:
            self._tidy()
        pushed: T | None = None
        if len(self) >= self.most:
            longest = max(self._waiting, key=lambda name: len(self._waiting[name]), default=who)
            if len(self._waiting.get(longest, ())) < len(self._waiting.get(who, ())) + 2:
                return item
            pushed = self._waiting[longest].pop()
        self.put_back(who, item)
        return pushed

    def put_back(self, who: str, item: T) -> None:
        """Has it wait again, whatever waits; its next turn comes after one of everybody else."""
        self._waiting.setdefault(who, deque()).append(item)

    def peek(self) -> T | None:
        """What `pop` would give."""
        self._drop_over()
        return next((each[0] for each in self._waiting.values()), None)

    def pop(self) -> T | None:
        """The next one, of the one who has waited for longest for a turn; nothing when nobody waits."""
        self._drop_over()
        if not self._waiting:
            return None
        who = next(iter(self._waiting))
        theirs = self._waiting.pop(who)
        item = theirs.popleft()
        if theirs:
            self._waiting[who] = theirs
        return item

    def _drop_over(self) -> None:
        """Takes those away that would be next and whose clients have gone."""
        while self._waiting:
            who, theirs = next(iter(self._waiting.items()))
            while theirs and self.is_over(theirs[0]):
                theirs.popleft()
            if theirs:
                return
            del self._waiting[who]

    def _tidy(self) -> None:
        for who, theirs in [*self._waiting.items()]:
            kept = deque(item for item in theirs if not self.is_over(item))
            if kept:
                self._waiting[who] = kept
            else:
                del self._waiting[who]
