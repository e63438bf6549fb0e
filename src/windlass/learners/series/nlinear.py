"""A linear map from the latest points to all steps ahead, one for all series, solved and not searched for.

Ridge regression over all windows of the training series; how many points are looked at and how strongly weights are
held is chosen on validation rows. Measured against gradient descent: docs/log.md, "numbers: NLinear in closed form".
Source: Zeng et al. 2023, arXiv:2205.13504 (NLinear); Toner & Darlow 2024, arXiv:2403.14587 (its closed form).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.series import questions as rows
from windlass.learners.series.questions import Questions
from windlass.metrics.measures import is_better
from windlass.predictors.series import linear
from windlass.predictors.series.question import Question, filled
from windlass.records import Json, Progress, Splits

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Of the penalty, as shares of the mean of the matrix' diagonal."""
SEASONS = (1, 2, 3, 7, 14, 21)
"""Lengths that are tried, in seasons."""
HORIZONS = (1, 2, 4)
MOST_LENGTH, LEAST_LENGTH = 1_024, 4
MOST_WINDOWS = 200_000
BLOCK = 8_192
TRIED_SHARE = 0.6


@dataclass(frozen=True)
class Tried:
    length: int
    strength: float
    weights: np.ndarray
    score: float
    points: np.ndarray


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Lengths from short to long while the budget lasts; the best on validation rows is fitted on all rows."""
    questions = rows.read(splits)
    best: Tried | None = None
    curve: list[Json] = []
    lengths = candidates(questions)
    for number, length in enumerate(lengths):
        if best is not None and budget.spent() > TRIED_SHARE * budget.seconds:
            break
        progress("lengths", number, len(lengths), f"{length} points")
        for tried in solved(questions, length, options.metric):
            if best is None or not np.isfinite(best.score) or is_better(options.metric, tried.score, best.score):
                best = tried
        curve.append({"step": length, "score": None if best is None or not np.isfinite(best.score) else best.score})
    assert best is not None  # there is always one length
    weights = best.weights
    if questions.validation and budget.left() > 0:
        products = normal(questions.every, best.length, questions, questions.first_new)
        weights = solve(*products, best.strength)
    linear.write(options.artifact, weights)
    engine = linear.engine(weights, questions.season)
    settings = {"points": best.length, "strength": best.strength}
    manifest = {"predictor": "nlinear", "learner": "nlinear", "settings": settings}
    return replace(rows.finish(options, manifest, questions, splits, best.points, engine), curve=curve)


def candidates(questions: Questions) -> list[int]:
    """Lengths that the training series allow: some seasons, some horizons; at least one."""
    longest = max((len(each.history) for each in questions.train), default=0) - questions.horizon
    season = questions.season
    wanted = {season * count for count in SEASONS} | {questions.horizon * count for count in HORIZONS}
    fitting = sorted(length for length in wanted if LEAST_LENGTH <= length <= min(MOST_LENGTH, longest // 2))
    return fitting or [max(1, min(LEAST_LENGTH, longest))]


def windows(
    series: Sequence[Question], length: int, questions: Questions, first_new: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Blocks of windows: (m, length) points and (m, h) what followed, in units of each series' scale from the last
    point. Of the series from `first_new` on only the windows that end with them count: the others stand in train."""
    horizon, season = questions.horizon, questions.season
    total = sum(max(0, len(each.history) - length - horizon + 1) for each in series[:first_new])
    stride = max(1, -(-total // MOST_WINDOWS))
    for number, each in enumerate(series):
        values, scale = filled(each.history, season), each.scale
        known = np.isfinite(each.history)
        n_windows = len(values) - length - horizon + 1
        if n_windows < 1:
            continue
        table = np.lib.stride_tricks.sliding_window_view(values, length + horizon)
        told = np.lib.stride_tricks.sliding_window_view(known, length + horizon)[:, length:].all(axis=1)
        places = np.arange(n_windows - 1, n_windows) if number >= first_new else np.arange(0, n_windows, stride)
        places = places[np.asarray(told)[places]]
        for start in range(0, len(places), BLOCK):
            block = table[places[start : start + BLOCK]]
            last = block[:, length - 1 : length]
            yield (block[:, :length] - last) / scale, (block[:, length:] - last) / scale


def normal(
    series: Sequence[Question], length: int, questions: Questions, first_new: int
) -> tuple[np.ndarray, np.ndarray]:
    """The sums of products that ridge regression needs: (length, length) and (length, h)."""
    square, mixed = np.zeros((length, length)), np.zeros((length, questions.horizon))
    for points, after in windows(series, length, questions, first_new):
        square += points.T @ points
        mixed += points.T @ after
    return square, mixed


def solve(square: np.ndarray, mixed: np.ndarray, strength: float) -> np.ndarray:
    """(length, h) weights; zeros, the last value again, where there was nothing to learn from."""
    penalty = strength * float(np.trace(square)) / len(square)
    if penalty <= 0:
        return np.zeros_like(mixed)
    return np.asarray(np.linalg.solve(square + penalty * np.eye(len(square)), mixed))


def solved(questions: Questions, length: int, metric: str) -> list[Tried]:
    """One of each strength, scored on the validation rows."""
    products = normal(questions.train, length, questions, len(questions.train))
    found = []
    for strength in STRENGTHS if questions.validation else STRENGTHS[2:3]:
        weights = solve(*products, strength)
        points = linear.engine(weights, questions.season)(questions.validation)
        points = points.reshape(len(questions.validation), questions.horizon)
        found.append(Tried(length, strength, weights, questions.score(metric, points), points))
    return found
