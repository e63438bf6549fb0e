"""Exponential smoothing of many series of one length at once: levels, trends and seasons that follow the errors.

Parameters are found on a grid and then around its best, with numpy over rows and parameters together: milliseconds a
series and nothing to install, where statsforecast 2.1 takes 120 ms of ETS (docs/log.md, "local forecasts").
Source: Holt 1957 (IJF 20(1), 2004); Winters 1960, Management Science 6(3); damped: Gardner & McKenzie 1985, Management
Science 31(10); choice by AICc: Hyndman et al. 2002, IJF 18(3).
Shapes: R rows, N points, P sets of parameters, M points of a season.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

MOST_SEASON = 24
"""Longer seasons are taken out before: one state for each of their points would be learned from a few points."""
ALPHAS, BETAS, GAMMAS, DAMPED = (0.02, 0.1, 0.3, 0.6, 0.95), (0.03, 0.25), (0.02, 0.25), (0.85, 0.97)
"""Of the level; of the trend, as a share of alpha; of the season, as a share of 1 - alpha; and what is left of a trend
with each step."""
STRENGTH = 0.64
SHARES = (0.0, 0.5, 0.75, 1.0)
"""Of the slope, in the Theta method."""
SORTS = ("croston", "sba", "tsb")
"""Of what is asked for now and then."""
N_KEPT = 2
"""Structures that are searched around, of each sort of season."""
NEAR = (1.0, 0.4)
"""How far is searched, in log odds, round by round."""
MOST_STATES, MOST_TRIED = 600_000, 105
"""Numbers of all seasons at once, which bounds memory; sets of parameters that are tried at once, at most."""


@dataclass(frozen=True)
class Rates:
    """What is tried, (R or 1, P) each. beta: of the trend, as a share of alpha. phi: what a step leaves of the trend.
    trend: 0 none, 1 a line, 2 a damped one. seasonal: whether there is a season."""

    alpha: np.ndarray
    beta: np.ndarray
    gamma: np.ndarray
    phi: np.ndarray
    trend: np.ndarray
    seasonal: np.ndarray

    def take(self, places: np.ndarray) -> "Rates":
        """(R, K) of them for each row."""
        n_rows = len(places)
        parts = (self.alpha, self.beta, self.gamma, self.phi, self.trend, self.seasonal)
        return Rates(*(np.take_along_axis(np.broadcast_to(part, (n_rows, part.shape[1])), places, axis=1)
                       for part in parts))  # fmt: skip


@dataclass(frozen=True)
class States:
    """After the last point. level, trend: (R, P); season: (M, R, P); loss: (R, P) sums of squared errors."""

    level: np.ndarray
    trend: np.ndarray
    season: np.ndarray
    loss: np.ndarray


@dataclass(frozen=True)
class Begin:
    """How rows begin, without a season and with it: level: (R, 2), slope: (R, 2), usual: (R, 2) the level of a row that
    has no trend; season: (R, M)."""

    level: np.ndarray
    slope: np.ndarray
    usual: np.ndarray
    season: np.ndarray


def ets(values: np.ndarray, season: int, horizon: int) -> np.ndarray:
    """(R, horizon) of rows (R, N) without gaps; NaN where none of the models holds.

    Nine models: no trend, a line or a damped one; no season, one that is added or, of what is above 0, multiplied.
    """
    if season > MOST_SEASON:
        seasons = [seasonality(row, season) for row in values]
        plain = np.array([taken_out(row, *each) for row, each in zip(values, seasons, strict=True)])
        return _with_seasons(ets(plain.reshape(values.shape), 1, horizon), seasons, values.shape[1])
    size = max(1, MOST_STATES // (season * MOST_TRIED))
    parts = [_ets(values[start : start + size], season, horizon) for start in range(0, len(values), size)]
    return np.concatenate([np.zeros((0, horizon)), *parts])


def _ets(values: np.ndarray, season: int, horizon: int) -> np.ndarray:
    found = [_best(values, season, horizon, multiplies=False)]
    if season > 1 and (values > 0).all(axis=1).any():
        found.append(_best(values, season, horizon, multiplies=True))
    criteria = np.array([each[0] for each in found])
    chosen = np.where(np.isfinite(criteria), criteria, np.inf).argmin(axis=0)
    points = np.array([each[1] for each in found])[chosen, np.arange(len(values))]
    return np.where(np.isfinite(criteria).any(axis=0)[:, None], points, np.nan)


def _best(values: np.ndarray, season: int, horizon: int, multiplies: bool) -> tuple[np.ndarray, np.ndarray]:
    """(R,) AICc of the best model of each row, and (R, horizon) what it foresees."""
    begin = beginning(values, season, multiplies)
    rates = grid(season, multiplies)
    states = smoothed(values, begin, rates, multiplies)
    for width in NEAR:
        rates = around(rates.take(_foremost(values.shape[1], season, rates, states.loss)), width)
        states = smoothed(values, begin, rates, multiplies)
    criterion = aicc(values.shape[1], season, rates, states.loss)
    best = criterion.argmin(axis=1)
    rows = np.arange(len(values))
    return criterion[rows, best], foreseen(states, rates, best, (values.shape[1], horizon), multiplies)


def grid(season: int, multiplies: bool) -> Rates:
    """The parameters that are tried first, (1, P); what multiplies has a season in all of them."""
    trends = [(0, 0.0, 0.0), *((1, beta, 1.0) for beta in BETAS), *((2, *each) for each in product(BETAS, DAMPED))]
    seasons = [*([] if multiplies else [(False, 0.0)]), *((True, gamma) for gamma in GAMMAS if season > 1)]
    every = [(alpha, beta, gamma * (1 - alpha), phi, trend, seasonal)
             for alpha, (trend, beta, phi), (seasonal, gamma) in product(ALPHAS, trends, seasons)]  # fmt: skip
    return Rates(*(np.array([part]) for part in zip(*every, strict=True)))


def around(rates: Rates, width: float) -> Rates:
    """Each set of parameters with those near it, (R, P x 27): alpha, beta and gamma less, the same and more, and with
    the latter two what a damped trend keeps."""
    parts = []
    for up in product((-width, 0.0, width), repeat=3):
        alpha = _moved(rates.alpha, up[0])
        share = rates.gamma / (1 - rates.alpha)
        phi = np.where(rates.trend == 2, np.clip(_moved(rates.phi, -up[1] - up[2]), 0.8, 0.98), rates.phi)
        parts.append((alpha, _moved(rates.beta, up[1]), _moved(share, up[2]) * (1 - alpha), phi, rates.trend,
                      rates.seasonal))  # fmt: skip
    return Rates(*(np.concatenate(part, axis=1) for part in zip(*parts, strict=True)))


def _moved(share: np.ndarray, by: float) -> np.ndarray:
    """A share, moved in log odds; 0 and 1 stay."""
    factor = np.exp(by)
    return np.asarray(share * factor / (1 - share + share * factor))


def _foremost(n_points: int, season: int, rates: Rates, loss: np.ndarray) -> np.ndarray:
    """(R, N_KEPT) places of the best parameters of the best structures."""
    criterion = aicc(n_points, season, rates, loss)
    structure = np.broadcast_to(rates.trend + 3 * rates.seasonal, criterion.shape)
    best = []
    left = criterion.copy()
    for _ in range(N_KEPT):
        place = left.argmin(axis=1)
        best.append(place)
        left[structure == np.take_along_axis(structure, place[:, None], axis=1)] = np.inf
    return np.stack(best, axis=1)


def aicc(n_points: int, season: int, rates: Rates, loss: np.ndarray) -> np.ndarray:
    """(R, P) Akaike's criterion for few points, of n log(loss / n) and of as many parameters and first states.

    Infinite where there are not more points than these. Source: Hurvich & Tsai 1989, Biometrika 76(2).
    """
    count = 3 + 2 * (rates.trend > 0) + (rates.trend == 2) + season * rates.seasonal
    spare = n_points - count - 1
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        found = n_points * np.log(np.maximum(loss / n_points, 1e-300)) + 2 * count * n_points / np.maximum(spare, 1)
    return np.where(np.isfinite(found) & (spare > 0), found, np.inf)


def smoothed(values: np.ndarray, begin: Begin, rates: Rates, multiplies: bool) -> States:
    """The states after the last of the values (R, N)."""
    n_rows, n_points = values.shape
    shape = (n_rows, rates.alpha.shape[1])
    seasonal = np.broadcast_to(rates.seasonal, shape)
    which = seasonal.astype(np.int64)
    rows = np.arange(n_rows)[:, None]
    level = np.where(rates.trend > 0, begin.level[rows, which], begin.usual[rows, which])
    trend = np.where(rates.trend > 0, begin.slope[rows, which], 0.0)
    neutral = 1.0 if multiplies else 0.0
    season = np.where(seasonal[None], begin.season.T[:, :, None], neutral)
    loss, length = np.zeros(shape), len(season)
    alpha, beta, gamma, phi = rates.alpha, rates.beta, rates.gamma, rates.phi
    has_season = bool(rates.seasonal.any())
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        for place in range(n_points):
            gone = phi * trend
            base = level + gone
            index = season[place % length]
            error = values[:, place : place + 1] - (base * index if multiplies else base + index)
            change = alpha * (error / index if multiplies else error)
            level = base + change
            trend = gone + beta * change
            if has_season:
                season[place % length] = index + gamma * (error / base if multiplies else error)
            loss += error * error
    sound = np.isfinite(loss) & np.isfinite(level) & np.isfinite(trend)
    return States(level, trend, season, np.where(sound, loss, np.inf))


def foreseen(states: States, rates: Rates, best: np.ndarray, ahead: tuple[int, int], multiplies: bool) -> np.ndarray:
    """(R, horizon) on from the states of the best parameters, (R,). ahead: points so far, and horizon."""
    n_points, horizon = ahead
    rows = np.arange(len(best))
    phi = np.broadcast_to(rates.phi, states.level.shape)[rows, best]
    sums = np.cumsum(phi[:, None] ** np.arange(1, horizon + 1), axis=1)
    base = states.level[rows, best][:, None] + sums * states.trend[rows, best][:, None]
    steps = (n_points + np.arange(horizon)) % len(states.season)
    season = states.season[steps][:, rows, best].T
    return np.asarray(base * season if multiplies else base + season)


def beginning(values: np.ndarray, season: int, multiplies: bool) -> Begin:
    """Of the first points, as Hyndman et al. 2002 begin: the season of the first ones, and the line through ten."""
    n_rows, n_points = values.shape
    first = values[:, : max(5 * season, 10)]
    indices = np.array([indices_of(row, season, multiplies) for row in first]).reshape(n_rows, season)
    length = min(n_points, max(10, 2 * season))
    repeated = indices[:, np.arange(length) % season]
    plain = values[:, :length]
    with np.errstate(divide="ignore", invalid="ignore"):
        both = np.stack([plain, plain / repeated if multiplies else plain - repeated], axis=1)
    usual = both.mean(axis=2)
    slope = _slope(both.reshape(2 * n_rows, length)).reshape(n_rows, 2)
    return Begin(usual - slope * ((length - 1) / 2 + 1), slope, usual, indices)


# seasons --------------------------------------------------------------------------------------------------------------


def indices_of(row: np.ndarray, season: int, multiplies: bool) -> np.ndarray:
    """(M,) what each place of the season adds, or by how much it multiplies: classical decomposition of a row (N,).

    Source: Hyndman & Athanasopoulos 2021, Forecasting: principles and practice, 3.4.
    """
    neutral = 1.0 if multiplies else 0.0
    if len(row) < 2 * season or season == 1:
        return np.full(season, neutral)
    ends = np.array([0.5, 0.5]) if season % 2 == 0 else np.array([1.0])
    window = np.convolve(np.ones(season), ends) / season
    trend = np.convolve(row, window, "valid")
    first = (len(window) - 1) // 2
    middle = row[first : first + len(trend)]
    with np.errstate(divide="ignore", invalid="ignore"):
        off = middle / trend if multiplies else middle - trend
    found = np.full(season, np.nan)
    for place in range(season):
        some = off[(place - first) % season :: season]
        found[place] = some.mean() if len(some) else neutral
    found = found / found.mean() if multiplies else found - found.mean()
    return found if np.isfinite(found).all() else np.full(season, neutral)


def seasonality(row: np.ndarray, season: int) -> tuple[np.ndarray, bool]:
    """(M,) the season of a row (N,), and whether it multiplies; a neutral one where there is none."""
    multiplies = bool((row > 0).all())
    if season < 2 or len(row) < 2 * season or not _is_seasonal(row, season):
        return np.full(season, 1.0 if multiplies else 0.0), multiplies
    found = indices_of(row, season, multiplies)
    return (found, True) if multiplies and found.min() > 0.01 else (indices_of(row, season, False), False)


def _is_seasonal(row: np.ndarray, season: int) -> bool:
    """By the autocorrelation at the season (90 %); by the share that a long one explains of what is no line, since in
    smooth long seasons all earlier points are alike and no autocorrelation stands out.

    Source: Fiorucci et al. 2016, IJF 32(4); the share: Wang et al. 2006, Data Mining and Knowledge Discovery 13(3),
    with the limit of 0.64 of Hyndman's `nsdiffs`.
    """
    off = row - row.mean()
    total = float(off @ off)
    if total <= 0:
        return False
    if season > MOST_SEASON:
        places = np.arange(len(row)) - (len(row) - 1) / 2
        off = off - places * float(off @ places) / float(places @ places)
        left = taken_out(off, indices_of(off, season, False), False)
        return float(left @ left) < (1 - STRENGTH) * float(off @ off)
    correlations = [float(off[lag:] @ off[:-lag]) / total for lag in range(1, season + 1)]
    limit = 1.645 * np.sqrt((1 + 2 * float(np.square(correlations[:-1]).sum())) / len(row))
    return abs(correlations[-1]) > limit


def taken_out(row: np.ndarray, indices: np.ndarray, multiplies: bool) -> np.ndarray:
    """A row (N,) without its season."""
    repeated = indices[np.arange(len(row)) % len(indices)]
    return row / repeated if multiplies else row - repeated


def put_back(points: np.ndarray, indices: np.ndarray, multiplies: bool, n_points: int) -> np.ndarray:
    """(h,) what comes after so many points, with the season again."""
    repeated = indices[(n_points + np.arange(len(points))) % len(indices)]
    return points * repeated if multiplies else points + repeated


# theta ----------------------------------------------------------------------------------------------------------------


def theta(values: np.ndarray, season: int, horizon: int, shares: Sequence[float] = SHARES) -> np.ndarray:
    """(R, horizon) of rows (R, N) without gaps: simple smoothing, and a share of the slope of all points.

    shares: 1 - 1 / theta, of which the one that fits best is taken; 0.5 is the method as it was first published.
    Source: Assimakopoulos & Nikolopoulos 2000, IJF 16(4); as smoothing with drift, Hyndman & Billah 2003, IJF 19(2);
    theta by fit: Fiorucci et al. 2016, IJF 32(4).
    """
    seasons = [seasonality(row, season) for row in values]
    plain = np.array([taken_out(row, *each) for row, each in zip(values, seasons, strict=True)])
    each_share = np.tile(plain, (len(shares), 1))  # all shares at once, as rows below each other
    drift = np.concatenate([share * _slope(plain) for share in shares])[:, None]
    begin = replace(beginning(each_share, 1, multiplies=False), slope=np.repeat(drift, 2, axis=1))
    level, loss = _levelled(each_share, begin)
    points = (level + drift * np.arange(1, horizon + 1)).reshape(len(shares), len(values), horizon)
    best = loss.reshape(len(shares), len(values)).argmin(axis=0)
    return _with_seasons(points[best, np.arange(len(values))], seasons, values.shape[1])


def _levelled(plain: np.ndarray, begin: Begin) -> tuple[np.ndarray, np.ndarray]:
    """(R, 1) the last level of each row by the alpha that fits best, with a slope that stays; (R,) its loss."""
    alphas = np.array([ALPHAS])
    for width in (*NEAR, 0.15, 0.0):
        states = smoothed(plain, begin, _levels(alphas), multiplies=False)
        best = states.loss.argmin(axis=1)[:, None]
        alpha = np.take_along_axis(np.broadcast_to(alphas, states.loss.shape), best, axis=1)
        alphas = np.concatenate([_moved(alpha, by * width) for by in (-1, -0.5, 0, 0.5, 1)], axis=1)
    return np.take_along_axis(states.level, best, axis=1), np.take_along_axis(states.loss, best, axis=1)[:, 0]


def _levels(alphas: np.ndarray) -> Rates:
    none = np.zeros(alphas.shape)
    return Rates(alphas, none, none, none + 1, none + 1, none.astype(bool))


def _slope(rows: np.ndarray) -> np.ndarray:
    """(R,) of the lines through all points of rows (R, N)."""
    places = np.arange(rows.shape[1]) - (rows.shape[1] - 1) / 2
    return np.asarray((rows * places).sum(axis=1) / max((places * places).sum(), 1e-300))


def _with_seasons(points: np.ndarray, seasons: list[tuple[np.ndarray, bool]], n_points: int) -> np.ndarray:
    """(R, h) with the season of each row again."""
    return np.array([put_back(row, *each, n_points) for row, each in zip(points, seasons, strict=True)])


# many zeros -----------------------------------------------------------------------------------------------------------


def croston(values: np.ndarray, alpha: float, sort: str) -> float:
    """What is asked for in each step, of a row (N,) with many zeros: size of an order by the steps between two.

    sort: 'croston' as he wrote it; 'sba' less its bias; 'tsb' by the chance of an order, which falls while none comes.
    Source: Croston 1972, Operational Research Quarterly 23(3); SBA: Syntetos & Boylan 2005, IJF 21(2); TSB: Teunter,
    Syntetos & Babai 2011, EJOR 214(3).
    """
    orders = np.flatnonzero(values)
    if not len(orders):
        return 0.0
    if sort == "tsb":
        return _by_chance(values, alpha, len(orders) / len(values))
    size, between = float(values[orders[0]]), float(orders[0] + 1)
    for here, before in zip(orders[1:], orders[:-1], strict=True):
        size += alpha * (float(values[here]) - size)
        between += alpha * (float(here - before) - between)
    return size / between * (1 - alpha / 2 if sort == "sba" else 1.0)


def _by_chance(values: np.ndarray, alpha: float, chance: float) -> float:
    size = float(values[np.flatnonzero(values)[0]])
    for value in values.tolist():
        chance += alpha * ((value != 0) - chance)
        if value != 0:
            size += alpha * (value - size)
    return chance * size
