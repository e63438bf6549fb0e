"""Texts beside the right ones, and what tests and rules say of them."""

from collections.abc import Sequence
from dataclasses import replace

from windlass.errors import DataError
from windlass.metrics import Marks
from windlass.outputs.contract import Held
from windlass.outputs.texts.measures import writer
from windlass.predictors.contract import Predictor
from windlass.predictors.examine import pass_rates, rules_broken, sampled
from windlass.records import Row
from windlass.sources.prepared import CHECKS
from windlass.spec import Spec, parse_goal
from windlass.text_metrics import PASSES, TextMarks


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


def check_tests(rows: Sequence[Row], spec: Spec) -> None:
    """Raises: DataError: tests are to be run, and no row has any."""
    if spec.checks and not any(row.get(CHECKS) for row in rows):
        raise DataError(f"no test row has tests in column '{spec.checks}', expected some to run on the answers")
