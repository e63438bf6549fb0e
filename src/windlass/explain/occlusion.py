"""What parts of a row are worth, seen by taking them away: any model, a bounded number of evaluations."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import numpy as np

from windlass.errors import NotReady
from windlass.kinds import table as kinds
from windlass.kinds.contract import Parts, Place
from windlass.records import Column

Values = Mapping[str, Any]
"""A row as its kinds read it."""
Score = Callable[[Sequence[Values]], np.ndarray]
"""Rows -> (n,) float: what is explained."""
CHUNK = 64
"""Rows of one evaluation: between two of them others get their turn, and the clock is read."""


@dataclass
class Effort:
    """What the explanation of a row may cost: evaluations of the model, and the moment (`monotonic`) it ends at.

    n_done: evaluations so far.
    """

    most: int = 256
    until: float = float("inf")
    n_done: int = field(default=0, init=False)

    def check(self) -> None:
        """Raises: NotReady: the time is over."""
        if monotonic() > self.until:
            raise NotReady("explanation took too long, expected it to fit into its time", "explain fewer rows")

    def scores(self, score: Score, rows: Sequence[Values]) -> np.ndarray:
        """Raises: NotReady: the time is over."""
        found = [np.empty(0)]
        for start in range(0, len(rows), CHUNK):
            self.check()
            found.append(score(rows[start : start + CHUNK]))
            self.n_done += len(found[-1])
        return np.concatenate(found)


@dataclass(frozen=True)
class WeightedPart:
    """A part of a column and what it is worth. place None: the whole column, or with `is_absent` what it lacks."""

    column: Column
    place: Place | None
    weight: float
    is_absent: bool = False


def weigh(score: Score, columns: Sequence[Column], row: Values, effort: Effort) -> list[WeightedPart]:
    """Every part of the row, in order. Raises: NotReady: the time is over."""
    total = float(effort.scores(score, [row])[0])
    found: list[WeightedPart] = []
    for number, column in enumerate(columns):
        share = (effort.most - effort.n_done) // (len(columns) - number)
        parts = kinds.get(column.kind).parts
        if parts is not None and parts.find(row[column.name]):
            found += _Column(score, column, parts, row, effort).weighed(total, share)
        else:
            found.append(WeightedPart(column, None, total - _without(score, column, row, effort)))
    return found


def nothing(score: Score, columns: Sequence[Column], row: Values, effort: Effort) -> float:
    """The score when no column tells anything."""
    empty = {column.name: kinds.get(column.kind).background(column.state)[0][0] for column in columns}
    return float(effort.scores(score, [{**row, **empty}])[0])


def _without(score: Score, column: Column, row: Values, effort: Effort) -> float:
    """The mean score over the values that stand for the training rows in this column."""
    others = kinds.get(column.kind).background(column.state)
    scores = effort.scores(score, [{**row, column.name: value} for value, _ in others])
    return float(scores @ np.array([share for _, share in others]))


@dataclass(frozen=True)
class _Column:
    """A column that comes apart."""

    score: Score
    column: Column
    parts: Parts
    row: Values
    effort: Effort

    def weighed(self, total: float, most: int) -> list[WeightedPart]:
        """As fine as `most` evaluations allow: the parts that weigh most come apart first."""
        value = self.row[self.column.name]
        coarse = self.parts.find(value)
        finer = {place: self.parts.finer(value, place) for place in coarse}
        finest = [each for place in coarse for each in finer[place] or [place]]
        if len(finest) <= most:
            return self._sorted(self._weights(finest, total))
        weights = self._weights(coarse, total)
        left = most - len(coarse)
        for place in sorted(coarse, key=lambda each: -abs(weights[each])):
            if 0 < len(finer[place]) <= left:
                left -= len(finer[place])
                del weights[place]
                weights |= self._weights(finer[place], total)
        return self._sorted(weights)

    def _weights(self, places: Sequence[Place], total: float) -> dict[Place, float]:
        """What the score loses without each part, in one batch."""
        value, state = self.row[self.column.name], self.column.state
        changed = [self.parts.without(value, state, [place]) for place in places]
        scores = self.effort.scores(self.score, [{**self.row, self.column.name: each} for each in changed])
        return dict(zip(places, (total - scores).tolist(), strict=True))

    def _sorted(self, weights: Mapping[Place, float]) -> list[WeightedPart]:
        """In the order of a reader."""
        places = sorted(weights, key=lambda place: (place[1], place[0]) if self.parts.is_picture else place)
        return [WeightedPart(self.column, place, weights[place]) for place in places]
