"""Whether rows of now come from where the reference came from: pure functions of counts and vectors.

Each gives how far the two lie apart and how likely chance alone would bring them as far (p). Counts are (k,) int, one
place a value or a bin, the same places in both.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from windlass.metrics.proportions import Proportion

if TYPE_CHECKING:
    from types import ModuleType

Array = np.ndarray
LEAST_EXPECTED = 5.0
"""Rows that a cell of a chi-square test must be expected to hold; smaller ones are taken together (Cochran 1954)."""
N_PERMUTATIONS = 500
LEAST_IN_ORDER, SURELY = 10, 2.0
"""Numbers whose correlation with the next is looked at; and deviations from 0 from which on it is one."""
TAIL = 10
"""Permutations beyond the statistic that make its p-value a count; with fewer the tail is fitted."""


def _special() -> "ModuleType":
    """scipy's special functions, imported when drift is measured: a service that answers needs none."""
    from scipy import special

    return special


class Test(NamedTuple):
    """distance: how far apart, in the statistic's own unit. p: of that or more under one common source, 0-1."""

    distance: float
    p: float


def population_stability_index(reference: Array, now: Array) -> float:
    """Sum of (share now - share before) * ln(share now / share before); half a row is added to each place.

    Source: Siddiqi 2006, "Credit Risk Scorecards"; below 0.1 it is commonly called small, above 0.25 large.
    """
    before, after = ((counts + 0.5) / (counts.sum() + 0.5 * len(counts)) for counts in (reference, now))
    return float(((after - before) * np.log(after / before)).sum())


def expected_index(n_places: int, n_reference: float, n_now: float) -> float:
    """What the index is on average when nothing has changed: (k - 1) * (1 / n + 1 / m).

    Source: Yurdakul & Naranjo 2020, "Statistical properties of the population stability index": the index over
    (1 / n + 1 / m) is close to chi-square with k - 1 degrees of freedom. With 300 rows and 32 bins that is 0.13.
    """
    return (n_places - 1) * (1 / max(n_reference, 1) + 1 / max(n_now, 1))


def independent_share(values: Array) -> float:
    """How many of these numbers in the order of time, (n,), tell as much as independent ones would, a share of them:
    (1 - r) / (1 + r) with the correlation r of each with the next; 1 where r is not surely above 0.

    Source: Bayley & Hammersley 1946, "The effective number of independent observations in an autocorrelated time
    series"; r is corrected for its bias in few numbers as in Marriott & Pope 1954.
    """
    n = len(values)
    apart = np.asarray(values, np.float64) - np.mean(values) if n else np.zeros(0)
    total = float((apart**2).sum())
    if n <= LEAST_IN_ORDER or total <= 0:
        return 1.0
    found = float((apart[1:] * apart[:-1]).sum()) / total
    if found < SURELY / np.sqrt(n):
        return 1.0
    r = min((n * found + 1) / (n - 4), 1 - 2 / n)
    return (1 - r) / (1 + r)


def kolmogorov_smirnov(reference: Array, now: Array) -> Test:
    """Two-sample test over ordered bins: the largest gap of the cumulated shares; with ties p is too large, not small.

    Source: asymptotic distribution of Kolmogorov, as `scipy.stats.kstwobign`.
    """
    n, m = float(reference.sum()), float(now.sum())
    if not n or not m:
        return Test(0.0, 1.0)
    gap = float(np.abs(np.cumsum(reference) / n - np.cumsum(now) / m).max())
    return Test(gap, float(_special().kolmogorov(gap * np.sqrt(n * m / (n + m)))))


def chi_square(reference: Array, now: Array) -> Test:
    """Pearson's test of homogeneity (2 x k, no correction), small cells taken together. distance: Cramér's V, 0-1."""
    table = _without_small_cells(np.array([reference, now], np.float64))
    n = table.sum()
    if table.shape[1] < 2 or not table.sum(axis=1).all():
        return Test(0.0, 1.0)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    statistic = float(((table - expected) ** 2 / expected).sum())
    return Test(float(np.sqrt(statistic / n)), float(_special().chdtrc(table.shape[1] - 1, statistic)))


def _without_small_cells(table: Array) -> Array:
    """The columns with enough rows, and one of the others together."""
    both = table.sum(axis=0)
    least = both * (table.sum(axis=1).min() / max(table.sum(), 1))
    is_small = least < LEAST_EXPECTED
    rest = table[:, is_small].sum(axis=1, keepdims=True)
    kept = table[:, ~is_small]
    if not rest.sum():
        return kept
    if rest.sum() * (table.sum(axis=1).min() / table.sum()) < LEAST_EXPECTED and kept.shape[1]:
        kept[:, [kept.sum(axis=0).argmin()]] += rest
        return kept
    return np.concatenate([kept, rest], axis=1)


def more_often(reference: Proportion, now: Proportion) -> Test:
    """Fisher's exact test, one-sided: does it happen more often now?

    distance: share now less share before; below 0 where it happens less often.
    """
    (hits, n), (hits_now, m) = reference, now
    if not n or not m:
        return Test(0.0, 1.0)
    total = hits + hits_now
    places = np.arange(hits_now, min(total, m) + 1)
    logs = _log_choose(m, places) + _log_choose(n, total - places) - _log_choose(n + m, np.array(total))
    return Test(hits_now / m - hits / n, float(min(1.0, np.exp(logs).sum())))


def surely_below(hits: int, n: int, bound: float) -> float:
    """p, at most 1, of so few hits where their share is at least the bound; it holds however often one looks.

    One over the likelihood ratio of all smaller shares together (uniform up to the bound) to the bound itself, which
    chance alone brings below p with a probability of at most p, at any time.
    Source: Ville 1939; Robbins 1970, "Statistical methods related to the law of the iterated logarithm".
    """
    special = _special()
    mixed = special.betaln(hits + 1, n - hits + 1) + np.log(special.betainc(hits + 1, n - hits + 1, bound) / bound)
    return float(np.exp(min(0.0, hits * np.log(bound) + (n - hits) * np.log1p(-bound) - mixed)))


def _log_choose(n: int, k: Array) -> Array:
    gammaln = _special().gammaln
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)


def energy(reference: Array, now: Array, seed: int = 13) -> Test:
    """Permutation test of the energy distance of two samples of vectors, (n, d) and (m, d).

    distance: the share 1 - (|x - x'| + |y - y'|) / (2 |x - y|) of mean distances, about 0 for one source, at most 1.
    A p-value below what the permutations can count is read off a Pearson III distribution fitted to them.
    Source: Székely & Rizzo 2013, "Energy statistics"; the fitted tail as in Gretton et al. 2009, section 4.
    """
    n, m = len(reference), len(now)
    if n < 2 or m < 2:
        return Test(0.0, 1.0)
    apart = _distances(np.concatenate([reference, now]).astype(np.float32))
    random = np.random.default_rng(seed)
    sides = np.zeros((N_PERMUTATIONS + 1, n + m), np.float32)
    sides[0, :n] = 1
    sides[1:, :n] = 1
    sides[1:] = random.permuted(sides[1:], axis=1)
    total = float(apart.sum())
    inner = ((sides @ apart) * sides).sum(axis=1).astype(np.float64)
    left = sides.astype(np.float64) @ apart.sum(axis=1).astype(np.float64)
    between = left - inner
    outer = total - inner - 2 * between
    mean_between = between / (n * m)
    found = 2 * mean_between - inner / (n * (n - 1)) - outer / (m * (m - 1))
    share = float(found[0] / (2 * mean_between[0])) if mean_between[0] > 0 else 0.0
    return Test(share, _permuted_p(float(found[0]), found[1:]))


def _distances(rows: Array) -> Array:
    squares = (rows**2).sum(axis=1)
    apart = np.sqrt(np.maximum(squares[:, None] + squares[None, :] - 2 * rows @ rows.T, 0))
    np.fill_diagonal(apart, 0)
    return apart


def _permuted_p(statistic: float, permuted: Array) -> float:
    beyond = int((permuted >= statistic - 1e-12).sum())
    counted = (beyond + 1) / (len(permuted) + 1)
    deviation = float(permuted.std())
    if beyond >= TAIL or deviation < 1e-12:
        return counted
    place = (statistic - float(permuted.mean())) / deviation
    skew = float(((permuted - permuted.mean()) ** 3).mean()) / deviation**3
    if skew < 1e-3:
        return float(_special().ndtr(-place))
    shape = 4 / skew**2
    return float(_special().gammaincc(shape, max(0.0, shape + place * np.sqrt(shape))))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values adjusted so that, of all of them together, one is false at most as often as it says.

    Source: Holm 1979, "A simple sequentially rejective multiple test procedure".
    """
    adjusted, largest = [1.0] * len(p_values), 0.0
    for rank, place in enumerate(np.argsort(p_values)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = largest
    return adjusted
