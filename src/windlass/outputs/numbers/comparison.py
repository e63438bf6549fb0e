"""Champion and challenger on rows whose numbers are known: each answer costs its error, as the goal counts errors.

Differences are told in points of skill, hundredths of the error of always answering the same: of a good champion's own
error they would be so small that nothing could be learned without a loss.
Source: skill score, Murphy 1988, Monthly Weather Review 116(12).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from windlass.metrics.costs import COST, SideCosts
from windlass.metrics.measures import Estimate, Marks, told
from windlass.metrics.numbers import ABSOLUTE, LOSSES, NumberMarks
from windlass.outputs.comparison import SAME, Paired, PairedAnswers, PairedScores, by_chance, thirds
from windlass.outputs.labelled_row import Pairs
from windlass.outputs.numbers.measures import estimator
from windlass.pages.text.words import metric_name
from windlass.predictors.contract import Predictor
from windlass.records import Json


def compare(pair: tuple[Predictor, Predictor], pairs: Pairs, metric: str, root: Path) -> PairedAnswers:
    """Champion and challenger on these rows. Raises: DataError: a row cannot be read."""
    return PairedNumbers(pair, pairs, metric, root)


@dataclass(frozen=True)
class PairedErrors(PairedScores):
    """The same of errors. won, lost: rows nearer to the right number, and farther."""

    better: float = 0.0
    """By how much errors have become smaller, as a share of those of always answering the same."""

    @property
    def gain(self) -> float:
        return self.better

    def as_json(self) -> Json:
        return {**super().as_json(), "better": round(self.better, 6)}

    def __str__(self) -> str:
        return (
            f"{metric_name(self.metric)} {told(self.before)} -> {told(self.after)} of {self.rows:,} rows "
            f"({self.won} nearer, {self.lost} farther)"
        )


class PairedNumbers(PairedAnswers):
    """Answers cost their error: absolute, or squared where the goal counts it so."""

    parts_are = ("answers", "answer")
    points_are = ("point of skill", "points of skill")

    def __init__(self, pair: tuple[Predictor, Predictor], pairs: Pairs, metric: str, root: Path) -> None:
        self.metric = metric
        rows = [row for row, _ in pairs]
        self.truth = np.array([right for _, right in pairs], np.float64)
        self.given = [estimator(each).values(rows, root) for each in pair]
        self.costs = estimator(pair[0]).costs
        self.losses = [self._losses(values) for values in self.given]
        self.least = self._least() if len(self.truth) else 0.0

    def _least(self) -> float:
        """What the best answer that is always the same loses a row."""
        always = np.quantile(self.truth, self._level()) if self.metric in ABSOLUTE else np.mean(self.truth)
        return float(self._losses(np.full(len(self.truth), always)).mean())

    def _losses(self, values: np.ndarray) -> np.ndarray:
        """What each row loses, (n,)."""
        return LOSSES[self.metric](self.truth, values) if self.metric != COST else self._costs().of(self.truth, values)

    def _costs(self) -> SideCosts:
        """A champion from before there were costs is judged by equal ones."""
        return self.costs or SideCosts(1.0, 1.0)

    def _level(self) -> float:
        return self._costs().level if self.metric == COST else 0.5

    def paired(self, name: str, chosen: np.ndarray) -> Paired:
        before, after = (losses[chosen] / (self.least or 1.0) for losses in self.losses)  # of one size, in any unit
        n_rows = len(before)
        if not n_rows:
            return PairedErrors(name, 0, 0.0, 0.0, 0, 0, self.metric)
        was, now = (each.value(self.metric) for each in self.marks(chosen))
        won, lost = int((after < before - SAME).sum()), int((after > before + SAME).sum())
        chance = by_chance(-before, -after), by_chance(-after, -before)
        better = float(before.mean() - after.mean())
        return PairedErrors(name, n_rows, was, now, won, lost, self.metric, chance, better)

    def marks(self, chosen: np.ndarray) -> tuple[Marks, Marks]:
        before, after = (NumberMarks(self.truth[chosen], each[chosen], costs=self._costs()) for each in self.given)
        return before, after

    def goal(self, metric: str, chosen: np.ndarray) -> tuple[float, float, Estimate]:
        """The difference in skill, of which 1 is all."""
        before, after, more = super().goal(metric, chosen)
        unit = {"r2": 1.0, "rmse": self.least**0.5}.get(metric, self.least) or 1.0
        return before, after, Estimate(more.value / unit, more.low / unit, more.high / unit)

    def parts(self) -> list[tuple[str, np.ndarray]]:
        return thirds("right answer", self.truth.tolist(), "low", "high")


def same(one: float, other: float) -> bool:
    """Both are the same but for how numbers are rounded: six digits are told."""
    return bool(abs(one - other) <= 1e-5 * max(abs(one), abs(other)))
