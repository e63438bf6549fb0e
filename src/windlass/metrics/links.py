"""Scales on which a number may be learned, and the way back: a link is plain JSON, fitted on training rows.

All take numbers (n,) float in the unit of the answers. `log` has no way forth: a loss of counts takes the numbers as
they are and gives the logarithm of their mean.
Source: Box & Cox 1964, JRSS B 26(2); Yeo & Johnson 2000, Biometrika 87(4); McCullagh & Nelder 1989, ch. 2 (links).
"""

import math
from typing import Any

import numpy as np

from windlass.metrics.measures import Array

Json = dict[str, Any]
LOG1P, POWER, QUANTILE, LOG = "log1p", "yeo_johnson", "quantile", "log"
NAMES = (LOG1P, POWER, QUANTILE, LOG)
N_GRID = 201
MOST = 60.0
"""Of an exponent: e**60 is beyond any number that is learned, and can still be squared."""
SKEWED, SOME_ZEROS, MOST_COUNTED = 1.0, 0.1, 1e6
"""Skewness from which on a scale of its own is tried, the share of zeros that asks for Tweedie's loss, and how large
counts may be."""


def fitted(name: str, numbers: Array) -> Json:
    """The link of this name for these training rows; on its scale they have mean 0 and deviation 1."""
    size = float(np.median(np.abs(numbers[numbers != 0]))) if np.any(numbers != 0) else 1.0
    link: Json = {"name": name, "scale": size, "mean": 0.0, "deviation": 1.0}
    if name == LOG:
        return {**link, "scale": float(numbers.mean()) or 1.0}
    if name == POWER:
        from scipy.stats import yeojohnson_normmax

        link["power"] = float(np.clip(yeojohnson_normmax(numbers / size), -2.0, 3.0))
    if name == QUANTILE:
        link["grid"] = np.quantile(numbers, np.linspace(0, 1, N_GRID)).tolist()
    there = forth(numbers, link)
    return {**link, "mean": float(there.mean()), "deviation": float(there.std()) or 1.0}


def forth(numbers: Array, link: Json) -> Array:
    """On the scale of the link; `log` leaves them, in the size of their mean."""
    scaled = numbers / link["scale"]
    if link["name"] == LOG:
        return np.asarray(scaled)
    if link["name"] == LOG1P:
        found = np.log1p(np.maximum(scaled, 0))
    elif link["name"] == POWER:
        found = _power(scaled, link["power"])
    else:
        found = np.interp(numbers, *_steps(link))
    return np.asarray((found - link["mean"]) / link["deviation"])


def back(scores: Array, link: Json) -> Array:
    """The numbers of scores on the scale of the link; always finite."""
    found = scores * link["deviation"] + link["mean"]
    if link["name"] == QUANTILE:
        grid, steps = _steps(link)
        return np.interp(found, steps, grid)
    if link["name"] == LOG:
        return np.asarray(link["scale"] * np.exp(np.clip(found, -MOST, MOST)))
    if link["name"] == LOG1P:
        return np.asarray(link["scale"] * np.expm1(np.clip(found, 0, MOST)))
    return np.asarray(link["scale"] * _unpower(found, link["power"]))


def fault(link: Any) -> str:
    """What is wrong with a link of an artifact; '' when nothing is."""
    if not isinstance(link, dict) or link.get("name") not in NAMES:
        return f"the scale of the answers is {str(link)[:60]!r}, expected one of {', '.join(NAMES)}"
    wanted = ["scale", "mean", "deviation", *(["power"] if link["name"] == POWER else [])]
    grid = link.get("grid", [0.0, 1.0]) if link["name"] == QUANTILE else [0.0, 1.0]
    numbers = [*(link.get(each) for each in wanted), *(grid if isinstance(grid, list) else [None])]
    is_sound = all(isinstance(each, int | float) and math.isfinite(each) for each in numbers)
    if not is_sound or min(link["scale"], link["deviation"]) <= 0 or grid != sorted(grid) or len(grid) < 2:
        return "the scale of the answers is damaged, expected finite numbers"
    return ""


def wanted(numbers: Array, is_absolute: bool) -> list[tuple[str, str]]:
    """(link, loss) that these training rows ask to be tried beside the plain number; loss: '' the usual one.

    is_absolute: errors count as they are: then the middle is wanted, no mean, and losses of counts are not.
    """
    deviation = float(numbers.std())
    if not deviation:
        return []
    skewness = float((((numbers - numbers.mean()) / deviation) ** 3).mean())
    is_positive = float(numbers.min()) >= 0
    found = []
    if abs(skewness) > SKEWED:
        found += [(LOG1P, "")] if is_positive else [(POWER, ""), (QUANTILE, "")]
    if is_positive and not is_absolute:
        is_counted = bool((numbers == np.round(numbers)).all()) and float(numbers.max()) <= MOST_COUNTED
        if is_counted:
            found.append((LOG, "poisson"))
        elif float((numbers == 0).mean()) >= SOME_ZEROS:
            found.append((LOG, "tweedie"))
    return found


def _steps(link: Json) -> tuple[Array, Array]:
    """The quantiles that differ, and the normal scores at them."""
    from scipy.special import ndtri

    grid, first = np.unique(np.asarray(link["grid"], np.float64), return_index=True)
    last = np.append(first[1:] - 1, len(link["grid"]) - 1)
    shares = (first + last) / 2 / (len(link["grid"]) - 1)
    return grid, ndtri(np.clip(shares, 1e-3, 1 - 1e-3)) + np.arange(len(grid)) * 1e-9


def _power(values: Array, power: float) -> Array:
    """Yeo & Johnson 2000, eq. 2.1."""
    found = np.empty_like(values, np.float64)
    up = values >= 0
    found[up] = np.log1p(values[up]) if abs(power) < 1e-9 else (np.power(values[up] + 1, power) - 1) / power
    other, below = 2 - power, -values[~up]
    found[~up] = -np.log1p(below) if abs(other) < 1e-9 else -(np.power(below + 1, other) - 1) / other
    return found


def _unpower(values: Array, power: float) -> Array:
    """The way back of `_power`; beyond what it can reach, its end."""
    found = np.empty_like(values, np.float64)
    up = values >= 0
    other = 2 - power
    for there, exponent, side in ((up, power, 1.0), (~up, other, -1.0)):
        size = np.abs(values[there])
        if abs(exponent) < 1e-9:
            found[there] = side * np.expm1(np.minimum(size, MOST))
        else:
            logs = np.log(np.maximum(size * exponent + 1, 1e-12)) / exponent
            found[there] = side * np.expm1(np.clip(logs, 0, MOST))
    return found
