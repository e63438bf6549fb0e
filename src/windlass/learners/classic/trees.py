"""Gradient-boosted trees: what usually wins on tables.

Source: Ke et al. 2017, LightGBM. Measured choices: docs/log.md, "trees".
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import lightgbm
import numpy as np

from windlass.kinds import table as kinds
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.rows import Encoded, encode, finish, with_stopping
from windlass.metrics.measures import is_better
from windlass.metrics.numbers import ABSOLUTE
from windlass.predictors.artifact import N_GOLDEN
from windlass.predictors.contract import width
from windlass.predictors.tables.trees import FILE, as_scores, features
from windlass.records import Json, Progress, Splits
from windlass.store.files import write_text

FORMS = {"text": "terms", "number": "raw", "category": "index", "date": "calendar", "series": "features"}
TERMS = {"text": {"n_terms": 2_000, "min_rows": 5}}
MAX_ROUNDS = 2_000
UNWATCHED_ROUNDS = 200
"""Where no validation rows tell when to stop."""
PATIENCE = 100
SMALL = 2_000
TRIED_SHARE = 0.5
"""Of the budget, for finding the rounds."""


def objectives_of_labels(n_scores: int, metric: str) -> list[Json]:
    return [{"objective": "binary"} if n_scores == 2 else {"objective": "multiclass", "num_class": n_scores}]


def objectives_of_numbers(n_scores: int, metric: str) -> list[Json]:
    """Squared errors; where absolute ones count these as well: which of the two serves better, rows decide."""
    watched = "l1" if metric in ABSOLUTE else "l2"
    wanted = ("regression", "regression_l1") if metric in ABSOLUTE else ("regression",)
    return [{"objective": each, "metric": watched} for each in wanted]


OBJECTIVES: dict[str, Callable[[int, str], list[Json]]] = {
    "category": objectives_of_labels,
    "number": objectives_of_numbers,
}
"""Kind of the output -> (scores a row, metric) -> what is boosted towards; the best by the validation rows is taken."""


def settings(n_rows: int, objective: Json, seed: int) -> dict[str, Any]:
    """LightGBM's parameters: shallow, slow and well shaken when rows are few."""
    small = n_rows < SMALL
    return {
        **objective,
        "learning_rate": 0.02 if small else 0.05,
        "num_leaves": 7 if small else 31,
        "min_data_in_leaf": 10 if small else 20,
        "feature_fraction": 0.5 if small else 0.8,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 5.0 if small else 1.0,
        "max_cat_to_onehot": 8,
        "cat_smooth": 20,
        "min_data_per_group": 20 if small else 100,
        "seed": seed,
        "deterministic": True,
        "num_threads": 1 if small else 0,
        "force_row_wise": True,
        "verbosity": -1,
    }


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Finds objective and rounds on the validation rows, then fits so many on all rows but the test's."""
    encoded = with_stopping(encode(splits, FORMS, TERMS))
    rows = Rows(encoded, features(encoded.train), features(encoded.validation))
    objectives = OBJECTIVES[encoded.output.kind](encoded.n_scores, options.metric)
    tried = []
    for number, objective in enumerate(objectives if len(encoded.validation_targets) else objectives[:1]):
        until = TRIED_SHARE * budget.seconds * (number + 1) / len(objectives)
        parameters = settings(rows.train.shape[0], objective, options.seed)
        tried.append(rows.boosted(parameters, _Watch(budget, until, progress)))
    best = tried[0]
    for other in tried[1:]:
        if is_better(options.metric, rows.score(options.metric, other), rows.score(options.metric, best)):
            best = other
    final = rows.on_all(best) if len(encoded.validation_targets) else best.booster
    options.artifact.mkdir(parents=True, exist_ok=True)
    write_text(options.artifact / FILE, final.model_to_string())
    found = {"rounds": final.num_trees(), **({"objective": best.parameters["objective"]} if len(tried) > 1 else {})}
    fitted = finish(
        options,
        {"predictor": "trees", "learner": "trees", "settings": found},
        encoded,
        splits,
        rows.scores(best.booster, rows.validation),
        rows.scores(final, rows.validation[:N_GOLDEN]),
    )
    return replace(fitted, curve=best.curve)


@dataclass(frozen=True)
class Boosted:
    """A booster as it was tried on the train rows. curve: what the validation rows lost on the way."""

    parameters: dict[str, Any]
    booster: Any
    curve: list[Json]


@dataclass(frozen=True)
class Rows:
    """The rows as LightGBM reads them. train, validation: (n, features) float32, or scipy CSR."""

    encoded: Encoded
    train: Any
    validation: Any

    def boosted(self, parameters: dict[str, Any], watch: "_Watch") -> Boosted:
        """A booster of the train rows that stops when the validation rows lose no less any more."""
        encoded = self.encoded
        data = self._data(self.train, encoded.train_targets, encoded.train_weights)
        is_watched = len(encoded.validation_targets) > 0
        places, counts = encoded.watched, encoded.validation_weights
        known, counts = encoded.validation_targets[places], None if counts is None else counts[places]
        valid = [lightgbm.Dataset(self.validation[places], known, data, counts)] if is_watched else []
        stopping = [lightgbm.early_stopping(PATIENCE, verbose=False)] * is_watched
        rounds = MAX_ROUNDS if is_watched else UNWATCHED_ROUNDS
        booster = lightgbm.train(parameters, data, rounds, valid, callbacks=[watch, *stopping])
        return Boosted(parameters, booster, watch.curve)

    def on_all(self, best: Boosted) -> Any:
        """A booster like the best one, of train and validation rows."""
        every = _stacked(self.train, self.validation)
        data = self._data(every, self.encoded.every_target, self.encoded.every_weight)
        rounds = max(1, best.booster.best_iteration or best.booster.current_iteration())
        return lightgbm.train(best.parameters, data, rounds)

    def _data(self, rows: Any, targets: np.ndarray, weights: np.ndarray | None) -> lightgbm.Dataset:
        has_prose = any(kinds.get(column.kind).is_prose for column in self.encoded.inputs)
        categories = [] if has_prose else _categories(self.encoded)
        return lightgbm.Dataset(rows, targets, weight=weights, categorical_feature=categories, free_raw_data=False)

    def scores(self, booster: Any, rows: Any) -> np.ndarray:
        """(n, k) of these rows."""
        if not rows.shape[0]:
            return np.zeros((0, self.encoded.n_scores))
        return as_scores(np.asarray(booster.predict(rows, raw_score=True)), self.encoded.n_scores)

    def score(self, metric: str, tried: Boosted) -> float:
        """The metric on the validation rows that may be looked at to choose."""
        encoded, places = self.encoded, self.encoded.watched
        scores = self.scores(tried.booster, self.validation[places])
        return encoded.aim.score(metric, encoded.output, encoded.validation_targets[places], scores)


def _categories(encoded: Encoded) -> list[int]:
    """The columns of the feature matrix that hold level numbers."""
    starts = np.cumsum([0, *(width(batch) for batch in encoded.train)]).tolist()
    return [start for start, column in zip(starts, encoded.inputs, strict=False) if FORMS[column.kind] == "index"]


class _Watch:
    """Keeps the learning curve, and stops when so many seconds of the budget are used (the rest: the last fit)."""

    def __init__(self, budget: Budget, until: float, progress: Progress) -> None:
        self.budget, self.until, self.progress = budget, until, progress
        self.curve: list[Json] = []

    def __call__(self, env: Any) -> None:
        losses = [value for _, _, value, *_ in env.evaluation_result_list or []]
        if env.iteration % 10 == 0:
            self.progress("boosting", env.iteration, env.end_iteration, "")
            if losses:
                self.curve.append({"step": env.iteration, "validation_loss": round(float(losses[0]), 5)})
        if self.budget.spent() > self.until:
            raise lightgbm.callback.EarlyStopException(env.iteration, env.evaluation_result_list or [])


def _stacked(first: Any, second: Any) -> Any:
    if isinstance(first, np.ndarray):
        return np.concatenate([first, second])
    from scipy.sparse import vstack

    return vstack([first, second], format="csr")
