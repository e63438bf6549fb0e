"""What was found when the release was made: how many boxes, how large, how sure; and how often all were right."""

from collections.abc import Sequence
from typing import Any

from windlass.kinds import boxes
from windlass.kinds.boxes import LABEL
from windlass.metrics.detection import agree
from windlass.outputs.contract import Kept, Seen
from windlass.outputs.reference_profile import answered
from windlass.predictors.contract import Predictor
from windlass.predictors.detection.heatmap import right_of
from windlass.records import Column, Json, Splits


def seen(predictor: Predictor, rows: Sequence[Kept], splits: Splits) -> Seen:
    output = splits.output_column
    answers = answered(predictor, [row for row, _ in rows], splits.root)
    held = [(answer.value, row[output]) for answer, (row, is_held) in zip(answers, rows, strict=True) if is_held]
    right = [int(is_right(value, correct, {})) for value, correct in held]
    profiles = [boxes.profile(answer.value, {}) for answer in answers]
    return Seen({"right": right} if right else {}, Column(output, splits.output[output], {}), profiles)


def is_right(value: Any, correct: Any, answers: Json) -> bool:
    """Every box of the one is at its place in the other, with its class, and there are no more."""
    read = [boxes.truth(each) for each in (value, correct)]
    classes = sorted({thing[LABEL] for things in read for thing in things})
    one, other = (right_of(things, classes) for things in read)
    return agree(one, other)
