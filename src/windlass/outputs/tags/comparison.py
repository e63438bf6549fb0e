"""Champion and challenger on rows whose tags are known: each answer is worth the F1 of its own tags.

A tag that one of the two does not know it never says, and misses where it is right.
"""

from pathlib import Path

import numpy as np

from windlass.metrics.measures import Marks
from windlass.metrics.tags import TagMarks
from windlass.outputs.comparison import SAME, Paired, PairedAnswers, PairedScores, by_chance
from windlass.outputs.labelled_row import Pairs
from windlass.outputs.tags.measures import tag_marks_of
from windlass.predictors.contract import Predictor
from windlass.predictors.tagger import NEVER
from windlass.records import Json

ROW_F1 = "row_f1"
MOST_PARTS = 200


def compare(pair: tuple[Predictor, Predictor], pairs: Pairs, metric: str, root: Path) -> PairedAnswers:
    """Champion and challenger on these rows. Raises: DataError: a row cannot be read."""
    return PairedTags(pair, pairs, root)


class PairedTags(PairedAnswers):
    """Answers are worth 1 where all tags are right, 0 where none is."""

    parts_are = ("tags", "tag")

    def __init__(self, pair: tuple[Predictor, Predictor], pairs: Pairs, root: Path) -> None:
        rows, truth = [row for row, _ in pairs], [right for _, right in pairs]
        both = [tag_marks_of(each.marks(rows, truth, root)) for each in pair]
        self.labels = tuple(dict.fromkeys([*both[0].labels, *both[1].labels]))
        self.both = [_with_columns(each, self.labels) for each in both]
        self.new = sorted(set(both[1].labels) - set(both[0].labels))

    def paired(self, name: str, chosen: np.ndarray) -> Paired:
        before, after = (each.row_f1[chosen] for each in self.both)
        if not len(before):
            return PairedScores(name, 0, 0.0, 0.0, 0, 0, ROW_F1)
        won, lost = int((after > before + SAME).sum()), int((after < before - SAME).sum())
        chance = by_chance(before, after), by_chance(after, before)
        return PairedScores(name, len(before), float(before.mean()), float(after.mean()), won, lost, ROW_F1, chance)

    def marks(self, chosen: np.ndarray) -> tuple[Marks, Marks]:
        before, after = (_of_rows(each, chosen) for each in self.both)
        return before, after

    def worth(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One minus the squared errors of all tags of a row, of which a single wrong one that was sure costs all.
        Source: Brier 1950."""
        before, after = (
            1 - ((each.probabilities[chosen] - each.targets[chosen]) ** 2).sum(axis=1) for each in self.both
        )
        return before, after

    def parts(self) -> list[tuple[str, np.ndarray]]:
        truth = self.both[0].targets
        common = np.argsort(-truth.sum(axis=0), kind="stable")[:MOST_PARTS]
        return [(self.labels[place], truth[:, place]) for place in sorted(common) if truth[:, place].any()]

    def evidence(self) -> Json:
        return {"new_labels": self.new}


def _with_columns(marks: TagMarks, labels: tuple[str, ...]) -> TagMarks:
    """The same with a column for each of these tags."""
    place = {label: number for number, label in enumerate(marks.labels)}
    columns = [place.get(label, -1) for label in labels]
    known = np.array([column >= 0 for column in columns])
    targets, probabilities = (each[:, columns] * known for each in (marks.targets, marks.probabilities))
    thresholds = np.where(known, marks.thresholds[columns], NEVER)
    return TagMarks(targets > 0, probabilities, thresholds, labels, marks.confidence)


def _of_rows(marks: TagMarks, chosen: np.ndarray) -> TagMarks:
    sure = None if marks.confidence is None else marks.confidence[chosen]
    return TagMarks(marks.targets[chosen], marks.probabilities[chosen], marks.thresholds, marks.labels, sure)
