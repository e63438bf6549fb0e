"""Gradient-boosted trees: what usually wins on tables.

Source: Ke et al. 2017, LightGBM. Measured choices: docs/log.md, "trees".
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import lightgbm
import numpy as np

from windlass.kinds import table as kinds
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.rows import N_GOLDEN, Encoded, encode, finish
from windlass.predictors.contract import width
from windlass.predictors.trees import FILE, features
from windlass.records import Json, Progress, Splits
from windlass.store import write_text

FORMS = {"text": "terms", "number": "raw", "category": "index", "date": "calendar"}
TERMS = {"text": {"n_terms": 2_000, "min_rows": 5}}
MAX_ROUNDS = 2_000
PATIENCE = 100
SMALL = 2_000


def settings(n_rows: int, n_classes: int, seed: int) -> dict[str, Any]:
    """LightGBM's parameters: shallow, slow and well shaken when rows are few."""
    small = n_rows < SMALL
    objective = {"objective": "binary"} if n_classes == 2 else {"objective": "multiclass", "num_class": n_classes}
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
    """Finds the number of rounds on the validation rows, then fits that many on all rows but the test's."""
    encoded = encode(splits, FORMS, TERMS)
    train, validation = features(encoded.train), features(encoded.validation)
    parameters = settings(train.shape[0], encoded.n_classes, options.seed)
    categories = [] if kinds.prose(splits.inputs) else _categories(encoded)
    data = lightgbm.Dataset(train, encoded.train_targets, categorical_feature=categories, free_raw_data=False)
    has_validation = len(encoded.validation_targets) > 0
    valid = [lightgbm.Dataset(validation, encoded.validation_targets, reference=data)] if has_validation else []
    curve: list[Json] = []
    booster = lightgbm.train(
        parameters,
        data,
        num_boost_round=MAX_ROUNDS if has_validation else 200,
        valid_sets=valid,
        callbacks=[
            _watch(budget, progress, curve),
            *([lightgbm.early_stopping(PATIENCE, verbose=False)] * has_validation),
        ],
    )
    logits = _logits(booster, validation)
    final = booster
    if has_validation:
        both = _stacked(train, validation)
        rounds = max(1, booster.best_iteration or booster.current_iteration())
        final = lightgbm.train(
            parameters,
            lightgbm.Dataset(
                both,
                np.concatenate([encoded.train_targets, encoded.validation_targets]),
                categorical_feature=categories,
            ),
            num_boost_round=rounds,
        )
    options.artifact.mkdir(parents=True, exist_ok=True)
    write_text(options.artifact / FILE, final.model_to_string())
    fitted = finish(
        options,
        {"predictor": "trees", "learner": "trees", "settings": {"rounds": final.num_trees()}},
        encoded,
        splits,
        logits,
        _logits(final, validation[:N_GOLDEN]),
    )
    return replace(fitted, curve=curve)


def _categories(encoded: Encoded) -> list[int]:
    """The columns of the feature matrix that hold level numbers."""
    starts = np.cumsum([0, *(width(batch) for batch in encoded.train)]).tolist()
    return [start for start, column in zip(starts, encoded.inputs, strict=False) if FORMS[column.kind] == "index"]


def _watch(budget: Budget, progress: Progress, curve: list[Json]) -> Callable[[Any], None]:
    """Keeps the learning curve and stops when half of the time is used (the other half is for the last fit)."""

    def callback(env: Any) -> None:
        losses = [value for _, _, value, *_ in env.evaluation_result_list or []]
        if env.iteration % 10 == 0:
            progress("boosting", env.iteration, env.end_iteration, "")
            if losses:
                curve.append({"step": env.iteration, "validation_loss": round(float(losses[0]), 5)})
        if budget.spent() > 0.5 * budget.seconds:
            raise lightgbm.callback.EarlyStopException(env.iteration, env.evaluation_result_list or [])

    return callback


def _logits(booster: Any, rows: Any) -> np.ndarray:
    if not rows.shape[0]:
        return np.zeros((0, max(2, booster.num_model_per_iteration())))
    scores = np.asarray(booster.predict(rows, raw_score=True))
    return scores if scores.ndim == 2 else np.stack([np.zeros_like(scores), scores], axis=1)


def _stacked(first: Any, second: Any) -> Any:
    if isinstance(first, np.ndarray):
        return np.concatenate([first, second])
    from scipy.sparse import vstack

    return vstack([first, second], format="csr")
