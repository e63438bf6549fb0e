"""Clicks apart into two chances: that a place is looked at, and that what stands there is wanted.

P(click) = looked[place] * sigmoid(features . weights + effects of ids), the first place being looked at always: the
position-based model. Fitted by maximum likelihood with Fisher scoring; weights and effects are held by ridge penalties,
places are not. That the same item was seen at several places, by chance, is what tells the two apart.
Source: Craswell et al. 2008, WSDM (the model); Wang et al. 2018, WSDM (relevance by regression instead of by pairs).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy import sparse
from scipy.linalg import cho_factor, cho_solve

from windlass.errors import DataError
from windlass.metrics.measures import Array

MOST_STEPS, ENOUGH = 60, 1e-6
LEAST_CHANCE = 1e-6
LEAST_CLICKS = 10
"""Clicks at a place, below which nothing is said of it."""
RIDGE = 1.0
"""Of ids: their effects are drawn from a normal distribution of this precision."""
SURE = 1.959964


@dataclass(frozen=True)
class Impressions:
    """What was shown, (n,) each: place: int from 0; clicked: bool; features: (n, d) float; ids: columns of int ids,
    such as item and user, each of which has an effect of its own. An id below 0 has none."""

    place: Array
    clicked: Array
    features: Array
    ids: Sequence[Array] = ()

    def part(self, chosen: Array) -> "Impressions":
        return Impressions(
            self.place[chosen], self.clicked[chosen], self.features[chosen], [each[chosen] for each in self.ids]
        )


@dataclass(frozen=True)
class ClickModel:
    """looked: (k,) chance that a place is looked at, as a share of the first; low, high: (k,) its 95 % interval.

    weights: (d + 1,) of features, the constant last; effects: of each column of ids, (n_ids,).
    """

    looked: Array
    low: Array
    high: Array
    weights: Array
    effects: tuple[Array, ...]

    def wanted(self, shown: Impressions) -> Array:
        """(n,) chance of a click by who looks at it; ids that were not learned have the effect of the mean one, 0."""
        score = shown.features @ self.weights[:-1] + self.weights[-1]
        for ids, effects in zip(shown.ids, self.effects, strict=True):
            known = (ids >= 0) & (ids < len(effects))
            score = score + np.where(known, effects[np.where(known, ids, 0)], 0.0)
        return _sigmoid(score)

    def chance(self, shown: Impressions) -> Array:
        """(n,) chance of a click at its place."""
        return np.asarray(self.looked[shown.place] * self.wanted(shown))


@dataclass(frozen=True)
class _Fit:
    """design: (n, p): one column a place but the first, features, the constant, one column an id. held: (n,) chance
    that the place is looked at, where that is known already; then no column is a place's."""

    design: sparse.csr_matrix
    clicked: Array
    penalty: Array
    n_free: int
    held: Array | float = 1.0

    def chances(self, values: Array) -> tuple[Array, Array]:
        """(n,) of a click, and of being wanted."""
        free = self.n_free
        looked = np.exp(np.asarray(self.design[:, :free] @ values[:free])) * self.held
        wanted = _sigmoid(np.asarray(self.design[:, free:] @ values[free:]))
        return np.clip(looked * wanted, LEAST_CHANCE, 1 - LEAST_CHANCE), wanted

    def loss(self, values: Array) -> float:
        chance, _ = self.chances(values)
        likelihood = self.clicked * np.log(chance) + (1 - self.clicked) * np.log1p(-chance)
        return float(-likelihood.sum() + 0.5 * (self.penalty * values**2).sum())

    def derivatives(self, values: Array) -> tuple[Array, Array]:
        """The slope of the likelihood (p,) and its expected curvature (p, p), both with the penalty."""
        chance, wanted = self.chances(values)
        is_place = np.arange(self.design.shape[1]) < self.n_free
        by_place = sparse.diags(chance) @ self.design @ sparse.diags(is_place.astype(np.float64))
        by_value = sparse.diags(chance * (1 - wanted)) @ self.design @ sparse.diags((~is_place).astype(np.float64))
        rows, spread = by_place + by_value, chance * (1 - chance)
        slope = rows.T @ ((self.clicked - chance) / spread) - self.penalty * values
        information = (rows.T @ sparse.diags(1 / spread) @ rows).toarray() + np.diag(self.penalty + 1e-9)
        return np.asarray(slope), information

    def maximised(self, values: Array) -> tuple[Array, Array]:
        """Values (p,) and the covariance of those of places, by Fisher scoring with halved steps."""
        loss = self.loss(values)
        for _ in range(MOST_STEPS):
            slope, information = self.derivatives(values)
            factor, share = cho_factor(information), 1.0
            step = cho_solve(factor, slope)
            after = self.loss(values + step)
            while after >= loss and share > 1e-3:
                share /= 2
                after = self.loss(values + share * step)
            if loss - after < ENOUGH:
                break
            values, loss = values + share * step, after
        return values, cho_solve(factor, np.eye(len(values))[:, : self.n_free])[: self.n_free]


def fit_click_model(shown: Impressions, ridge: float = RIDGE, known: ClickModel | None = None) -> ClickModel:
    """Args: known: whose places are held, so that weights and effects alone are learned. Many effects of few
        impressions each, such as a reader's topics, bend what is learned of places (of news-feed by 39 %, with the
        effects of articles alone by 5 %), and an item of today has no effect yet. So places are fitted with effects of
        items, then held, and what is wanted is learned of rates so far (`rates_so_far`).

    Raises: DataError: a place has too few clicks, or nothing was shown at two places, so that the two chances cannot be
        told apart.
    """
    n_places = int(shown.place.max()) + 1 if len(shown.place) else 0
    if known is None:
        _check(shown, n_places)
    elif n_places > len(known.looked):
        raise DataError(f"slates have {n_places} places, expected {len(known.looked)}, as the places that are known")
    n_free, sizes = n_places - 1 if known is None else 0, [int(ids.max(initial=-1)) + 1 for ids in shown.ids]
    n_dense = n_free + shown.features.shape[1] + 1
    penalty = np.concatenate([np.zeros(n_free), np.full(n_dense - n_free - 1, 1e-3), [0.0], np.full(sum(sizes), ridge)])
    held = 1.0 if known is None else known.looked[shown.place]
    fit = _Fit(_design(shown, n_free, sizes), shown.clicked.astype(np.float64), penalty, n_free, held)
    start = np.zeros(len(penalty))
    start[:n_free] = -0.5 * np.log(np.arange(2, n_free + 2))
    rate = float(np.clip(shown.clicked.mean(), 0.01, 0.5))
    start[n_dense - 1] = np.log(rate / (1 - rate))
    values, covariance = fit.maximised(start)
    ends = np.cumsum([n_dense, *sizes])
    effects = tuple(values[start:end] for start, end in pairwise(ends))
    if known is not None:
        return replace(known, weights=values[:n_dense], effects=effects)
    errors = np.sqrt(np.diag(covariance))
    looked, low, high = (
        np.concatenate([[1.0], np.exp(values[:n_free] + sign * errors)]) for sign in (0.0, -SURE, SURE)
    )  # fmt: skip
    return ClickModel(looked, low, high, values[n_free:n_dense], effects)


def rates_so_far(ids: Array, clicked: Array, looked: Array, at: Array, least: float) -> Array:
    """(n,) log of each id's clicks a look before the moment of the row; of few looks it is drawn to the mean of all.

    Args: ids: (n,) int from 0. looked: (n,) chance that the place is looked at. at: (n,) moments; rows of one moment do
        not know of each other. least: looks that the mean of all is worth.
    """
    mean = float(clicked.sum() / looked.sum())
    order = np.lexsort((at, ids))
    keys, moments = ids[order], at[order]
    first = np.r_[True, (keys[1:] != keys[:-1]) | (moments[1:] != moments[:-1])]  # of an id and a moment
    start = np.r_[True, keys[1:] != keys[:-1]]
    found = np.empty(len(ids))
    sums = []
    for values in (clicked[order].astype(np.float64), looked[order]):
        before = np.cumsum(values) - values
        at_first, at_start = (np.maximum.accumulate(np.where(mark, np.arange(len(ids)), 0)) for mark in (first, start))
        sums.append(before[at_first] - before[at_start])
    found[order] = np.log((sums[0] + least * mean) / (sums[1] + least))
    return found


def _check(shown: Impressions, n_places: int) -> None:
    if n_places < 2:
        raise DataError(f"slates have {n_places} places, expected two at least")
    clicks = np.bincount(shown.place[shown.clicked.astype(bool)], minlength=n_places)
    if clicks.min() < LEAST_CLICKS:
        place = int(clicks.argmin())
        raise DataError(f"place {place + 1} has {clicks[place]} clicks, expected {LEAST_CLICKS} at least")


def _design(shown: Impressions, n_free: int, sizes: Sequence[int]) -> sparse.csr_matrix:
    blocks = [_one_hot(shown.place - 1, n_free)] if n_free else []
    blocks += [sparse.csr_matrix(shown.features), np.ones((len(shown.place), 1))]
    blocks += [_one_hot(ids, size) for ids, size in zip(shown.ids, sizes, strict=True)]
    return sparse.hstack(blocks, format="csr", dtype=np.float64)


def _one_hot(ids: Array, size: int) -> sparse.csr_matrix:
    there = np.flatnonzero(ids >= 0)
    return sparse.csr_matrix((np.ones(len(there)), (there, ids[there])), shape=(len(ids), size))


def _sigmoid(values: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -40, 40))))
