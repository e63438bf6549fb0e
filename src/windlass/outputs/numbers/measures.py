"""Numbers beside the right ones: what is measured of them, what they must beat, and how wide their intervals are."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from windlass.errors import SpecError
from windlass.goals import Goal
from windlass.kinds import number
from windlass.kinds import table as kinds
from windlass.metrics.costs import COST, side_costs_of
from windlass.metrics.intervals import best_ranges
from windlass.metrics.measures import LOWER, Marks, is_better, told
from windlass.metrics.numbers import NUMBER_METRICS, SKILL, NumberMarks, SkillMarks, half_width
from windlass.outputs.contract import Baseline, Held, Scored, Tested, Validated
from windlass.outputs.numbers.costs import EXAMPLE, side_costs
from windlass.outputs.windows import check_windows
from windlass.predictors.artifact import LOGITS, read_validation
from windlass.predictors.contract import Predictor
from windlass.predictors.estimator import Estimator, decided
from windlass.records import Column, Manifest, Row, Splits
from windlass.spec import Spec


def estimator(predictor: Predictor) -> Estimator:
    """The predictor, which tells numbers: any predictor of an output of this kind does."""
    assert isinstance(predictor, Estimator)
    return predictor


def number_marks(marks: Marks) -> NumberMarks:
    """The marks, which are of numbers."""
    assert isinstance(marks, NumberMarks)
    return marks


def marks(predictor: Predictor, rows: Sequence[Row], held: Held) -> Marks:
    """Raises: DataError: a row cannot be read, or what is right is no number."""
    return predictor.marks(rows, [row[held.spec.output_column] for row in rows], held.root)


def validated(predictor: Predictor, run_folder: Path, splits: Splits, held: Held) -> Validated | None:
    """What was kept when it was trained, as the model that is served may have learned from these rows since; rows that
    the minutes did not reach are left out. Of the interval nothing is told: these rows have made it."""
    kept = read_validation(run_folder)
    if not kept:
        return None
    state, name = predictor.manifest.output.state, splits.output_column
    scores = kept[LOGITS].astype(np.float64)
    rows = np.flatnonzero(np.isfinite(scores).all(axis=1))
    right = splits.validation[name].to_numpy().astype(np.float64)
    return Validated(NumberMarks(right[rows], decided(scores[rows], state), costs=side_costs_of(state)), rows)


def baseline(tested: Tested) -> Baseline:
    """The same number always: the mean or the median of the training rows, or their quantile where errors cost more on
    one side, whichever is the best one."""
    first = number_marks(next(iter(tested.marks.values())))
    train = tested.splits.train[tested.splits.output_column].to_numpy()
    found = []
    always_same = [("mean", float(train.mean())), ("median", float(np.median(train)))]
    if first.costs is not None:
        level = first.costs.level
        always_same.append((f"{100 * level:.3g} % quantile", float(np.quantile(train, level))))
    for name, each in always_same:
        always = replace(first, values=np.full(len(first), each))
        words = f"always answering {told(each)}, the {name} of the training rows"
        found.append(Baseline(words, always.value(tested.metric), always))
    best = found[0]
    for other in found[1:]:
        best = other if is_better(tested.metric, other.value, best.value) else best
    return best


def scored(marks: Marks, metric: str, splits: Splits) -> Scored:
    """The share of the error of always answering the same that is spared; r2 is such a score itself."""
    if metric not in LOWER:
        return Scored(metric, marks)
    least = baseline(Tested(metric, splits, {}, {"": marks})).value or math.ulp(1.0)
    return Scored(SKILL, SkillMarks(number_marks(marks), metric, least), lambda value: 1 - value / least)


def check(spec: Spec, goal: Goal) -> None:
    """Raises: SpecError: tests are for programs; costs are none of a number; a goal without costs; no windows."""
    check_windows(spec)
    if spec.checks:
        raise SpecError(f"output '{spec.output_column}' is a number and has 'checks', expected a program: text")
    if side_costs(spec) is None and goal.metric == COST:
        raise SpecError("goal asks for 'cost' and there are no 'costs'", EXAMPLE)


def check_rows(spec: Spec, splits: Splits) -> None:
    """Raises: SpecError: `threshold` is for labels, `monotone` for numbers."""
    for name in spec.monotone:
        if spec.inputs[name] != "number":
            raise SpecError(f"'monotone' has the column '{name}', a {spec.inputs[name]}, expected a number")
    if spec.threshold:
        raise SpecError(f"'threshold' is set and output '{splits.output_column}' is a number, expected a category")


def fit_output(splits: Splits) -> Column:
    """The column of the numbers, as its training rows have them."""
    name = splits.output_column
    state = number.fit(splits.train[name].to_list(), number.TARGET, {})
    return kinds.with_format(Column(name, splits.output[name], state), splits.written.get(name))


def as_before(column: Column) -> Column:
    """The column in whose deviations a model was trained, to train it on in these; intervals are measured anew."""
    measured = (number.HALF, number.RANGES, number.COSTS)
    return replace(column, state={name: value for name, value in column.state.items() if name not in measured})


def score(metric: str, output: Column, truth: np.ndarray, scores: np.ndarray) -> float:
    """The metric, in the unit of the output, of scores (n, 1) beside right ones (n,), both in deviations from the mean;
    NaN without rows."""
    if not len(truth):
        return math.nan
    return NUMBER_METRICS[metric](number.recovered(truth, output.state), number.decode(scores, output.state))


def with_interval(manifest: Manifest, truth: np.ndarray, scores: np.ndarray) -> Manifest:
    """The manifest with the interval that these validation rows show; of fewer than nine with none.

    Args: truth (n,), scores (n, k): in deviations from the mean, by a model that had not seen these rows; of three
        scores the last two are quantiles, which it had not been taught by these rows either.
    """
    state = manifest.output.state
    values, right = number.decode(scores, state), number.recovered(truth, state)
    basis = number.basis(scores, state)
    half, ranges = half_width(right - values), best_ranges(right, values, basis)
    if half is None:
        return manifest
    if ranges is not None:
        low, high = ranges.ends(values, basis)
        half = float(np.median(high - low)) / 2
    found = {number.HALF: half, **({} if ranges is None else {number.RANGES: ranges.as_json()})}
    return replace(manifest, output=replace(manifest.output, state={**state, **found}))
