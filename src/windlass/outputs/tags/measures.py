"""Tags beside the right ones: what is measured of them, what they must beat, and from when on each tag is said."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from windlass.errors import SpecError
from windlass.kinds import table as kinds
from windlass.kinds import tags
from windlass.metrics.measures import LOWER, Marks, is_better
from windlass.metrics.tags import MAP, NEARNESS, TagMarks, best_thresholds
from windlass.outputs.contract import Baseline, Held, Scored, Tested, Validated
from windlass.outputs.labels.calibration import LEAST_CALIBRATED, classes, held_out, reached
from windlass.outputs.tags.calibration import calibrated, whole
from windlass.predictors.artifact import CALIBRATED, keep_validation, read_manifest, read_validation, write_manifest
from windlass.predictors.contract import Predictor
from windlass.predictors.tagger import Tagger, shares_of, tag_marks
from windlass.records import Column, Manifest, Row, Splits
from windlass.spec import Spec

MOST_TRIED = 30
"""Tags, the commonest, of which ever more are tried as an answer that is always given."""


def tagger(predictor: Predictor) -> Tagger:
    """The predictor, which gives tags: any predictor of an output of this kind does."""
    assert isinstance(predictor, Tagger)
    return predictor


def tag_marks_of(marks: Marks) -> TagMarks:
    """The marks, which are of tags."""
    assert isinstance(marks, TagMarks)
    return marks


def marks(predictor: Predictor, rows: Sequence[Row], held: Held) -> Marks:
    """Raises: DataError: a row cannot be read, or what is right is missing."""
    return predictor.marks(rows, [row[held.spec.output_column] for row in rows], held.root)


def fit_output(splits: Splits) -> Column:
    """The column of the tags, as its training rows have them."""
    name = splits.output_column
    how = splits.written.get(name, {})
    kind = kinds.reading(splits.output[name], how)
    state = kind.fit((kind.read(value, None) for value in splits.train[name]), "tags", {})
    return kinds.with_format(Column(name, kind.name, state), how)


def score(metric: str, output: Column, truth: np.ndarray, log_odds: np.ndarray) -> float:
    """The metric of calibrated log-odds (n, k), each tag said from where that is expected to be best; NaN without rows.

    Of rows without any tag the mean average precision is not known: 0, so that any model is better than none."""
    if not len(truth):
        return math.nan
    probabilities = shares_of(log_odds.astype(np.float64))
    found = TagMarks(truth > 0, probabilities, best_thresholds(metric, truth > 0, probabilities))
    value = found.value(metric)
    return 0.0 if math.isnan(value) else value


def tune_decision(run_folder: Path, splits: Splits, spec: Spec, metric: str) -> float | None:
    """Writes into the artifact of a finished run from which probability on each tag is said (see `best_thresholds`),
    and how sure that makes whole answers; the metric then reached on the validation rows, NaN without any."""
    known = read_validation(run_folder)
    if not known:
        return None
    folder, judged = run_folder / "artifact", held_out(run_folder, splits, calibrated)
    manifest = read_manifest(folder)
    keep_validation(run_folder, **{**known, CALIBRATED: judged})
    truth, log_odds = reached(classes(manifest.output, splits), judged)
    probabilities = shares_of(log_odds)
    unset = {name: value for name, value in manifest.output.state.items() if name not in (tags.THRESHOLDS, tags.WHOLE)}
    output = replace(manifest.output, state=unset)
    if len(truth) >= LEAST_CALIBRATED:
        chosen = [round(float(each), 2) for each in best_thresholds(metric, truth > 0, probabilities)]
        state = {**unset, tags.THRESHOLDS: chosen}
        output = replace(output, state={**state, tags.WHOLE: whole(state, truth, probabilities)})
    if output != manifest.output:
        write_manifest(folder, replace(manifest, output=output))
    if not len(truth):
        return math.nan
    return TagMarks(truth > 0, probabilities, tags.thresholds(output.state)).value(metric)


def validated(predictor: Predictor, run_folder: Path, splits: Splits, held: Held) -> Validated | None:
    """What was kept when it was trained, as the model that is served may have learned from these rows since; rows that
    the minutes did not reach are left out."""
    if not read_validation(run_folder):
        return None
    log_odds = held_out(run_folder, splits, calibrated)
    rows = np.flatnonzero(np.isfinite(log_odds).all(axis=1))
    right = splits.validation[splits.output_column].to_list()
    found = tag_marks(predictor.manifest, [right[row] for row in rows], shares_of(log_odds[rows]))
    return Validated(found, rows)


def baseline(tested: Tested) -> Baseline:
    """The same tags always: the commonest set of the training rows, or as many of the commonest tags as are best
    there; for a ranking each tag as likely as it is common."""
    first = tag_marks_of(next(iter(tested.marks.values())))
    column = Column(tested.splits.output_column, tested.splits.output[tested.splits.output_column])
    read = kinds.reading(column.kind, tested.splits.written.get(column.name)).read
    rows = [read(value, None) or [] for value in tested.splits.train[column.name]]
    truth = tags.encode(rows, {"labels": first.labels}) > 0
    shares = truth.mean(axis=0)
    if tested.metric == MAP:
        always = _always(first, first.targets, shares, shares >= 0.5)
        return Baseline("always answering how common each tag is", always.value(MAP), always)
    order = np.argsort(-shares, kind="stable")
    usual = Counter(map(tuple, rows)).most_common(1)[0][0]
    tried = [np.isin(np.array(first.labels, object), list(usual)), np.ones(len(order), bool)]
    tried += [np.isin(np.arange(len(order)), order[:size]) for size in range(min(MOST_TRIED, len(order)))]
    best = tried[0]
    for each in tried[1:]:
        found = [_always(first, truth, shares, said).value(tested.metric) for said in (each, best)]
        best = each if is_better(tested.metric, *found) else best
    always = _always(first, first.targets, shares, best)
    return Baseline(f"always answering {_named(first.labels, best)}", always.value(tested.metric), always)


def _always(like: TagMarks, targets: np.ndarray, shares: np.ndarray, said: np.ndarray) -> TagMarks:
    """The same answer on each row of these targets."""
    thresholds = np.where(said, 0.0, 2.0)
    return TagMarks(targets, np.tile(shares, (len(targets), 1)), thresholds, like.labels)


def _named(labels: Sequence[str], said: np.ndarray) -> str:
    names = [f"'{label}'" for label, is_said in zip(labels, said, strict=True) if is_said]
    if not names:
        return "no tag"
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def scored(marks: Marks, metric: str, splits: Splits) -> Scored:
    """As it is; for the Hamming loss the share of yes and no that is right."""
    return Scored(NEARNESS, marks, lambda value: 1 - value) if metric in LOWER else Scored(metric, marks)


def check_rows(spec: Spec, splits: Splits) -> None:
    """Raises: SpecError: `threshold` is for two labels."""
    if spec.threshold:
        raise SpecError(
            f"'threshold' is set and output '{splits.output_column}' holds tags, expected a category: each tag has a "
            "threshold that is chosen for the goal"
        )


def usual_scores(targets: np.ndarray, weights: np.ndarray | None, n_scores: int) -> np.ndarray:
    """(k,) log-odds of how common each tag is, of targets (n, k)."""
    shares = np.clip(np.average(targets, axis=0, weights=weights), 0.5 / max(len(targets), 1), 1 - 1e-6)
    return np.asarray(np.log(shares / (1 - shares)))


def golden(manifest: Manifest, scores: np.ndarray) -> np.ndarray:
    """(n, k) probabilities."""
    return shares_of(manifest.calibrated(scores))
