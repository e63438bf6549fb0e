"""Answers how probably somebody will be right at an exercise, told what they tried before: a `Labeller` that reads
histories. Exercises and events that training did not know never fail, and the answer says so."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from windlass.durations import DAY_S
from windlass.errors import DataError
from windlass.kinds import table as kinds
from windlass.kinds.contract import Batch, shown
from windlass.kinds.items import History
from windlass.predictors.contract import Labeller
from windlass.predictors.recommend.tracing import artifact, classroom
from windlass.predictors.recommend.tracing.attempts import Tracer
from windlass.predictors.recommend.tracing.classroom import Classroom
from windlass.records import Manifest

SUREST = 1e-6


@dataclass(frozen=True)
class Replay:
    """Histories as arrays, the latest at the end: (n, T) exercises, -1 where there is none or it is not known, whether
    right, and days; now: (n,) days."""

    exercises: np.ndarray
    right: np.ndarray
    days: np.ndarray
    now: np.ndarray

    @classmethod
    def of(cls, histories: Sequence[History], places: Mapping[str, int], clock: float) -> "Replay":
        """clock: seconds since 1970, where a history does not say when it is asked."""
        length = max((len(each) for each in histories), default=0)
        shape = (len(histories), length)
        exercises, right, days = np.full(shape, -1), np.zeros(shape, bool), np.zeros(shape)
        now = np.zeros(len(histories))
        for row, each in enumerate(histories):
            if len(each):
                exercises[row, -len(each) :] = [places.get(item, -1) for item in each.items]
                right[row, -len(each) :] = np.array(each.weights) > 0
                days[row, -len(each) :] = _days(each.times)
            latest = days[row, -1] if len(each) else 0.0
            is_timed = any(not math.isnan(one) for one in each.times)
            asked = each.now if not math.isnan(each.now) else clock if is_timed else math.nan
            now[row] = latest if math.isnan(asked) else max(latest, asked / DAY_S)
        return cls(exercises, right, days, now)

    def told(self, tracer: Tracer) -> Any:
        """What the tracer knows then."""
        state = tracer.begin(len(self.now))
        for exercises, right, days in zip(self.exercises.T, self.right.T, self.days.T, strict=True):
            tracer.tell(state, days, exercises, right)
        return state


def _days(times: Sequence[float]) -> np.ndarray:
    """Of events, the one before where nothing is told."""
    found, latest = [], 0.0
    for each in times:
        latest = latest if math.isnan(each) else each / DAY_S
        found.append(latest)
    return np.array(found)


def chances(tracer: Tracer, replay: Replay, asked: np.ndarray) -> np.ndarray:
    """(n,) how probably right each is at the exercise asked (n,); of one that is not known (-1) anything."""
    state = replay.told(tracer)
    return np.array(tracer.chances(state, replay.now, np.maximum(asked, 0)[:, None])[:, 0])


def mean_chances(tracer: Tracer, replay: Replay, n_exercises: int) -> np.ndarray:
    """(n,) over all exercises."""
    every = np.tile(np.arange(n_exercises), (len(replay.now), 1))
    return np.asarray(tracer.chances(replay.told(tracer), replay.now, every).mean(axis=1))


def logits(chance: np.ndarray, place: int) -> np.ndarray:
    """(n, 2) whose softmax is the chance of the label at that place."""
    kept = np.clip(chance, SUREST, 1 - SUREST)
    found = np.zeros((len(kept), 2))
    found[:, place] = np.log(kept / (1 - kept))
    return found


@dataclass(frozen=True)
class TracedLabeller(Labeller):
    """exercises: their numbers by name. classroom: for who tutors; answers to rows are made without it. clock: seconds
    since 1970."""

    tracer: Tracer | None = None
    exercises: Mapping[str, int] = field(default_factory=dict)
    classroom: Classroom = field(default_factory=Classroom)
    clock: Callable[[], float] = time.time

    def _encoded(self, values: Sequence[list[Any]]) -> np.ndarray:
        assert self.tracer is not None
        histories, asked = self._parts(values)
        replay = Replay.of(histories, self.exercises, self.clock())
        numbers = np.array([self.exercises.get(each, -1) for each in asked], int)
        found = chances(self.tracer, replay, numbers)
        if (numbers < 0).any():
            found = np.where(numbers < 0, mean_chances(self.tracer, replay, len(self.exercises)), found)
        return logits(found, self.labels.index(self.manifest.settings["right"]))

    def _unknown(self, values: Sequence[list[Any]]) -> dict[int, tuple[str, ...]]:
        found: dict[int, tuple[str, ...]] = {}
        histories, asked = self._parts(values)
        for number, (history, exercise) in enumerate(zip(histories, asked, strict=True)):
            new = [each for each in dict.fromkeys(history.items) if each not in self.exercises]
            said = [f"exercise {shown(exercise)} is new: the mean of all exercises"] * (exercise not in self.exercises)
            said += [f"{len(new):,} exercises of the history are not known, such as {shown(new[0])}"] if new else []
            said += [] if len(history) else ["nothing was tried yet: what learners know at the start"]
            if said:
                found[number] = tuple(said)
        return found

    def _parts(self, values: Sequence[list[Any]]) -> tuple[list[History], list[str]]:
        place = next(n for n, column in enumerate(self.manifest.inputs) if kinds.get(column.kind).has_events)
        other = next(n for n in range(len(self.manifest.inputs)) if n != place)
        return values[place], values[other]


def _unread(batches: Sequence[Batch]) -> np.ndarray:
    raise DataError("a tracer reads histories, expected no encoded batches")


def load(folder: Path, manifest: Manifest) -> TracedLabeller:
    """Raises: DataError: it is damaged."""
    names, right = manifest.settings.get("exercises"), manifest.settings.get("right")
    labels = manifest.output.state.get("labels") or []
    if not isinstance(names, list) or not names or len(set(names)) != len(names) or len(labels) != 2:
        raise DataError(f"{folder} is damaged, expected exercises, each once, and two labels")
    if right not in labels or len(manifest.inputs) != 2:
        raise DataError(f"{folder} is damaged, expected the label that is right, a history and an exercise")
    tracer = artifact.load(folder, str(manifest.settings.get("tracer")), names)
    places = {name: place for place, name in enumerate(names)}
    return TracedLabeller(manifest, _unread, tracer, places, classroom.load(folder, len(names)))
