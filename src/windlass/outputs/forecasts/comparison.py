"""Champion and challenger on rows whose future came true: each row costs its error, in units of its series' scale."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from windlass.metrics.forecasts import ForecastMarks
from windlass.metrics.measures import Estimate, Marks
from windlass.outputs.comparison import SAME, Paired, PairedAnswers, PairedScores, by_chance, thirds
from windlass.outputs.forecasts.measures import forecaster
from windlass.outputs.labelled_row import Pairs
from windlass.predictors.contract import Predictor


def compare(pair: tuple[Predictor, Predictor], pairs: Pairs, metric: str, root: Path) -> PairedAnswers:
    """Champion and challenger on these rows. Raises: DataError: a row cannot be read."""
    return PairedForecasts(pair, pairs, metric, root)


@dataclass(frozen=True)
class PairedErrors(PairedScores):
    """The same of errors. won, lost: rows nearer to what came true, and farther."""

    better: float = 0.0
    """By how much errors have become smaller, in units of the scale."""

    @property
    def gain(self) -> float:
        return self.better

    def __str__(self) -> str:
        return (
            f"error {self.before:.3f} -> {self.after:.3f} of {self.rows:,} rows ({self.won} nearer, "
            f"{self.lost} farther)"
        )


class PairedForecasts(PairedAnswers):
    """A row costs its mean absolute error, in units of what repeating the last season is off by."""

    parts_are = ("forecasts", "forecast")

    def __init__(self, pair: tuple[Predictor, Predictor], pairs: Pairs, metric: str, root: Path) -> None:
        rows, truth = [row for row, _ in pairs], [right for _, right in pairs]
        self.metric = metric
        self.both = [forecaster(each).marks(rows, truth, root) for each in pair]
        self.losses = [found.row_losses for found in self.both]

    def paired(self, name: str, chosen: np.ndarray) -> Paired:
        before, after = (losses[chosen] for losses in self.losses)
        if not len(before):
            return PairedErrors(name, 0, 0.0, 0.0, 0, 0, self.metric)
        won, lost = int((after < before - SAME).sum()), int((after > before + SAME).sum())
        chance = by_chance(-before, -after), by_chance(-after, -before)
        was, now = float(before.mean()), float(after.mean())
        return PairedErrors(name, len(before), was, now, won, lost, self.metric, chance, was - now)

    def marks(self, chosen: np.ndarray) -> tuple[Marks, Marks]:
        before, after = (_of(found, chosen) for found in self.both)
        return before, after

    def goal(self, metric: str, chosen: np.ndarray) -> tuple[float, float, Estimate]:
        """The difference as a share of what the champion is off by."""
        before, after, more = super().goal(metric, chosen)
        unit = abs(before) or 1.0
        return before, after, Estimate(more.value / unit, more.low / unit, more.high / unit)

    def parts(self) -> list[tuple[str, np.ndarray]]:
        with np.errstate(invalid="ignore"):
            means = [float(np.nanmean(row)) if np.isfinite(row).any() else None for row in self.both[0].targets]
        return thirds("what came true", means, "low", "high")


def _of(marks: ForecastMarks, chosen: np.ndarray) -> ForecastMarks:
    parts = [None if each is None else each[chosen] for each in (marks.quantiles, marks.low, marks.high, marks.again)]
    return ForecastMarks(marks.targets[chosen], marks.values[chosen], marks.scale[chosen], *parts)
