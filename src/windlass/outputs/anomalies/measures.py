"""Alarms beside faults: machines and hours of rows, what is measured, and from which share on an alarm is raised."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from windlass.errors import SpecError
from windlass.goals import Goal
from windlass.kinds import category
from windlass.kinds import table as kinds
from windlass.kinds.anomaly import NO, YES
from windlass.metrics.alarms import AlarmMarks, alarm_share
from windlass.metrics.measures import LabelMarks, Marks, softmax
from windlass.outputs.contract import Baseline, Held, Tested, Validated
from windlass.outputs.labels import measures as labels
from windlass.outputs.labels.calibration import classes
from windlass.predictors.artifact import LOGITS, read_manifest, read_validation, write_manifest
from windlass.predictors.contract import Predictor
from windlass.records import Column, Manifest, Row, Splits
from windlass.spec import Spec

FALSE_ALARMS_A_MONTH = 1.0
"""A machine, where `limits` says nothing."""


def alarm_marks(found: LabelMarks, rows: Sequence[Row], inputs: Sequence[Column]) -> AlarmMarks:
    """The labels with the machine and the hour of each row. What stands beside the series names the machine."""
    series = next(column for column in inputs if kinds.get(column.kind).has_points)
    beside = [column.name for column in inputs if column.name != series.name]
    read = kinds.of(series).read
    names: dict[tuple[str, ...], int] = {}
    streams = [names.setdefault(tuple(str(row[name]) for name in beside), len(names)) for row in rows]
    hours = []
    for place, row in enumerate(rows):
        times = read(row[series.name], None).times()
        hours.append(float(place) if times is None else times[-1].astype("datetime64[s]").astype(np.int64) / 3_600)
    parts = {name: getattr(found, name) for name in LabelMarks.__dataclass_fields__}
    return AlarmMarks(**parts, streams=np.array(streams, int), hours=np.array(hours), yes=found.labels.index(YES))


def marks(predictor: Predictor, rows: Sequence[Row], held: Held) -> Marks:
    """Raises: DataError: a row cannot be read."""
    found = predictor.marks(rows, [row[held.spec.output_column] for row in rows], held.root)
    assert isinstance(found, LabelMarks)
    return alarm_marks(found, rows, predictor.manifest.inputs)


def check(spec: Spec, goal: Goal) -> None:
    """Raises: SpecError: it is not known when a window ends, or of which machine it is."""
    labels.check(spec, goal)
    name = spec.output_column
    if spec.series is None or not spec.series.time:
        raise SpecError(
            f"output '{name}' is an anomaly and 'series' has no time, expected the column of the moment of each point",
            "`series: {time: time, window: 168, past: [vibration], known: [load]}`",
        )
    if spec.group and spec.group not in spec.inputs:
        raise SpecError(
            f"output '{name}' is an anomaly and 'group' is no input, expected it so that alarms are counted by "
            f"'{spec.group}'",
            f"`inputs: {{{spec.group}: category}}`",
        )


def check_rows(spec: Spec, splits: Splits) -> None:
    """Raises: SpecError: no row to learn from says that all is well, or `threshold` names another answer."""
    if NO not in set(splits.train[splits.output_column]):
        raise SpecError(f"'{splits.output_column}' is never '{NO}' in train, expected good examples to learn from")
    if spec.threshold and YES not in spec.threshold:
        raise SpecError(f"'threshold' names '{next(iter(spec.threshold))}', expected '{YES}'")


def _validation(run_folder: Path, splits: Splits, manifest: Manifest) -> tuple[AlarmMarks, np.ndarray] | None:
    """Validation rows by a model that had learned from train alone, and which rows they are."""
    kept = read_validation(run_folder)
    if not kept or not len(splits.validation):
        return None
    logits = kept[LOGITS].astype(np.float64)
    rows = np.flatnonzero(np.isfinite(logits).all(axis=1))
    found = labels.label_marks(
        manifest.output, classes(manifest.output, splits)[rows], softmax(manifest.calibrated(logits[rows]))
    )
    return alarm_marks(found, splits.validation[rows.tolist()].to_dicts(), manifest.inputs), rows


def tune_decision(run_folder: Path, splits: Splits, spec: Spec, metric: str) -> float | None:
    """Writes into the artifact from which probability on an alarm is raised: the user's, else what keeps false alarms
    on the good validation rows within the bound; the metric then reached there."""
    folder = run_folder / "artifact"
    manifest = read_manifest(folder)
    state = {name: value for name, value in manifest.output.state.items() if name != category.THRESHOLD}
    plain = replace(manifest, output=replace(manifest.output, state=state))
    held = _validation(run_folder, splits, plain)
    if held is None:
        return None
    bound = spec.limits.false_alarms_a_month
    found = dict(spec.threshold) or {YES: alarm_share(held[0], FALSE_ALARMS_A_MONTH if bound is None else bound)}
    decided = replace(plain, output=replace(plain.output, state={**state, category.THRESHOLD: found}))
    if decided.output != manifest.output:
        write_manifest(folder, decided)
    return replace(held[0], threshold=category.threshold(decided.output.state)).value(metric)


def validated(predictor: Predictor, run_folder: Path, splits: Splits, held: Held) -> Validated | None:
    found = _validation(run_folder, splits, predictor.manifest)
    return None if found is None else Validated(*found)


def baseline(tested: Tested) -> Baseline | None:
    """Never an alarm: which finds no fault, and says nothing false."""
    if tested.metric != "found_within_a_day":
        return None
    first = next(iter(tested.marks.values()))
    assert isinstance(first, AlarmMarks)
    never = np.zeros((len(first), 2))
    never[:, 1 - first.yes] = 1.0
    always = replace(first, probabilities=never, threshold=None)
    return Baseline("never raising an alarm", 0.0, always)
