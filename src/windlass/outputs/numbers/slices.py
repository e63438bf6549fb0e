"""Errors by slice: of each name of an input and each fifth of its sizes, how far off answers are, and how many right
numbers lie inside the intervals; what differs is told only beyond what so many looks would show by chance.

Source: Bonferroni 1936; the binomial test for shares.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from windlass.kinds import table as kinds
from windlass.kinds.contract import is_missing
from windlass.metrics.measures import told
from windlass.metrics.numbers import SHARE, NumberMarks
from windlass.records import Row

LEAST_ROWS, N_PARTS, MOST_NAMES = 100, 5, 20
"""Rows of a slice at least, parts of sizes, and names of an input that are looked at, the commonest first."""
SURE = 0.05
"""Chance that any of all slices is told although none differs."""


@dataclass(frozen=True)
class Slice:
    """Some of the test rows. error: the mean absolute one, with its interval by all looks; inside: of right numbers in
    their intervals, None without such; is_worse, is_uncovered: surely so, by all looks."""

    name: str
    n_rows: int
    error: float
    low: float
    high: float
    inside: float | None
    is_worse: bool
    is_uncovered: bool


def slices(marks: NumberMarks, rows: Sequence[Row], inputs: Mapping[str, str]) -> list[Slice]:
    """Those of enough rows, the largest error first."""
    from scipy.stats import binom, norm

    found = [(name, places) for name, places in _parts(rows, inputs) if LEAST_ROWS <= len(places) < len(rows)]
    each = SURE / max(len(found), 1)
    errors, inside, reach = np.abs(marks.residuals), marks.inside, float(norm.ppf(1 - each / 2))
    told_of = []
    for name, places in found:
        mean, n_rows = float(errors[places].mean()), len(places)
        half = reach * float(errors[places].std(ddof=1)) / np.sqrt(n_rows)
        share = float(inside[places].mean()) if marks.half is not None else None
        bound = binom.ppf([each / 2, 1 - each / 2], n_rows, SHARE) / n_rows
        is_worse = bool(mean - half > float(np.delete(errors, places).mean()))
        is_uncovered = share is not None and not bool(bound[0] <= share <= bound[1])
        told_of.append(Slice(name, n_rows, mean, mean - half, mean + half, share, is_worse, is_uncovered))
    return sorted(told_of, key=lambda each: -each.error)


def _parts(rows: Sequence[Row], inputs: Mapping[str, str]) -> Iterator[tuple[str, np.ndarray]]:
    """(name, places of its rows): each name of an input, each fifth of its sizes."""
    for column, name in inputs.items():
        kind = kinds.get(name)
        values = [row[column] for row in rows]
        if kind.is_named:
            words = np.array([str(value) for value in values])
            names, counts = np.unique(words, return_counts=True)
            for word in names[np.argsort(-counts, kind="stable")][:MOST_NAMES].tolist():
                yield f"{column}: {word[:60] or 'missing'}", np.flatnonzero(words == word)
        elif kind.size is not None:
            sizes = np.array([np.nan if is_missing(value) else kind.size.of(value) for value in values], np.float64)
            yield from _by_size(column, sizes)


def _by_size(column: str, sizes: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    known = sizes[~np.isnan(sizes)]
    if not len(known):
        return
    edges = np.unique(np.quantile(known, np.linspace(0, 1, N_PARTS + 1)[1:-1]))
    place = np.where(np.isnan(sizes), -1, np.searchsorted(edges, sizes, side="left"))
    for part in np.unique(place).tolist():
        rows = np.flatnonzero(place == part)
        if part < 0:
            yield f"{column}: missing", rows
        else:
            yield f"{column}: {told(float(sizes[rows].min()))} to {told(float(sizes[rows].max()))}", rows
