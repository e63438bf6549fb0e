"""Why a row was answered with its number: what each part of it adds, in the unit of the answer.

Exact for linear models and trees, by taking parts away for everything else.
"""

from collections.abc import Sequence

import numpy as np

from windlass.errors import DataError
from windlass.explain.attribution import (
    METHODS,
    OCCLUSION,
    RAISES,
    columns_once,
    encoded,
    exactly,
    part_of,
    read_inputs,
    shown_as,
)
from windlass.explain.occlusion import Effort, Values, WeightedPart, nothing, weigh
from windlass.kinds import number as kind
from windlass.outputs.contract import Why
from windlass.outputs.numbers.measures import estimator
from windlass.predictors.contract import Additive, Predictor
from windlass.predictors.estimator import Estimator, decided, lean
from windlass.records import Explanation, Row


def explain(model: Predictor, row: Row, number: int, why: Why) -> Explanation:
    """Raises: DataError: the row cannot be read, or another answer is to be explained. NotReady: the time is over."""
    predictor, effort = estimator(model), why.effort()
    effort.check()
    output, inputs = predictor.manifest.output, predictor.manifest.inputs
    values = read_inputs(inputs, row, number, why.root)
    total = float(_numbers(predictor, [values])[0])
    label = f"{kind.rounded(total, output.state):.15g}"
    if why.answer and why.answer != label:
        raise DataError(
            f"answer is '{why.answer[:80]}', expected none: a number is explained as it was answered ({label})"
        )
    method, found, base = _weighed(predictor, values, effort)
    unit = output.state.get(kind.UNIT)
    return Explanation(
        label=label,
        confidence=None,
        method=method,
        unit=f"{unit} of '{output.name}'" if unit else f"amounts of '{output.name}'",
        base=base,
        total=total,
        adds_up=method != OCCLUSION,
        n_evaluations=effort.n_done,
        parts=tuple(part_of(each, values, f"'{output.name}'", RAISES) for each in found),
        texts=shown_as(inputs, values, is_picture=False),
        pictures=shown_as(inputs, values, is_picture=True),
        sides=("raises it", "lowers it"),
        places=kind.places(output.state),
    )


def _weighed(predictor: Estimator, values: Values, effort: Effort) -> tuple[str, list[WeightedPart], float]:
    """The method, what each part adds, and the number where nothing of the row is known."""
    manifest, state = predictor.manifest, predictor.manifest.output.state
    if isinstance(predictor.engine, Additive) and kind.LINK not in state:
        direction = np.array([state["deviation"]], np.float64)
        found, base = exactly(predictor.engine, manifest.inputs, values, direction)
        effort.n_done = 1
        leans = (
            float(lean(predictor.engine(encoded(manifest.inputs, [values])), state)[0]) if kind.COSTS in state else 0.0
        )
        return METHODS[manifest.predictor], found, base + float(state["mean"]) + leans
    columns = columns_once(manifest.inputs)

    def score(rows: Sequence[Values]) -> np.ndarray:
        return _numbers(predictor, rows)

    return OCCLUSION, weigh(score, columns, values, effort), nothing(score, columns, values, effort)


def _numbers(predictor: Estimator, rows: Sequence[Values]) -> np.ndarray:
    """(n,) float64."""
    return decided(predictor.engine(encoded(predictor.manifest.inputs, rows)), predictor.manifest.output.state)
