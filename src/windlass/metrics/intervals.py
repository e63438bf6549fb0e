"""Intervals whose width follows the row: what is known of a row's spread, made to hold by rows that nothing was learned
from.

Two bases: the answer itself (answers of a size err alike), or two quantiles that a model gives for the row. Either is
widened, or narrowed, by what validation rows lack of them, apart for rows of a size (Mondrian) where these are many.
Arrays are (n,) float in the unit of the answers; a basis is (n, 2), low and high.
Source: Romano, Patterson, Candès 2019, arXiv:1905.03222 (conformalised quantile regression); Vovk et al. 2005,
        Algorithmic learning in a random world, ch. 4.5 (Mondrian); Gneiting & Raftery 2007, JASA 102(477) (the score).
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from windlass.metrics.measures import Array
from windlass.metrics.numbers import SHARE

Json = dict[str, Any]
VALUE, QUANTILES = "value", "quantiles"
"""What a width follows."""
LEAST_ADAPTED, LEAST_PART, MOST_PARTS = 200, 100, 8
"""Rows from which on a width may follow the row, rows of one size that tell their own margin, and sizes at most."""
LEAST_GAIN = 0.01
"""Of the score of one width for all, below which a width that follows the row is not worth it."""
LEAST_SURE = 2.0
NOISE = 1e-7
"""Of the range of the numbers, by which margins are wider than they were told: many rows may be the same number, such
as 0, and the last digits of a sum of trees would put them all outside."""
N_FOLDS = 4


@dataclass(frozen=True)
class Ranges:
    """How far below and above its basis an interval reaches. by: `value` or `quantiles`.

    edges: (m,) of what sizes are told apart by, the answer or the width of the basis; below, above: (m + 1,).
    """

    by: str
    edges: tuple[float, ...]
    below: tuple[float, ...]
    above: tuple[float, ...]

    @classmethod
    def from_json(cls, values: Json) -> "Ranges":
        """Raises: ValueError: these are no ranges."""
        lists = [values.get(name) for name in ("edges", "below", "above")]
        if values.get("by") not in (VALUE, QUANTILES) or not all(map(_is_numbers, lists)):
            raise ValueError("ranges of the interval are damaged, expected what they follow and finite numbers")
        edges, below, above = (tuple(map(float, each)) for each in lists if each is not None)
        if not len(edges) + 1 == len(below) == len(above) or list(edges) != sorted(edges):
            raise ValueError("ranges of the interval are damaged, expected a margin on both sides of each edge")
        return cls(values["by"], edges, below, above)

    def as_json(self) -> Json:
        return asdict(self)

    def ends(self, values: Array, basis: Array | None) -> tuple[Array, Array]:
        """Low and high; the answer itself lies never outside."""
        found = np.stack([values, values], axis=1) if basis is None or self.by == VALUE else basis
        place = np.searchsorted(np.asarray(self.edges), _size(self.by, values, found), side="right")
        low, high = found[:, 0] - np.asarray(self.below)[place], found[:, 1] + np.asarray(self.above)[place]
        return np.minimum(low, values), np.maximum(high, values)


def _is_numbers(values: Any) -> bool:
    return isinstance(values, list | tuple) and all(
        isinstance(each, int | float) and not isinstance(each, bool) and math.isfinite(each) for each in values
    )


def interval_score(targets: Array, low: Array, high: Array, share: float = SHARE) -> Array:
    """What each interval costs: its width, and where it fails by how much, 2 / (1 - share) times.

    Width alone would ask for intervals that fail where rows are hard: as many lie inside, all of them easy ones.
    """
    missed = np.maximum(low - targets, 0) + np.maximum(targets - high, 0)
    return np.asarray(high - low + 2 / (1 - share) * missed)


def best_ranges(targets: Array, values: Array, basis: Array | None = None) -> Ranges | None:
    """Of what these rows show the way that costs least on rows that it was not fitted on; None: one width for all.

    Args: targets, values: of rows that neither the model nor the basis had seen.
    """
    n_rows = len(targets)
    if n_rows < LEAST_ADAPTED:
        return None
    ways = _ways(n_rows, basis is not None)
    fold_of = np.random.default_rng(N_FOLDS).permutation(n_rows) % N_FOLDS
    costs = [_cost(way, fold_of, targets, values, basis) for way in [_constant, *ways]]
    best = int(np.argmin(costs[1:]))
    if not costs[best + 1] < (1 - LEAST_GAIN) * costs[0]:
        return None
    return ways[best](targets, values, basis)


Way = Callable[[Array, Array, Array | None], Ranges]


def _ways(n_rows: int, has_quantiles: bool) -> list[Way]:
    n_parts = min(MOST_PARTS, n_rows // LEAST_PART)
    kinds = (VALUE, QUANTILES) if has_quantiles else (VALUE,)
    return [_way(by, parts) for by in kinds for parts in (1, n_parts) if parts > 1 or by == QUANTILES]


def _way(by: str, n_parts: int) -> Way:
    def fit(targets: Array, values: Array, basis: Array | None) -> Ranges:
        found = np.stack([values, values], axis=1) if by == VALUE or basis is None else basis
        size = _size(by, values, found)
        edges = np.unique(np.quantile(size, np.linspace(0, 1, n_parts + 1)[1:-1]))
        places = np.searchsorted(edges, size, side="right")
        low, high = found[:, 0] - targets, targets - found[:, 1]
        each = [places == place for place in range(len(edges) + 1)]
        room = NOISE * float(np.ptp(targets))
        margins = [_margins(low[part], high[part], room) if part.any() else _margins(low, high, room) for part in each]
        below, above = zip(*margins, strict=True)
        return Ranges(by, tuple(edges.tolist()), below, above)

    return fit


def _margins(low: Array, high: Array, room: float) -> tuple[float, float]:
    """Below and above, by what rows (n,) lack on each side: half of the failures for each, and what one side does not
    use, since very many rows are the same number there, for the other. room: they are wider by so much."""
    below = margin(low, (1 + SHARE) / 2) + room
    above = margin(high, SHARE + float((low > below).mean())) + room
    left = 1 - SHARE - float((high > above).mean())
    return min(below, margin(low, 1 - left) + room), above


def by_quantiles(targets: Array, basis: Array) -> Ranges:
    """Margins of two quantiles (n, 2) of these rows, told apart by how far apart the two are."""
    return _way(QUANTILES, max(1, min(MOST_PARTS, len(targets) // LEAST_PART)))(targets, basis[:, 0], basis)


def by_value(targets: Array, values: Array) -> Ranges:
    """Margins of the answers themselves, told apart by their size."""
    return _way(VALUE, max(1, min(MOST_PARTS, len(targets) // LEAST_PART)))(targets, values, None)


def holds(found: Ranges, targets: Array, basis: Array) -> bool:
    """Of these rows as many lie inside as is promised, but for chance (two standard errors)."""
    low, high = found.ends(basis.mean(axis=1), basis)
    inside = float(((low <= targets) & (targets <= high)).mean())
    return abs(inside - SHARE) <= LEAST_SURE * math.sqrt(SHARE * (1 - SHARE) / len(targets))


def _constant(targets: Array, values: Array, basis: Array | None) -> Ranges:
    half = margin(np.abs(targets - values), SHARE)
    return Ranges(VALUE, (), (half,), (half,))


def _cost(way: Way, fold_of: Array, targets: Array, values: Array, basis: Array | None) -> float:
    total = 0.0
    for fold in range(N_FOLDS):
        here, others = fold_of == fold, fold_of != fold
        found = way(targets[others], values[others], None if basis is None else basis[others])
        ends = found.ends(values[here], None if basis is None else basis[here])
        total += float(interval_score(targets[here], *ends).sum())
    return total / len(targets)


def _size(by: str, values: Array, basis: Array) -> Array:
    return values if by == VALUE else np.asarray(basis[:, 1] - basis[:, 0])


def margin(lacks: Array, share: float) -> float:
    """So much at most do this share of all rows lack, by these (n,), 1 at least; the largest where they are too few."""
    n_rows = len(lacks)
    place = min(n_rows, int(np.ceil((n_rows + 1) * share)))
    return float(np.sort(lacks)[place - 1]) if n_rows else 0.0
