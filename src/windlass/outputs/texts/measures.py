"""What texts are measured by, what they must beat, and what a spec cannot ask of them."""

from windlass.errors import SpecError, expected
from windlass.goals import Goal, parse_goal
from windlass.metrics.texts import PASSES, TEXT_METRICS
from windlass.outputs.contract import Baseline, Tested
from windlass.predictors.contract import Predictor
from windlass.predictors.writer import Writer
from windlass.records import Splits
from windlass.spec import Spec

COPY = "copy"


def writer(predictor: Predictor) -> Writer:
    """The predictor, which writes texts: any predictor of an output of this kind does."""
    assert isinstance(predictor, Writer)
    return predictor


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
    """Raises: SpecError: `threshold` and `costs` are for labels."""
    if spec.monotone:
        raise SpecError(f"'monotone' is set and output '{splits.output_column}' is no number, expected one")
    if spec.costs:
        kind = spec.output[splits.output_column]
        raise SpecError(f"'costs' is set and output '{splits.output_column}' is '{kind}', expected 'category'")
    if spec.threshold:
        kind = splits.output[splits.output_column]
        raise SpecError(f"'threshold' is set and output '{splits.output_column}' is '{kind}', expected 'category'")


def baseline(tested: Tested) -> Baseline | None:
    """A part of the input as it is, where that was tried."""
    metric, copies = tested.metric, [name for name, learner in tested.learners.items() if learner == COPY]
    copied = [tested.marks[name] for name in copies if name in tested.marks and metric in tested.marks[name].metrics]
    words = "a part of the input as it is (`copy`)"
    return Baseline(words, copied[0].value(metric), copied[0]) if copied else None


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
