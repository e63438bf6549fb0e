"""Boosted trees on the eleven features; shares of a learner's own answers never tell these."""

import lightgbm
import numpy as np

from windlass.learners.recommend.tracing import counting
from windlass.predictors.recommend.tracing.attempts import Attempts, Course, Sittings
from windlass.predictors.recommend.tracing.features import NAMES, Features, Trees

ROUNDS, PATIENCE = 600, 30
WATCHED = 0.15
"""Share of the learners that say when to stop."""


def fit(attempts: Attempts, course: Course, seed: int = 13) -> Trees:
    booster = boosted(attempts, course, seed)

    def score(features: np.ndarray) -> np.ndarray:
        return np.asarray(booster.predict(features, num_threads=1))

    return Trees(features_of(attempts, course), score)


def boosted(attempts: Attempts, course: Course, seed: int) -> lightgbm.Booster:
    """Of all but the watched learners, cut where these are told best."""
    rows = rows_apart(attempts, course, seed)
    is_watched = (np.random.default_rng(seed).random(attempts.n_learners) < WATCHED)[attempts.learners]
    names = list(NAMES)
    train = lightgbm.Dataset(rows[~is_watched], attempts.right[~is_watched].astype(int), feature_name=names)
    watch = [lightgbm.Dataset(rows[is_watched], attempts.right[is_watched].astype(int), reference=train)]
    stop = lightgbm.early_stopping(PATIENCE, verbose=False)
    found = lightgbm.train(_settings(len(rows), seed), train, ROUNDS, watch, callbacks=[stop])
    return lightgbm.Booster(model_str=found.model_to_string(num_iteration=max(1, found.best_iteration)))


def features_of(attempts: Attempts, course: Course) -> Features:
    return Features(course.skill, counting.of_exercises(attempts, course), counting.of_skills(attempts, course))


def rows_apart(attempts: Attempts, course: Course, seed: int) -> np.ndarray:
    """(n, 11) of the attempts, shares told by the other half of the learners."""
    half = counting.halves(attempts.n_learners, seed)
    found = np.zeros((len(attempts), len(NAMES)))
    for chosen in (half, ~half):
        read = read_before(features_of(attempts.of(~chosen), course), attempts.of(chosen))
        found[chosen[attempts.learners]] = read
    return found


def read_before(features: Features, attempts: Attempts) -> np.ndarray:
    """(n, 11) as they stood before each attempt's sitting."""
    found = np.zeros((len(attempts), len(NAMES)))
    seen = features.begin(attempts.n_learners)
    for places in np.moveaxis(Sittings.of(attempts).places, 1, 0):
        is_real = places >= 0
        exercises, days = np.where(is_real, attempts.exercises[places], -1), attempts.days[places[:, 0]]
        found[places[is_real]] = features.read(seen, days, exercises)[is_real]
        for one, place in zip(exercises.T, places.T, strict=True):
            features.tell(seen, days, one, attempts.right[place])
    return found


def _settings(n_rows: int, seed: int) -> dict[str, object]:
    small = n_rows < 20_000
    return {
        "objective": "binary", "learning_rate": 0.05, "num_leaves": 15 if small else 31, "lambda_l2": 5.0,
        "min_data_in_leaf": 50, "bagging_fraction": 0.8, "bagging_freq": 1, "feature_fraction": 0.8, "seed": seed,
        "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbosity": -1,
    }  # fmt: skip
