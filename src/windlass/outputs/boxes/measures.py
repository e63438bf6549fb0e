"""Found boxes beside the right ones, what they must beat, and from which score on they are given."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from windlass.errors import DataError, SpecError
from windlass.goals import Goal
from windlass.kinds import boxes, image
from windlass.kinds import table as kinds
from windlass.kinds.boxes import BOX, COSTS, COUNT_FACTOR, LABEL, THRESHOLDS
from windlass.metrics import counting
from windlass.metrics.box_calibration import CALIBRATION, curve
from windlass.metrics.costs import COST
from windlass.metrics.detection import MAP, MAP50, NOTHING, BoxMarks, Found
from windlass.metrics.measures import Marks, is_better
from windlass.outputs.boxes.costs import EXAMPLE, box_costs
from windlass.outputs.contract import Baseline, Held, Tested, Validated
from windlass.predictors import table as predictors
from windlass.predictors.artifact import read_manifest, write_manifest
from windlass.predictors.contract import Predictor
from windlass.predictors.detection.heatmap import Detector, sure_of
from windlass.records import Json, Row, Splits
from windlass.spec import Spec

GRID = 8
"""Parts of a side for which the baseline has a usual box of each class."""


def detector(predictor: Predictor) -> Detector:
    """The predictor, which finds boxes: any predictor of an output of this kind does."""
    assert isinstance(predictor, Detector)
    return predictor


def box_marks(marks: Marks) -> BoxMarks:
    """The marks, which are of boxes."""
    assert isinstance(marks, BoxMarks)
    return marks


def marks(predictor: Predictor, rows: Sequence[Row], held: Held) -> Marks:
    """Raises: DataError: a picture cannot be read."""
    return detector(predictor).marks(rows, [row[held.spec.output_column] for row in rows], held.root)


def learned(metric: str) -> str:
    """Average precision needs no threshold, which is told when all is learned."""
    return metric if metric in (MAP50, MAP) else MAP50


def check(spec: Spec, goal: Goal) -> None:
    """Raises: SpecError: the boxes are not of one picture; a goal of costs without any."""
    if goal.metric == COST and not spec.costs:
        raise SpecError("goal asks for 'cost' and there are no 'costs'", EXAMPLE)
    check_one_picture(spec)


def check_one_picture(spec: Spec) -> None:
    """Raises: SpecError: what is found is not in one picture, and in nothing else."""
    seen = [name for name, kind in spec.inputs.items() if kinds.get(kind).is_picture]
    if len(seen) != 1 or len(spec.inputs) != 1:
        raise SpecError(
            f"output '{spec.output_column}' is {spec.output[spec.output_column]} and inputs are "
            f"{', '.join(map(repr, spec.inputs))}, expected one picture",
            "`inputs: {image: image}`",
        )


def check_rows(spec: Spec, splits: Splits) -> None:
    """Raises: SpecError: what is set for another output, or costs of no class. DataError: there is nothing to learn."""
    box_costs(spec, boxes.fit(map(boxes.truth, splits.train[splits.output_column]), "", {})[boxes.CLASSES])
    for name, value in (("monotone", spec.monotone), ("threshold", spec.threshold)):
        if value:
            raise SpecError(f"'{name}' is set and output '{splits.output_column}' is boxes, expected another output")
    if not any(boxes.truth(value) for value in splits.train[splits.output_column]):
        raise DataError("no train picture has a box, expected some to learn from")


def check_tests(rows: Sequence[Row], spec: Spec) -> None:
    """Raises: DataError: no test picture has a box."""
    if not any(boxes.truth(row[spec.output_column]) for row in rows):
        raise DataError("no test picture has a box, expected some to be found", "more pictures, or a test file")


def tune_decision(run_folder: Path, splits: Splits, spec: Spec, metric: str) -> float | None:
    """Writes into the artifact how likely a box of a score is right, as validation pictures tell it, and from which
    such probability on a box of each class is given: where costs are least in expectation, else where F1 is best there.

    How far counts are off there is told, too. It is no part of the run's key: other costs train nothing anew.
    """
    folder = run_folder / "artifact"
    manifest, held = read_manifest(folder), splits.validation.to_dicts()
    decided = (CALIBRATION, COSTS, COUNT_FACTOR, THRESHOLDS)
    state: Json = {name: value for name, value in manifest.output.state.items() if name not in decided}
    costs = box_costs(spec, state[boxes.CLASSES])
    if costs is not None:
        state |= {COSTS: costs.as_json(), THRESHOLDS: _kept(costs.bands[:, 0])}
    reached = None
    if held:
        model = detector(predictors.load(folder))
        truth = [row[splits.output_column] for row in held]
        scored = replace(model, manifest=replace(manifest, output=replace(manifest.output, state=state)))
        found = scored.marks(held, truth, splits.root)
        state[CALIBRATION] = [curve(matches) for matches in found.by_class[: len(model.classes)]]
        found = replace(found, given=tuple(sure_of(each, state[CALIBRATION]) for each in found.given))
        if costs is None:
            state[THRESHOLDS] = _kept(found.best_thresholds()[: len(model.classes)])
            rest = np.ones(len(found.classes) - len(model.classes))  # classes that it does not know are never given
            found = replace(found, thresholds=np.append(state[THRESHOLDS], rest))
        state |= _counts(found)
        reached = found.value(metric)
    if manifest.output.state != state:
        write_manifest(folder, replace(manifest, output=replace(manifest.output, state=state)))
    return reached


def _counts(found: BoxMarks) -> Json:
    """How wide the intervals of counts are, where enough pictures tell it."""
    off = found.n_there.sum(axis=1) - found.n_given.sum(axis=1)
    wide = counting.factor(off, found.count_doubts)
    return {} if wide is None else {COUNT_FACTOR: round(wide, 4)}


def _kept(thresholds: Sequence[float] | np.ndarray) -> list[float]:
    return [round(float(score), 4) for score in thresholds]


def validated(predictor: Predictor, run_folder: Path, splits: Splits, held: Held) -> Validated | None:
    """Validation pictures, answered now: the network had not learned from them."""
    rows = splits.validation.to_dicts()
    return Validated(marks(predictor, rows, held), np.arange(len(rows))) if rows else None


def baseline(tested: Tested) -> Baseline | None:
    """The same boxes on every picture, where things usually are; or nothing, where that costs less."""
    first = box_marks(next(iter(tested.marks.values())))
    usual = usual_boxes(tested.splits, first.classes)
    given = tuple(usual._replace(boxes=usual.boxes * np.tile(size, 2)) for size in first.sizes)
    least = np.full(len(first.classes), 0.5)
    known = [("the usual boxes on every picture", given)]
    if tested.metric == COST:
        known.append(("finding nothing", (NOTHING,) * len(first)))
    best: Baseline | None = None
    for words, each in known:
        always = replace(first, given=each, thresholds=least)
        value = always.value(tested.metric)
        if not np.isnan(value) and (best is None or is_better(tested.metric, value, best.value)):
            best = Baseline(words, value, always)
    return best


def usual_boxes(splits: Splits, classes: Sequence[str]) -> Found:
    """Boxes as shares of a picture: of each class and part of the grid the median box, scored by how often one is
    there."""
    name, seen = next(iter(splits.inputs)), dict[tuple[int, int, int], list[list[float]]]()
    for row in splits.train.to_dicts():
        width, height = image.upright_size(row[name], splits.root)
        for thing in [each for each in boxes.truth(row[splits.output_column]) if each[LABEL] in classes]:
            share = [side / size for side, size in zip(thing[BOX], (width, height, width, height), strict=True)]
            across, down = (min(GRID - 1, max(0, int(GRID * (share[n] + share[n + 2]) / 2))) for n in (0, 1))
            seen.setdefault((list(classes).index(thing[LABEL]), across, down), []).append(share)
    keys = list(seen)
    return Found(
        np.array([np.median(seen[key], axis=0) for key in keys]).reshape(-1, 4),
        np.array([key[0] for key in keys], int),
        np.array([min(1.0, len(seen[key]) / max(1, len(splits.train))) for key in keys]),
    )
