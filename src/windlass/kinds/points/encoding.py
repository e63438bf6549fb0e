"""A series as an input of what learns from rows: numbers that sum it up, or its latest points."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from windlass.durations import DAY_S
from windlass.kinds.points import features, time_step
from windlass.kinds.points.reading import Series
from windlass.records import Json

MOST_STEPS, COVERED = 256, 95
"""Of the form "steps": the points it holds at most, and the percentile of the lengths in training that fit in."""
STEPS, RAW = "steps", "raw"
LARGEST_RAW = 1e30
FLAT = 1e-9
"""A deviation from the mean that is none."""


def channels(values: Sequence[Series]) -> list[str]:
    """The columns that hold numbers, as the first series have them."""
    names = dict.fromkeys(name for series in values[:100] for name in series.columns)
    return [name for name in names if any(np.isfinite(each.numbers(name)).any() for each in values[:100])]


def fit(values: Any, form: str, options: Json) -> Json:
    """features: numbers that sum each channel up, with their means and deviations. steps: those of each channel, and
    how many points are looked at; `length` is an option. raw: that many, as the longest has."""
    known = list(values)
    every = next((str(each.every) for each in known if each.every is not None), "")
    return {**_fit(known, form, options), **({"every": every} if every else {})}


def _fit(known: Sequence[Series], form: str, options: Json) -> Json:
    names = channels(known)
    if form == STEPS:
        return _fit_steps(known, names, options)
    if form == RAW:
        return {"form": RAW, "channels": names, "length": max([len(each) for each in known] or [1])}
    found = features.table([[each.numbers(name) for name in names] for each in known], len(names))
    with np.errstate(invalid="ignore"):
        mean, deviation = (found.mean(axis=0), found.std(axis=0)) if len(found) else (np.zeros(found.shape[1]),) * 2
    deviation = np.where(deviation > FLAT, deviation, 1.0)
    return {"form": form, "channels": names, "mean": mean.tolist(), "deviation": deviation.tolist()}


def encode(values: Sequence[Series], state: Json) -> np.ndarray:
    """features -> (n, channels x features) float32, in deviations from the mean, clipped to 8.
    raw -> (n, length, channels + 1) float32, the latest readings as they are, NaN where there is none; the last column
    is the part of the day that is gone at each, 0-1, NaN where moments are not known.
    steps -> (n, length, channels) float32, the same of the latest points, the last one at the end: before the first
    point stands 0, in a gap the value before it.
    """
    names = state["channels"]
    if state["form"] == RAW:
        return np.array([_raw(each, state) for each in values], np.float32).reshape(
            len(values), state["length"], len(names) + 1
        )
    if state["form"] == STEPS:
        steps = [features.steps([each.numbers(name) for name in names], state) for each in values]
        return np.array(steps, np.float32).reshape(len(values), state["length"], len(names))
    found = features.table([[each.numbers(name) for name in names] for each in values], len(names))
    scaled = (found - np.array(state["mean"])) / np.array(state["deviation"])
    return np.clip(scaled, -features.FURTHEST, features.FURTHEST).astype(np.float32)


def unknown(values: Sequence[Series], state: Json) -> dict[int, str]:
    """`holds no number of 'vibration'`, `has points 1h apart, and those of training 2h`, `has 1 of 168 points`."""
    found = {number: "; ".join(said) for number, each in enumerate(values) if (said := _strange(each, state))}
    return {number: said for number, said in found.items() if said}


def _strange(series: Series, state: Json) -> list[str]:
    said = []
    without = [name for name in state["channels"] if not np.isfinite(series.numbers(name)).any()]
    if without:
        said.append(f"holds no number of {', '.join(map(repr, without))}")
    every = state.get("every")
    if every and series.every is not None and not series.every.same_as(time_step.parse(every)):
        said.append(f"has points {series.every} apart, and those of training {every}")
    if state["form"] == RAW and 0 < len(series) < state["length"] / 2:
        said.append(f"has {len(series):,} of {state['length']:,} points")
    return said


def _fit_steps(values: Sequence[Series], names: Sequence[str], options: Json) -> Json:
    lengths = [len(each) for each in values if len(each)] or [1]
    length = min(options.get("length", MOST_STEPS), math.ceil(np.percentile(lengths, COVERED)))
    pooled = [np.concatenate([each.numbers(name)[-length:] for each in values]) for name in names]
    there = [each[np.isfinite(each)] for each in pooled]
    deviation = [float(each.std()) if len(each) else 0.0 for each in there]
    return {
        "form": STEPS,
        "channels": list(names),
        "length": int(length),
        "mean": [float(each.mean()) if len(each) else 0.0 for each in there],
        "deviation": [each if each > FLAT else 1.0 for each in deviation],
    }


def _raw(series: Series, state: Json) -> np.ndarray:
    """(length, channels + 1)"""
    length, times = state["length"], series.times()
    columns = [series.numbers(name)[-length:] for name in state["channels"]]
    latest = min(len(series), length)
    hours = np.full(latest, np.nan)
    if times is not None and latest:
        hours = (times[-latest:].astype("datetime64[s]").astype(np.int64) % DAY_S) / DAY_S
    found = np.full((length, len(columns) + 1), np.nan)
    for place, column in enumerate([*columns, hours]):
        found[length - latest :, place] = np.clip(column, -LARGEST_RAW, LARGEST_RAW) if latest else found[:0, 0]
    return found
