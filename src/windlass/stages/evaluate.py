"""Runs -> leaderboard: each artifact is scored through the predictor that would serve it, on rows it has never seen."""

import math
import os
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from windlass.brand import Rules, load_rules
from windlass.errors import DataError, NotReady
from windlass.evaluation import choice
from windlass.evaluation.gate import Baseline, goal_misses, limit_misses, worthless
from windlass.kinds import table as kinds
from windlass.kinds.category import THRESHOLD
from windlass.metrics import LabelMarks, Marks, bootstrap
from windlass.pages.report import Details, report
from windlass.predictors import table as predictors
from windlass.predictors.contract import Predictor
from windlass.predictors.examine import pass_rates, rules_broken, sampled
from windlass.predictors.writer import Writer
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
from windlass.sources.prepared import CHECKS
from windlass.spec import Spec, dump
from windlass.store import Store, fingerprint, size_mb, write_json, write_text
from windlass.text_metrics import PASSES, RULES_BROKEN, TextMarks

N_TIMED = 200
N_BATCH = 32
SECONDS_TIMED = 3.0
MOST_WRITTEN = 1_000
"""Of the test rows so many, evenly spread, are answered when an answer is a text: writing takes its time."""
REPORT, COPY = "report.html", "copy"


def key_of(spec: Spec, store: Store) -> str:
    runs = store.read("train", Trained).runs
    rules = load_rules(store.project / spec.brand).model_dump() if (store.project / spec.brand).is_file() else ""
    held_to = [spec.goal, spec.limits.model_dump(), spec.checks, rules, *([spec.threshold] if spec.threshold else [])]
    return fingerprint([[run.key, run.status] for run in runs] + held_to)


def evaluate(spec: Spec, store: Store, splits: Splits, progress: Progress = silent) -> Board:
    """Measures every trained run on the test rows, chooses one, and writes `evaluate/report.html`."""
    runs = store.read("train", Trained).runs
    trained = [run for run in runs if run.status == "done"]
    goal = kinds.goal(spec)
    rows = splits.test.to_dicts()
    rows = rows[:: math.ceil(len(rows) / MOST_WRITTEN)] if spec.output[spec.output_column] == "text" else rows
    if spec.checks and not any(row.get(CHECKS) for row in rows):
        raise DataError(f"no test row has tests in column '{spec.checks}', expected some to run on the answers")
    rules = load_rules(store.project / spec.brand) if spec.brand else None
    needs = CHECKS if goal.metric in PASSES else ""
    candidates, marks, judged, failed = [], {}, {}, {}
    for number, run in enumerate(trained):
        progress("evaluate", number, len(trained), run.name)
        try:
            predictor = predictors.load(store.run_folder(run.name) / "artifact")
            measured = partial(_marks, predictor, spec=spec, rules=rules, root=splits.root)
            found = measured(rows)
            seen = choice.validated(store.run_folder(run.name), splits, measured, needs)
            run = replace(run, validation=seen.value(goal.metric) if seen is not None else run.validation)
            candidates.append(_measure(run, predictor, found, splits, spec, store))
            marks[run.name], judged[run.name] = found, seen
        except Exception as error:  # noqa: BLE001  what one candidate does wrong is a line about it; it is logged
            failed[run.name] = replace(run, status="failed", reason=store.reason(f"scoring {run.name}", error))
    progress("evaluate", len(trained), len(trained), "")
    runs = [failed.get(run.name, run) for run in runs]
    if not candidates:
        raise NotReady("no candidate can be chosen: " + "; ".join(f"{run.name}: {run.reason}" for run in runs))
    copies = [each.name for each in candidates if each.learner == COPY]
    baseline = _baseline(spec, splits, copies, marks)
    candidates = [replace(each, worthless=worthless(goal.metric, each.metrics, baseline)) for each in candidates]
    basis = choice.basis(goal.metric, judged, marks)
    basis = replace(basis, baseline=_baseline(spec, splits, copies, basis.marks))
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
        not_trained=[
            {"name": run.name, "status": run.status, "reason": run.reason} for run in runs if run.status != "done"
        ],
        n_test=len(rows),
        machine=machine(),
        key=key_of(spec, store),
    )
    write_json(store.record("evaluate"), as_json(board))
    details = replace(_details(spec, store, rows, trained, marks[chosen.name]), rules=rules)
    write_text(store.stage("evaluate") / REPORT, report(board, details))
    return board


def _marks(
    predictor: Predictor, rows: Sequence[Row], spec: Spec, rules: Rules | None, root: Path
) -> Marks:
    """The answers beside the right ones, and what tests and rules say of them.

    Raises: NotReady: no sandbox here.
    """
    marks = predictor.marks(rows, [row[spec.output_column] for row in rows], root)
    if not isinstance(marks, TextMarks) or not marks.written:
        return marks
    judged = rules_broken(marks.answers, rules) if rules else {}
    if spec.checks:
        tests = [row.get(CHECKS) or "" for row in rows]
        judged["pass_at_1"] = pass_rates([[answer] for answer in marks.answers], tests, 1)
        if kinds.goal(spec).metric == "pass_at_5" and isinstance(predictor, Writer):
            judged["pass_at_5"] = pass_rates(sampled(predictor, rows, root), tests, PASSES["pass_at_5"])
    return replace(marks, judged=judged)


def machine() -> str:
    """Processor, cores and Python, as one line."""
    model = platform.processor() or platform.machine()
    cpu = Path("/proc/cpuinfo")
    if cpu.is_file():
        named = [
            line.partition(":")[2].strip() for line in cpu.read_text().splitlines() if line.startswith("model name")
        ]
        model = named[0] if named else model
    return f"{model}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}"


def _measure(
    run: Run, predictor: Predictor, marks: Marks, splits: Splits, spec: Spec, store: Store
) -> Candidate:
    metrics = {name: bootstrap(marks, name, spec.seed) for name in marks.metrics}
    goal = kinds.goal(spec)
    p50, p95, throughput = _speed(predictor, splits)
    size = size_mb(store.run_folder(run.name) / "artifact")
    misses = goal_misses(goal, metrics) + limit_misses(spec.limits, p95, size, metrics.get(RULES_BROKEN))
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
        notes=list(predictor.manifest.settings.get("notes", ())),
        threshold=dict(predictor.manifest.output.state.get(THRESHOLD, {})),
    )


def _speed(predictor: Predictor, splits: Splits) -> tuple[float, float, float]:
    """p50 and p95 of one answer in milliseconds, and answers a second in batches of 32; rows as a client sends them."""
    head = splits.test.head(N_TIMED).select(list(splits.inputs)).to_dicts()
    rows = [
        {name: kinds.get(splits.inputs[name]).portable(value, splits.root) for name, value in row.items()}
        for row in head
    ]
    until = time.perf_counter() + SECONDS_TIMED / 4
    for row in rows[:10]:
        predictor.answer([row])
        if time.perf_counter() > until:
            break
    times, until = [], time.perf_counter() + SECONDS_TIMED
    for row in rows:
        started = time.perf_counter()
        predictor.answer([row])
        times.append((time.perf_counter() - started) * 1000)
        if time.perf_counter() > until:
            break
    p50, p95 = (float(np.percentile(times, share)) for share in (50, 95))
    is_slow = N_BATCH * p50 / 1000 > SECONDS_TIMED
    return p50, p95, len(times) / (sum(times) / 1000) if is_slow else _throughput(predictor, rows)


def _throughput(predictor: Predictor, rows: Sequence[Row]) -> float:
    answered, started = 0, time.perf_counter()
    while time.perf_counter() - started < SECONDS_TIMED / 4:
        for start in range(0, len(rows), N_BATCH):
            answered += len(predictor.answer(rows[start : start + N_BATCH]))
    return answered / (time.perf_counter() - started)


def _baseline(spec: Spec, splits: Splits, copies: Sequence[str], marks: Mapping[str, Marks]) -> Baseline | None:
    """Of labels the same answer always, with the shares of the training rows; of texts a part of the input as it is,
    where that was tried (copies: by whom). marks: the same rows of each candidate, or the first of all rows."""
    metric, first = kinds.goal(spec).metric, next(iter(marks.values()))
    if isinstance(first, LabelMarks):
        counts = splits.train[splits.output_column].cast(str).value_counts()
        found = dict(zip(*counts.get_columns(), strict=True))
        shares = np.array([found.get(label, 0) for label in first.labels], float) + 1e-9
        always = replace(first, probabilities=np.tile(shares / shares.sum(), (len(first), 1)), threshold=None)
        return Baseline(f"always answering '{first.labels[int(shares.argmax())]}'", always.value(metric))
    copied = [marks[name] for name in copies if name in marks and metric in marks[name].metrics]
    return Baseline("a part of the input as it is (`copy`)", copied[0].value(metric)) if copied else None


def _details(spec: Spec, store: Store, rows: Sequence[Row], trained: list[Run], marks: Marks) -> Details:
    """What the report shows beside the leaderboard: the chosen candidate's answers, curves, data, specification."""
    return Details(
        **_answered(marks),
        examples=[" · ".join(str(row[name] or "") for name in spec.inputs)[:400] for row in rows],
        curves={run.name: run.curve for run in trained if run.curve},
        prepared=store.read("prepare", Prepared),
        collected=store.read("collect", Collected),
        spec_text=dump(spec),
    )


def _answered(marks: Marks) -> Json:
    """The part of the details that depends on what an answer is."""
    if isinstance(marks, TextMarks):
        return {"answers": marks.answers if marks.written else [], "references": marks.references}
    assert isinstance(marks, LabelMarks)
    return {
        "labels": list(marks.labels),
        "targets": marks.targets,
        "probabilities": marks.probabilities,
        "threshold": marks.threshold,
    }
