"""A tracer on disk: its arrays, and of trees LightGBM's text; and the names of the exercises."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError, expected
from windlass.predictors.recommend.arrays import read_arrays, write_arrays
from windlass.predictors.recommend.tracing.attempts import Tracer
from windlass.predictors.recommend.tracing.attention import Attention
from windlass.predictors.recommend.tracing.bkt import Bkt
from windlass.predictors.recommend.tracing.features import NAMES, Features, Trees
from windlass.predictors.recommend.tracing.growth import Growth
from windlass.predictors.recommend.tracing.irt import Irt
from windlass.predictors.recommend.tracing.recurrent import Recurrent
from windlass.predictors.tables.trees import checked
from windlass.store.files import write_text

ARRAYS, MODEL = "tracer.safetensors", "model.txt"


@dataclass(frozen=True)
class Shares:
    """How often each exercise is right (E,), whoever asks: what a tracer must beat."""

    share: np.ndarray

    def begin(self, n_learners: int) -> None:
        return None

    def chances(self, state: None, days: np.ndarray, exercises: np.ndarray) -> np.ndarray:
        return self.share[exercises]

    def tell(self, state: None, days: np.ndarray, exercises: np.ndarray, right: np.ndarray) -> None:
        return None


OF_ARRAYS: dict[str, type[Any]] = {
    "exercise-share": Shares,
    "irt": Irt,
    "bkt": Bkt,
    "growth": Growth,
    "dkt": Recurrent,
    "sakt": Attention,
    "tracing-trees": Features,
}
"""Learner -> what its arrays are; the trees read features, which are arrays, too."""
PER_EXERCISE = {"share", "difficulty", "skill", "offset", "exercise_logit"}
"""Arrays with a number for each exercise."""


def write(folder: Path, name: str, tracer: Tracer, model: str = "") -> None:
    """model: LightGBM's text, of trees."""
    folder.mkdir(parents=True, exist_ok=True)
    held = tracer.features if isinstance(tracer, Trees) else tracer
    write_arrays(folder / ARRAYS, {each.name: getattr(held, each.name) for each in fields(OF_ARRAYS[name])})
    if model:
        write_text(folder / MODEL, model)


def load(folder: Path, name: str, exercises: Sequence[str]) -> Tracer:
    """Raises: DataError: it is damaged, or is of other exercises."""
    if name not in OF_ARRAYS:
        raise DataError(f"{folder} has the tracer '{name}', expected {expected(OF_ARRAYS)}")
    made = OF_ARRAYS[name]
    arrays = read_arrays(folder / ARRAYS, *(each.name for each in fields(made)))
    _check(folder, arrays, len(exercises))
    found = made(**{each.name: arrays[each.name] for each in fields(made)})
    if not isinstance(found, Features):
        tracer: Tracer = found
        return tracer
    import lightgbm

    try:
        text = checked((folder / MODEL).read_text(encoding="utf-8"), len(NAMES), 2)
        booster = lightgbm.Booster(model_str=text)
    except (OSError, ValueError, lightgbm.basic.LightGBMError) as error:
        raise DataError(f"{folder / MODEL} is damaged ({error}), expected a LightGBM model") from None
    return Trees(found, lambda rows: np.asarray(booster.predict(rows, num_threads=1)))


def _check(folder: Path, arrays: Mapping[str, np.ndarray], n_exercises: int) -> None:
    for name in PER_EXERCISE & arrays.keys():
        if arrays[name].shape != (n_exercises,):
            raise DataError(f"{folder / ARRAYS} is damaged: '{name}' has the shape {arrays[name].shape}, expected "
                            f"({n_exercises},), a number for each exercise")  # fmt: skip
    n_skills = max((len(arrays[name]) for name in ("level", "known", "skill_logit") if name in arrays), default=0)
    if n_skills and not ((arrays["skill"] >= 0) & (arrays["skill"] < n_skills)).all():
        raise DataError(f"{folder / ARRAYS} is damaged: 'skill' names a skill that is not there")
