"""What errors of a number cost, and how far its answers lean to the cheaper side by that.

The answer that costs least is a quantile of what may come true (the newsvendor's). It is told by the residuals of
validation rows, so that any learner has it: all answers lean as far, or each as its own interval is wide, where that
costs less there.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from windlass.errors import SpecError, did_you_mean, expected
from windlass.kinds import number
from windlass.metrics.costs import BY_WIDTH, CONSTANT, SideCosts
from windlass.predictors import table as predictors
from windlass.predictors.artifact import (
    LOGITS,
    UNDECIDED,
    keep_validation,
    read_golden,
    read_manifest,
    read_validation,
    write_golden,
    write_manifest,
)
from windlass.predictors.estimator import Estimator, ends_of, lean
from windlass.records import Column, Json, Splits
from windlass.spec import Spec

SIDES, UNIT = ("under", "over"), "unit"
EXAMPLE = "`costs: {under: 3, over: 1}`"


def side_costs(spec: Spec) -> SideCosts | None:
    """None: errors of both sides cost the same. Raises: SpecError: these are no costs of a number."""
    said = spec.costs
    if not said:
        return None
    known = (*SIDES, UNIT)
    for name in said:
        if name not in known:
            hint = did_you_mean(name, known) or f"{EXAMPLE}: what a unit too low and too high costs"
            raise SpecError(
                f"'costs' has '{name}' and output '{spec.output_column}' is a number, expected {expected(known)}", hint
            )
    for name in SIDES:
        if not isinstance(said.get(name), int | float) or not 0 < float(str(said[name])) < 1e12:
            raise SpecError(f"'costs.{name}' is {said.get(name)!r}, expected a number above 0", EXAMPLE)
    under, over = (float(str(said[name])) for name in SIDES)
    return SideCosts(under, over, str(said.get(UNIT, "")))


def level(spec: Spec) -> float | None:
    """Which quantile of what may come true costs least; None: errors of both sides cost the same. Raises: SpecError."""
    found = side_costs(spec)
    return None if found is None else found.level


def tune_decision(run_folder: Path, splits: Splits, spec: Spec, metric: str) -> float | None:
    """Writes the unit and how far answers lean by the costs into the artifact of a finished run, and its golden answers
    anew; what answers then cost on the validation rows, None without costs or rows.

    It is no part of the run's key: other costs train nothing anew but learners that heed them (`Learner.leans`).
    """
    folder, known, costs = run_folder / "artifact", read_validation(run_folder), side_costs(spec)
    manifest = read_manifest(folder)
    state = {name: each for name, each in manifest.output.state.items() if name not in (number.COSTS, number.UNIT)}
    state |= {number.UNIT: spec.unit} if spec.unit else {}
    reached = None
    if costs is not None:
        state[number.COSTS], reached = _leaning(known, splits, replace(manifest.output, state=state), costs)
    output = replace(manifest.output, state=state)
    if output != manifest.output:
        rows, answers = read_golden(folder)
        middles = number.recovered(known[UNDECIDED], state) if UNDECIDED in known else np.array(answers, np.float64)
        if UNDECIDED not in known:
            keep_validation(run_folder, **{**known, UNDECIDED: (middles - state["mean"]) / state["deviation"]})
        write_manifest(folder, replace(manifest, output=output))
        write_golden(folder, rows, (middles + _leans(folder, rows, state)).tolist())
    return reached


def _leans(folder: Path, rows: list[Json], state: Json) -> np.ndarray:
    """How far the answers to the golden rows lean, (n,)."""
    if number.COSTS not in state or not rows:
        return np.zeros(len(rows))
    predictor = predictors.load(folder)
    assert isinstance(predictor, Estimator)
    return lean(predictor.scores(rows, None)[0], state)


def _leaning(known: Json, splits: Splits, output: Column, costs: SideCosts) -> tuple[Json, float | None]:
    """What the state keeps, and what answers cost by it on validation rows that the model had not seen."""
    found: list[tuple[float, str, float]] = []
    if LOGITS in known:
        scores = known[LOGITS].astype(np.float64)
        rows = np.flatnonzero(np.isfinite(scores).all(axis=1))
        right = splits.validation[output.name].to_numpy().astype(np.float64)[rows]
        for by, widths in _ways(scores[rows], output.state) if len(rows) else ():
            middle = number.decode(scores[rows], output.state)
            amount = costs.best((right - middle) / widths, widths)
            found.append((float(costs.of(right, middle + amount * widths).mean()), by, amount))
    reached, by, amount = min(found, key=lambda each: each[0], default=(None, CONSTANT, 0.0))
    return {"under": costs.under, "over": costs.over, "unit": costs.unit, "by": by, "amount": amount}, reached


def _ways(scores: np.ndarray, state: Json) -> list[tuple[str, np.ndarray]]:
    """How answers may lean: all as far, or by half of the width of each row's interval, (n,) above 0."""
    found = [(CONSTANT, np.ones(len(scores)))]
    ranges = number.ranges(state)
    ends = ends_of(scores, state) if ranges is not None and scores.shape[1] >= number.n_scores(state) else None
    if ends is not None and (ends[:, 1] > ends[:, 0]).all():
        found.append((BY_WIDTH, (ends[:, 1] - ends[:, 0]) / 2))
    return found
