"""Runs -> leaderboard: each artifact is scored through the predictor that would serve it, on rows it has never seen."""

import os
import platform
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from windlass.errors import NotReady
from windlass.kinds import category
from windlass.kinds import table as kinds
from windlass.metrics import BINARY_ONLY, METRICS, Estimate, bootstrap, expected_calibration_error, paired_difference
from windlass.pages.report import Details, report
from windlass.predictors import table as predictors
from windlass.predictors.contract import Predictor
from windlass.records import Board, Candidate, Collected, Prepared, Progress, Row, Run, Splits, as_json, silent
from windlass.spec import Goal, Spec, dump
from windlass.store import Store, fingerprint, size_mb, write_json, write_text

N_TIMED = 200
N_BATCH = 32
SECONDS_TIMED = 3.0
REPORT = "report.html"


def key_of(spec: Spec, store: Store) -> str:
    runs = store.read_record("train")["runs"]
    return fingerprint([[run["key"], run["status"]] for run in runs] + [spec.goal, spec.limits.model_dump()])


def evaluate(spec: Spec, store: Store, splits: Splits, progress: Progress = silent) -> Board:
    """Measures every trained run on the test rows, chooses one, and writes `evaluate/report.html`."""
    runs = [Run(**run) for run in store.read_record("train")["runs"]]
    trained = [run for run in runs if run.status == "done"]
    goal = kinds.goal(spec)
    rows = splits.test.to_dicts()
    candidates, probabilities = [], {}
    for number, run in enumerate(trained):
        progress("evaluate", number, len(trained), run.name)
        predictor = predictors.load(store.run_folder(run.name) / "artifact")
        probabilities[run.name] = predictor.probabilities(rows, splits.root)
        candidates.append(_measure(run, predictor, probabilities[run.name], splits, spec, store))
    progress("evaluate", len(trained), len(trained), "")
    if not candidates:
        raise NotReady("no candidate was trained: " + "; ".join(f"{run.name}: {run.reason}" for run in runs))
    targets, state = _targets(predictor, splits)
    chosen = choose(candidates, goal)
    as_good = _as_good(candidates, chosen, probabilities, targets, category.positive(state), goal.metric)
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
    write_text(
        store.stage("evaluate") / REPORT,
        report(
            board,
            replace(
                _details(spec, store, splits, trained),
                labels=state["labels"],
                targets=targets,
                probabilities=probabilities[chosen.name],
            ),
        ),
    )
    return board


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


def _targets(predictor: Predictor, splits: Splits) -> tuple[np.ndarray, dict]:
    output = predictor.manifest.output
    batch = kinds.encode_column(output, splits.test[output.name].to_list(), None)
    assert isinstance(batch, np.ndarray)
    return batch, output.state


def _measure(
    run: Run, predictor: Predictor, probabilities: np.ndarray, splits: Splits, spec: Spec, store: Store
) -> Candidate:
    targets, state = _targets(predictor, splits)
    positive, binary = category.positive(state), len(state["labels"]) == 2
    metrics = {
        name: bootstrap(name, targets, probabilities, positive, spec.seed)
        for name in METRICS
        if binary or name not in BINARY_ONLY
    }
    goal = kinds.goal(spec)
    p50, p95, throughput = _speed(predictor, splits)
    size = size_mb(store.run_folder(run.name) / "artifact")
    misses = _misses(goal, metrics, p95, size, spec)
    return Candidate(
        name=run.name,
        learner=run.learner,
        metrics=metrics,
        validation=run.validation,
        calibration_error=expected_calibration_error(targets, probabilities),
        latency_p50_ms=p50,
        latency_p95_ms=p95,
        answers_per_second=throughput,
        size_mb=size,
        seconds=run.seconds,
        meets_goal=not misses,
        misses=misses,
    )


def _speed(predictor: Predictor, splits: Splits) -> tuple[float, float, float]:
    """p50 and p95 of one answer in milliseconds, and answers a second in batches of 32; rows as a client sends them."""
    head = splits.test.head(N_TIMED).select(list(splits.inputs)).to_dicts()
    rows = [
        {name: kinds.get(splits.inputs[name]).portable(value, splits.root) for name, value in row.items()}
        for row in head
    ]
    for row in rows[:10]:
        predictor.answer([row])
    times, until = [], time.perf_counter() + SECONDS_TIMED
    for row in rows:
        started = time.perf_counter()
        predictor.answer([row])
        times.append((time.perf_counter() - started) * 1000)
        if time.perf_counter() > until:
            break
    return (float(np.percentile(times, 50)), float(np.percentile(times, 95)), _throughput(predictor, rows))


def _throughput(predictor: Predictor, rows: Sequence[Row]) -> float:
    answered, started = 0, time.perf_counter()
    while time.perf_counter() - started < SECONDS_TIMED / 4:
        for start in range(0, len(rows), N_BATCH):
            answered += len(predictor.answer(rows[start : start + N_BATCH]))
    return answered / (time.perf_counter() - started)


def _misses(goal: Goal, metrics: dict[str, Estimate], p95: float, size: float, spec: Spec) -> list[str]:
    misses = []
    if goal.at_least is not None:
        reached = metrics.get(goal.metric)
        if reached is None:
            misses.append(f"{goal.metric} is not defined for more than two labels")
        elif not reached.value >= goal.at_least:
            misses.append(f"{goal.metric} is {reached}, expected at least {goal.at_least:g}")
    limits = spec.limits
    if limits.latency_p95_ms is not None and p95 > limits.latency_p95_ms:
        misses.append(f"latency p95 is {p95:.1f} ms, expected at most {limits.latency_p95_ms:g} ms")
    if limits.size_mb is not None and size > limits.size_mb:
        misses.append(f"size is {size:.1f} MB, expected at most {limits.size_mb:g} MB")
    return misses


def choose(candidates: Sequence[Candidate], goal: Goal) -> Candidate:
    """With a number in the goal: the cheapest (by p50) that meets goal and limits. Else the best by validation
    of those that keep the limits, else of all."""
    fitting = [candidate for candidate in candidates if candidate.meets_goal]
    if goal.at_least is not None and fitting:
        return min(fitting, key=lambda candidate: candidate.latency_p50_ms)

    def quality(candidate: Candidate) -> float:
        return candidate.validation if candidate.validation is not None else candidate.metrics[goal.metric].value

    return max(fitting or candidates, key=quality)


def _as_good(
    candidates: Sequence[Candidate],
    chosen: Candidate,
    probabilities: dict[str, np.ndarray],
    targets: np.ndarray,
    positive: int,
    metric: str,
) -> list[Candidate]:
    """The candidates, best first, each marked when the test rows cannot tell it from the chosen one."""
    marked = []
    for candidate in candidates:
        same = False
        if candidate.name != chosen.name:
            gap = paired_difference(
                metric, targets, probabilities[chosen.name], probabilities[candidate.name], positive
            )
            same = gap.low <= 0
        marked.append(replace(candidate, as_good_as_chosen=same))
    return sorted(marked, key=lambda candidate: -candidate.metrics[metric].value)


def _why(candidates: Sequence[Candidate], chosen: Candidate, goal: Goal, spec: Spec, marked: list[Candidate]) -> str:
    """One sentence: why this candidate."""
    fitting = sum(candidate.meets_goal for candidate in candidates)
    asked = " and the limits" if spec.limits.model_dump(exclude_none=True) else ""
    score = chosen.metrics[goal.metric]
    if goal.at_least is not None and fitting:
        why = f"{chosen.name} is {_cheapest(fitting)} {goal}{asked}: {score}, {chosen.latency_p50_ms:.1f} ms an answer."
    elif fitting:
        within = asked and " within the limits"
        why = f"{chosen.name} is the best by validation {goal.metric}{within}: {score} on test rows."
    else:
        why = f"No candidate meets {goal}{asked}; {chosen.name} comes nearest: {'; '.join(chosen.misses)}."
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


def _details(spec: Spec, store: Store, splits: Splits, trained: list[Run]) -> Details:
    """What the report shows beside the chosen candidate's answers."""
    inputs = list(splits.inputs)
    examples = [" · ".join(str(row[name]) for name in inputs)[:400] for row in splits.test.select(inputs).to_dicts()]
    return Details(
        labels=[],
        targets=np.empty(0, int),
        probabilities=np.empty((0, 0)),
        examples=examples,
        curves={run.name: run.curve for run in trained if run.curve},
        prepared=Prepared(**store.read_record("prepare")),
        collected=Collected(**store.read_record("collect")),
        spec_text=dump(spec),
    )
