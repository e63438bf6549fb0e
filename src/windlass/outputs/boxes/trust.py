"""Whose boxes are believed: against those that the champion is sure of."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from windlass.kinds import boxes
from windlass.kinds.boxes import LABEL
from windlass.kinds.things import labels_of
from windlass.metrics.detection import OVERLAPS, matched, overlaps
from windlass.outputs.boxes.measures import detector
from windlass.outputs.labelled_row import ASIDE, WAITING, LabelledRow, Pairs
from windlass.outputs.trust import Known, Opinion
from windlass.predictors.contract import Predictor
from windlass.predictors.detection.heatmap import right_of
from windlass.spec import Spec

SURE, LEAST_SURE, MOST_DENIED = 0.8, 2, 0.5
"""From which score on the champion is sure, how many such boxes tell something, and the share of them that may be
denied by who is believed."""


def opinion(rows: Sequence[LabelledRow], champion: Predictor, known: Known, spec: Spec) -> Opinion:
    """Boxes are doubted that deny most of what the champion is sure of. Raises: DataError: a row cannot be read."""
    model = detector(champion)
    found = model.found([row.values for row in rows], known.root)
    read = [boxes.truth(row.label) for row in rows]
    denied = np.zeros(len(rows))
    for number, (things, seen) in enumerate(zip(read, found, strict=True)):
        sure = seen.scores >= SURE
        if sure.sum() < LEAST_SURE:
            continue
        right = right_of([thing for thing in things if thing[LABEL] in model.classes], model.classes)
        same = seen.classes[sure][:, None] == right.classes[None, :]
        takes, _ = matched(overlaps(seen.boxes[sure], right.boxes) * same, right.scores > 0, OVERLAPS[:1])
        denied[number] = (takes[0] < 0).mean()
    return doubted([boxes.kept(model.value(each)) for each in found], denied, "boxes", "boxes")


def doubted(answers: Sequence[str], denied: np.ndarray, things: str, parts: str) -> Opinion:
    """Who denies more than `MOST_DENIED` of what the champion is sure of is doubted. denied: (n,) shares of the rows.
    things: that are right or wrong, of parts that are counted."""
    against = denied > MOST_DENIED
    return Opinion(
        answers=answers,
        doubts=against,
        contradicts=against,
        is_new=np.zeros(len(denied), bool),  # `unfit` lets a new class in when enough rows have it
        surprise=np.full(len(denied), np.nan),
        known=f"{things} that the champion is sure of",
        otherwise=f"most {parts} that the champion is sure of are not among them",
    )


def unfit(rows: Sequence[LabelledRow], train: Pairs, spec: Spec) -> list[LabelledRow]:
    """Rows with a class that training does not know are set aside, or wait until there are enough of them."""
    known = {label for _, value in train for label in labels_of(value)}
    least, holders = spec.improve.new_labels, defaultdict[str, int](int)
    new_of = [sorted(set(labels_of(row.label)) - known) for row in rows]
    for new in new_of:
        for label in new:
            holders[label] += 1
    found = []
    for row, new in zip(rows, new_of, strict=True):
        if new and not least:
            words = f"the product does not know the class '{new[0][:40]}' (`improve: {{new_labels: 10}}` allows it)"
            row = row.becomes(ASIDE, words)
        elif any(holders[label] < least for label in new):
            row = row.becomes(WAITING, f"a new class needs {least} rows")
        found.append(row)
    return found
