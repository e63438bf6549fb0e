"""Parts of the rows that are answered worse than the rest, and groups that are answered differently.

Slices: levels of a category, low and high numbers, what is missing, short and long texts, scripts. That a slice is
worse is
told by a two-proportion z-test, Bonferroni-corrected for the slices looked at.
Source: Chung et al. 2019, Slice Finder, arXiv:1807.06068; equal opportunity: Hardt et al. 2016, arXiv:1610.02413.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from windlass.kinds import table as kinds
from windlass.metrics.measures import Estimate, wilson
from windlass.records import Row

LEAST_ROWS = 30
MOST_LEVELS = 20
LEVEL = 0.05
HAN = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Slice:
    """Rows that a sentence describes. wrong: share of wrong answers inside; rest: outside; gap: the difference, with
    its
    interval; rows: how many there are inside."""

    column: str
    words: str
    rows: int
    share: float
    wrong: Estimate
    rest: float
    gap: Estimate


Part = tuple[str, str, np.ndarray]
"""Column, words, and which rows (n,) bool."""


def parts(rows: Sequence[Row], reference: Sequence[Row], inputs: dict[str, str]) -> list[Part]:
    """The parts of the rows; what is low, long or common is told by the reference, the training rows."""
    found = []
    for column, kind in inputs.items():
        values, known = ([row.get(column) for row in each] for each in (rows, reference))
        found += [(column, words, mask) for words, mask in masks(column, kind, values, known)]
    return found


def weak_slices(
    rows: Sequence[Row], reference: Sequence[Row], inputs: dict[str, str], right: np.ndarray
) -> list[Slice]:
    """The slices that are certainly worse than the rest, the one with most wrong answers to win first.

    Args: right: (n,) bool, whether the row was answered right.
    """
    found_parts = parts(rows, reference, inputs)
    looked_at = [part for part in found_parts if LEAST_ROWS <= part[2].sum() <= len(rows) - LEAST_ROWS]
    z = NormalDist().inv_cdf(1 - LEVEL / 2 / max(len(looked_at), 1))
    found = [_slice(column, words, mask, right) for column, words, mask in looked_at]
    weak = [each for each, (_, _, mask) in zip(found, looked_at, strict=True) if _z(mask, right) > z]
    return sorted(weak, key=lambda each: -each.share * each.gap.value)


def masks(column: str, kind: str, values: Sequence[Any], known: Sequence[Any]) -> list[tuple[str, np.ndarray]]:
    """(words, which rows) of each part that a column makes; bounds and common levels are those of the known values."""
    missing = np.array([_is_missing(value) for value in values], bool)
    there = [value for value in known if not _is_missing(value)]
    found = [(f"'{column}' is missing", missing)]
    told = kinds.get(kind)
    if told.is_named:
        text = np.array(["" if gone else str(value) for value, gone in zip(values, missing, strict=True)])
        common = [level for level, _ in Counter(str(value) for value in there).most_common(MOST_LEVELS)]
        found += [(f"'{column}' is '{level}'", text == level) for level in common]
    if told.size is not None and there:
        sizes = np.array([np.nan if gone else told.size.of(value) for value, gone in zip(values, missing, strict=True)])
        low, high = np.percentile([told.size.of(value) for value in there], [25, 75])
        between = (sizes > low) & (sizes < high)
        words = ((told.size.low, sizes <= low), (told.size.middle, between), (told.size.high, sizes >= high))
        found += [(f"'{column}' {said.format(low=low, high=high)}", mask) for said, mask in words if said]
    if told.is_prose and there:
        has_han = [not gone and bool(HAN.search(str(value))) for value, gone in zip(values, missing, strict=True)]
        found.append((f"'{column}' has Chinese in it", np.array(has_han, bool)))
    return found


def _is_missing(value: Any) -> bool:
    return value is None or value == "" or value != value


def _slice(column: str, words: str, mask: np.ndarray, right: np.ndarray) -> Slice:
    inside, outside = ~right[mask], ~right[~mask]
    return Slice(
        column,
        words,
        int(mask.sum()),
        float(mask.mean()),
        wilson(int(inside.sum()), len(inside)),
        float(outside.mean()),
        difference(inside, outside),
    )


def difference(first: np.ndarray, second: np.ndarray) -> Estimate:
    """Difference of two shares with its 95 % interval (Newcombe 1998, method 10)."""
    one, two = wilson(int(first.sum()), len(first)), wilson(int(second.sum()), len(second))
    gap = one.value - two.value
    low = gap - np.hypot(one.value - one.low, two.high - two.value)
    high = gap + np.hypot(one.high - one.value, two.value - two.low)
    return Estimate(gap, float(low), float(high))


def _z(mask: np.ndarray, right: np.ndarray) -> float:
    inside, outside = ~right[mask], ~right[~mask]
    both = (~right).mean()
    spread = np.sqrt(max(both * (1 - both), 1e-12) * (1 / len(inside) + 1 / len(outside)))
    return float((inside.mean() - outside.mean()) / spread)


@dataclass(frozen=True)
class FairnessGap:
    """Two groups of a marked column that are answered differently: the share (of rows whose truth is `label`) that is
    answered `label`, in the groups where it is lowest and highest."""

    column: str
    label: str
    low_words: str
    high_words: str
    low: Estimate
    high: Estimate
    gap: Estimate


def unequal(
    rows: Sequence[Row], marked: dict[str, str], truth: np.ndarray, answers: np.ndarray, labels: tuple[str, ...]
) -> list[FairnessGap]:
    """Marked columns in whose groups a label is certainly not found equally well (Bonferroni over what is compared)."""
    found = []
    for column, kind in marked.items():
        values = [row.get(column) for row in rows]
        groups = [pair for pair in masks(column, kind, values, values) if not pair[0].endswith("is missing")]
        for place, label in enumerate(labels):
            pair = _furthest(groups, truth == place, answers == place)
            if pair is not None:
                found.append(FairnessGap(column, label, *pair))
    z = NormalDist().inv_cdf(1 - LEVEL / 2 / max(len(found), 1)) / 1.959964
    certain = [each for each in found if each.gap.value - z * (each.gap.value - each.gap.low) > 0]
    return sorted(certain, key=lambda each: -each.gap.value)


Pair = tuple[str, str, Estimate, Estimate, Estimate]


def _furthest(groups: Sequence[tuple[str, np.ndarray]], is_true: np.ndarray, is_said: np.ndarray) -> Pair | None:
    """The group where the label is found least and the one where it is found most."""
    rate: Callable[[np.ndarray], float] = lambda mask: float(is_said[mask & is_true].mean())  # noqa: E731
    fitting = [(words, mask) for words, mask in groups if (mask & is_true).sum() >= LEAST_ROWS]
    if len(fitting) < 2:
        return None
    low, high = min(fitting, key=lambda pair: rate(pair[1])), max(fitting, key=lambda pair: rate(pair[1]))
    worst, best = is_said[low[1] & is_true], is_said[high[1] & is_true]
    return (
        low[0], high[0], wilson(int(worst.sum()), len(worst)), wilson(int(best.sum()), len(best)),
        difference(best, worst),
    )  # fmt: skip
