"""Profiles of the rows that were answered, made beside the event loop, in a bounded share of the time."""

import time
from collections.abc import Callable, Sequence

from windlass.predictors.reference import Reference
from windlass.records import Answer, Row

SHARE, MOST_SAVED_S = 0.05, 0.5
"""Of the wall clock that may be spent on profiles, and how much of it may be saved up while nothing is asked."""


class Profiler:
    """Gives each row its profile while there is time left, else none: `watch` sees a part of the rows then."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, spent: Callable[[], float] = time.thread_time):
        self._clock, self._spent = clock, spent
        self._left_s, self._last = MOST_SAVED_S, clock()
        self.skipped = 0

    def profiles(self, reference: Reference, rows: Sequence[Row], answers: Sequence[Answer]) -> list[str | None]:
        """One profile a row, or None. Never raises: whatever a row holds, its answer is logged."""
        now = self._clock()
        self._left_s = min(MOST_SAVED_S, self._left_s + SHARE * (now - self._last))
        self._last = now
        return [self._profile(reference, row, answer) for row, answer in zip(rows, answers, strict=True)]

    def _profile(self, reference: Reference, row: Row, answer: Answer) -> str | None:
        if self._left_s <= 0:
            self.skipped += 1
            return None
        started = self._spent()
        try:
            return reference.profile(row, answer)
        except Exception:  # noqa: BLE001  a state of a release that is damaged in a way that nobody foresaw
            return None
        finally:
            self._left_s -= self._spent() - started
