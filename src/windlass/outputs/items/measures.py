"""Ranked lists beside what was liked afterwards: what is measured of them, and what they must beat."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError, SpecError
from windlass.goals import Goal
from windlass.kinds import table as kinds
from windlass.kinds.items import MOST_ASKED, History
from windlass.metrics.measures import Marks
from windlass.metrics.recommendations import EACH, RankedMarks
from windlass.outputs.contract import Baseline, Held, Tested, Validated
from windlass.predictors.artifact import read_validation
from windlass.predictors.contract import Predictor
from windlass.predictors.recommend.recommender import UNTIL, Recommender
from windlass.records import Row, Splits
from windlass.spec import Spec

MOST_TESTED = 5_000
"""Users who are answered where there are more."""
LEAKS = "leaks time"
MOST_LOOKED_AT = 500


def recommender(predictor: Predictor) -> Recommender:
    """The predictor, which recommends: any predictor of an output of this kind does."""
    assert isinstance(predictor, Recommender)
    return predictor


def ranked_marks(marks: Marks) -> RankedMarks:
    """The marks, which are of ranked lists."""
    assert isinstance(marks, RankedMarks)
    return marks


def items_of(value: Any) -> list[str]:
    """The items of an answer, or of what a person said."""
    return [str(each["item"]) if isinstance(each, Mapping) else str(each) for each in value or []]


def marks(predictor: Predictor, rows: Sequence[Row], held: Held) -> Marks:
    """With how it was measured in words. Raises: DataError: a row cannot be read."""
    model = recommender(predictor)
    found = model.marks(rows, [row[held.spec.output_column] for row in rows], held.root)
    return replace(found, facts=facts(found, split_words(model, rows, held.spec), held.spec))


def facts(found: RankedMarks, split: str, spec: Spec) -> dict[str, str]:
    """Split, threshold, candidates and cold share: what a figure of a recommender means nothing without."""
    n_right, n_unseen = int(found.n_right.sum()), int(found.n_unseen.sum())
    liked = "any event that weighs more than 0"
    if spec.items is not None and spec.items.liked is not None:
        liked = f"{spec.items.rating or 'rating'} of {spec.items.liked:g} or more"
    return {
        "split": split,
        "liked": liked,
        "candidates": f"all {len(found.events):,} items that the user has not seen",
        "cold": f"{n_unseen:,} of {n_right:,} liked items are of no event before",
    }


def split_words(found: Recommender, rows: Sequence[Row], spec: Spec) -> str:
    """`by time` where all that is learned from came before what is to be found; else it leaks time."""
    kind = kinds.of(found.manifest.output)
    until = float(found.manifest.settings.get(UNTIL, -np.inf))
    starts = []
    for row in rows[:: max(1, len(rows) // MOST_LOOKED_AT)]:
        starts += [each for each in kind.read(row[spec.output_column], None).times[:1] if each == each]
    if starts and until <= min(starts):
        return "by time"
    return f"by user: what others did later is learned from ({LEAKS})"


def validated(predictor: Predictor, run_folder: Path, splits: Splits, held: Held) -> Validated | None:
    """What was kept when it was trained: the model that is served has learned from these rows since."""
    kept = read_validation(run_folder)
    if "measures" not in kept:
        return None
    rows = kept["rows"].astype(int).ravel()

    def made(shown: np.ndarray, measures: np.ndarray, popular: RankedMarks | None) -> RankedMarks:
        each = {name: measures[:, place].astype(np.float64) for place, name in enumerate(EACH)}
        counts, events = kept["measures"][:, len(EACH) :].astype(np.int64).T, kept["events"].ravel().astype(np.float64)
        n_events, n_right, n_unseen = counts
        return RankedMarks(shown.astype(np.int64), each, events, n_events, n_right, n_unseen, popular)

    with np.errstate(invalid="ignore"):
        popular = made(kept["popular_shown"], kept["popular"], None)
        return Validated(made(kept["shown"], kept["measures"], popular), rows)


def baseline(tested: Tested) -> Baseline | None:
    """The same list of popular items for everybody, without what each has seen."""
    popular = ranked_marks(next(iter(tested.marks.values()))).popular
    if popular is None or tested.metric not in EACH:
        return None
    return Baseline("recommending what is popular", popular.value(tested.metric), popular)


def check(spec: Spec, goal: Goal) -> None:
    """Raises: SpecError: nothing holds the history, or the section `items` does not say what it must."""
    name = spec.output_column
    held = [each for each, kind in spec.inputs.items() if kinds.get(kind).has_events]
    if len(held) != 1 or len(spec.inputs) != 1:
        raise SpecError(
            f"output '{name}' is items and the inputs are {', '.join(map(repr, spec.inputs.values()))}, expected one "
            "history",
            "`inputs: {history: items}`",
        )
    if spec.checks or spec.series is not None:
        key = "checks" if spec.checks else "series"
        raise SpecError(f"output '{name}' is items and has '{key}', expected none")
    if spec.items is None or not spec.items.item:
        return
    shape = spec.items
    if not spec.group:
        raise SpecError(
            f"output '{name}' is items and 'group' is not given, expected the column of users", "`group: user`"
        )
    if shape.rating and shape.liked is None:
        raise SpecError(
            f"'items.rating' is '{shape.rating}' and 'items.liked' is not given, expected from which rating on an item "
            "is liked",
            "`items: {rating: rating, liked: 4}`",
        )
    if shape.counts and not shape.event:
        raise SpecError("'items.counts' is given without 'items.event', expected the column of what happened")
    if shape.rating and shape.counts:
        raise SpecError("'items' has 'rating' and 'counts', expected one of the two")


def check_rows(spec: Spec, splits: Splits) -> None:
    """Raises: SpecError: what is set for another output."""
    for name, value in (("monotone", spec.monotone), ("costs", spec.costs), ("threshold", spec.threshold)):
        if value:
            raise SpecError(f"'{name}' is set and output '{splits.output_column}' is items, expected another output")


def check_tests(rows: Sequence[Row], spec: Spec) -> None:
    """Raises: DataError: nobody liked anything that is new to him."""
    kind = kinds.reading(spec.output[spec.output_column], kinds.ways(spec).get(spec.output_column))
    if not any(kind.read(row[spec.output_column], None).liked for row in rows):
        raise DataError("no test user liked an item, expected some", "a longer log, or a lower `liked`")


def wanted(value: Any) -> History:
    """What a person said, or an answer, as a history."""
    if isinstance(value, History):
        return value
    found: History = kinds.get("items").read(value, None)
    return found.part(0, MOST_ASKED)
