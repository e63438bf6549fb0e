"""Champion and challenger on rows whose labels are known: right or wrong, and what the probabilities are worth."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from windlass.kinds import category
from windlass.metrics.measures import LabelMarks, Marks
from windlass.outputs.comparison import Paired, PairedAnswers
from windlass.outputs.labelled_row import Pairs
from windlass.outputs.labels.measures import labeller
from windlass.predictors.contract import Labeller, Predictor
from windlass.records import Json


def compare(pair: tuple[Predictor, Predictor], pairs: Pairs, metric: str, root: Path) -> PairedAnswers:
    """Champion and challenger on these rows. Raises: DataError: a row cannot be read."""
    return PairedLabels((labeller(pair[0]), labeller(pair[1])), pairs, root)


class PairedLabels(PairedAnswers):
    """Answers are right or wrong. A label that one of them does not know it cannot have right."""

    parts_are = ("labels", "label")

    def __init__(self, pair: tuple[Labeller, Labeller], pairs: Pairs, root: Path) -> None:
        self.pair, self.root = pair, root
        self.rows = [row for row, _ in pairs]
        self.truth = np.array([label for _, label in pairs], object)
        self.given = [predictor.probabilities(self.rows, root) for predictor in pair]
        self.right = [_named(each, given) == self.truth for each, given in zip(pair, self.given, strict=True)]

    def paired(self, name: str, chosen: np.ndarray) -> Paired:
        before, after = (right[chosen] for right in self.right)
        n_rows = len(before)
        was, now = (float(right.mean()) if n_rows else 0.0 for right in (before, after))
        return Paired(name, n_rows, was, now, int((after & ~before).sum()), int((before & ~after).sum()))

    def marks(self, chosen: np.ndarray) -> tuple[Marks, Marks]:
        """Of rows with a label that the champion knows."""
        chosen = chosen & np.isin(self.truth, self.pair[0].labels)
        rows = [self.rows[place] for place in np.flatnonzero(chosen)]
        before = self.pair[0].marks(rows, list(self.truth[chosen]), self.root)
        return before, _on_old_labels(self.given[1][chosen], self.pair[1], before)

    def worth(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One minus the Brier score over two, 0-1. Source: Brier 1950; a proper score: Gneiting & Raftery 2007."""
        first, second = (
            _quadratic(each.labels, given[chosen], self.truth[chosen])
            for each, given in zip(self.pair, self.given, strict=True)
        )
        return first, second

    def parts(self) -> list[tuple[str, np.ndarray]]:
        return [(str(name), self.truth == name) for name in sorted(set(self.truth))]

    def evidence(self) -> Json:
        return {"new_labels": sorted(set(self.pair[1].labels) - set(self.pair[0].labels))}


def _quadratic(labels: Sequence[str], probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(n,) where a label that is not known has no probability."""
    place = {label: number for number, label in enumerate(labels)}
    known = np.array([place.get(label, -1) for label in truth], int)
    right = np.where(known >= 0, probabilities[np.arange(len(known)), known], 0.0)
    return np.asarray(0.5 + right - (probabilities**2).sum(axis=1) / 2)


def _named(predictor: Labeller, probabilities: np.ndarray) -> np.ndarray:
    """(n,) labels."""
    return np.array(predictor.labels, object)[predictor.answers(probabilities)]


def _on_old_labels(probabilities: np.ndarray, challenger: Labeller, before: LabelMarks) -> LabelMarks:
    """The challenger's probabilities for the champion's labels; a row that it answers with a new label is wrong."""
    place = {label: number for number, label in enumerate(challenger.labels)}
    known = [place[label] for label in before.labels]
    old = probabilities[:, known]
    is_new = ~np.isin(probabilities.argmax(axis=1), known)
    old[is_new, before.targets[is_new]] = 0.0
    old = old / np.maximum(old.sum(axis=1, keepdims=True), 1e-12)
    return replace(before, probabilities=old, threshold=category.threshold(challenger.manifest.output.state))
