"""Champion and challenger on pictures whose right masks are known."""

from pathlib import Path

import numpy as np

from windlass.metrics.measures import Marks
from windlass.metrics.segmentation import DICE, INSTANCE_AP
from windlass.outputs.comparison import Paired, PairedAnswers, PairedScores, by_chance
from windlass.outputs.labelled_row import Pairs
from windlass.outputs.masks.measures import segmenter
from windlass.predictors.contract import Predictor


class PairedMasks(PairedAnswers):
    """A picture is worth its Dice, or its instance AP where that is the goal."""

    parts_are = ("classes", "class")

    def __init__(self, pair: tuple[Predictor, Predictor], pairs: Pairs, metric: str, root: Path) -> None:
        rows, truth = [row for row, _ in pairs], [right for _, right in pairs]
        self.both = [segmenter(each).marks(rows, truth, root) for each in pair]
        self.metric = INSTANCE_AP if metric == INSTANCE_AP else DICE

    def paired(self, name: str, chosen: np.ndarray) -> Paired:
        is_by_thing = self.metric == INSTANCE_AP
        before, after = ((found.each_ap if is_by_thing else found.each)[chosen] for found in self.both)
        if not len(before):
            return PairedScores(name, 0, 0.0, 0.0, 0, 0, self.metric)
        won, lost = int((after > before).sum()), int((after < before).sum())
        chance = by_chance(before, after), by_chance(after, before)
        return PairedScores(
            name, len(before), float(before.mean()), float(after.mean()), won, lost, self.metric, chance
        )

    def marks(self, chosen: np.ndarray) -> tuple[Marks, Marks]:
        before, after = (found.of(chosen) for found in self.both)
        return before, after

    def parts(self) -> list[tuple[str, np.ndarray]]:
        found = self.both[0]
        return [(name, found.pixels[:, 2, number] > 0) for number, name in enumerate(found.classes)]
