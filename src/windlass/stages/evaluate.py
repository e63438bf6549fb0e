"""Runs -> leaderboard: each artifact is scored through the predictor that would serve it, on rows it has never seen."""

import math
import platform
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from windlass.brand import load_rules
from windlass.errors import NotReady
from windlass.evaluation import choice
from windlass.evaluation.gate import goal_misses, limit_misses, unproven, worthless
from windlass.kinds import table as kinds
from windlass.kinds.category import THRESHOLD
from windlass.kinds.contract import is_missing
from windlass.metrics.measures import Marks, bootstrap
from windlass.outputs import table as outputs
from windlass.outputs.contract import Baseline, Held, Shown, Tested
from windlass.outputs.reference_profile import evenly
from windlass.pages.html.report import Details, report
from windlass.pages.text.doubling import in_both
from windlass.predictors import table as predictors
from windlass.predictors.contract import Predictor
from windlass.predictors.language import threads
from windlass.records import (
    Board,
    Candidate,
    Collected,
    Json,
    Prepared,
    Progress,
    Row,
    Run,
    Splits,
    Trained,
    as_json,
    silent,
)
from windlass.spec import Spec, dump
from windlass.store.files import size_mb, write_text
from windlass.store.json_files import write_json
from windlass.store.stage_keys import compressed, evaluate_key
from windlass.store.store import Store

N_TIMED = 200
N_BATCH = 32
SECONDS_TIMED = 3.0
SECONDS_THROUGHPUT = 0.25
"""In batches, at most: of a linear model, a thousand answers."""
REPORT = "report.html"
SCORED_SHARE, TIMED_SHARE, SCORED_SECONDS = 0.1, 0.05, 5.0
"""Of the minutes: what all candidates may take to answer test rows, and to be timed; and seconds beside each."""
LEAST_TESTED, N_PACED, SLOW_ROW = 200, 32, 0.2
"""Test rows that are answered however long it takes, those that tell how long, and seconds a row that need no more."""


def evaluate(spec: Spec, store: Store, splits: Splits, progress: Progress = silent) -> Board:
    """Measures every trained run on the test rows, chooses one, and writes `evaluate/report.html`."""
    runs = [*store.read("train", Trained).runs, *compressed(store)]
    trained = [run for run in runs if run.status == "done"]
    output, goal = outputs.of(spec), outputs.goal(spec)
    rows = splits.test.to_dicts()
    rows = rows[:: math.ceil(len(rows) / output.most_tested)] if output.most_tested and rows else rows
    held = Held(spec, splits.root, load_rules(store.project / spec.brand) if spec.brand else None)
    output.check_tests(rows, spec)
    every = len(rows)
    if every > LEAST_TESTED:
        pace = _pace(rows, [store.run_folder(run.name) / "artifact" for run in trained])
        rows = affordable(rows, pace, spec.minutes)
    candidates, marks, judged, failed = [], {}, {}, {}
    for number, run in enumerate(trained):
        progress("evaluate", number, len(trained), run.name)
        try:
            predictor = predictors.load(store.run_folder(run.name) / "artifact")
            found = output.marks(predictor, rows, held)
            seen = output.validated(predictor, store.run_folder(run.name), splits, held)
            run = replace(run, validation=seen.value(goal.metric) if seen is not None else run.validation)
            candidates.append(_measure(run, predictor, found, splits, spec, store))
            marks[run.name], judged[run.name] = found, seen
        except Exception as error:  # noqa: BLE001  what one candidate does wrong is a line about it; it is logged
            failed[run.name] = replace(run, status="failed", reason=store.reason(f"scoring {run.name}", error))
    progress("evaluate", len(trained), len(trained), "")
    runs = [failed.get(run.name, run) for run in runs]
    if not candidates:
        raise NotReady("no candidate can be chosen: " + "; ".join(f"{run.name}: {run.reason}" for run in runs))
    tested = Tested(goal.metric, splits, {each.name: each.learner for each in candidates}, marks)
    baseline = output.baseline(tested)
    candidates = [_beside(each, marks[each.name], goal.metric, baseline) for each in candidates]
    basis = choice.basis(goal.metric, judged, marks, len(splits.validation))
    basis = replace(basis, baseline=output.baseline(replace(tested, marks=basis.marks)))
    chosen = choice.choose(candidates, basis, goal, spec.limits)
    ranked = choice.ranked(candidates, chosen.name, marks, goal.metric)
    board = Board(
        product=spec.name,
        headline=goal.metric,
        goal=str(goal),
        limits=spec.limits.model_dump(exclude_none=True),
        chosen=chosen.name,
        why=choice.why(chosen, ranked, basis, goal, spec.limits),
        candidates=ranked,
        not_trained=_not_trained(runs),
        n_test=len(rows),
        machine=machine(),
        key=evaluate_key(spec, store),
        units=spec.units,
        warnings=[*_few(len(rows), every), *output.remarks(marks[chosen.name], goal.metric)],
        details=output.details(marks[chosen.name]),
    )
    write_json(store.record("evaluate"), as_json(board))
    suspected = output.suspected(predictors.load(store.run_folder(chosen.name) / "artifact"), splits)
    shown = Shown(board, marks[chosen.name], _examples(rows, spec), held.rules, rows, spec.inputs, suspected)
    page = report(replace(board, product=spec.shown_name), _details(spec, store, trained, shown))
    write_text(store.stage("evaluate") / REPORT, in_both(page))
    return board


def _pace(rows: Sequence[Row], artifacts: Sequence[Path]) -> float:
    """Seconds in which all candidates have answered one of these rows."""
    first, pace = rows[:: math.ceil(len(rows) / N_PACED)], 0.0
    for artifact in artifacts:
        try:
            predictor = predictors.load(artifact)
            found = _seconds_a_row(predictor, first[:2])
            pace += found if found > SLOW_ROW else _seconds_a_row(predictor, first)  # the first call warms up
        except Exception:  # noqa: BLE001  what it does wrong is told where it is scored
            continue
    return pace


def _seconds_a_row(predictor: Predictor, rows: Sequence[Row]) -> float:
    started = time.perf_counter()
    predictor.answer(rows)
    return (time.perf_counter() - started) / len(rows)


def affordable(rows: list[Any], pace: float, minutes: float) -> list[Any]:
    """The test rows that are answered within a share of the minutes: every one, or some in even steps; the same for
    all candidates, as they are compared row by row. pace: seconds in which all of them have answered one."""
    fits = int((SCORED_SHARE * minutes * 60 + SCORED_SECONDS) / max(pace, 1e-9))
    return rows if fits >= len(rows) else evenly(rows, max(LEAST_TESTED, fits))


def _few(n_rows: int, every: int) -> list[str]:
    """What a reader should know where not all test rows were answered."""
    if n_rows == every:
        return []
    return [
        f"{n_rows:,} of {every:,} test rows were answered, in even steps, as all would not fit the minutes: "
        "the intervals are wider for it; more `minutes:` answer more"
    ]


def _beside(candidate: Candidate, marks: Marks, metric: str, baseline: Baseline | None) -> Candidate:
    """The candidate with what it is worth against answers that need no model."""
    says = worthless(metric, candidate.metrics, baseline) or unproven(metric, marks, baseline)
    return replace(candidate, worthless=says)


def _not_trained(runs: Sequence[Run]) -> list[Json]:
    return [{"name": run.name, "status": run.status, "reason": run.reason} for run in runs if run.status != "done"]


def _examples(rows: Sequence[Row], spec: Spec) -> list[str]:
    return [" · ".join(_word(kind, row[name]) for name, kind in spec.inputs.items())[:400] for row in rows]


def _word(kind: str, value: Any) -> str:
    return "" if is_missing(value) else kinds.get(kind).brief(value)


def machine() -> str:
    """Processor, cores and Python, as one line."""
    model = platform.processor() or platform.machine()
    cpu = Path("/proc/cpuinfo")
    if cpu.is_file():
        named = [
            line.partition(":")[2].strip() for line in cpu.read_text().splitlines() if line.startswith("model name")
        ]
        model = named[0] if named else model
    return f"{model}, {threads.cores()} cores, Python {platform.python_version()}"


def _measure(run: Run, predictor: Predictor, marks: Marks, splits: Splits, spec: Spec, store: Store) -> Candidate:
    metrics = {name: bootstrap(marks, name, spec.seed) for name in marks.metrics}
    goal = outputs.goal(spec)
    p50, p95, throughput = _speed(predictor, splits, _timed_seconds(spec, store))
    size = size_mb(store.run_folder(run.name) / "artifact")
    misses = goal_misses(goal, metrics) + limit_misses(spec.limits, p95, size, metrics)
    return Candidate(
        name=run.name,
        learner=run.learner,
        metrics=metrics,
        validation=run.validation,
        calibration_error=marks.calibration_error,
        latency_p50_ms=p50,
        latency_p95_ms=p95,
        answers_per_second=throughput,
        size_mb=size,
        seconds=run.seconds,
        meets_goal=not misses,
        misses=misses,
        notes=[*predictor.manifest.settings.get("notes", ()), *_copied(run.compressed)],
        compressed=run.compressed,
        threshold=dict(predictor.manifest.output.state.get(THRESHOLD, {})),
    )


def _copied(told: Json) -> list[str]:
    """Of a copy that `compress` made, what a person should know beside its score; nothing of others."""
    if not told:
        return []
    facts = f"{told['changed']} of {told['rows']} validation answers are others than those of {told['of']}"
    memory = told["memory_mb"], told["memory_mb_of"]
    return [facts, *([f"a process with it holds {memory[0]:.0f} MB, not {memory[1]:.0f}"] if all(memory) else [])]


def _speed(predictor: Predictor, splits: Splits, seconds: float) -> tuple[float, float, float]:
    """p50 and p95 of one answer in milliseconds, and answers a second in batches of 32; rows as a client sends them.
    seconds: that the first two may take; the others take half of it."""
    head = splits.test.head(N_TIMED).select(list(splits.inputs)).to_dicts()
    rows = [
        {name: kinds.get(splits.inputs[name]).portable(value, splits.root) for name, value in row.items()}
        for row in head
    ]
    until = time.perf_counter() + seconds / 4
    for row in rows[:10]:
        predictor.answer([row])
        if time.perf_counter() > until:
            break
    times, until = [], time.perf_counter() + seconds
    for row in rows:
        started = time.perf_counter()
        predictor.answer([row])
        times.append((time.perf_counter() - started) * 1000)
        if time.perf_counter() > until:
            break
    p50, p95 = (float(np.percentile(times, share)) for share in (50, 95))
    is_slow = N_BATCH * p50 / 1000 > seconds
    return (
        p50,
        p95,
        len(times) / (sum(times) / 1000)
        if is_slow
        else _throughput(predictor, rows, min(SECONDS_THROUGHPUT, seconds / 4)),
    )


def _timed_seconds(spec: Spec, store: Store) -> float:
    """For the answers of one candidate that are timed one by one: of its share of the minutes."""
    n_runs = sum(run.status == "done" for run in store.read("train", Trained).runs)
    return min(SECONDS_TIMED, (TIMED_SHARE * spec.minutes * 60 + SCORED_SECONDS) / (1.5 * max(1, n_runs)))


def _throughput(predictor: Predictor, rows: Sequence[Row], seconds: float) -> float:
    answered, started = 0, time.perf_counter()
    batches = cycle([rows[start : start + N_BATCH] for start in range(0, len(rows), N_BATCH)] or [[]])
    while time.perf_counter() - started < seconds:
        answered += len(predictor.answer(next(batches)))
    return answered / (time.perf_counter() - started)


def _details(spec: Spec, store: Store, trained: list[Run], shown: Shown) -> Details:
    """What the report shows beside the leaderboard: the chosen candidate's answers, curves, data, specification."""
    output = outputs.of(spec)
    return Details(
        answers=output.sections(shown),
        advice=partial(output.advice, shown.marks),
        curves={run.name: run.curve for run in trained if run.curve},
        prepared=store.read("prepare", Prepared),
        collected=store.read("collect", Collected),
        spec_text=dump(spec),
    )
