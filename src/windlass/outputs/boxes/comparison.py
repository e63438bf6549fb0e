"""Champion and challenger on pictures whose right boxes are known."""

from pathlib import Path

import numpy as np

from windlass.metrics.detection import BOX_F1, MAP50
from windlass.metrics.measures import Estimate, Marks, paired_difference
from windlass.outputs.boxes.measures import detector
from windlass.outputs.comparison import Paired, PairedAnswers, PairedScores, by_chance
from windlass.outputs.labelled_row import Pairs
from windlass.predictors.contract import Predictor


class PairedBoxes(PairedAnswers):
    """A picture is worth the F1 of the boxes that are given on it."""

    parts_are = ("classes", "class")

    def __init__(self, pair: tuple[Predictor, Predictor], pairs: Pairs, metric: str, root: Path) -> None:
        rows, truth = [row for row, _ in pairs], [right for _, right in pairs]
        self.both = [detector(each).marks(rows, truth, root) for each in pair]

    def paired(self, name: str, chosen: np.ndarray) -> Paired:
        before, after = (found.each[chosen] for found in self.both)
        if not len(before):
            return PairedScores(name, 0, 0.0, 0.0, 0, 0, BOX_F1)
        won, lost = int((after > before).sum()), int((after < before).sum())
        chance = by_chance(before, after), by_chance(after, before)
        return PairedScores(name, len(before), float(before.mean()), float(after.mean()), won, lost, BOX_F1, chance)

    def marks(self, chosen: np.ndarray) -> tuple[Marks, Marks]:
        before, after = (found.of(chosen) for found in self.both)
        return before, after

    def falls(self, chosen: np.ndarray) -> list[tuple[str, str, float, float, Estimate]]:
        """AP50 of each class."""
        before, after = (found.of(chosen) for found in self.both)
        found = []
        for number in np.flatnonzero(before.n_there.sum(axis=0)).tolist():
            name = before.classes[number]
            if name in after.classes:
                was, now = before.only(number), after.only(after.classes.index(name))
                difference = paired_difference(MAP50, now, was)
                found.append((name, "AP50", was.value(MAP50), now.value(MAP50), difference))
        return found

    def parts(self) -> list[tuple[str, np.ndarray]]:
        found = self.both[0]
        return [(name, found.n_there[:, number] > 0) for number, name in enumerate(found.classes)]
