"""The learning curve: what a score becomes with more rows, with an interval, from scores at fewer rows.

score(n) = now - slope * f(n), where f is zero at the most rows measured and falls by one for each e-fold there.
Three forms
of f are averaged by how well they explain what was measured: power law with an asymptote, its limit the logarithm, and
exponential. Given a form, `now` and `slope` are a conjugate linear regression, so nothing is searched or sampled there.
Source: power law and forms: Viering & Loog 2022, arXiv:2103.10948; averaging: Hoeting et al. 1999, Statistical
Science 14.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from windlass.errors import DataError
from windlass.metrics import Estimate

EXPONENTS = np.concatenate([[0.0], np.linspace(0.1, 2.0, 20)])
"""Of the power law; 0 is the logarithm."""
SCALES = np.array([0.25, 0.5, 1.0, 2.0, 4.0])
"""Of the exponential, in units of the most rows measured."""
LOG_SHARE, EXPONENTIAL_SHARE, TYPICAL = 0.15, 0.1, 0.5
"""Prior chances of the forms, and the exponent about which the power law's are spread."""
NOW_SPREAD, SLOPE_SPREAD, MISFIT = 1.0, 0.2, 0.003
"""Prior standard deviations of `now` and `slope` (per e-fold), and how far a true curve strays from every form."""
N_DRAWS = 4_000
LEAST_POINTS = 3


@dataclass(frozen=True)
class Point:
    """A score (0-1, more is better) that was measured with so many training rows, and its standard error."""

    rows: int
    score: float
    error: float


@dataclass(frozen=True)
class Curve:
    """Draws from what the curve may be. now, slope, exponent, scale: (draws,) float; most: rows where f is zero."""

    now: np.ndarray
    slope: np.ndarray
    exponent: np.ndarray
    scale: np.ndarray
    most: int

    def draws(self, rows: float) -> np.ndarray:
        """The score at so many rows in each draw, 0-1."""
        return np.clip(self.now - self.slope * _fallen(rows / self.most, self.exponent, self.scale), 0.0, 1.0)

    def score(self, rows: float) -> Estimate:
        """The forecast with its 95 % interval."""
        return summary(self.draws(rows))

    def gain(self, start: float, end: float) -> Estimate:
        """What the score gains from `start` to `end` rows."""
        return summary(self.draws(end) - self.draws(start))

    def rows_for(self, gain: float, start: float, most: float) -> tuple[float | None, float]:
        """The rows that bring this gain over `start` in half of the draws (None: more than `most`), and the chance
        that `most` rows bring it."""
        chance = float((self.draws(most) - self.draws(start) >= gain).mean())
        if chance < 0.5:
            return None, chance
        low, high = float(start), float(most)
        for _ in range(40):
            middle = (low * high) ** 0.5
            if np.median(self.draws(middle) - self.draws(start)) >= gain:
                high = middle
            else:
                low = middle
        return high, chance


def summary(values: np.ndarray) -> Estimate:
    """Median with the 95 % interval of the draws."""
    low, middle, high = np.percentile(values, [2.5, 50.0, 97.5])
    return Estimate(float(middle), float(low), float(high))


def _fallen(ratio: float, exponent: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """f at `ratio` times the most rows, for each form; scale 0 means a power law."""
    safe, wide = np.where(exponent > 0, exponent, 1.0), np.where(scale > 0, scale, 1.0)
    power = np.where(exponent > 0, (ratio**-safe - 1.0) / safe, -np.log(ratio))
    return np.where(scale > 0, wide * (np.exp(-(ratio - 1.0) / wide) - 1.0), power)


def _forms() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Exponents, scales and prior chances of all forms."""
    spread = np.exp(-((EXPONENTS[1:] - TYPICAL) ** 2) / 2 / 0.5**2)
    powers = (1 - LOG_SHARE - EXPONENTIAL_SHARE) * spread / spread.sum()
    exponentials = np.full(len(SCALES), EXPONENTIAL_SHARE / len(SCALES))
    return (
        np.concatenate([EXPONENTS, np.zeros(len(SCALES))]),
        np.concatenate([np.zeros(len(EXPONENTS)), SCALES]),
        np.concatenate([[LOG_SHARE], powers, exponentials]),
    )


def fit(points: Sequence[Point], seed: int = 13) -> Curve:
    """The curve through the points, as draws of all forms in proportion to how well each explains them.

    A curve that falls with more rows, or rises over 1, is left out.
    Raises: DataError: fewer than three different numbers of rows.
    """
    if len({point.rows for point in points}) < LEAST_POINTS:
        raise DataError(f"a learning curve has {len(points)} points, expected at least {LEAST_POINTS} numbers of rows")
    rows = np.array([point.rows for point in points], float)
    scores = np.array([point.score for point in points])
    variance = np.array([point.error for point in points]) ** 2 + MISFIT**2
    exponent, scale, prior = _forms()
    most = int(rows.max())
    fits = [
        _regression(_fallen_at(rows / most, float(c), float(s)), scores, variance)
        for c, s in zip(exponent, scale, strict=True)
    ]
    log_weight = np.array([evidence for _, _, evidence in fits]) + np.log(prior)
    weight = np.exp(log_weight - log_weight.max())
    random = np.random.default_rng(seed)
    chosen = random.choice(len(fits), size=4 * N_DRAWS, p=weight / weight.sum())
    noise = random.standard_normal((len(chosen), 2))
    means = np.stack([mean for mean, _, _ in fits])[chosen]
    roots = np.stack([np.linalg.cholesky(covariance) for _, covariance, _ in fits])[chosen]
    drawn = means + np.einsum("nij,nj->ni", roots, noise)
    now, slope, c, s = drawn[:, 0], drawn[:, 1], exponent[chosen], scale[chosen]
    rise = np.where(s > 0, s, np.where(c > 0, 1.0 / np.where(c > 0, c, 1.0), 0.0))
    kept = np.flatnonzero((slope >= 0) & (now + slope * rise <= 1.0))[:N_DRAWS]
    if len(kept) < 100:  # nearly all fall: the curve is flat as far as anybody can tell
        kept, slope = np.arange(N_DRAWS), np.zeros_like(slope)
        now = np.minimum(now, 1.0)
    return Curve(now[kept], slope[kept], c[kept], s[kept], most)


def _fallen_at(ratios: np.ndarray, exponent: float, scale: float) -> np.ndarray:
    return np.array([float(_fallen(ratio, np.array(exponent), np.array(scale))) for ratio in ratios])


def _regression(fallen: np.ndarray, scores: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Posterior mean (2,) and covariance (2, 2) of now and slope, and the log evidence of the form.

    Source: Bishop 2006, Pattern Recognition and Machine Learning, eq. 3.50-3.51 and 3.86.
    """
    design = np.stack([np.ones_like(fallen), -fallen], axis=1)
    centre = np.array([scores[-1], 0.0])
    prior = np.diag([NOW_SPREAD**2, SLOPE_SPREAD**2])
    spread = design @ prior @ design.T + np.diag(variance)
    residual = scores - design @ centre
    solved = np.linalg.solve(spread, residual)
    gain = prior @ design.T
    covariance = prior - gain @ np.linalg.solve(spread, gain.T)
    evidence = -0.5 * float(residual @ solved) - 0.5 * float(np.linalg.slogdet(spread)[1])
    return centre + gain @ solved, (covariance + covariance.T) / 2 + 1e-14 * np.eye(2), evidence
