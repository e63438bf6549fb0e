"""Texts beside the right ones, and what tests and rules say of them."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from windlass.errors import DataError
from windlass.goals import parse_goal
from windlass.metrics.measures import Marks
from windlass.metrics.texts import PASSES, TextMarks
from windlass.outputs.contract import Held, Validated
from windlass.outputs.texts.measures import headline, writer
from windlass.predictors.contract import Predictor
from windlass.predictors.retrieval.examine import pass_rates, rules_broken, sampled
from windlass.records import Row, Splits
from windlass.sources.prepared import CHECKS
from windlass.spec import Spec

MOST_VALIDATED = 200
"""Of the validation rows so many, evenly spread, are answered: writing takes its time."""


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


def validated(predictor: Predictor, run_folder: Path, splits: Splits, held: Held) -> Validated | None:
    """Texts are written now, on some rows evenly spread: no writer learns from validation rows."""
    needs_tests = (parse_goal(held.spec.goal).metric or headline(held.spec)) in PASSES
    rows = splits.validation.to_dicts()
    places = [place for place, row in enumerate(rows) if not needs_tests or row.get(CHECKS)]
    places = places[:: max(1, math.ceil(len(places) / MOST_VALIDATED))]
    if not places:
        return None
    return Validated(marks(predictor, [rows[place] for place in places], held), np.array(places))
