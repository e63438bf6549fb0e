"""Numbers that sum up a series of any length: its level and spread, its shape, and how its motion is spread over time.

Source: of the kind of catch22, Lubba et al. 2019, Data Mining and Knowledge Discovery 33; chosen to be cheap.
"""

from collections.abc import Sequence

import numpy as np

from windlass.records import Json

N_BANDS = 8
NAMES = (
    "mean", "deviation", "least", "low", "median", "high", "most", "first", "last", "slope", "step", "turns",
    "same as before", "skew", "tails", "missing", "length", *(f"band {number}" for number in range(N_BANDS)),
)  # fmt: skip
PERCENTILES = (0, 10, 50, 90, 100)
TINY, FURTHEST = 1e-12, 8
"""Nothing to divide by; deviations from the mean that are told apart at most."""


def table(values: Sequence[Sequence[np.ndarray]], n_channels: int) -> np.ndarray:
    """(n, channels x features) float64, finite, of n series, each a list of channels (points,) that may hold NaN."""
    found = np.zeros((len(values), n_channels * len(NAMES)))
    for row, each in enumerate(values):
        found[row] = np.concatenate([features(channel) for channel in each]) if n_channels else found[row]
    return found


def features(channel: np.ndarray) -> np.ndarray:
    """(features,) as `NAMES` calls them; zeros of a channel without numbers. Lengths and steps on a log scale."""
    there = np.isfinite(channel)
    known = channel[there]
    if not len(known):
        return np.array([*[0.0] * 15, 1.0, np.log1p(len(channel)), *[0.0] * N_BANDS])
    mean, deviation = float(known.mean()), float(known.std())
    shape = (known - mean) / (deviation + TINY)
    steps = np.diff(known)
    place = np.linspace(-1, 1, len(known))
    quarter = max(1, len(known) // 4)
    return np.array([
        mean,
        deviation,
        *np.percentile(known, PERCENTILES),
        known[:quarter].mean() - mean,
        known[-quarter:].mean() - mean,
        float((place * (known - mean)).sum() / max((place**2).sum(), TINY)),
        float(np.abs(steps).mean()) if len(steps) else 0.0,
        float((np.diff(np.sign(shape)) != 0).mean()) if len(steps) else 0.0,
        float((shape[1:] * shape[:-1]).mean()) if len(steps) else 0.0,
        float((shape**3).mean()),
        float((shape**4).mean()),
        1 - float(there.mean()),
        np.log1p(len(channel)),
        *_bands(shape),
    ])  # fmt: skip


def _bands(shape: np.ndarray) -> np.ndarray:
    """The share of the power in each of eight bands of frequency, each about twice as wide as the one below."""
    power = np.abs(np.fft.rfft(shape))[1:] ** 2
    if not len(power) or power.sum() < TINY:
        return np.zeros(N_BANDS)
    places = np.arange(1, len(power) + 1) / len(power)
    band = np.clip(np.floor(N_BANDS + np.log2(places)).astype(int), 0, N_BANDS - 1)
    return np.asarray(np.bincount(band, power, N_BANDS) / power.sum())


def steps(channels: Sequence[np.ndarray], state: Json) -> np.ndarray:
    """(length, channels) the latest points in deviations from the mean: the form steps of `kinds.series.encode`."""
    length = state["length"]
    found = np.zeros((length, len(channels)))
    for place, channel in enumerate(channels):
        latest = (channel[-length:] - state["mean"][place]) / state["deviation"][place]
        known = np.where(np.isfinite(latest), np.arange(len(latest)), -1)
        before = np.maximum.accumulate(known) if len(known) else known
        found[length - len(latest) :, place] = np.where(before < 0, 0.0, latest[before] if len(latest) else latest)
    return np.clip(found, -FURTHEST, FURTHEST)
