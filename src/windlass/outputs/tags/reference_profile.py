"""How rows were tagged when the release was made: the share of each tag, how many there were, how sure, how rightly."""

import json
from collections.abc import Sequence
from typing import Any

from windlass.kinds import table as kinds
from windlass.kinds import tags
from windlass.outputs.contract import Kept, Seen
from windlass.outputs.reference_profile import answered
from windlass.predictors.contract import Predictor
from windlass.records import Column, Splits


def seen(predictor: Predictor, rows: Sequence[Kept], splits: Splits) -> Seen:
    """How sure it is and whether all of an answer is right are told of rows alone that were not trained on."""
    output = splits.output_column
    answers = answered(predictor, [row for row, _ in rows], splits.root)
    read = kinds.of(predictor.manifest.output).read
    held = [(answer, read(row[output], None)) for answer, (row, is_held) in zip(answers, rows, strict=True) if is_held]
    known = {
        "confidence": [round(answer.confidence or 0.0, 4) for answer, _ in held],
        "right": [int(is_same(answer.value, right)) for answer, right in held],
    }
    state = tags.learn(answer.value for answer in answers)
    return Seen(
        known, Column(output, splits.output[output], state), [tags.profile(answer.value, state) for answer in answers]
    )


def is_same(one: Any, other: Any) -> bool:
    """Both name the same tags, as lists or as kept rows have them."""
    first, second = (json.loads(each) if isinstance(each, str) and each else each for each in (one, other))
    return set(first or ()) == set(second or ())
