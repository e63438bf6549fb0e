"""Profiles of the rows that were answered, made beside the event loop, in a bounded share of the time.

`watch` compares a thousand rows of a window, those whose ids have the smallest hashes. So of much traffic only such
rows get a profile: a profile costs a tenth of a linear answer, and nobody would ever look at the others.
"""

import logging
import math
import time
from collections.abc import Callable, Sequence

from windlass.kinds.sketch import HASHES, place_of
from windlass.records import Answer, Row
from windlass.registry.reference import Reference

logger = logging.getLogger("windlass.serving")
SHARE, MOST_SAVED_S = 0.05, 0.5
"""Of the wall clock that may be spent on profiles, and how much of it may be saved up while nothing is asked."""
MOST_AN_HOUR, HOUR_S = 4_000, 3_600.0
"""Rows that are profiled in an hour of steady traffic: a window of a quarter of an hour has its thousand."""


class Profiler:
    """Gives a row its profile where it may be looked at and while there is time left, else none."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, spent: Callable[[], float] = time.thread_time):
        self._clock, self._spent = clock, spent
        self._left_s, self._last = MOST_SAVED_S, clock()
        self._rows = 0.0  # of the last hour, older ones fading
        self.skipped = 0
        self._has_failed = False

    def profiles(
        self, reference: Reference, ids: Sequence[str], rows: Sequence[Row], answers: Sequence[Answer]
    ) -> list[str | None]:
        """One profile a row, or None. Never raises: whatever a row holds, its answer is logged."""
        now = self._clock()
        since_s, self._last = now - self._last, now
        self._left_s = min(MOST_SAVED_S, self._left_s + SHARE * since_s)
        self._rows = self._rows * math.exp(-since_s / HOUR_S) + len(rows)
        below = HASHES * min(1.0, MOST_AN_HOUR / max(1.0, self._rows))
        return [
            self._profile(reference, row, answer) if place_of(id) < below else None
            for id, row, answer in zip(ids, rows, answers, strict=True)
        ]

    def _profile(self, reference: Reference, row: Row, answer: Answer) -> str | None:
        if self._left_s <= 0:
            self.skipped += 1
            return None
        started = self._spent()
        try:
            return reference.profile(row, answer)
        except Exception:  # noqa: BLE001  a state of a release that is damaged in a way that nobody foresaw
            if not self._has_failed:
                logger.warning("a row has no profile, perhaps others neither: `watch` does not see it", exc_info=True)
            self._has_failed = True
            return None
        finally:
            self._left_s -= self._spent() - started
