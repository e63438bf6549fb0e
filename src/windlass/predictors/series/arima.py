"""ARIMA by statsmodels: a short list of orders, the best by AICc.

Source: Box & Jenkins 1970; the differences first, then orders by AICc: Hyndman & Khandakar 2008, Journal of Statistical
Software 27(3); estimated by statsmodels' SARIMAX (Durbin & Koopman 2012).
"""

import warnings

import numpy as np

from windlass.predictors.series import smoothing

MOST_POINTS = 160
MOST_SEASON = 12
"""Longer seasons are taken out before: the filter's cost grows with the third power of their length."""
ORDERS = ((0, 1), (1, 0), (1, 1), (2, 1))
"""Of autoregression and moving average; a season that is taken from the one before has a moving average too."""
MOST_STEPS = 30


def arima(values: np.ndarray, season: int, horizon: int) -> np.ndarray:
    """(R, horizon) of rows (R, N) without gaps; NaN where no order could be fitted. Some 0.3 to 1 s a row."""
    return np.array([_of_row(row, season, horizon) for row in values]).reshape(len(values), horizon)


def _of_row(row: np.ndarray, season: int, horizon: int) -> np.ndarray:
    indices, multiplies = smoothing.seasonality(row, season)
    is_seasonal = bool(np.ptp(indices) > 0)
    if is_seasonal and season > MOST_SEASON:
        plain = smoothing.taken_out(row, indices, multiplies)
        return smoothing.put_back(_of_row(plain, 1, horizon), indices, multiplies, len(row))
    cut = row[-max(MOST_POINTS, 3 * season) :]
    seasonal = int(is_seasonal and len(cut) >= 3 * season)
    left = cut[season:] - cut[:-season] if seasonal else cut
    order = int(np.diff(left).std() < left.std())
    best, points = np.inf, np.full(horizon, np.nan)
    for first, last in ORDERS:
        criterion, found = _fitted(cut, ((first, order, last), (0, seasonal, seasonal, season * seasonal)), horizon)
        if criterion < best:
            best, points = criterion, found
    return points


def _fitted(
    row: np.ndarray, orders: tuple[tuple[int, int, int], tuple[int, int, int, int]], horizon: int
) -> tuple[float, np.ndarray]:
    """AICc, and (horizon,) what follows; infinite where it cannot be fitted."""
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    trend = None if orders[0][1] + orders[1][1] else "c"
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # of starting values and of searches that end early: AICc judges what they found
        try:
            fitted = SARIMAX(row, order=orders[0], seasonal_order=orders[1], trend=trend).fit(
                disp=False, maxiter=MOST_STEPS
            )
            return float(fitted.aicc), np.asarray(fitted.forecast(horizon), np.float64)
        except (np.linalg.LinAlgError, ValueError):
            return np.inf, np.full(horizon, np.nan)
