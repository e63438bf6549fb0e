"""Learns what sound machines read, given their load and the hour, from good examples alone; what is far off is odd.

Ridge regression of each watched channel, with coefficients of each machine that are held to those of all together.
Noise, spread and repeats are told by sound windows with measures that some windows after a repair do not upset.
Measured: docs/log.md, "machine-health".
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from windlass.kinds import table as kinds
from windlass.kinds.anomaly import NO, YES
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.rows import Encoded, encode, finish
from windlass.predictors.artifact import N_GOLDEN
from windlass.predictors.series.deviation import Deviation, design, machine_places, summed, write
from windlass.records import Json, Progress, Splits

FORMS = {"series": "raw", "category": "onehot"}
HOLD, LITTLE = 1.0, 1e-3
"""Readings that the coefficients of all machines are worth to those of one; and what holds these to zero."""
PARTS = (4, 2, 1)
"""Of the longest span, which is a day where there are so many points."""
LEAST_SAME, MOST_SAME = 1e-3, 0.99
QUARTER = 0.3186
"""The first quartile of what is normally distributed, its sign left out: Gaussian with deviation 1."""
OFFSET = 99.5
"""Percentile of the scores of sound windows."""


def too_many_beside(splits: Splits, variant: str) -> str:
    """Why it cannot learn from these rows."""
    beside = [name for name, kind in splits.inputs.items() if not kinds.get(kind).has_points]
    if len(beside) > 1:
        return f"reads a series and which machine it is of, not also {', '.join(beside[1:])}"
    return ""


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """A model of sound machines, from the train rows that say that all is well."""
    ordered = series_first(splits)
    encoded = encode(ordered, FORMS)
    progress("learning what is usual", 0, 2, "")
    readings, machine = good_ones(encoded)
    how = splits.written.get(next(iter(ordered.inputs)), {})
    model = learned(readings, machine, roles(encoded, how), spans_of(splits, encoded))
    model = replace(model, yes=encoded.output.state["labels"].index(YES))
    write(options.artifact, model)
    scores = model(encoded.validation) if len(encoded.validation_targets) else np.zeros((0, 2))
    settings: Json = {"watched": [encoded.inputs[0].state["channels"][place] for place in model.watched],
                      "spans": list(model.spans), "good_windows": len(readings)}  # fmt: skip
    return finish(
        options,
        {"predictor": "deviation", "learner": "deviation", "settings": settings},
        encoded,
        ordered,
        scores,
        scores[:N_GOLDEN],
    )


def series_first(splits: Splits) -> Splits:
    """With the series as the first of the inputs."""
    names = sorted(splits.inputs, key=lambda name: not kinds.get(splits.inputs[name]).has_points)
    return replace(splits, inputs={name: splits.inputs[name] for name in names})


def good_ones(encoded: Encoded) -> tuple[np.ndarray, np.ndarray | None]:
    """Readings of the sound train windows, and the machine of each as one-hot."""
    is_good = encoded.train_targets == encoded.output.state["labels"].index(NO)
    batches = [np.asarray(batch)[is_good] for batch in encoded.train]
    return batches[0].astype(np.float64), batches[1] if len(batches) > 1 else None


def roles(encoded: Encoded, how: Json) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Places of the channels that are watched, and of those that are known beforehand."""
    names = encoded.inputs[0].state["channels"]
    known = tuple(place for place, name in enumerate(names) if name in how.get("known", []))
    watched = tuple(place for place in range(len(names)) if place not in known)
    return watched, known


def spans_of(splits: Splits, encoded: Encoded) -> tuple[int, ...]:
    """A quarter, a half and the whole of a day, or where that is too long or not known of a seventh of a window."""
    name, length = encoded.inputs[0].name, encoded.inputs[0].state["length"]
    step = kinds.of(encoded.inputs[0]).read(splits.train[name][0], splits.root).every
    seasons = step.seasons if step is not None else ()
    longest = seasons[0] if seasons and 2 * seasons[0] <= length else max(1, length // 7)
    return tuple(sorted({max(1, longest // part) for part in PARTS}))


def learned(
    readings: np.ndarray,
    machine: np.ndarray | None,
    channels: tuple[tuple[int, ...], tuple[int, ...]],
    spans: Sequence[int],
) -> Deviation:
    """The model of these sound windows (n, length, channels + 1)."""
    watched, known = channels
    n_machines = machine.shape[1] - 2 if machine is not None else 0
    places = machine_places(machine, len(readings), n_machines)
    latest = slice(-spans[-1], None)
    inputs, targets = design(readings, known)[:, latest], readings[:, latest][:, :, list(watched)]
    everyone = of_everyone(inputs, targets, places)
    own = [solved(inputs[places == each], targets[places == each], HOLD, everyone) for each in range(n_machines)]
    coefficients = np.stack([*own, everyone])
    plain = Deviation(
        coefficients, np.ones(len(watched)), np.ones((2, len(watched), len(spans))), np.full(len(watched), MOST_SAME),
        watched, known, tuple(spans), 0.0,
    )  # fmt: skip
    noise = within(plain.errors(readings, places)[:, latest])
    model = replace(plain, noise=noise, same=chance_of_same(readings[:, latest][:, :, list(watched)]))
    sums = np.abs(summed(model.errors(readings, places), spans))
    spread = np.maximum(np.percentile(sums, 25, axis=1) / QUARTER, 1.0)
    spread[0] = np.minimum(spread[0], spread[1])
    model = replace(model, spread=spread)
    return replace(model, offset=float(np.percentile(model.scores(readings, machine), OFFSET)))


def of_everyone(inputs: np.ndarray, targets: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(features, W) that all machines have in common, whatever the level of each; the level is their mean."""
    near_inputs, near_targets = inputs.copy(), targets.copy()
    for each in np.unique(places):
        near_inputs[places == each] -= inputs[places == each].mean(axis=(0, 1))
        near_targets[places == each] -= mean_of(targets[places == each])
    found = solved(near_inputs, near_targets, LITTLE, np.zeros((inputs.shape[2], targets.shape[2])))
    found[0] = mean_of(targets) - inputs.mean(axis=(0, 1))[1:] @ found[1:]
    return found


def mean_of(values: np.ndarray) -> np.ndarray:
    """(W,) of (n, t, W), 0 where no value is known."""
    counts = np.isfinite(values).sum(axis=(0, 1))
    return np.asarray(np.nansum(values, axis=(0, 1)) / np.maximum(counts, 1))


def solved(inputs: np.ndarray, targets: np.ndarray, hold: float, prior: np.ndarray) -> np.ndarray:
    """(features, W) of (n, t, features) and (n, t, W): ridge towards the prior, of each channel where it was read."""
    rows, values = inputs.reshape(-1, inputs.shape[2]), targets.reshape(-1, targets.shape[2])
    held = np.full(rows.shape[1], hold)
    held[0] = min(hold, LITTLE)
    found = prior.copy()
    for place in range(values.shape[1]):
        there = np.isfinite(values[:, place])
        known, right = rows[there], values[there, place]
        found[:, place] = np.linalg.solve(known.T @ known + np.diag(held), known.T @ right + held * prior[:, place])
    return found


def within(errors: np.ndarray) -> np.ndarray:
    """(W,) the deviation of errors (n, t, W) from their mean in each window: a slow drift is no noise."""
    counts = np.isfinite(errors).sum(axis=1)
    mean = np.nansum(errors, axis=1) / np.maximum(counts, 1)
    squares = np.nansum((errors - mean[:, None]) ** 2, axis=(0, 1)) / np.maximum((counts - 1).clip(0).sum(axis=0), 1)
    return np.maximum(np.sqrt(squares), 1e-9)


def chance_of_same(values: np.ndarray) -> np.ndarray:
    """(W,) how often a reading (n, t, W) is the one before."""
    again = values[:, 1:] == values[:, :-1]
    there = np.isfinite(values[:, 1:]) & np.isfinite(values[:, :-1])
    share = again.sum(axis=(0, 1)) / np.maximum(there.sum(axis=(0, 1)), 1)
    return np.asarray(np.clip(share, LEAST_SAME, MOST_SAME))
