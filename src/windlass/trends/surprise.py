"""How surprising a count is against its own past: pure functions of counts, of many series at once.

A day's count is held against the negative binomial that its past foretells: the rate with its own uncertainty (Gamma
posterior), the weekday, and how much more than a Poisson count such series scatter. It is how health offices look for
outbreaks, with the same aim: few false alarms over many series, and an outbreak of last week must not hide the next.
Source: Farrington et al. 1996, J. R. Statist. Soc. A 159, 547; Noufal et al. 2013, Statist. Med. 32, 1206 (section 3.3:
days that stood out weigh less).
"""

from dataclasses import dataclass

import numpy as np

from windlass.metrics.measures import Array, Estimate, wilson
from windlass.metrics.proportions import Proportion

Z = 1.959964
STOOD_OUT = 0.005
"""Chance below which a past day weighs less."""
UNSEEN = 0.5
"""What a series that was never counted starts from: Jeffreys' prior of a Poisson rate."""
HIGHEST = 0.1
"""Share of the past days that may have been outbreaks."""
N_ROUNDS = 3


@dataclass(frozen=True)
class ExpectedCount:
    """What a day would be if nothing had changed: a negative binomial, variance = mean + mean^2 / size. mean, size: of
    one shape, such as (n,) or (n, d), which is that of all that is given and asked."""

    mean: Array
    size: Array

    def tail(self, counts: Array) -> Array:
        """Chance of a day with at least so many."""
        from scipy.special import betainc

        share = self.mean / (self.mean + self.size)
        return np.where(counts > 0, betainc(np.maximum(counts, 1), self.size, share), 1.0)

    def reached(self, chance: float) -> Array:
        """The smallest counts that a usual day reaches with no more than this chance."""
        low, high = np.zeros(self.mean.shape), np.ones(self.mean.shape)
        while (open_ := self.tail(high) > chance).any():
            low, high = np.where(open_, high, low), np.where(open_, high * 2, high)
        while (high - low > 1).any():
            middle = np.floor((low + high) / 2)
            is_above = self.tail(middle) <= chance
            low, high = np.where(is_above, low, middle), np.where(is_above, middle, high)
        return high.astype(int)


def usual(past: Array, exposure: Array, today: float) -> ExpectedCount:
    """What the past foretells for one more day.

    Args:    past: (n, w) counts of n series on w days; exposure: (w,) > 0, how much was to be expected of each day
             beside another, such as 0.5 on a Sunday; today: the exposure of the day that is foretold.
    """
    weights = _without_the_highest(past / exposure)
    for _ in range(N_ROUNDS):
        rates = (weights * past).sum(1) / (weights * exposure).sum(1)
        means = rates[:, None] * exposure
        scatter = overdispersion(past, means, weights)
        chances = ExpectedCount(means, 1 / (scatter[:, None] + 1e-9)).tail(past)
        weights = np.minimum(chances / STOOD_OUT, 1.0)
    scatter = overdispersion(past, means, weights)
    seen = (weights * past).sum(1) + UNSEEN
    mean = seen / (weights * exposure).sum(1) * today
    return ExpectedCount(mean, 1 / (1 / seen + scatter))


def _without_the_highest(past: Array) -> Array:
    """Weights (n, w) to begin with: an outbreak must not pass for scatter, so that the highest days count nothing."""
    weights = np.ones(past.shape)
    highest = np.argsort(-past, axis=1, kind="stable")[:, : round(HIGHEST * past.shape[1])]
    np.put_along_axis(weights, highest, 0.0, axis=1)
    return weights


def overdispersion(past: Array, means: Array, weights: Array) -> Array:
    """Of each series (n,) >= 0: a in variance = mean + a mean^2, by moments, two standard errors above the estimate.

    A series with few counts says little of its own scatter, and leans on that of all series together. The standard
    errors keep the promise about false alarms where scatter is large (docs/log.md).
    """
    excess = (weights * ((past - means) ** 2 - means)).sum(1)
    scale = (weights * means**2).sum(1)
    together = max(excess.sum() / max(scale.sum(), 1e-12), 0.0)
    lean = 2 * past.shape[1]
    found = np.maximum((excess + lean * together) / (scale + lean), 0.0)
    variance = means + found[:, None] * means**2
    return found + 2 * np.sqrt(2 * (weights * variance**2).sum(1)) / (scale + lean)


def weekday_factors(totals: Array, weekdays: Array) -> Array:
    """How much of a mean day each weekday has (7,), mean about 1; a weekday that is hardly known counts as a mean day.

    Args:    totals: (w,) counts; weekdays: (w,) 0-6.
    """
    mean = totals.mean() if len(totals) else 0.0
    if mean == 0:
        return np.ones(7)
    seen = np.bincount(weekdays, weights=totals, minlength=7) + mean
    return seen / ((np.bincount(weekdays, minlength=7) + 1) * mean)


def share_difference(now: Proportion, before: Proportion, z: float = Z) -> Estimate:
    """By how much a share rose, with its interval, of 95 % unless told.

    Source: Newcombe 1998, Statist. Med. 17, 873, method 10.
    """
    one, other = wilson(*now, z), wilson(*before, z)
    value = one.value - other.value
    below = np.hypot(one.value - one.low, other.high - other.value)
    above = np.hypot(one.high - one.value, other.value - other.low)
    return Estimate(value, float(value - below), float(value + above))
