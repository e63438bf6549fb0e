"""How questions were answered when the release was made: how often refused, and how sure."""

from collections.abc import Sequence
from typing import Any

from windlass.kinds import cited
from windlass.outputs.contract import Kept, Seen
from windlass.outputs.reference_profile import answered
from windlass.predictors.contract import Predictor, seen_by
from windlass.predictors.passages.answerer import is_right as answers_right
from windlass.records import Column, Json, Splits


def seen(predictor: Predictor, rows: Sequence[Kept], splits: Splits) -> Seen:
    output = splits.output_column
    answers = answered(seen_by(predictor, None), [row for row, _ in rows], splits.root)
    held = [(answer.value, row[output]) for answer, (row, is_held) in zip(answers, rows, strict=True) if is_held]
    right = [int(is_right(value, correct, {})) for value, correct in held]
    profiles = [cited.profile(answer.value, {}) for answer in answers]
    return Seen({"right": right} if right else {}, Column(output, splits.output[output], {}), profiles)


def is_right(value: Any, correct: Any, answers: Json) -> bool:
    """value: an answer; correct: what a person says, as it is read or as a row keeps it, or another answer."""
    right = correct if isinstance(correct, dict) and "refused" in correct else cited.read(correct, None) or {}
    return answers_right(value, right)
