"""How users were answered when the release was made: which items came first, how often one of a list was liked."""

from collections.abc import Sequence
from typing import Any

from windlass.kinds import items
from windlass.outputs.contract import Kept, Seen
from windlass.outputs.items.measures import items_of, wanted
from windlass.outputs.reference_profile import answered
from windlass.predictors.contract import Predictor
from windlass.records import Column, Json, Splits


def seen(predictor: Predictor, rows: Sequence[Kept], splits: Splits) -> Seen:
    """right: one of the list was liked afterwards, which is what a click says in use."""
    output = splits.output_column
    answers = answered(predictor, [row for row, _ in rows], splits.root)
    held = [(answer.value, row[output]) for answer, (row, is_held) in zip(answers, rows, strict=True) if is_held]
    right = [int(is_right(value, correct, {})) for value, correct in held]
    state = items.learn(items.History(tuple(items_of(answer.value)[:1])) for answer in answers)
    profiles = [items.profile_answer(answer.value, state) for answer in answers]
    return Seen({"right": right} if right else {}, Column(output, splits.output[output], state), profiles)


def is_right(value: Any, correct: Any, answers: Json) -> bool:
    """Something that was liked stands in the list; of two lists: the same one comes first."""
    given = items_of(value)
    if isinstance(correct, list) and correct and "score" in correct[0]:
        return items_of(correct)[:1] == given[:1]
    liked = set(wanted(correct).liked)
    return bool(liked & set(given)) or (not liked and not given)
