"""Shipped checks: what every output must keep, also those added outside this repository."""

import json
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import NotReady, WindlassError
from windlass.goals import parse_goal
from windlass.kinds import table as kinds
from windlass.metrics.measures import LOWER, bootstrap
from windlass.outputs import reference_profile
from windlass.outputs.contract import Held, Output, Shown, Tested, Unsupported, Why
from windlass.outputs.labelled_row import LabelledRow
from windlass.outputs.splitting import Cleaning
from windlass.outputs.trust import Known
from windlass.pages.html.explanations import HEADINGS
from windlass.predictors.contract import Predictor
from windlass.records import Board, Row, Splits
from windlass.registry import reference
from windlass.sources.prepared import GROUP, SPLIT
from windlass.spec import Spec

N_ROWS = 40
VERBS = frozenset({"find", "write"})


def expect(holds: Any, otherwise: str) -> None:
    """Raises: AssertionError with these words unless it holds (`assert` is lost under `python -O`)."""
    if not holds:
        raise AssertionError(otherwise)


def check_output(output: Output, spec: Spec, splits: Splits, predictor: Predictor) -> None:
    """Checks what `Output` promises, on the rows of a product and what answers them.

    Args:   splits: of rows with right answers, at least ten in each. predictor: has learned from `train`.
    Raises: AssertionError: says what is broken. NotReady: jsonschema is not installed.
    """
    rows = splits.test.head(N_ROWS).to_dicts()
    _check_names(output, spec)
    _check_split(output, spec, splits)
    _check_measures(output, spec, splits, predictor)
    _check_values(output, splits, predictor, rows)
    _check_watching(output, splits, predictor)
    _check_improving(output, spec, splits, predictor)
    _check_explanations(output, splits, predictor, rows)


def _check_names(output: Output, spec: Spec) -> None:
    expect(output.metrics, f"{output.kind} has no metrics, expected at least one")
    headline = output.headline(spec)
    expect(headline in output.metrics, f"{output.kind}: headline '{headline}' is none of its metrics")
    for metric in output.metrics:
        learned = output.learned(metric)
        expect(learned in output.metrics, f"{output.kind}: '{metric}' is learned by '{learned}', none of its metrics")
    output.check(spec, parse_goal(spec.goal))
    for unfit in (output.explains_live, output.proposals, output.compares):
        expect(
            unfit is None or (isinstance(unfit, Unsupported) and unfit.why), f"{output.kind}: a refusal has no words"
        )


def _check_split(output: Output, spec: Spec, splits: Splits) -> None:
    """No inputs in two splits, no row lost without being counted."""
    import polars as pl

    given = pl.concat([splits.train, splits.validation, splits.test], how="diagonal")
    given = given.drop(GROUP, SPLIT, strict=False).with_columns(pl.lit("").alias(SPLIT))
    cleaning = Cleaning()
    made = output.split(given, spec, cleaning, np.random.default_rng(3))
    expect(set(made) == {"train", "validation", "test"}, f"{output.kind} splits into {sorted(made)}")
    total = sum(map(len, made.values())) + cleaning.removed.total()
    expect(total == len(given), f"{output.kind}: {len(given)} rows became {total}, counted ones included")
    inputs = list(spec.inputs)
    seen = [set(part.select(pl.col(inputs).cast(pl.String)).rows()) for part in made.values()]
    asked = [{row for row in each if any(row)} for each in seen]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        expect(not asked[one] & asked[other], f"{output.kind}: two splits share inputs")
    counts = output.counts(made, spec.output_column)
    expect(all(set(each) <= set(made) for each in [counts]), f"{output.kind}: counts of {sorted(counts)}")
    output.warn(made["train"], spec, cleaning)
    output.check_rows(spec, splits)


def _check_measures(output: Output, spec: Spec, splits: Splits, predictor: Predictor) -> None:
    rows = splits.test.to_dicts()[: output.most_tested or N_ROWS * 5]
    rows = rows[:N_ROWS] if output.most_tested else rows
    output.check_tests(rows, spec)
    marks = output.marks(predictor, rows, Held(spec, splits.root))
    expect(len(marks) == len(rows), f"{output.kind}: {len(rows)} rows gave {len(marks)} marks")
    expect(marks.metrics, f"{output.kind}: no metric is defined for its answers")
    for metric in marks.metrics:
        value, again = marks.value(metric), marks.value(metric, np.arange(len(rows)))
        expect(
            math.isnan(value) or abs(value - again) < 1e-9, f"{output.kind}: {metric} of all rows is not that of all"
        )
        found = bootstrap(marks, metric, n_resamples=20)
        expect(math.isnan(value) or found.low <= found.high, f"{output.kind}: {metric} has no interval")
    scored = output.scored(marks, marks.metrics[0], splits)
    value = scored.marks.value(scored.metric)
    expect(
        value <= 1 or scored.metric in LOWER,
        f"{output.kind}: plan measures {value} in {scored.metric}, of which 1 is perfect",
    )
    baseline = output.baseline(Tested(marks.metrics[0], splits, {"it": "it"}, {"it": marks}))
    expect(baseline is None or baseline.words, f"{output.kind}: its baseline has no words")
    with tempfile.TemporaryDirectory(prefix="windlass-check-") as name:
        seen = output.validated(predictor, Path(name), splits, Held(spec, splits.root))
    expect(seen is None or len(seen.marks) == len(seen.rows), f"{output.kind}: validation rows and marks differ")
    board = Board(spec.name, marks.metrics[0], "", {}, "", "", [], [], len(rows), "")
    shown = output.sections(Shown(board, marks, ["an example"] * len(rows)))
    names = [section.name for section in shown]
    expect(len(set(names)) == len(names), f"{output.kind}: sections of one name: {names}")
    expect(all(section.title for section in shown), f"{output.kind}: a section has no title")
    for misses in (False, True):
        expect(all(output.advice(marks, misses)), f"{output.kind}: an advice is empty")


def _check_values(output: Output, splits: Splits, predictor: Predictor, rows: Sequence[Row]) -> None:
    try:
        import jsonschema
    except ImportError:
        raise NotReady(
            "'jsonschema' is not installed, expected it to check an output", "pip install jsonschema"
        ) from None
    column = predictor.manifest.output
    answers = predictor.answer(rows, splits.root)
    expect(len(answers) == len(rows), f"{output.kind}: {len(rows)} rows gave {len(answers)} answers")
    schema, asked = output.answer_schema(column), output.feedback_schema(column)
    for answer in answers:
        value = json.loads(json.dumps(answer.as_json(), allow_nan=False))["value"]
        jsonschema.validate(value, schema)
        kept = output.kept_as(answer.value)
        expect(isinstance(kept, str), f"{output.kind}: the log keeps {type(kept).__name__}, expected text")
        expect(output.same(output.value_of(kept), value), f"{output.kind}: {value!r} comes back as another value")
        expect(output.is_right(value, value, {}), f"{output.kind}: {value!r} is not right where it is the right one")
        expect(isinstance(output.named(value), str), f"{output.kind}: an answer is counted as no text")
    example = output.example(column)
    jsonschema.validate(example, asked)
    read = kinds.of(column).read(example, None)
    expect(output.kept_as(read), f"{output.kind}: its example of feedback is kept as nothing")
    widget = output.widget(predictor.manifest)
    expect(
        widget.get("answer") and widget.get("verb") in VERBS, f"{output.kind}: widget {widget} has no answer or verb"
    )
    json.dumps(widget, allow_nan=False)


def _check_watching(output: Output, splits: Splits, predictor: Predictor) -> None:
    content = json.loads(json.dumps(reference_profile.make(output, splits, predictor)))
    with tempfile.TemporaryDirectory(prefix="windlass-check-") as name:
        reference.write(Path(name), content)
        found = reference.read(Path(name))
    expect(found is not None and found.n_rows, f"{output.kind}: a release remembers no rows")
    if found is None:
        return
    row = splits.test.head(1).select(list(splits.inputs)).to_dicts()[0]
    answer = predictor.answer([row], splits.root)[0]
    profile = json.loads(found.profile(row, answer))
    expect(len(profile) == len(found.columns) + (found.written is not None), f"{output.kind}: profile {profile}")
    value = output.value_of(output.kept_as(answer.value))
    expect(output.is_right(value, value, found.answers), f"{output.kind}: an answer is not right beside itself")


def _check_improving(output: Output, spec: Spec, splits: Splits, predictor: Predictor) -> None:
    """A champion beside itself neither gains nor loses; right answers are neither doubted nor unfit."""
    pairs = [(row, row[spec.output_column]) for row in splits.test.head(N_ROWS).to_dicts()]
    metric = output.learned(output.headline(spec))
    every = np.ones(len(pairs), bool)
    sheet = output.compare((predictor, predictor), pairs, metric, splits.root)
    paired = sheet.paired("all", every)
    expect(paired.rows == len(pairs), f"{output.kind}: {len(pairs)} rows are compared as {paired.rows}")
    expect(
        paired.before == paired.after and not paired.won and not paired.lost, f"{output.kind}: unlike itself: {paired}"
    )
    expect(not paired.gains(0.05) and not paired.loses(0.05), f"{output.kind}: it is better or worse than itself")
    expect(all(len(mask) == len(pairs) for _, mask in sheet.parts()), f"{output.kind}: parts of other rows")
    json.dumps(paired.as_json(), allow_nan=False)
    taught = [LabelledRow(dict(row), right, answer=str(number), caller=f"key{number % 5}")
              for number, (row, right) in enumerate(pairs)]  # fmt: skip
    train = [(row, row[spec.output_column]) for row in splits.train.to_dicts()]
    known = Known(train, [], {}, splits.root, pairs)
    expect(len(output.unfit(taught, train, spec)) == len(taught), f"{output.kind}: rows are lost on the way")
    thought = output.opinion(taught, predictor, known, spec)
    sizes = {len(thought.doubts), len(thought.contradicts), len(thought.is_new), len(thought.surprise)}
    expect(sizes == {len(taught)}, f"{output.kind}: an opinion of {sizes} rows, expected {len(taught)}")
    expect(thought.contradicts.mean() <= 0.25, f"{output.kind}: right answers contradict what is known")
    bare = [{name: row[name] for name in spec.inputs} for row, _ in pairs]
    answers = predictor.answer(bare, splits.root)
    asked = [
        {"id": str(number), "inputs": row, "value": output.kept_as(answer.value), "confidence": answer.confidence}
        for number, (row, answer) in enumerate(zip(bare, answers, strict=True))
    ]
    doubts = output.doubts(predictor, asked)
    expect(len(doubts) == len(asked), f"{output.kind}: {len(asked)} answers have {len(doubts)} doubts")


def _check_explanations(output: Output, splits: Splits, predictor: Predictor, rows: Sequence[Row]) -> None:
    picked = output.picked(predictor, rows, splits)
    expect(picked and all(group in HEADINGS for group, _ in picked), f"{output.kind}: rows of groups without a heading")
    try:
        found = output.explain(predictor, picked[0][1], 0, Why(splits.root))
    except WindlassError as error:
        expect(error.message, f"{output.kind}: an explanation is refused without words")
        return
    json.dumps(found.as_json(), allow_nan=False)
    if found.adds_up:
        total = found.base + sum(part.weight for part in found.parts)
        expect(abs(total - found.total) < 1e-3 * max(1.0, abs(found.total)), f"{output.kind}: parts do not add up")
