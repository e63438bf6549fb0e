"""Labels beside the right ones: what is measured of them, what they must beat, and the share that parts two."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from windlass.errors import SpecError, did_you_mean, expected
from windlass.goals import Goal
from windlass.kinds import category
from windlass.kinds import table as kinds
from windlass.metrics import costs
from windlass.metrics.costs import COST
from windlass.metrics.measures import LabelMarks, Marks, best_threshold, softmax
from windlass.outputs.contract import Baseline, Held, Tested, Validated
from windlass.outputs.labels.calibration import LEAST_CALIBRATED, classes, held_out, reached
from windlass.outputs.labels.costs import cost_table
from windlass.outputs.windows import check_windows
from windlass.predictors.artifact import CALIBRATED, keep_validation, read_manifest, read_validation, write_manifest
from windlass.predictors.contract import Labeller, Predictor
from windlass.records import Column, Row, Splits
from windlass.spec import Spec


def labeller(predictor: Predictor) -> Labeller:
    """The predictor, which names labels: any predictor of an output of this kind does."""
    assert isinstance(predictor, Labeller)
    return predictor


def label_marks_of(marks: Marks) -> LabelMarks | None:
    """The marks, where they are of labels."""
    return marks if isinstance(marks, LabelMarks) else None


def marks(predictor: Predictor, rows: Sequence[Row], held: Held) -> Marks:
    """Raises: DataError: a row cannot be read, or has a label that the artifact does not know."""
    return predictor.marks(rows, [row[held.spec.output_column] for row in rows], held.root)


def label_marks(output: Column, truth: np.ndarray, probabilities: np.ndarray) -> LabelMarks:
    """Probabilities (n, k) beside the right classes (n,), ready to be measured."""
    state, labels = output.state, tuple(output.state["labels"])
    return LabelMarks(truth, probabilities, category.positive(state), labels, category.threshold(state),
                      costs.table_of(state))  # fmt: skip


def score(metric: str, output: Column, truth: np.ndarray, logits: np.ndarray) -> float:
    """The metric of unnormalised scores (n, k); NaN when there are no rows."""
    return label_marks(output, truth, softmax(logits.astype(np.float64))).value(metric) if len(truth) else math.nan


def usual_scores(targets: np.ndarray, weights: np.ndarray | None, n_scores: int) -> np.ndarray:
    """(k,) log share of each label, of classes (n,)."""
    counts = np.bincount(targets, weights, minlength=n_scores)
    return np.asarray(np.log(np.maximum(counts, 0.5) / counts.sum()))


def baseline(tested: Tested) -> Baseline | None:
    """The same answer always, with the shares of the training rows."""
    first = next(iter(tested.marks.values()))
    assert isinstance(first, LabelMarks)
    counts = tested.splits.train[tested.splits.output_column].cast(str).value_counts()
    found = dict(zip(*counts.get_columns(), strict=True))
    shares = np.array([found.get(label, 0) for label in first.labels], float) + 1e-9
    always = replace(first, probabilities=np.tile(shares / shares.sum(), (len(first), 1)), threshold=None)
    words = f"always answering '{first.labels[int(shares.argmax())]}'"
    return Baseline(words, always.value(tested.metric), always)


def check(spec: Spec, goal: Goal) -> None:
    """Raises: SpecError: tests are for programs; a goal of costs without any; series have no windows."""
    check_windows(spec)
    if goal.metric == COST and not spec.costs:
        raise SpecError("goal asks for 'cost' and there are no 'costs'", "`costs: {miss: 50, false_alarm: 2}`")
    if spec.checks:
        kind = spec.output[spec.output_column]
        raise SpecError(f"output '{spec.output_column}' is '{kind}' and has 'checks', expected a program: text")


def check_rows(spec: Spec, splits: Splits) -> None:
    """Raises: SpecError: `threshold` or `costs` name no label of these rows, or there are not two labels."""
    if spec.monotone:
        raise SpecError(f"'monotone' is set and output '{splits.output_column}' is no number, expected one")
    if spec.costs and spec.threshold:
        raise SpecError("'costs' and 'threshold' are both set, expected one: costs choose the threshold")
    if spec.costs:
        state = fit_output(splits).state
        cost_table(spec.costs, state["labels"], category.positive(state))
    if not spec.threshold:
        return
    output = splits.output_column
    labels = fit_output(splits).state["labels"]
    named = next(iter(spec.threshold))
    if named not in labels:
        raise SpecError(f"'threshold' names '{named}', expected {expected(labels)}", did_you_mean(named, labels))
    if len(labels) != 2:
        raise SpecError(
            f"'threshold' is set and '{output}' has {len(labels)} labels, expected two: of more the likeliest answers"
        )


def fit_output(splits: Splits) -> Column:
    """The column of the labels, as its training rows have them."""
    name = splits.output_column
    how = splits.written.get(name, {"merge": {}})
    kind = kinds.reading(splits.output[name], how)
    state = kind.fit((kind.read(value, None) for value in splits.train[name]), "label", {})
    return kinds.with_format(Column(name, kind.name, state), how)


def tune_decision(run_folder: Path, splits: Splits, spec: Spec, metric: str) -> float | None:
    """Writes into the artifact of a finished run which share decides between its two labels: the user's, else what the
    metric is best with on the validation rows (see `best_threshold`); the metric then reached there, NaN without rows.

    It is no part of the run's key: another threshold trains nothing anew.
    """
    known = read_validation(run_folder)
    if not known:
        return None
    folder, judged = run_folder / "artifact", held_out(run_folder, splits)
    manifest = read_manifest(folder)
    keep_validation(run_folder, **{**known, CALIBRATED: judged})
    truth, logits = reached(classes(manifest.output, splits), judged)
    decided = (category.THRESHOLD, category.COSTS)
    state = {name: value for name, value in manifest.output.state.items() if name not in decided}
    found = dict(spec.threshold)
    if spec.costs:
        state[category.COSTS] = cost_table(spec.costs, state["labels"], category.positive(state)).as_json()
        metric = COST
    if not found and len(truth) >= LEAST_CALIBRATED and len(state["labels"]) == 2:
        best = best_threshold(metric, label_marks(replace(manifest.output, state=state), truth, softmax(logits)))
        found = {} if best is None else {state["labels"][best.place]: best.share}
    output = replace(manifest.output, state={**state, **({category.THRESHOLD: found} if found else {})})
    if output != manifest.output:
        write_manifest(folder, replace(manifest, output=output))
    return score(metric, output, truth, logits)


def validated(predictor: Predictor, run_folder: Path, splits: Splits, held: Held) -> Validated | None:
    """What was kept when it was trained, as the model that is served may have learned from these rows since; rows that
    the minutes did not reach are left out."""
    if not read_validation(run_folder):
        return None
    output, logits = predictor.manifest.output, held_out(run_folder, splits)
    rows = np.flatnonzero(np.isfinite(logits).all(axis=1))
    return Validated(label_marks(output, classes(output, splits)[rows], softmax(logits[rows])), rows)
