"""The weighted mean of what several artifacts foresee that lie inside this one."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from windlass.errors import DataError
from windlass.kinds.contract import is_finite
from windlass.predictors.blend import part_folder
from windlass.predictors.contract import Predictor
from windlass.predictors.series.forecaster import SeriesEngine, SeriesForecaster
from windlass.predictors.series.question import Question
from windlass.records import Manifest


def engine(parts: Sequence[SeriesForecaster], weights: Sequence[float]) -> SeriesEngine:
    """weights: of each part, above 0; only their proportions count."""

    def foresee(questions: Sequence[Question]) -> np.ndarray:
        return np.asarray(np.average([part.points(questions) for part in parts], axis=0, weights=weights))

    return foresee


def load(folder: Path, manifest: Manifest, load_part: Callable[[Path], Predictor]) -> SeriesEngine:
    """One artifact a weight in `settings.weights`, all of them asked alike.

    Raises: DataError: a part is damaged, or not what the manifest says.
    """
    weights = manifest.settings.get("weights")
    if not isinstance(weights, list) or not weights or not all(is_finite(each) and 0 < each <= 1 for each in weights):
        raise DataError(f"{folder} is an average with the weights {str(weights)[:80]}, expected shares between 0 and 1")
    parts = []
    for number in range(len(weights)):
        part = load_part(part_folder(folder, number))
        asked_alike = part.manifest.inputs == manifest.inputs
        if (
            not isinstance(part, SeriesForecaster)
            or not asked_alike
            or part.horizon != manifest.output.state["horizon"]
        ):
            raise DataError(
                f"{part_folder(folder, number)} is asked in another way, expected the inputs and steps of the average"
            )
        parts.append(part)
    return engine(parts, weights)
