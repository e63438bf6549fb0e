"""Whose right answers are believed: against what training questions say, and against the documents."""

from collections.abc import Sequence

import numpy as np

from windlass.kinds import cited
from windlass.outputs.labelled_row import LabelledRow
from windlass.outputs.trust import Known, Opinion
from windlass.predictors.contract import Predictor
from windlass.predictors.passages.answerer import is_right
from windlass.sources.near_duplicates import near
from windlass.spec import Spec


def opinion(rows: Sequence[LabelledRow], champion: Predictor, known: Known, spec: Spec) -> Opinion:
    """An answer is doubted where a training question that asks nearly the same is answered otherwise."""
    places = near([row.values for row in rows], [row for row, _ in known.train], spec.inputs)
    rights = [cited.read(row.label, None) or {} for row in rows]
    against = np.zeros(len(rows), bool)
    for number, (right, place) in enumerate(zip(rights, places, strict=True)):
        if place >= 0:
            taught = cited.read(known.train[place][1], None) or {}
            against[number] = not _agree(taught, right)
    return Opinion(
        answers=[row.said for row in rows],
        doubts=against,
        contradicts=against,
        is_new=np.zeros(len(rows), bool),
        surprise=np.full(len(rows), np.nan),
        known="what training questions say",
        otherwise="a training question that asks nearly the same is answered otherwise",
    )


def _agree(one: dict[str, str], other: dict[str, str]) -> bool:
    if cited.is_refusal(one) or cited.is_refusal(other):
        return cited.is_refusal(one) and cited.is_refusal(other)
    said = str(one.get("text") or one.get("quote") or "")
    return not said or is_right({"text": said}, other)
