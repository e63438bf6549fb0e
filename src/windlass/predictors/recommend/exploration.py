"""Slates that now and then show what is not known to be best, each item with the exact chance of standing at its place.

What a log without chance says of items that were never shown is nothing. `epsilon`: a share of the slates is filled by
chance from the best items; all others are the ranking itself. `thompson`: each score is drawn as uncertainly as the
item is known, so that new items come up where they might be best, and the slate is the order of what was drawn.
Source: Sutton & Barto 2018, ch. 2.2; Thompson 1933, Biometrika 25(3), as Chapelle & Li 2011, NeurIPS 24, use it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

EPSILON, THOMPSON, POOL = "epsilon", "thompson", "pool"
USUAL_POOL, MOST_POOL = 50, 200
GRID = 101
"""Points of the integral over what an item's score is drawn as: of Gaussians, its error is below 1e-6."""
REACH = 6.0
"""Standard deviations on both sides of a mean that the integral takes in."""
KNOWN_AT = 10.0
"""Events of an item at which half of the uncertainty (as a variance) of one that nobody touched is left."""


@dataclass(frozen=True)
class Slate:
    """places: (k,) of the pool, in the order shown. chances: (k,) that each stands exactly there."""

    places: np.ndarray
    chances: np.ndarray


@dataclass(frozen=True)
class Exploration:
    """way: `epsilon` or `thompson`. amount: share of the slates by chance; or how uncertain scores are, 1 = as much as
    they vary in the pool, for an item that nobody touched. pool: how many of the best items may be shown."""

    way: str
    amount: float
    pool: int = USUAL_POOL

    @classmethod
    def of(cls, said: Mapping[str, float] | None) -> "Exploration | None":
        """As the product says it; None: nothing is explored."""
        if not said:
            return None
        way = EPSILON if EPSILON in said else THOMPSON
        amount = float(said.get(way, 0.0))
        return cls(way, amount, int(said.get(POOL, USUAL_POOL))) if amount > 0 else None

    def slate(self, scores: np.ndarray, touched: np.ndarray, k: int, random: np.random.Generator) -> Slate:
        """scores, touched: (n,) of the pool, best first: each item's score, and how many events it had."""
        n = len(scores)
        k = min(k, n)
        if n < 2:
            return Slate(np.arange(k), np.ones(k))
        if self.way == EPSILON:
            by_chance = random.random() < self.amount
            places = random.permutation(n)[:k] if by_chance else np.arange(k)
            return Slate(places, (1 - self.amount) * (places == np.arange(k)) + self.amount / n)
        spread = self.spread(scores, touched)
        drawn = scores + spread * random.standard_normal(n)
        places = np.argsort(-drawn, kind="stable")[:k]
        return Slate(places, chances_of_places(scores, spread, places))

    def spread(self, scores: np.ndarray, touched: np.ndarray) -> np.ndarray:
        """(n,) standard deviation with which each score is drawn."""
        vary = float(scores.std()) or 1.0
        return np.asarray(self.amount * vary / np.sqrt(1 + touched / KNOWN_AT))


def chances_of_places(scores: np.ndarray, spread: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(k,) chance that item `places[j]` has the j-th largest of all draws, of independent Gaussians.

    Given what an item is drawn as, the number of others above it is Poisson binomial: its distribution is summed up by
    adding one item after the other, and integrated over the draw (trapezoids).
    """
    k = len(places)
    grid = np.linspace(-REACH, REACH, GRID)
    density = np.exp(-0.5 * grid**2) / math.sqrt(2 * math.pi)
    density *= grid[1] - grid[0]
    at = scores[places, None] + spread[places, None] * grid  # (k, grid)
    n_above = np.zeros((k, k, GRID))  # item shown, how many lie above it, what it was drawn as
    n_above[:, 0] = 1.0
    for other in range(len(scores)):
        above = _upper((at - scores[other]) / spread[other])
        above[places == other] = 0.0
        moved = n_above * (1 - above[:, None])
        moved[:, 1:] += n_above[:, :-1] * above[:, None]
        n_above = moved
    found = (n_above[np.arange(k), np.arange(k)] * density).sum(axis=1)
    return np.clip(found, 1e-12, 1.0)


_ERFC = np.vectorize(math.erfc, otypes=[np.float64])
_TABLE_STEP = 1 / 512
_TABLE = _ERFC(np.arange(-8.5, 8.5 + _TABLE_STEP, _TABLE_STEP) / math.sqrt(2)) / 2
"""The upper tail of the normal distribution, looked up with straight lines between: off by 1e-7, without scipy."""


def _upper(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.interp(values, np.arange(len(_TABLE)) * _TABLE_STEP - 8.5, _TABLE))
