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
from safetensors.numpy import load

from windlass.errors import WindlassError
from windlass.learners import table as learners
from windlass.learners.contract import Budget, Options
from windlass.metrics import LabelMarks, confusion, softmax
from windlass.pages.classes import class_scores
from windlass.planning import slices
from windlass.planning.curves import Point
from windlass.predictors.artifact import VALIDATION, read_manifest
from windlass.records import Json, Progress, Splits, silent

SHARES = (0.125, 0.18, 0.25, 0.35, 0.5, 0.7, 1.0)
SEEDS = 3
CHEAP = ("trees", "linear")
N_FOLDS = 3
MOST_CLASSES = 200
MOST_KEPT, LEAST_PART = 1_000, 15
MOST_ROWS = 20_000
"""Of the training rows: what is seen on so many is told of more by the curve."""
ONE_FIT_S = 30.0


@dataclass(frozen=True)
class Fitting:
    """One small training. marks: its answers on the validation rows; seconds: of the processor."""

    rows: int
    marks: LabelMarks
    seconds: float


@dataclass(frozen=True)
class Probe:
    """Who is trained, on which rows, and the metric that is looked at."""

    splits: Splits
    learner: str
    metric: str
    seed: int


def learner_for(splits: Splits, chosen: str) -> str:
    """The learner to probe with: the chosen one when it is cheap, else the cheapest that reads these columns; empty
    when the answers are no categories."""
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
        logits = load((Path(place) / VALIDATION).read_bytes())["logits"]
        manifest = read_manifest(done.artifact)
    labels = manifest.output.state["labels"]
    places = {label: place for place, label in enumerate(labels)}
    targets = np.array([places[str(value)] for value in judged[splits.output_column].to_list()])
    probabilities = softmax(manifest.calibrated(logits))
    positive = int(np.argmin(manifest.output.state["counts"]))
    return Fitting(len(rows), LabelMarks(targets, probabilities, positive, tuple(labels)), spent)


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
        n_rows = max(round(share * whole), train[probe.splits.output_column].n_unique())
        found = []
        for seed in range(1 if n_rows == len(train) else SEEDS):
            found.append(fitted(probe, subset(train, probe.splits.output_column, n_rows, probe.seed + seed)))
        yield {
            "rows": n_rows,
            "scores": [each.marks.value(probe.metric) for each in found],
            "accuracies": [each.marks.value("accuracy") for each in found],
            "classes": _class_f1([each.marks for each in found]),
            "parts": _parts(probe, found),
            "positive": _positive(found),
            "seconds": float(np.median([each.seconds for each in found])),
        }


def _parts(probe: Probe, found: Sequence[Fitting]) -> dict[str, float]:
    """The share of right answers in each part of the validation rows, the mean over the trainings."""
    right = np.mean([each.marks.right for each in found], axis=0)
    parts = slices.parts(probe.splits.validation.to_dicts(), probe.splits.train.to_dicts(), probe.splits.inputs)
    return {words: float(right[mask].mean()) for _, words, mask in parts if mask.sum() >= LEAST_PART}


def _positive(found: Sequence[Fitting]) -> list[list[float]]:
    """The probability of the second of two classes on the first validation rows, for each training."""
    if len(found[0].marks.labels) != 2:
        return []
    return [np.round(each.marks.probabilities[:MOST_KEPT, 1], 4).tolist() for each in found]


def validation_rows(probe: Probe) -> Json:
    """Labels, and what the first validation rows are: what probabilities that are kept are compared with."""
    output = probe.splits.output_column
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


def subset(rows: pl.DataFrame, output: str, n_rows: int, seed: int) -> pl.DataFrame:
    """So many random rows, each label in proportion and at least once."""
    if n_rows >= len(rows):
        return rows
    random = np.random.default_rng(seed)
    order = random.permutation(len(rows))
    labels = rows[output].to_numpy()[order]
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
        columns = [labels.index(label) for label in found.marks.labels]
        probabilities[np.ix_(np.flatnonzero(inside), np.array(columns))] = found.marks.probabilities
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
