"""A network that reads the latest points of a series and what is known of the time ahead, as an ONNX graph.

What it reads is made here, for training and for serving alike.
Shapes: B rows, T latest points, C channels, F steps ahead, K covariates whose future is known, D attributes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds.contract import is_finite
from windlass.predictors.networks.graph import open_graph
from windlass.predictors.networks.onnx import FILE
from windlass.predictors.series.forecaster import SeriesEngine
from windlass.predictors.series.linear import window
from windlass.predictors.series.question import Question
from windlass.records import Json, Manifest

FARTHEST = 30.0
"""Of a point from the last one, in units of the scale: farther ones would drown all others in a squared error."""
MOST_ROWS = 256
"""Of one run of the graph."""
Run = Callable[[Sequence[np.ndarray]], np.ndarray]


@dataclass(frozen=True)
class Reading:
    """How questions become what the network reads. points: T; mean, deviation: (K,) of the covariates."""

    points: int
    season: int
    horizon: int
    mean: np.ndarray
    deviation: np.ndarray

    def as_json(self) -> Json:
        return {"points": self.points, "mean": self.mean.tolist(), "deviation": self.deviation.tolist()}

    def batches(self, questions: Sequence[Question]) -> list[np.ndarray]:
        """Of at least one question."""
        latest = np.array([window(each, self.points, self.season) for each in questions])
        known = np.array([self._around(each) for each in questions])
        return self.packed(latest, known, np.array([each.attributes for each in questions]))

    def _around(self, question: Question) -> np.ndarray:
        """(T + F, K) covariates of the latest points and of the steps ahead; before the first point the mean."""
        known = question.known[len(question.history) - self.points if len(question.history) > self.points else 0 :]
        before = np.tile(self.mean, (self.points + self.horizon - len(known), 1))
        return np.concatenate([before, known])

    def packed(self, latest: np.ndarray, known: np.ndarray, attributes: np.ndarray) -> list[np.ndarray]:
        """The tensors of the graph: (B, T, C) the latest points and their covariates; (B, F K + D) covariates of the
        steps ahead and attributes, where there are any.

        Args: latest: (B, T) in units of the scale from the last point. known: (B, T + F, K). attributes: (B, D).
        """
        scaled = np.clip((known - self.mean) / self.deviation, -FARTHEST, FARTHEST)
        points = np.clip(latest, -FARTHEST, FARTHEST)[:, :, None]
        read = np.concatenate([points, scaled[:, : self.points]], axis=2)
        beside = np.concatenate([scaled[:, self.points :].reshape(len(latest), -1), attributes], axis=1)
        return [np.ascontiguousarray(each, np.float32) for each in ([read, beside] if beside.shape[1] else [read])]


def engine(run: Run, reading: Reading) -> SeriesEngine:
    """run: the tensors of rows -> (B, F) in units of the scale from the last point."""

    def foresee(questions: Sequence[Question]) -> np.ndarray:
        parts = [np.zeros((0, reading.horizon))]
        for start in range(0, len(questions), MOST_ROWS):
            some = questions[start : start + MOST_ROWS]
            parts.append(in_units(run(reading.batches(some)), some))
        return np.concatenate(parts)

    return foresee


def in_units(found: np.ndarray, questions: Sequence[Question]) -> np.ndarray:
    """(B, F) in the unit of each series, of what a network gave."""
    level = np.array([each.level for each in questions])[:, None]
    scale = np.array([each.scale for each in questions])[:, None]
    return np.asarray(level + scale * found.astype(np.float64))


def load(folder: Path, manifest: Manifest) -> SeriesEngine:
    """Raises: DataError: the graph or what the manifest says of it is damaged."""
    settings, state = manifest.settings, manifest.output.state
    points, mean, deviation = (settings.get(name) for name in ("points", "mean", "deviation"))
    whole = isinstance(mean, list) and isinstance(deviation, list) and len(mean) == len(deviation)
    if not whole or not all(is_finite(number) for part in (mean, deviation) for number in part or ()):
        raise DataError(f"{folder} has damaged covariates, expected as many means as deviations")
    if not all(each > 0 for each in deviation or ()):
        raise DataError(f"{folder} has damaged covariates, expected means and deviations above 0")
    if not isinstance(points, int) or not 0 < points <= 10_000:
        raise DataError(f"{folder} reads {points!r} points, expected 1 to 10,000")
    reading = Reading(points, int(state["season"]), int(state["horizon"]), np.array(mean), np.array(deviation))
    return opened(folder, reading)


def opened(folder: Path, reading: Reading) -> SeriesEngine:
    """Raises: DataError: the graph is damaged, or reads or gives something else."""
    path = folder / FILE

    def first_row(session: Any) -> dict[str, np.ndarray]:
        n_channels = 1 + len(reading.mean)
        shapes = {each.name: list(each.shape[1:]) for each in session.get_inputs()}
        given = {each.name: list(each.shape[1:]) for each in session.get_outputs()}
        if shapes.get("input_0") != [reading.points, n_channels] or not set(shapes) <= {"input_0", "input_1"}:
            wanted = f"{reading.points} points of {n_channels} channels"
            raise DataError(f"{path} reads {shapes}, expected {wanted}")
        if given.get("logits") != [reading.horizon]:
            raise DataError(f"{path} gives {given}, expected {reading.horizon} numbers a row")
        if not all(isinstance(size, int) and size <= 10**6 for shape in shapes.values() for size in shape):
            raise DataError(f"{path} reads {shapes}, expected fixed sizes")
        return {name: np.zeros([1, *shape], np.float32) for name, shape in shapes.items()}

    session = open_graph(path, first_row)

    def run(batches: Sequence[np.ndarray]) -> np.ndarray:
        feed = {f"input_{place}": batch for place, batch in enumerate(batches)}
        return np.asarray(session.run(["logits"], feed)[0])

    return engine(run, reading)
