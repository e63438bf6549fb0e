"""ARIMA of one series: differences first, then orders from a short list by AICc, by the conditional sum of squares.

Its residuals are one linear filter, so that an order takes milliseconds; the exact likelihood of statsmodels' SARIMAX
takes 200 to 800 (docs/log.md, "local forecasts"); R's `auto.arima` searches by the same sum.
Source: Box & Jenkins 1970, Time series analysis; the search: Hyndman & Khandakar 2008, Journal of Statistical Software
27(3); parameters within bounds by partial autocorrelations: Monahan 1984, Biometrika 71(2).
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from windlass.predictors.series import smoothing
from windlass.predictors.series.smoothing import MOST_SEASON

LARGEST = 2
"""Of either order: what more of them would add, a season and differences mostly have."""
BOUND = 0.98
LEAST_LEFT = 10
"""Points after differences."""


@dataclass(frozen=True)
class Orders:
    """ar, ma: of the model; sar, sma: 0 or 1, of its season, with so many points."""

    ar: int
    ma: int
    sar: int
    sma: int
    season: int

    @property
    def count(self) -> int:
        return self.ar + self.ma + self.sar + self.sma

    def filters(self, free: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The polynomials in the lag, from lag 0 on, of the values and of the errors; free: (count,) any numbers."""
        shares = BOUND * np.tanh(free)
        ar, ma, sar, sma = np.split(shares, np.cumsum([self.ar, self.ma, self.sar]))
        return (np.convolve(_bounded(ar, -1), self._seasonal(-sar)), np.convolve(_bounded(ma, 1), self._seasonal(sma)))

    def _seasonal(self, share: np.ndarray) -> np.ndarray:
        return np.concatenate([[1.0], *([np.zeros(self.season - 1), share] if len(share) else [])])


def _bounded(partial: np.ndarray, sign: int) -> np.ndarray:
    """1 and the coefficients that these partial autocorrelations have, which are those of a process that stays."""
    if len(partial) < 2:
        return np.concatenate([[1.0], sign * partial])
    return np.array([1.0, sign * partial[0] * (1 - partial[1]), sign * partial[1]])


def arima(values: np.ndarray, season: int, horizon: int) -> np.ndarray:
    """(R, horizon) of rows (R, N) without gaps; NaN where no order could be fitted."""
    return np.array([_of_row(row, season, horizon) for row in values]).reshape(len(values), horizon)


def _of_row(row: np.ndarray, season: int, horizon: int) -> np.ndarray:
    indices, multiplies = smoothing.seasonality(row, season)
    is_seasonal = bool(np.ptp(indices) > 0)
    if is_seasonal and (season > MOST_SEASON or len(row) < 3 * season + LEAST_LEFT):
        plain = smoothing.taken_out(row, indices, multiplies)
        return smoothing.put_back(_of_row(plain, 1, horizon), indices, multiplies, len(row))
    taken = np.concatenate([[1.0], np.zeros(season - 1), [-1.0]]) if is_seasonal else np.ones(1)
    left = np.convolve(row, taken, "valid")
    if np.diff(left).std() < left.std():
        taken = np.convolve(taken, [1.0, -1.0])
        left = np.convolve(row, taken, "valid")
    if len(left) < LEAST_LEFT:
        return np.full(horizon, np.nan)
    middle = left.mean() if len(taken) == 1 else 0.0
    return _put_together(row, taken, _ahead(left - middle, season if is_seasonal else 1, horizon) + middle)


def _put_together(row: np.ndarray, taken: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """What follows the row, whose differences by the polynomial `taken` go on as `ahead`."""
    found = np.concatenate([row, ahead])
    lags = np.arange(1, len(taken))
    for place in range(len(row), len(found)):
        found[place] -= taken[1:] @ found[place - lags]
    return found[len(row) :]


def _ahead(left: np.ndarray, season: int, horizon: int) -> np.ndarray:
    """(horizon,) what follows differences, by the orders with the least AICc; NaN of none."""
    from scipy.signal import lfilter

    best, points = np.inf, np.full(horizon, np.nan)
    for ar, ma in product(range(LARGEST + 1), repeat=2):
        orders = Orders(ar, ma, 0, int(season > 1), season)
        if ar + ma > LARGEST + 1:
            continue
        criterion, free = _fitted(left, orders)
        if criterion < best:
            of_values, of_errors = orders.filters(free)
            errors = lfilter(of_values, of_errors, left)
            whole = lfilter(of_errors, of_values, np.concatenate([errors, np.zeros(horizon)]))
            best, points = criterion, whole[-horizon:]
    return points


def _fitted(left: np.ndarray, orders: Orders) -> tuple[float, np.ndarray]:
    """AICc, infinite where it cannot be told, and the free parameters (count,)."""
    from scipy.optimize import minimize
    from scipy.signal import lfilter

    n_points, first = len(left), orders.ar + orders.sar * orders.season

    def loss(free: np.ndarray) -> float:
        errors = lfilter(*orders.filters(free), left)[first:]
        return float(np.log(max(float(errors @ errors), 1e-300) / (n_points - first)))

    free = np.full(orders.count, 0.1)
    if orders.count:
        free = minimize(loss, free, method="L-BFGS-B", options={"maxiter": 30}).x
    count = orders.count + 1
    if n_points - count - 1 <= 0:
        return np.inf, free
    found = n_points * loss(free) + 2 * count * n_points / (n_points - count - 1)
    return (found, free) if np.isfinite(found) else (np.inf, free)
