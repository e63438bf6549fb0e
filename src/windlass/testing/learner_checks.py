"""Shipped checks: what every learner and its artifact must keep, also one added outside this repository.

Each raises AssertionError that says what is broken; `check_learner` gives the reason when it could not run.
"""

import json
import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from windlass.errors import NotReady
from windlass.kinds import table as kinds
from windlass.learners.contract import Budget, Fitted, Learner, Options
from windlass.metrics.measures import LOWER, Marks
from windlass.predictors import table as predictors
from windlass.predictors.artifact import read_golden
from windlass.predictors.contract import Labeller
from windlass.records import Row, Splits, silent
from windlass.testing.checks import expect
from windlass.testing.toys import (
    anomaly_toy,
    boxes_toy,
    cited_toy,
    forecast_toy,
    items_toy,
    masks_toy,
    number_toy,
    tags_table,
    tags_toy,
    toys,
    writing_toys,
)

SUFFIXES = frozenset({".json", ".safetensors", ".onnx", ".txt", ".bin"})
"""Of files that an artifact may hold; `model.bin` is CTranslate2's own format, numbers alone."""
LEAST_GAIN = 0.1
"""Share of right answers that whatever learns must have above the commonest answer; the toys allow 0.3 to 0.4."""
MOST_WRITING_S = 12.0
"""Learners of texts use what they are given; a toy needs no more."""
SAME_STEPS = 4
"""Of the two fits that must give the same: so many on any machine, since what fits into seconds depends on its pace."""


def check_learner(learner: Learner, seconds: float = 60.0, variant: str = "") -> str:
    """Trains the learner on every toy that it reads, and checks what `Learner` and an artifact promise.

    Args:    seconds: budget of one fit. variant: as in `Options`.
    Returns: why it could not run; empty when all was checked.
    Raises:  AssertionError.
    """
    if learner.missing():
        return learner.missing()
    if "text" in learner.output:
        return _check_writer(learner, seconds, variant)
    n_checked = 0
    with tempfile.TemporaryDirectory(prefix="windlass-check-") as name:
        folder = Path(name)
        for toy, splits in toys(folder):
            if not learner.reads(splits.inputs, "category"):
                continue
            what = f"{learner.name} on {toy}"
            try:
                predictor = _fitted(what, learner, splits, _options(folder, toy, "first", variant), Budget(seconds))
            except NotReady as error:
                return str(error)
            _check_answers(what, predictor, splits, learner.cost > 0)
            if not n_checked:
                both = [
                    _fitted(what, learner, splits, _options(folder, toy, time, variant), Budget(seconds, SAME_STEPS))
                    for time in ("second", "third")
                ]
                rows = splits.test.to_dicts()
                first, second = (each.probabilities(rows, splits.root) for each in both)
                gap = np.abs(first - second).max()
                expect(gap <= 1e-5, f"{what}: the same seed gave probabilities that differ by {gap:.2g}")
            n_checked += 1
        n_others, reasons = _check_others(learner, folder, seconds, variant)
    expect(n_checked + n_others or reasons, f"{learner.name} reads none of the toys, expected at least one")
    return "" if n_checked + n_others else "; ".join(reasons)


class Other(NamedTuple):
    """A toy of other answers. learned, measured: metrics; holds: what an answer is; enough: what must be reached by
    who learns, and by who does not. most_s: that a fit needs; steps: of a network, so that a busy machine
    changes nothing."""

    toy: Callable[[Path], Splits]
    learned: str
    measured: str
    holds: type
    enough: tuple[float, float]
    most_s: float = 60.0
    steps: int | None = None


OTHERS = (
    Other(number_toy, "mae", "r2", float, (0.5, -0.5)),
    Other(tags_toy, "micro_f1", "micro_f1", list, (0.5, 0.0)),
    Other(tags_table, "micro_f1", "micro_f1", list, (0.5, 0.0)),
    Other(forecast_toy, "mase", "mase", list, (0.95, 9.0)),
    Other(anomaly_toy, "found_within_a_day", "roc_auc", str, (0.9, 0.6)),
    Other(cited_toy, "answer_accuracy", "mrr", dict, (0.9, 0.6)),
    Other(boxes_toy, "map50", "map50", list, (0.5, 0.0), 8.0),
    Other(items_toy, "ndcg_at_10", "ndcg_at_10", list, (0.1, 0.1), steps=30),
    Other(masks_toy, "mask_dice", "mask_dice", list, (0.5, 0.0), steps=30),
)


def _check_others(learner: Learner, folder: Path, seconds: float, variant: str) -> tuple[int, list[str]]:
    """As `check_learner`, of a learner of other answers; how many toys it was checked on, and why not on others."""
    n_checked, reasons = 0, []
    for each in OTHERS:
        splits, name = each.toy(folder), each.toy.__name__
        what = f"{learner.name} on {name}"
        if not learner.reads(splits.inputs, next(iter(splits.output.values()))):
            continue
        if refusal := learner.refuse(splits, variant):
            reasons.append(refusal)
            continue
        home = folder / name
        home.mkdir()
        try:
            fitted = learner.fit(
                splits,
                Options(home, each.learned, variant=variant),
                Budget(min(seconds, each.most_s), each.steps),
                silent,
            )
        except NotReady as error:
            reasons.append(str(error))
            continue
        found = _check_answered(what, learner, fitted, splits, each.holds).value(each.measured)
        least = each.enough[0 if learner.cost > 0 else 1]
        is_enough = found <= least if each.measured in LOWER else found >= least
        expect(is_enough, f"{what}: {each.measured} is {found:.2f}, expected {least:g} or better")
        n_checked += 1
    return n_checked, reasons


def _check_writer(learner: Learner, seconds: float, variant: str) -> str:
    """As `check_learner`, of a learner of texts: it must be able to learn one of the toys."""
    reasons = []
    with tempfile.TemporaryDirectory(prefix="windlass-check-") as name:
        for toy, splits in writing_toys(Path(name)):
            what = f"{learner.name} on {toy}"
            home = Path(name) / toy
            home.mkdir()
            options = Options(home, metric="chrf" if toy == "answers" else "bits_per_byte", variant=variant)
            try:
                fitted = learner.fit(splits, options, Budget(min(seconds, MOST_WRITING_S)), silent)
            except NotReady as error:
                reasons.append(str(error))
                continue
            _check_answered(what, learner, fitted, splits, str)
            return ""
    return "; ".join(reasons)


def _check_answered(what: str, learner: Learner, fitted: Fitted, splits: Splits, holds: type) -> Marks:
    """What every artifact promises whose answers hold that type; how near they are."""
    _check_folder(what, fitted.artifact)
    json.dumps(fitted.curve, allow_nan=False)
    predictor = predictors.load(fitted.artifact)
    expect(predictor.manifest.learner == learner.name, f"{what}: the manifest names '{predictor.manifest.learner}'")
    expect(read_golden(fitted.artifact)[0], f"{what}: the artifact has no golden rows")
    predictors.replay(predictor, fitted.artifact)
    rows = splits.test.to_dicts()
    answers = predictor.answer(rows[:4], splits.root)
    expect(all(isinstance(answer.value, holds) for answer in answers), f"{what}: an answer is no {holds.__name__}")
    expect(predictor.answer([], splits.root) == [], f"{what}: no rows gave answers")
    marks = predictor.marks(rows, [row[splits.output_column] for row in rows], splits.root)
    expect(all(math.isfinite(marks.value(name)) for name in marks.metrics), f"{what}: a metric is not a number")
    return marks


def _check_folder(what: str, folder: Path) -> None:
    strange = [
        path.name for path in folder.rglob("*") if path.is_symlink() or (path.is_file() and path.suffix not in SUFFIXES)
    ]
    expect(not strange, f"{what}: the artifact holds {strange}, expected only {', '.join(sorted(SUFFIXES))}")


def _options(folder: Path, toy: str, time: str, variant: str) -> Options:
    home = folder / f"{toy}-{time}".replace(" ", "-")
    home.mkdir()
    return Options(home, metric="accuracy", variant=variant, precision="float32")  # "auto" measures, so it may vary


def _fitted(what: str, learner: Learner, splits: Splits, options: Options, budget: Budget) -> Labeller:
    """What answers from the artifact that the learner wrote; checks the folder and its golden rows."""
    fitted = learner.fit(splits, options, budget, silent)
    is_there = fitted.artifact == options.artifact and fitted.artifact.is_dir()
    expect(is_there, f"{what}: no artifact at {options.artifact}")
    expect(0 <= fitted.validation <= 1, f"{what}: validation is {fitted.validation}, expected a share")
    json.dumps(fitted.curve, allow_nan=False)
    _check_folder(what, fitted.artifact)
    predictor = predictors.load_labeller(fitted.artifact)
    manifest = predictor.manifest
    expect(manifest.learner == learner.name, f"{what}: the manifest names '{manifest.learner}'")
    expect({column.name: column.kind for column in manifest.inputs} == splits.inputs, f"{what}: inputs differ")
    expect(manifest.output.state["labels"] == ["no", "yes"], f"{what}: labels are {manifest.output.state['labels']}")
    expect(read_golden(fitted.artifact)[0], f"{what}: the artifact has no golden rows")
    predictors.replay(predictor, fitted.artifact)
    return predictor


def _check_answers(what: str, predictor: Labeller, splits: Splits, has_learnt: bool) -> None:
    rows, truth = splits.test.to_dicts(), splits.test["answer"].to_list()
    probabilities = predictor.probabilities(rows, splits.root)
    _expect_shares(what, probabilities)
    answers = predictor.answer(rows, splits.root)
    right = np.mean([answer.value == label for answer, label in zip(answers, truth, strict=True)])
    majority = np.mean([label == "no" for label in truth])
    expect(
        right >= majority + LEAST_GAIN if has_learnt else right >= majority,
        f"{what}: {right:.2f} of the test rows are right, the commonest answer alone gives {majority:.2f}",
    )
    singly = np.concatenate([predictor.probabilities([row], splits.root) for row in rows[:5]])
    gap = np.abs(singly - probabilities[:5]).max()
    expect(gap <= 1e-4, f"{what}: a row is answered differently alone and in a batch, by {gap:.2g}")
    _expect_shares(what, predictor.probabilities(_strange_rows(splits.inputs, rows[0]), splits.root))
    expect(predictor.answer([], splits.root) == [], f"{what}: no rows gave answers")


def _strange_rows(inputs: dict[str, str], row: Row) -> list[Row]:
    """The row with each value missing, all of them missing, and with values that were never seen."""
    optional = [name for name, kind in inputs.items() if kinds.get(kind).check(None) is None]
    unseen = {
        name: value
        for name in optional
        for value in ("\u202e 未知 👾 zzz", "1e30", "1901-01-01")
        if kinds.get(inputs[name]).check(value) is None
    }
    return [*({**row, name: None} for name in optional), {**row, **dict.fromkeys(optional)}, {**row, **unseen}]


def _expect_shares(what: str, probabilities: np.ndarray) -> None:
    is_shares = np.isfinite(probabilities).all() and (probabilities >= 0).all()
    expect(is_shares, f"{what}: probabilities are not finite shares")
    expect(np.abs(probabilities.sum(axis=1) - 1).max() <= 1e-6, f"{what}: probabilities do not sum to one")
