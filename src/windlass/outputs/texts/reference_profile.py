"""How texts were written when the release was made: the profiles of its own answers to rows that it had not seen."""

import time
from collections.abc import Sequence

from windlass.kinds import text_answers
from windlass.kinds.text import several
from windlass.outputs.contract import Kept, Seen
from windlass.outputs.reference_profile import MOST_LEARNED, evenly
from windlass.predictors.contract import Predictor
from windlass.records import Column, Splits

MOST_WRITTEN, WRITTEN_AT_ONCE, WRITING_S = 200, 8, 60.0
"""Rows that are written to, some at once; begun for so many seconds at most."""


def seen(predictor: Predictor, rows: Sequence[Kept], splits: Splits) -> Seen:
    """How the product writes: its own answers to rows that were not trained on, as many as it gives in a minute."""
    asked = evenly([row for row, _ in rows if any(row[name] for name in splits.inputs)], MOST_WRITTEN)
    trained = evenly(splits.train[splits.output_column].to_list(), MOST_LEARNED)
    state = text_answers.learn(each for value in trained for each in several(str(value or "")))
    profiles: list[list[int]] = []
    until = time.monotonic() + WRITING_S
    for start in range(0, len(asked), WRITTEN_AT_ONCE):
        if time.monotonic() > until:
            break
        answers = predictor.answer(asked[start : start + WRITTEN_AT_ONCE], splits.root)
        profiles += [text_answers.profile(answer, state) for answer in answers]
    return Seen({}, Column(splits.output_column, splits.output[splits.output_column], state), profiles)
