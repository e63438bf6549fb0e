"""The learning curve: what a score becomes with more rows, with an interval, from scores at fewer rows.

The mistakes (1 - score) fall by a power law to a floor: floor + exp(level - rate * x), with x the logarithm of the rows
or, in a twentieth of the prior, their number (an exponential). Each floor is one form; given a form, level and rate
are a
conjugate linear regression on log(mistakes - floor). All forms are averaged by how well they explain what was measured.
Source: Viering & Loog 2022, arXiv:2103.10948 (forms); Hestness et al. 2017, arXiv:1712.00409 (rates of 0.07 to 0.35);
Hoeting et al. 1999, Statistical Science 14 (averaging).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from windlass.errors import DataError
from windlass.metrics.measures import Estimate

FLOORS = np.linspace(0.0, 0.9, 10)
"""As shares of the fewest mistakes seen: at 0.9 nine in ten of them are there to stay."""
EXPONENTIAL = 0.05
RATE, RATE_SPREAD, LEVEL_SPREAD = 0.35, 0.3, 1.0
"""Prior means and standard deviations of rate and level."""
MISFIT = 0.005
"""How far a true curve strays from every form: 0.003 forecast as well, with intervals that were too narrow. The others
are the best of 18 settings on five sets of benchmarks/planning.py that do not count there."""
N_DRAWS = 4_000
LEAST_POINTS = 3
LEAST_MISTAKES = 1e-4


@dataclass(frozen=True)
class Point:
    """A score (0-1, more is better) that was measured with so many training rows, and its standard error."""

    rows: int
    score: float
    error: float


@dataclass(frozen=True)
class Curve:
    """Draws from what the curve may be. level, rate, floor: (draws,) float; exponential: (draws,) bool; most: the most
    rows measured, where x is zero."""

    level: np.ndarray
    rate: np.ndarray
    floor: np.ndarray
    exponential: np.ndarray
    most: int

    def draws(self, rows: float) -> np.ndarray:
        """The score at so many rows in each draw, 0-1."""
        x = np.where(self.exponential, rows / self.most - 1.0, np.log(rows / self.most))
        return np.clip(1.0 - self.floor - np.exp(self.level - self.rate * x), 0.0, 1.0)

    def score(self, rows: float) -> Estimate:
        """The forecast with its 95 % interval."""
        return summary(self.draws(rows))

    def gain(self, start: float, end: float) -> Estimate:
        """What the score gains from `start` to `end` rows."""
        return summary(self.draws(end) - self.draws(start))

    def won(self, start: float, end: float) -> np.ndarray:
        """The share of the mistakes at `start` rows that `end` rows spare, 0-1, in each draw. So a curve of validation
        rows tells of a score on other rows, whose level may differ."""
        left, now = 1.0 - self.draws(end), 1.0 - self.draws(start)
        return np.clip(1.0 - np.divide(left, now, out=np.ones_like(left), where=now > 1e-9), 0.0, 1.0)

    def rows_for(self, won: float, start: float, most: float) -> float | None:
        """The rows that spare this share of the mistakes at `start` in half of the draws; None: more than `most`."""
        if np.median(self.won(start, most)) < won:
            return None
        low, high = float(start), float(most)
        for _ in range(40):
            middle = (low * high) ** 0.5
            if np.median(self.won(start, middle)) >= won:
                high = middle
            else:
                low = middle
        return high


def summary(values: np.ndarray) -> Estimate:
    """Median with the 95 % interval of the draws."""
    low, middle, high = np.percentile(values, [2.5, 50.0, 97.5])
    return Estimate(float(middle), float(low), float(high))


def fit(points: Sequence[Point], seed: int = 13) -> Curve:
    """The curve through the points, as draws of all forms in proportion to how well each explains them. Curves that
    fall
    with more rows are left out.

    Raises: DataError: fewer than three different numbers of rows.
    """
    if len({point.rows for point in points}) < LEAST_POINTS:
        raise DataError(f"a learning curve has {len(points)} points, expected at least {LEAST_POINTS} numbers of rows")
    # 1. Mistakes and not scores: they fall towards a floor, and the logarithm of what is above it is a straight line.
    rows = np.array([point.rows for point in points], float)
    mistakes = np.maximum(1.0 - np.array([point.score for point in points]), LEAST_MISTAKES)
    variance = np.array([point.error for point in points]) ** 2 + MISFIT**2
    most = int(rows.max())
    floors = np.concatenate([FLOORS, FLOORS]) * mistakes.min()
    exponential = np.repeat([False, True], len(FLOORS))
    # 2. The floor cannot be told from a few points, so that each is tried; the evidence says how much it counts.
    fits = [
        _regression(rows / most - 1.0 if kind else np.log(rows / most), mistakes - floor, variance)
        for floor, kind in zip(floors, exponential, strict=True)
    ]
    log_weight = np.array([evidence for _, _, evidence in fits]) + np.log(_prior())
    weight = np.exp(log_weight - log_weight.max())
    # 3. Draws from all of them, not from the best: what is unsure about the form is unsure about the forecast.
    random = np.random.default_rng(seed)
    chosen = random.choice(len(fits), size=4 * N_DRAWS, p=weight / weight.sum())
    noise = random.standard_normal((len(chosen), 2))
    means = np.stack([mean for mean, _, _ in fits])[chosen]
    roots = np.stack([np.linalg.cholesky(covariance) for _, covariance, _ in fits])[chosen]
    level, rate = (means + np.einsum("nij,nj->ni", roots, noise)).T
    rising = np.flatnonzero(rate >= 0)[:N_DRAWS]
    if len(rising) < N_DRAWS // 10:  # nearly all fall with more rows: flat, as far as anybody can tell
        rising, rate = np.arange(N_DRAWS), np.zeros_like(rate)
    return Curve(level[rising], rate[rising], floors[chosen][rising], exponential[chosen][rising], most)


def _prior() -> np.ndarray:
    """Chances of the forms: low floors are likelier, since more rows go on helping for long."""
    floors = (1.0 - FLOORS) ** 3
    floors /= floors.sum()
    return np.concatenate([(1 - EXPONENTIAL) * floors, EXPONENTIAL * floors])


def _regression(x: np.ndarray, above: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Posterior mean (2,) and covariance (2, 2) of level and rate, and the log evidence of the form.

    Args:   above: mistakes over the floor; their variance becomes that of the logarithm by the delta method.
    Source: Bishop 2006, Pattern Recognition and Machine Learning, eq. 3.50-3.51 and 3.86.
    """
    logs = np.log(above)
    design = np.stack([np.ones_like(x), -x], axis=1)
    centre = np.array([logs[-1], RATE])
    prior = np.diag([LEVEL_SPREAD**2, RATE_SPREAD**2])
    spread = design @ prior @ design.T + np.diag(variance / above**2)
    residual = logs - design @ centre
    solved = np.linalg.solve(spread, residual)
    gain = prior @ design.T
    covariance = prior - gain @ np.linalg.solve(spread, gain.T)
    evidence = -0.5 * float(residual @ solved) - 0.5 * float(np.linalg.slogdet(spread)[1]) - float(logs.sum())
    return centre + gain @ solved, (covariance + covariance.T) / 2 + 1e-14 * np.eye(2), evidence
