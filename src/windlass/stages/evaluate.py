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

from windlass.brand import load_rules
from windlass.errors import NotReady
from windlass.kinds import table as kinds
from windlass.kinds.category import THRESHOLD
from windlass.metrics import LOWER, Estimate, Marks, bootstrap, is_better, paired_difference, told
from windlass.outputs import table as outputs
from windlass.outputs.contract import Baseline, Held, Shown, Tested
from windlass.pages.report import Details, report
from windlass.predictors import table as predictors
from windlass.predictors.contract import Predictor
from windlass.records import Board, Candidate, Collected, Prepared, Progress, Row, Run, Splits, Trained, as_json, silent
from windlass.sources.prepared import CHECKS
from windlass.spec import Goal, Spec, dump
from windlass.store import Store, fingerprint, size_mb, write_json, write_text
from windlass.text_metrics import RULES_BROKEN

N_TIMED = 200
N_BATCH = 32
SECONDS_TIMED = 3.0
MOST_VALIDATED = 200
"""Of the validation rows so many are answered, where programs have to be run."""
REPORT = "report.html"


def key_of(spec: Spec, store: Store) -> str:
    runs = store.read("train", Trained).runs
    rules = load_rules(store.project / spec.brand).model_dump() if (store.project / spec.brand).is_file() else ""
    held_to = [spec.goal, spec.limits.model_dump(), spec.checks, rules, *([spec.threshold] if spec.threshold else [])]
    return fingerprint([[run.key, run.status] for run in runs] + held_to)


def evaluate(spec: Spec, store: Store, splits: Splits, progress: Progress = silent) -> Board:
    """Measures every trained run on the test rows, chooses one, and writes `evaluate/report.html`."""
    runs = store.read("train", Trained).runs
    trained = [run for run in runs if run.status == "done"]
    output, goal = outputs.of(spec), outputs.goal(spec)
    rows = splits.test.to_dicts()
    rows = rows[:: math.ceil(len(rows) / output.most_tested)] if output.most_tested and rows else rows
    held = Held(spec, splits.root, load_rules(store.project / spec.brand) if spec.brand else None)
    output.check_tests(rows, spec)
    candidates, marks, failed = [], {}, {}
    for number, run in enumerate(trained):
        progress("evaluate", number, len(trained), run.name)
        try:
            predictor = predictors.load(store.run_folder(run.name) / "artifact")
            found = output.marks(predictor, rows, held)
            run = replace(run, validation=_validation(run, predictor, splits, spec))
            candidates.append(_measure(run, predictor, found, splits, spec, store))
            marks[run.name] = found
        except Exception as error:  # noqa: BLE001  what one candidate does wrong is a line about it; it is logged
            failed[run.name] = replace(run, status="failed", reason=store.reason(f"scoring {run.name}", error))
    progress("evaluate", len(trained), len(trained), "")
    runs = [failed.get(run.name, run) for run in runs]
    if not candidates:
        raise NotReady("no candidate can be chosen: " + "; ".join(f"{run.name}: {run.reason}" for run in runs))
    baseline = output.baseline(Tested(goal.metric, splits, candidates, marks))
    candidates = [replace(each, worthless=worthless(each, goal.metric, baseline)) for each in candidates]
    chosen = choose(candidates, goal)
    as_good = _as_good(candidates, chosen, marks, goal.metric)
    board = Board(
        product=spec.name,
        headline=goal.metric,
        goal=str(goal),
        limits=spec.limits.model_dump(exclude_none=True),
        chosen=chosen.name,
        why=_why(candidates, chosen, goal, spec, as_good),
        candidates=as_good,
        not_trained=[
            {"name": run.name, "status": run.status, "reason": run.reason} for run in runs if run.status != "done"
        ],
        n_test=len(rows),
        machine=machine(),
        key=key_of(spec, store),
    )
    write_json(store.record("evaluate"), as_json(board))
    examples = [" · ".join(str(row[name] or "") for name in spec.inputs)[:400] for row in rows]
    shown = Shown(board, marks[chosen.name], examples, held.rules)
    write_text(store.stage("evaluate") / REPORT, report(board, _details(spec, store, trained, shown)))
    return board


def _validation(run: Run, predictor: Predictor, splits: Splits, spec: Spec) -> float | None:
    """The goal's metric on validation rows: what the learner measured, unless programs have to be run for it."""
    metric = outputs.goal(spec).metric
    if metric == outputs.learned_metric(spec):
        return run.validation
    rows = [row for row in splits.validation.to_dicts() if row.get(CHECKS)][:MOST_VALIDATED]
    return outputs.of(spec).marks(predictor, rows, Held(spec, splits.root)).value(metric) if rows else None


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
    goal = outputs.goal(spec)
    p50, p95, throughput = _speed(predictor, splits)
    size = size_mb(store.run_folder(run.name) / "artifact")
    misses = _misses(goal, metrics, p95, size, spec)
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


def _misses(goal: Goal, metrics: dict[str, Estimate], p95: float, size: float, spec: Spec) -> list[str]:
    misses = []
    if goal.bound is not None:
        reached = metrics.get(goal.metric)
        if reached is None:
            misses.append(f"{goal.metric} is not defined for its answers")
        elif not (reached.value == goal.bound or is_better(goal.metric, reached.value, goal.bound)):
            asked = "at most" if goal.metric in LOWER else "at least"
            misses.append(f"{goal.metric} is {reached}, expected {asked} {goal.bound:g}")
    limits = spec.limits
    if limits.latency_p95_ms is not None and p95 > limits.latency_p95_ms:
        misses.append(f"latency p95 is {p95:.1f} ms, expected at most {limits.latency_p95_ms:g} ms")
    if limits.size_mb is not None and size > limits.size_mb:
        misses.append(f"size is {size:.1f} MB, expected at most {limits.size_mb:g} MB")
    broken = metrics.get(RULES_BROKEN)
    if limits.rules_broken is not None and (broken is None or broken.value > limits.rules_broken):
        found = "not measured: nothing was written" if broken is None else str(broken)
        misses.append(f"{RULES_BROKEN} is {found}, expected at most {limits.rules_broken:g}")
    return misses


def worthless(candidate: Candidate, metric: str, baseline: Baseline | None) -> str:
    """Why a release of it would be worth nothing; empty when it would be worth something."""
    found = candidate.metrics.get(metric)
    if found is not None and metric not in LOWER and found.value == 0:
        return f"{metric} is {found}: it solves nothing, expected more than 0"
    if found is None or baseline is None or math.isnan(baseline.value):
        return ""
    if is_better(metric, found.value, baseline.value):
        return ""
    return f"{metric} is {found}, no better than {told(baseline.value)} of {baseline.words}, expected more than that"


AS_CHEAP = 1.1
"""Times as long as the shortest p50, within which nobody would tell two candidates apart on another day."""


def choose(candidates: Sequence[Candidate], goal: Goal) -> Candidate:
    """With a number in the goal: the cheapest (by p50) that meets goal and limits, of those as cheap the best. Else the
    best by validation of those that keep the limits, else of all. What is no better than a baseline only in need."""
    fitting = [candidate for candidate in candidates if candidate.meets_goal]
    fitting = [candidate for candidate in fitting if not candidate.worthless] or fitting
    if goal.bound is not None and fitting:
        least = min(candidate.latency_p50_ms for candidate in fitting)
        fitting = [candidate for candidate in fitting if candidate.latency_p50_ms <= AS_CHEAP * least]

    def quality(candidate: Candidate) -> float:
        if candidate.validation is not None:
            return _upward(goal.metric, candidate.validation)
        return _quality(candidate, goal.metric)

    return max(fitting or candidates, key=quality)


def _upward(metric: str, value: float) -> float:
    """The value so that more is better."""
    return -value if metric in LOWER else value


def _quality(candidate: Candidate, metric: str) -> float:
    """The metric so that more is better; a candidate for which it is not defined comes last."""
    found = candidate.metrics.get(metric)
    return float("-inf") if found is None or math.isnan(found.value) else _upward(metric, found.value)


def _as_good(
    candidates: Sequence[Candidate], chosen: Candidate, marks: Mapping[str, Marks], metric: str
) -> list[Candidate]:
    """The candidates, best first, each marked when the test rows cannot tell it from the chosen one."""
    marked = []
    for candidate in candidates:
        same = False
        if candidate.name != chosen.name:
            same = paired_difference(metric, marks[chosen.name], marks[candidate.name]).low <= 0
        marked.append(replace(candidate, as_good_as_chosen=same))
    return sorted(marked, key=lambda candidate: -_quality(candidate, metric))


def _why(candidates: Sequence[Candidate], chosen: Candidate, goal: Goal, spec: Spec, marked: list[Candidate]) -> str:
    """One sentence: why this candidate."""
    fitting = sum(candidate.meets_goal for candidate in candidates)
    asked = " and the limits" if spec.limits.model_dump(exclude_none=True) else ""
    score = chosen.metrics.get(goal.metric, "not measured")
    if goal.bound is not None and fitting:
        why = f"{chosen.name} is {_cheapest(fitting)} {goal}{asked}: {score}, {chosen.latency_p50_ms:.1f} ms an answer."
    elif fitting:
        within = asked and " within the limits"
        why = f"{chosen.name} is the best by validation {goal.metric}{within}: {score} on test rows."
    else:
        why = f"No candidate meets {goal}{asked}; {chosen.name} comes nearest: {'; '.join(chosen.misses)}."
    if chosen.worthless:
        why += f" A release of it is refused unless you insist (`windlass release --anyway`): {chosen.worthless}."
    cheaper = [
        candidate.name
        for candidate in marked
        if candidate.as_good_as_chosen and candidate.latency_p50_ms < chosen.latency_p50_ms
    ]
    if cheaper:
        why += f" Cheaper and not measurably worse on these test rows: {', '.join(cheaper)}."
    return why


def _cheapest(fitting: int) -> str:
    return "the only candidate that meets" if fitting == 1 else f"the cheapest of {fitting} candidates that meet"


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
