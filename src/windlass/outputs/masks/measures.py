"""Found masks beside the right ones, what they must beat, and from which shares on pixels and things are given."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from windlass.errors import DataError, SpecError
from windlass.goals import Goal
from windlass.kinds import image, masks
from windlass.kinds.boxes import CLASSES, LABEL
from windlass.kinds.masks import APART, VOID
from windlass.metrics.measures import Array, Marks
from windlass.metrics.segmentation import BOUNDARY, DICE, INSTANCE_AP, IOU, MaskMarks, Segments, measured
from windlass.outputs.boxes.measures import check_one_picture
from windlass.outputs.contract import Baseline, Held, Tested, Validated
from windlass.predictors import table as predictors
from windlass.predictors.artifact import read_golden, read_manifest, write_golden, write_manifest
from windlass.predictors.contract import Predictor
from windlass.predictors.segmentation.flooding import parts
from windlass.predictors.segmentation.segmenter import Segmenter, right_of
from windlass.predictors.segmentation.things import Decisions, things, whole
from windlass.predictors.segmentation.tiles import normalised
from windlass.records import Row, Splits
from windlass.spec import Spec

N_SHADES, FARTHEST = 32, 4.0
"""Steps of shade for which the baseline knows the usual class, and deviations from a picture's mean up to which they
reach."""
PIXEL_STEPS, SEED_STEPS = (0.35, 0.45, 0.5, 0.55, 0.65), (0.25, 0.35, 0.45, 0.55, 0.65)
SMALLEST_SHARES = (0.01, 0.03)
"""Of the right things, those below which the smallest given ones may be left out."""
MOST_TUNED = 40
"""Validation pictures by which decisions are made: each is answered some fifteen times."""


def segmenter(predictor: Predictor) -> Segmenter:
    """The predictor, which finds masks: any predictor of an output of this kind does."""
    assert isinstance(predictor, Segmenter)
    return predictor


def mask_marks(marks: Marks) -> MaskMarks:
    """The marks, which are of masks."""
    assert isinstance(marks, MaskMarks)
    return marks


def marks(predictor: Predictor, rows: Sequence[Row], held: Held) -> Marks:
    """Raises: DataError: a picture cannot be read, or its masks are of another size."""
    return segmenter(predictor).marks(rows, [row[held.spec.output_column] for row in rows], held.root)


def check(spec: Spec, goal: Goal) -> None:
    """Raises: SpecError: the masks are not of one picture."""
    check_one_picture(spec)


def check_rows(spec: Spec, splits: Splits) -> None:
    """Raises: SpecError: what is set for another output. DataError: there is nothing to learn."""
    for name, value in (("monotone", spec.monotone), ("costs", spec.costs), ("threshold", spec.threshold)):
        if value:
            raise SpecError(f"'{name}' is set and output '{splits.output_column}' is masks, expected another output")
    if not masks.fit(map(masks.truth, splits.train[splits.output_column]), "", {})[CLASSES]:
        raise DataError("no train picture has a mask, expected some to learn from")


def check_tests(rows: Sequence[Row], spec: Spec) -> None:
    """Raises: DataError: no test picture has a mask."""
    if not any(masks.truth(row[spec.output_column]) for row in rows):
        raise DataError("no test picture has a mask, expected some to be found", "more pictures, or a test file")


def tune_decision(run_folder: Path, splits: Splits, spec: Spec, metric: str) -> float | None:
    """Writes into the artifact from which shares on pixels and things are given, where the metric is best on
    validation; and its golden answers anew, which are decided ones."""
    folder = run_folder / "artifact"
    rows = splits.validation.to_dicts()[:MOST_TUNED]
    if not rows:
        return None
    model = segmenter(predictors.load(folder))
    seen = [_answered(model, row, number, splits) for number, row in enumerate(rows)]
    decided, best = _decided(seen, model, metric)
    manifest = read_manifest(folder)
    if decided != model.decided:
        manifest.output.state.update(decided.as_state())
        write_manifest(folder, manifest)
        golden = read_golden(folder)[0]
        write_golden(folder, golden, replace(model, manifest=manifest).golden(golden))
    return best


class _Answered(NamedTuple):
    """A validation picture: its shares, and what is right on it at the size at which it is looked at."""

    shares: Array
    right: Segments


def _answered(model: Segmenter, row: Row, number: int, splits: Splits) -> _Answered:
    pixels, size = model.picture(row, number, splits.root)
    shares, held = model.shares(pixels, size), (*model.classes, VOID)
    right = right_of(
        [each for each in masks.truth(row[splits.output_column]) if each[LABEL] in held], model.classes, size
    )
    return _Answered(shares, right._replace(numbers=whole(right.numbers, (shares.shape[1], shares.shape[2]))))


def _decided(seen: Sequence[_Answered], model: Segmenter, metric: str) -> tuple[Decisions, float]:
    """The best decisions, one after the other: of pixels by the metric of pixels, of things by that of things."""
    usual = replace(model.decided, pixel=0.5, seed=0.5)
    by_pixel = metric if metric in (DICE, IOU, BOUNDARY) else DICE
    found = _best(seen, model, [replace(usual, pixel=each) for each in PIXEL_STEPS], by_pixel)
    if usual.apart:
        found = _best(seen, model, [replace(found, seed=each) for each in SEED_STEPS], INSTANCE_AP)
        areas = np.concatenate([np.bincount(each.right.numbers.ravel())[1:] for each in seen])
        least = {max(1, int(np.quantile(areas[areas > 0], each))) for each in SMALLEST_SHARES} if areas.any() else set()
        tried = [found, *(replace(found, smallest=each) for each in sorted(least))]
        found = _best(seen, model, tried, INSTANCE_AP)
    return found, _value(seen, model, found, metric)


def _best(seen: Sequence[_Answered], model: Segmenter, tried: Sequence[Decisions], metric: str) -> Decisions:
    sign = -1 if metric == BOUNDARY else 1
    values = [_value(seen, model, each, metric) for each in tried]
    known = [-np.inf if value != value else sign * value for value in values]
    return tried[int(np.argmax(known))]


def _value(seen: Sequence[_Answered], model: Segmenter, decided: Decisions, metric: str) -> float:
    k = len(model.classes)
    found = [measured(things(each.shares, k, decided).segments, each.right, k, metric == BOUNDARY) for each in seen]
    nothing = ((),) * len(found)
    return MaskMarks(tuple(found), nothing, nothing, tuple(model.classes), np.zeros((len(found), 2))).value(metric)


def validated(predictor: Predictor, run_folder: Path, splits: Splits, held: Held) -> Validated | None:
    """Validation pictures, answered now: the network had not learned from them."""
    rows = splits.validation.to_dicts()
    return Validated(marks(predictor, rows, held), np.arange(len(rows))) if rows else None


def baseline(tested: Tested) -> Baseline | None:
    """Each pixel by its shade alone, beside the others of its picture."""
    first = mask_marks(next(iter(tested.marks.values())))
    rows, splits = tested.splits.test.to_dicts(), tested.splits
    if len(rows) != len(first):
        return None
    state = masks.fit(map(masks.truth, splits.train[splits.output_column]), "", {})
    usual, name = usual_classes(splits, state[CLASSES]), next(iter(splits.inputs))
    found = []
    for row, things_, (width, height) in zip(rows, first.right, first.sizes.tolist(), strict=True):
        pixels = image.read_sized(row[name], splits.root)[0]
        said = _by_shade(pixels, usual, state[APART])
        said = said._replace(numbers=whole(said.numbers, (height, width)))
        found.append(measured(said, right_of(things_, first.classes, (width, height)), len(first.classes)))
    always = MaskMarks(tuple(found), ((),) * len(found), first.right, first.classes, first.sizes)
    value = always.value(tested.metric)
    return None if np.isnan(value) else Baseline("each pixel by its shade alone", value, always)


def _shades(pixels: Array) -> Array:
    """(H, W) int, 0 to `N_SHADES` - 1: how much lighter than its picture a pixel is, in deviations."""
    grey = normalised(pixels).mean(axis=0)
    return np.clip((grey / FARTHEST + 1) / 2 * N_SHADES, 0, N_SHADES - 1).astype(int)


def usual_classes(splits: Splits, classes: Sequence[str]) -> Array:
    """(N_SHADES,) int: the commonest class, from 1, of pixels of each shade in the training pictures; 0 = nothing."""
    counts = np.zeros((N_SHADES, len(classes) + 1))
    name = next(iter(splits.inputs))
    for row in splits.train.to_dicts():
        pixels, size = image.read_sized(row[name], splits.root)
        known = [thing for thing in masks.truth(row[splits.output_column]) if thing[LABEL] in classes]
        right = whole(right_of(known, classes, size).by_pixel, (pixels.shape[0], pixels.shape[1]))
        np.add.at(counts, (_shades(pixels).ravel(), right.ravel()), 1)
    return counts.argmax(axis=1)


def _by_shade(pixels: Array, usual: Array, is_apart: bool) -> Segments:
    by_pixel = usual[_shades(pixels)]
    classes: list[int] = []
    numbers = np.zeros(by_pixel.shape, int)
    for each in [number for number in np.unique(by_pixel) if number > 0]:
        own = parts(by_pixel == each) if is_apart else (by_pixel == each).astype(int)
        numbers = np.where(own > 0, own + len(classes), numbers)
        classes += [each - 1] * int(own.max())
    return Segments(numbers, np.array(classes, int), np.zeros(len(classes), bool))
