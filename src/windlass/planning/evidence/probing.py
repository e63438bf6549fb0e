"""Small trainings that show what more rows, cleaner labels and each column are worth: on validation rows, never on
test."""

import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from windlass.errors import DataError, NotReady, WindlassError
from windlass.learners import table as learners
from windlass.learners.contract import Budget, Options
from windlass.metrics.measures import LabelMarks, Marks, confusion
from windlass.outputs import table as outputs
from windlass.outputs.contract import Held
from windlass.outputs.labels.measures import label_marks_of
from windlass.pages.text.classes import class_scores
from windlass.planning.evidence import slices
from windlass.planning.evidence.curves import Point
from windlass.predictors.table import load
from windlass.records import Json, Progress, Splits, silent
from windlass.spec import Spec

SHARES = (0.125, 0.18, 0.25, 0.35, 0.5, 0.7, 1.0)
SEEDS = 3
CHEAP = ("trees", "linear", "ease", "item-knn")
N_FOLDS = 3
MOST_CLASSES = 200
MOST_KEPT, LEAST_PART = 1_000, 15
MOST_ROWS = 20_000
"""Of the training rows: what is seen on so many is told of more by the curve."""
ONE_FIT_S = 30.0


@dataclass(frozen=True)
class Fitting:
    """One small training. marks: its answers on the validation rows, as `metric` measures them; seconds: of the
    processor."""

    rows: int
    marks: Marks
    seconds: float
    metric: str

    @property
    def score(self) -> float:
        return self.marks.value(self.metric)

    @property
    def labels(self) -> LabelMarks:
        """The marks, where answers are labels. Raises: DataError: they are none."""
        found = label_marks_of(self.marks)
        if found is None:
            raise DataError("answers are no labels, expected some to be told apart")
        return found


@dataclass(frozen=True)
class Probe:
    """Who is trained, on which rows, and the metric that is looked at."""

    splits: Splits
    learner: str
    metric: str
    spec: Spec

    @property
    def seed(self) -> int:
        return self.spec.seed


def learner_for(splits: Splits, chosen: str) -> str:
    """The learner to probe with: the chosen one when it is cheap, else the cheapest that reads these columns; empty
    when none of them does."""
    output = splits.output[splits.output_column]
    fitting = [
        name for name in CHEAP if learners.get(name).reads(splits.inputs, output) and not learners.get(name).missing()
    ]
    return chosen if chosen in fitting else (fitting[0] if fitting else "")


def fitted(probe: Probe, rows: pl.DataFrame, validation: pl.DataFrame | None = None) -> Fitting:
    """The learner trained on these rows, measured on the validation rows (or the given ones).

    Raises: what the learner raises, all of it a WindlassError or a ValueError.
    """
    judged = probe.splits.validation if validation is None else validation
    splits = replace(probe.splits, train=rows, validation=judged)
    # linear: with nothing to spend it takes its usual strength and fits once, so that all points are made alike
    seconds = 0.0 if probe.learner == "linear" else ONE_FIT_S
    with tempfile.TemporaryDirectory(prefix="windlass-plan-") as place:
        started = time.process_time()
        options = Options(Path(place), probe.metric, probe.seed)
        done = learners.get(probe.learner).fit(splits, options, Budget(seconds), silent)
        spent = time.process_time() - started
        output = outputs.get(splits.output[splits.output_column])
        found = output.validated(load(done.artifact), Path(place), splits, Held(probe.spec, splits.root))
    if found is None:
        raise NotReady(f"'{probe.learner}' keeps nothing of validation rows, expected their answers")
    scored = output.scored(found.marks, probe.metric, splits)
    return Fitting(len(rows), scored.marks, spent, scored.metric)


def learning_points(
    probe: Probe, shares: Sequence[float], seconds: float, progress: Progress = silent
) -> Iterator[Json]:
    """One point for each share of the training rows, until the seconds (of the processor) are used; at least three.

    Each: rows, scores and accuracies of each seed, seconds of one training.
    """
    train, started = probe.splits.train, time.process_time()
    whole = min(len(train), MOST_ROWS)
    for number, share in enumerate(shares):
        if number >= 3 and time.process_time() - started > seconds:
            return
        progress("plan learning curve", number, len(shares), f"{share:.0%} of the rows")
        n_rows = max(round(share * whole), _least(train, probe.splits))
        found = []
        for seed in range(1 if n_rows == len(train) else SEEDS):
            found.append(fitted(probe, subset(train, probe.splits, n_rows, probe.seed + seed)))
        yield {
            "rows": n_rows,
            "scores": [each.score for each in found],
            "seconds": float(np.median([each.seconds for each in found])),
            **(_of_labels(probe, found) if label_marks_of(found[0].marks) is not None else _NO_LABELS),
        }


_NO_LABELS: Json = {"accuracies": [], "classes": {}, "parts": {}, "positive": []}


def _of_labels(probe: Probe, found: Sequence[Fitting]) -> Json:
    """What a point tells where answers are labels."""
    return {
        "accuracies": [each.labels.value("accuracy") for each in found],
        "classes": _class_f1([each.labels for each in found]),
        "parts": _parts(probe, found),
        "positive": _positive(found),
    }


def _least(train: pl.DataFrame, splits: Splits) -> int:
    """The fewest rows to train on: one of each answer, where answers are few."""
    return train[splits.output_column].n_unique() if _has_few(train, splits) else 1


def _has_few(train: pl.DataFrame, splits: Splits) -> bool:
    name = splits.output_column
    return bool(outputs.get(splits.output[name]).counts({"train": train}, name))


def _parts(probe: Probe, found: Sequence[Fitting]) -> dict[str, float]:
    """The share of right answers in each part of the validation rows, the mean over the trainings."""
    right = np.mean([each.labels.right for each in found], axis=0)
    parts = slices.parts(probe.splits.validation.to_dicts(), probe.splits.train.to_dicts(), probe.splits.inputs)
    return {words: float(right[mask].mean()) for _, words, mask in parts if mask.sum() >= LEAST_PART}


def _positive(found: Sequence[Fitting]) -> list[list[float]]:
    """The probability of the second of two classes on the first validation rows, for each training."""
    if len(found[0].labels.labels) != 2:
        return []
    return [np.round(each.labels.probabilities[:MOST_KEPT, 1], 4).tolist() for each in found]


def validation_rows(probe: Probe) -> Json:
    """Labels, and what the first validation rows are: what probabilities that are kept are compared with."""
    output = probe.splits.output_column
    if not _has_few(probe.splits.train, probe.splits):
        return {"labels": [], "counts": {}, "targets": []}
    truth = [str(value) for value in probe.splits.validation[output].to_list()]
    labels = sorted({str(value) for value in probe.splits.train[output].to_list()})
    counts = Counter(truth)
    return {
        "labels": labels,
        "counts": {label: counts[label] for label in labels},
        "targets": [labels.index(value) for value in truth[:MOST_KEPT]] if len(labels) == 2 else [],
    }


def _class_f1(marks: Sequence[LabelMarks]) -> dict[str, float]:
    """F1 of each class, the mean over the trainings; none where there are too many classes to look at."""
    names = marks[0].labels
    if len(names) > MOST_CLASSES:
        return {}
    tables = [confusion(each.targets, each.answers, len(names)) for each in marks]
    each = [[score.f1.value for score in class_scores(table, list(names))] for table in tables]
    return {name: float(value) for name, value in zip(names, np.nan_to_num(np.mean(each, axis=0)), strict=True)}


def subset(rows: pl.DataFrame, splits: Splits, n_rows: int, seed: int) -> pl.DataFrame:
    """So many random rows; where answers are few, each in proportion and at least once."""
    if n_rows >= len(rows):
        return rows
    random = np.random.default_rng(seed)
    order = random.permutation(len(rows))
    if not _has_few(rows, splits):
        return rows[np.sort(order[:n_rows]).tolist()]
    labels = rows[splits.output_column].to_numpy()[order]
    _, first = np.unique(labels.astype(str), return_index=True)
    rest = np.setdiff1d(np.arange(len(rows)), first)[: max(n_rows - len(first), 0)]
    kept = np.sort(np.concatenate([first, rest]))
    return rows[order[kept].tolist()]


def points(measured: Sequence[Json]) -> list[Point]:
    """The measured points with their standard errors. The spread of three seeds is rough, so it is averaged with what
    all sizes together say of it: variance falls with the rows."""
    several = [each for each in measured if len(each["scores"]) > 1]
    usual = float(np.mean([np.var(each["scores"], ddof=1) * each["rows"] for each in several])) if several else 0.0
    found = []
    for each in measured:
        scores, variance = each["scores"], usual / each["rows"]
        if len(scores) > 1:
            variance = (variance + float(np.var(scores, ddof=1))) / 2
        found.append(Point(each["rows"], float(np.mean(scores)), float(np.sqrt(variance / len(scores)))))
    return found


def out_of_sample(probe: Probe, progress: Progress = silent) -> LabelMarks:
    """What models that had not seen them think of the training rows, in their order: three folds.

    Raises: as `fitted`; and ValueError: a label has fewer rows than folds.
    """
    rows, output = probe.splits.train, probe.splits.output_column
    labels = sorted(str(label) for label in rows[output].unique().to_list())
    fold = _folds(rows, output, probe.seed)
    probabilities = np.zeros((len(rows), len(labels)))
    for number in range(N_FOLDS):
        progress("plan label check", number, N_FOLDS, "")
        inside = fold == number
        found = fitted(probe, rows.filter(pl.Series(~inside)), rows.filter(pl.Series(inside)))
        columns = [labels.index(label) for label in found.labels.labels]
        probabilities[np.ix_(np.flatnonzero(inside), np.array(columns))] = found.labels.probabilities
    targets = np.array([labels.index(str(value)) for value in rows[output].to_list()])
    return LabelMarks(targets, probabilities, 1, tuple(labels))


def _folds(rows: pl.DataFrame, output: str, seed: int) -> np.ndarray:
    """The fold of each row: random, each label spread evenly."""
    values = rows[output].cast(pl.String).to_numpy()
    random = np.random.default_rng(seed)
    fold = np.zeros(len(rows), int)
    for label in np.unique(values):
        places = np.flatnonzero(values == label)
        if len(places) < N_FOLDS:
            raise ValueError(f"label '{label}' has {len(places)} training rows, expected at least {N_FOLDS}")
        fold[random.permutation(places)] = np.arange(len(places)) % N_FOLDS
    return fold


FAILURES = (WindlassError, ValueError, RuntimeError, ArithmeticError, json.JSONDecodeError)
"""What a small training may fail with; the plan then says that this was not measured."""
