"""Texts beside the right ones: what is measured of them, what tests and rules say of them, what they must beat."""

from collections.abc import Sequence
from dataclasses import replace

from windlass.errors import DataError, SpecError, expected
from windlass.metrics import Marks
from windlass.outputs.contract import Baseline, Held, Tested
from windlass.predictors.contract import Predictor
from windlass.predictors.examine import pass_rates, rules_broken, sampled
from windlass.predictors.writer import Writer
from windlass.records import Row, Splits
from windlass.sources.prepared import CHECKS
from windlass.spec import Goal, Spec, parse_goal
from windlass.text_metrics import PASSES, TEXT_METRICS, TextMarks

COPY = "copy"


def writer(predictor: Predictor) -> Writer:
    """The predictor, which writes texts: any predictor of an output of this kind does."""
    assert isinstance(predictor, Writer)
    return predictor


def marks(predictor: Predictor, rows: Sequence[Row], held: Held) -> Marks:
    """The answers beside the right ones, and what tests and rules say of them.

    Raises: DataError: there are no tests to run. NotReady: no sandbox here.
    """
    spec = held.spec
    found = predictor.marks(rows, [row[spec.output_column] for row in rows], held.root)
    assert isinstance(found, TextMarks)
    if not found.written:
        return found
    judged = rules_broken(found.answers, held.rules) if held.rules else {}
    if spec.checks:
        tests = [row.get(CHECKS) or "" for row in rows]
        judged["pass_at_1"] = pass_rates([[answer] for answer in found.answers], tests, 1)
        if parse_goal(spec.goal).metric == "pass_at_5":
            judged["pass_at_5"] = pass_rates(sampled(writer(predictor), rows, held.root), tests, PASSES["pass_at_5"])
    return replace(found, judged=judged)


def headline(spec: Spec) -> str:
    """Tests decide where there are some."""
    return next(iter(PASSES)) if spec.checks else next(iter(TEXT_METRICS))


def learned(metric: str) -> str:
    """Programs are not run while a learner learns."""
    return next(iter(TEXT_METRICS)) if metric in PASSES else metric


def check(spec: Spec, goal: Goal) -> None:
    """Raises: SpecError: tests are asked for, and there are none; or a threshold."""
    if goal.metric in PASSES and not spec.checks:
        raise SpecError(
            f"goal asks for '{goal.metric}' without 'checks', expected the column that holds the tests",
            "`checks: tests`",
        )


def check_rows(spec: Spec, splits: Splits) -> None:
    """Raises: SpecError: `threshold` is for labels. DataError: no test row has tests."""
    if spec.threshold:
        kind = splits.output[splits.output_column]
        raise SpecError(f"'threshold' is set and output '{splits.output_column}' is '{kind}', expected 'category'")


def check_tests(rows: Sequence[Row], spec: Spec) -> None:
    """Raises: DataError: tests are to be run, and no row has any."""
    if spec.checks and not any(row.get(CHECKS) for row in rows):
        raise DataError(f"no test row has tests in column '{spec.checks}', expected some to run on the answers")


def baseline(tested: Tested) -> Baseline | None:
    """A part of the input as it is, where that was tried."""
    metric = tested.metric
    copied = [each.metrics[metric] for each in tested.candidates if each.learner == COPY and metric in each.metrics]
    return Baseline("a part of the input as it is (`copy`)", copied[0].value) if copied else None


def improves(spec: Spec) -> None:
    """Raises: SpecError: answers that feedback cannot judge."""
    metric = parse_goal(spec.goal).metric or headline(spec)
    if spec.checks:
        raise SpecError(
            f"'checks' is '{spec.checks}', expected none: `improve` cannot run tests that feedback does not have",
            "rows with their tests belong into the data; `windlass run` learns from them",
        )
    if metric not in TEXT_METRICS:
        raise SpecError(
            f"goal asks for '{metric}', expected {expected(TEXT_METRICS)}: `improve` judges answers by right ones"
        )
