"""What was found when the release was made: how many things, how large, how sure; and how often all were right."""

from collections.abc import Sequence
from typing import Any

from windlass.kinds import masks
from windlass.metrics.segmentation import measured
from windlass.outputs.contract import Kept, Seen
from windlass.outputs.reference_profile import answered
from windlass.predictors.contract import Predictor
from windlass.predictors.segmentation.segmenter import names_of, right_of
from windlass.records import Column, Json, Splits


def seen(predictor: Predictor, rows: Sequence[Kept], splits: Splits) -> Seen:
    output = splits.output_column
    answers = answered(predictor, [row for row, _ in rows], splits.root)
    held = [(answer.value, row[output]) for answer, (row, is_held) in zip(answers, rows, strict=True) if is_held]
    right = [int(is_right(value, correct, {})) for value, correct in held]
    profiles = [masks.profile(answer.value, {}) for answer in answers]
    return Seen({"right": right} if right else {}, Column(output, splits.output[output], {}), profiles)


def is_right(value: Any, correct: Any, answers: Json) -> bool:
    """Every thing of the one overlaps one of its class in the other by more than a half, and there are no more."""
    one, other = (masks.truth(each) for each in (value, correct))
    if not one or not other:
        return not one and not other
    height, width = masks.size_of(one[0])
    if masks.size_of(other[0]) != (height, width):
        return False
    classes = names_of([], [one, other])
    given, right = (right_of(each, classes, (width, height)) for each in (one, other))
    found = measured(given, right, len(classes), has_outlines=False)
    return not (found.wrong[:, 0].any() or found.missed[:, 0].any())
