"""The weighted mean of what several trained candidates foresee: different mistakes cancel.

As in a blend of labels, what is picked on some rows does too well on them: each fifth of the validation rows is
foreseen by the average that the other four pick, and these forecasts are its score and make its bands.
Source: Caruana et al. 2004 (ensemble selection from libraries of models); forecasts: Bates & Granger 1969, OR 20(4).
"""

import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from windlass.errors import NotReady
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.series import questions as rows
from windlass.learners.series.questions import Questions
from windlass.metrics.measures import is_better
from windlass.predictors.artifact import GOLDEN, LOGITS, read_validation
from windlass.predictors.blend import part_folder
from windlass.predictors.series import average
from windlass.predictors.series.forecaster import SeriesForecaster
from windlass.predictors.table import load
from windlass.records import Progress, Splits

MOST, MOST_PICKS, N_FOLDS = 4, 10, 5
MOST_TRIED = 6
"""Candidates that are looked at: the best ones alone."""
LEAST_ROWS = 10
LEAST_GAIN = 0.005
"""Relative gain below which an average is not worth a second model."""
Points = Mapping[str, np.ndarray]
"""Forecasts (n, h) of the same rows, by the name of the candidate."""


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Picks the members on the validation rows, none of which they had seen.

    Raises: NotReady: fewer than two candidates, too few validation rows, or no average is better than its best member
            on rows that it was not picked on.
    """
    questions = rows.read(splits)
    points = _kept(options, len(questions.validation))
    there = [np.isfinite(each).all(axis=1) for each in points.values()]
    reached = np.flatnonzero(np.all(there, axis=0)) if there else np.zeros(0, int)
    if len(points) < 2 or len(reached) < LEAST_ROWS:
        raise NotReady(f"needs two trained candidates and {LEAST_ROWS} validation rows")
    part, points = questions.part(reached), _of(points, reached)
    judged = cross_fitted(part, points, options.metric, progress)
    weights = picked(part, points, options.metric)
    scores = [part.score(options.metric, each) for each in points.values()]
    single = min(scores) if is_better(options.metric, 0.0, 1.0) else max(scores)
    score = part.score(options.metric, judged)
    if len(weights) < 2 or abs(score - single) < LEAST_GAIN * abs(single) or is_better(options.metric, single, score):
        raise NotReady("no average is better than its best member on validation rows that it was not picked on")
    members = [one for name in weights
               if isinstance(one := load(options.runs[name] / "artifact"), SeriesForecaster)]  # fmt: skip
    _copy(options, [options.runs[name] / "artifact" for name in weights])
    every = np.full((len(questions.validation), questions.horizon), np.nan)
    every[reached] = judged
    settings = {"weights": list(weights.values()), "members": list(weights)}
    manifest = {"predictor": "average", "learner": "average", "settings": settings}
    return rows.finish(options, manifest, questions, splits, every, average.engine(members, list(weights.values())))


def _kept(options: Options, n_rows: int) -> dict[str, np.ndarray]:
    """What each candidate foresaw of the validation rows."""
    kept = {name: read_validation(folder).get(LOGITS) for name, folder in options.runs.items()}
    return {name: each.astype(np.float64) for name, each in kept.items() if each is not None and len(each) == n_rows}


def _of(points: Points, places: np.ndarray) -> dict[str, np.ndarray]:
    return {name: each[places] for name, each in points.items()}


def cross_fitted(questions: Questions, points: Points, metric: str, progress: Progress) -> np.ndarray:
    """(n, h) forecasts of each row by the average that the other folds pick; folds are rows that lie together."""
    n_rows = len(questions.validation)
    fold_of = np.arange(n_rows) * N_FOLDS // n_rows
    judged = np.empty((n_rows, questions.horizon))
    for fold in range(N_FOLDS):
        progress("folds", fold, N_FOLDS, "")
        here, others = np.flatnonzero(fold_of == fold), np.flatnonzero(fold_of != fold)
        weights = picked(questions.part(others), _of(points, others), metric)
        judged[here] = mean(_of(points, here), weights)
    return judged


def picked(questions: Questions, points: Points, metric: str) -> dict[str, float]:
    """Weights, summing to one, of the candidates that are picked one by one, each again if that is best; of all means
    on the way the best. The third pick can help where the second does not."""
    found: Counter[str] = Counter()
    best, best_score = found, float("nan")
    alone = {name: questions.score(metric, each) for name, each in points.items()}
    order = sorted(alone, key=lambda name: alone[name], reverse=not is_better(metric, 0.0, 1.0))
    points = {name: points[name] for name in order[:MOST_TRIED]}
    while found.total() < MOST_PICKS:
        allowed = found if len(found) == MOST else points
        scores = {name: questions.score(metric, mean(points, found + Counter([name]))) for name in allowed}
        name = next(iter(scores))
        for other in scores:
            name = other if is_better(metric, scores[other], scores[name]) else name
        found = found + Counter([name])
        if not best or is_better(metric, scores[name], best_score):
            best, best_score = found, scores[name]
    return {name: count / best.total() for name, count in best.items()}


def mean(points: Points, weights: Mapping[str, float]) -> np.ndarray:
    """(n, h) the mean by weight."""
    return np.asarray(np.average([points[name] for name in weights], axis=0, weights=list(weights.values())))


def _copy(options: Options, parts: list[Path]) -> None:
    for number, part in enumerate(parts):
        goal = part_folder(options.artifact, number)
        shutil.copytree(part, goal, ignore=shutil.ignore_patterns(GOLDEN), dirs_exist_ok=True)
