"""What explanations of every output share: the parts of a row, what each adds exactly or by being taken away, words."""

from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from windlass.explain.occlusion import Values, WeightedPart
from windlass.kinds import table as kinds
from windlass.kinds.contract import Place
from windlass.predictors.contract import Additive, check_row, dense, read_value
from windlass.records import Column, Part, Row

METHODS = {"linear": "weight × feature", "trees": "TreeSHAP"}
OCCLUSION = "occlusion"
ABSENT = "lacks other words"
MOST_PARTS = 512
"""Of a column: a longer text is told by sentences where it counts little."""


def exactly(
    engine: Additive, inputs: Sequence[Column], values: Values, direction: np.ndarray
) -> tuple[list[WeightedPart], float]:
    """What each part of a row adds to `logits @ direction` against what stands for the training rows, and the sum where
    nothing of the row is known. direction: (k,) float."""
    sides, base = engine.contributions(encoded(inputs, [values]), direction)
    if engine.is_from_zero:
        usual, _ = engine.contributions([mean_features(column) for column in inputs], direction)
        sides = [side - other for side, other in zip(sides, usual, strict=True)]
        base += float(sum(other.sum() for other in usual))
    found: list[WeightedPart] = []
    for column, weights in zip(inputs, sides, strict=True):
        parts = kinds.get(column.kind).parts
        if parts is None:
            found.append(WeightedPart(column, None, float(weights.sum())))
        else:
            spread = parts.spread(values[column.name], column.state, weights)
            every = [WeightedPart(column, place, weight, is_absent=place is None) for place, weight in spread]
            found += every if len(every) <= MOST_PARTS else _coarser(every, parts.find(values[column.name]))
    return found, base


def _coarser(every: Sequence[WeightedPart], coarse: Sequence[Place]) -> list[WeightedPart]:
    """Of a very long text the sums of its sentences, and the words of those that weigh most."""
    found = [each for each in every if each.place is None]
    starts = [place[0] for place in coarse]
    inside: list[list[WeightedPart]] = [[] for _ in coarse]
    for each in every:
        if each.place is not None:
            inside[bisect_right(starts, each.place[0]) - 1].append(each)
    left = MOST_PARTS
    for place, words in sorted(zip(coarse, inside, strict=True), key=lambda pair: -abs(_sum(pair[1]))):
        if len(words) <= left:
            left -= len(words)
            found += words
        else:
            found.append(WeightedPart(every[0].column, place, _sum(words)))
    return sorted(found, key=lambda each: each.place or (0, 0))


def _sum(found: Sequence[WeightedPart]) -> float:
    return sum(each.weight for each in found)


def mean_features(column: Column) -> np.ndarray:
    """The mean features of what stands for the training rows, (1, ...)."""
    kind = kinds.get(column.kind)
    others = kind.background(column.state)
    rows = [dense(kind.encode([value], column.state)) * share for value, share in others]
    return np.sum(rows, axis=0)[None]


def read_inputs(inputs: Sequence[Column], row: Row, number: int, root: Path | None) -> dict[str, Any]:
    columns = columns_once(inputs)
    check_row(row, [each.name for each in columns], number)
    return {each.name: read_value(kinds.of(each).read, row, each.name, number, root) for each in columns}


def columns_once(inputs: Sequence[Column]) -> list[Column]:
    """Each column once: the parts of a blend read the same ones."""
    return list({column.name: column for column in reversed(inputs)}.values())[::-1]


def encoded(inputs: Sequence[Column], rows: Sequence[Values]) -> list[Any]:
    return [kinds.get(column.kind).encode([row[column.name] for row in rows], column.state) for column in inputs]


class Effect(NamedTuple):
    """Words for what a part does to an answer, by the sign of its weight."""

    positive: str
    negative: str
    none: str

    def of(self, weight: float) -> str:
        return self.positive if weight > 0 else self.negative if weight < 0 else self.none


SPEAKS = Effect("speaks for", "speaks against", "says nothing about")
"""Of an answer that is likelier by it, less likely, or neither."""
RAISES = Effect("raises", "lowers", "leaves as it is")
"""Of one that is larger by it, or smaller."""


def part_of(found: WeightedPart, values: Values, answer: str, effect: Effect = SPEAKS) -> Part:
    """What was weighed, with words for it."""
    column, place, weight = found.column, found.place, found.weight
    kind = kinds.get(column.kind)
    if place is None:
        said = ABSENT if found.is_absent else kind.describe(values[column.name], column.state)
        return Part(column.name, f"{column.name} {said}, and {effect.of(weight)} {answer}", weight)
    if len(place) == 2:
        return Part(column.name, values[column.name][place[0] : place[1]], weight, span=place)
    left, top, right, foot = (round(100 * side) for side in place)
    return Part(column.name, f"{left}-{right} % from the left, {top}-{foot} % from the top", weight, box=place)


def shown_as(inputs: Sequence[Column], values: Values, is_picture: bool) -> dict[str, str]:
    """What places lie on: column -> its text, or its picture as a data: URI."""
    found = {column.name: kinds.get(column.kind).parts for column in inputs}
    return {name: parts.show(values[name]) for name, parts in found.items() if parts and parts.is_picture is is_picture}
