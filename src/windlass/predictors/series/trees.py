"""Gradient-boosted trees over the lags, windows, calendar and covariates of a question, one model for all series."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.predictors.series.forecaster import SeriesEngine, SeriesForecaster
from windlass.predictors.series.lag_features import Recipe, asked
from windlass.predictors.series.question import Question
from windlass.predictors.tables.trees import FILE, checked
from windlass.records import Manifest

BLOCK = 256
"""Questions whose features are held at once."""


def engine(booster: Any, recipe: Recipe) -> SeriesEngine:
    """booster: a LightGBM model of what the base is off by; None: the base alone."""

    def some(questions: Sequence[Question]) -> np.ndarray:
        base, table = asked(questions, recipe)
        found = base
        if booster is not None:
            rows = table.reshape(-1, table.shape[2])
            if rows.shape[1] != booster.num_feature():
                raise DataError(
                    f"a question has {rows.shape[1]} features, expected {booster.num_feature()} as the trees do"
                )
            found = base + np.asarray(booster.predict(rows, num_threads=1)).reshape(base.shape)
        scale = np.array([each.scale for each in questions])[:, None]
        return recipe.untold(found, scale)

    def foresee(questions: Sequence[Question]) -> np.ndarray:
        starts = range(0, len(questions), BLOCK)
        parts = [some(questions[start : start + BLOCK]) for start in starts]
        return np.concatenate(parts) if parts else np.zeros((0, recipe.horizon))

    return foresee


def load(folder: Path, manifest: Manifest) -> SeriesEngine:
    """Raises: DataError: the model or its recipe is damaged."""
    import lightgbm

    try:
        recipe = Recipe.from_json(manifest.settings["recipe"])
        n_features = int(manifest.settings["features"])
        if recipe.horizon != manifest.output.state["horizon"]:
            raise ValueError(f"a horizon of {recipe.horizon}")
        asking = SeriesForecaster(manifest, engine(None, recipe)).asking
        if len(recipe.effects) != len(asking.columns(asking.written.known)):
            raise ValueError(f"{len(recipe.effects)} effects")
        if not manifest.settings["rounds"]:
            return engine(None, recipe)
        text = checked((folder / FILE).read_text(encoding="utf-8"), n_features, 1)
        booster = lightgbm.Booster(model_str=text)
    except (OSError, ValueError, KeyError, TypeError, lightgbm.basic.LightGBMError) as error:
        raise DataError(f"{folder / FILE} is damaged ({error}), expected a LightGBM model and its recipe") from None
    return engine(booster, recipe)
