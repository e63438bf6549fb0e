"""Whether the right answers changed: streaming detectors of `river` over feedback, right or wrong, in its order.

Source: ADWIN, Bifet & Gavaldà 2007; Page-Hinkley, Page 1954. `river` is the extra `[watch]`; without it `missing` says
so.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from windlass.errors import pip_install
from windlass.metrics.drift import independent_share

DELTA = 0.002
"""ADWIN's confidence: about the chance of a false alarm at one cut."""
LEAST, RISE, THRESHOLD = 30, 0.05, 15.0
"""Of Page-Hinkley: feedback before it speaks, the rise of the share of errors that it allows, errors above that."""


class Change(NamedTuple):
    """place: of the first feedback after which a detector spoke. before, now: shares of right answers around it."""

    place: int
    detector: str
    before: float
    now: float


def missing() -> str:
    """What to install when `river` is not there; empty when it is."""
    try:
        import river  # noqa: F401
    except ImportError:
        return f"changes of the right answers are not watched: {pip_install('watch')}"
    return ""


def falls(right: Sequence[bool]) -> list[Change]:
    """Where the share of right answers fell, in order; nothing without `river`. Where each says much of what the one
    before it said, as of forecasts that overlap, only so many are looked at as tell something of their own."""
    if missing() or not right:
        return []
    step = round(1 / independent_share(np.array(right, np.float64)))
    found = [*_adwin(right[::step]), *_page_hinkley(right[::step])]
    return sorted(change._replace(place=change.place * step) for change in found)


def _adwin(right: Sequence[bool]) -> list[Change]:
    from river.drift import ADWIN

    detector = ADWIN(delta=DELTA)
    found, before = [], 0.0
    for place, is_right in enumerate(right):
        before = detector.estimation if detector.width else before
        detector.update(int(not is_right))
        if detector.drift_detected and detector.estimation > before:
            found.append(Change(place, "ADWIN", 1 - before, 1 - float(detector.estimation)))
    return found


def _page_hinkley(right: Sequence[bool]) -> list[Change]:
    from river.drift import PageHinkley

    detector = PageHinkley(min_instances=LEAST, delta=RISE, threshold=THRESHOLD, mode="up")
    found, start = [], 0
    for place, is_right in enumerate(right):
        detector.update(int(not is_right))
        if detector.drift_detected:
            seen = right[start : place + 1]
            half = max(1, len(seen) - LEAST)
            now = seen[half:] or seen[-1:]
            found.append(Change(place, "Page-Hinkley", sum(seen[:half]) / half, sum(now) / len(now)))
            start = place + 1
    return found
