"""How rows were answered with numbers when the release was made: their spread, and how near they were."""

from collections.abc import Sequence

import numpy as np

from windlass.kinds import number
from windlass.metrics.intervals import LEAST_ADAPTED, by_value
from windlass.metrics.numbers import is_inside, mae
from windlass.outputs.contract import Kept, Seen
from windlass.outputs.numbers.measures import estimator
from windlass.outputs.reference_profile import answered
from windlass.predictors.contract import Predictor
from windlass.records import Answer, Column, Json, Splits

FLOOR = "floor"
"""Where intervals are cut, in what a release remembers; not there: nowhere."""
RIGHT_WITHIN = 1e-6
"""Of an answer without interval: what is right differs by no larger share of it."""


def seen(predictor: Predictor, rows: Sequence[Kept], splits: Splits) -> Seen:
    """Half of the interval, whether right numbers lay inside, and the error, of rows that were not trained on; and the
    spread of all answers."""
    output, half, floor = splits.output_column, estimator(predictor).half, estimator(predictor).floor
    answers = answered(predictor, [row for row, _ in rows], splits.root)
    held = [(answer, row[output]) for answer, (row, is_held) in zip(answers, rows, strict=True) if is_held]
    known: Json = {} if half is None else {number.HALF: half, **({} if floor is None else {FLOOR: floor})}
    if held:
        given, right = (np.array(each, np.float64) for each in zip(*((a.value, r) for a, r in held), strict=True))
        known["mae"] = mae(right, given)
        if number.ranges(predictor.manifest.output.state) is not None and len(held) >= LEAST_ADAPTED:
            known[number.RANGES] = by_value(right, given).as_json()
        known["right"] = [int(is_right(value, correct, known)) for value, correct in zip(given, right, strict=True)]
    state = number.learn(answer.value for answer in answers)
    return Seen(known, Column(output, splits.output[output], state), [_profile(each, state) for each in answers])


def _profile(answer: Answer, state: Json) -> list[int]:
    return number.profile(answer.value, state)


def is_right(value: float, correct: float, answers: Json) -> bool:
    """The right number lies inside the interval of the answer, as the release remembers it: where widths follow the
    row, that of an answer of this size, since the row is not kept."""
    ranges = number.ranges(answers)
    if ranges is not None:
        low, high = ranges.ends(np.array([value]), None)
        return bool(low[0] <= correct <= high[0])
    half = float(answers.get(number.HALF, RIGHT_WITHIN * max(abs(value), abs(correct))))
    return bool(is_inside(np.array(correct), np.array(value), half, answers.get(FLOOR)))
