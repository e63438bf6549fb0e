"""Why a release is refused: what a candidate misses of goal and limits, and whether it is worth anything."""

import math
from collections.abc import Mapping

from windlass.goals import Goal
from windlass.metrics.alarms import FALSE_ALARMS
from windlass.metrics.citations import RISK
from windlass.metrics.measures import LOWER, Estimate, Marks, is_better, meets, paired_error, told
from windlass.metrics.recommendations import COVERAGE, TAIL
from windlass.metrics.texts import RULES_BROKEN
from windlass.outputs.contract import Baseline
from windlass.outputs.splitting import ENOUGH_TEST
from windlass.spec import Limits

LIMITED = (RULES_BROKEN, FALSE_ALARMS, RISK, COVERAGE, TAIL)
"""Metrics that `limits` can bound."""
MANY_ROWS = 100
"""Test rows from which on a gain that chance could bring is small, not unproven."""
ONE_SIDED = 1.645
"""Standard errors that a gain must be worth: chance alone brings that in one case of twenty."""


def goal_misses(goal: Goal, metrics: Mapping[str, Estimate]) -> list[str]:
    """The goal holds by the value itself; `metrics.doubtful_end` says where the interval reaches beyond it. What cannot
    be measured meets no goal, not even one without a number."""
    reached = metrics.get(goal.metric)
    if reached is None:
        return [f"{goal.metric} is not defined for its answers"]
    if math.isnan(reached.value):
        return [f"{goal.metric} cannot be measured on its test rows, expected more of them, with different answers"]
    if goal.bound is None:
        return []
    asked = "at most" if goal.metric in LOWER else "at least"
    is_met = meets(goal.metric, reached.value, goal.bound)
    return (
        [] if is_met else [f"{goal.metric} is {reached}, expected {asked} {goal.bound:g}{goal.unit and ' '}{goal.unit}"]
    )


def limit_misses(limits: Limits, latency_p95_ms: float, size_mb: float, metrics: Mapping[str, Estimate]) -> list[str]:
    """metrics: as they were measured on test rows."""
    misses, broken = [], metrics.get(RULES_BROKEN)
    if limits.latency_p95_ms is not None and latency_p95_ms > limits.latency_p95_ms:
        misses.append(f"latency p95 is {latency_p95_ms:.1f} ms, expected at most {limits.latency_p95_ms:g} ms")
    if limits.size_mb is not None and size_mb > limits.size_mb:
        misses.append(f"size is {size_mb:.1f} MB, expected at most {limits.size_mb:g} MB")
    if limits.rules_broken is not None and (broken is None or broken.value > limits.rules_broken):
        share = "not measured: nothing was written" if broken is None else str(broken)
        misses.append(f"{RULES_BROKEN} is {share}, expected at most {limits.rules_broken:g}")
    alarms, most = metrics.get(FALSE_ALARMS), limits.false_alarms_a_month
    if most is not None and (alarms is None or not alarms.value <= most):
        misses.append(f"{FALSE_ALARMS} is {alarms or 'not measured'}, expected at most {most:g}")
    risk, most = metrics.get(RISK), limits.risk
    if most is not None and (risk is None or not risk.high <= most):
        misses.append(f"{RISK} is {risk or 'not measured'}, expected an upper bound of at most {most:g}")
    for metric, least in ((COVERAGE, limits.coverage), (TAIL, limits.tail_share)):
        found = metrics.get(metric)
        if least is not None and (found is None or not found.value >= least):
            misses.append(f"{metric} is {found or 'not measured'}, expected at least {least:g}")
    return misses


def is_trivial(metric: str, value: float, baseline: Baseline | None) -> bool:
    """It solves nothing, or is no better than what costs no model."""
    if value == 0 and metric not in LOWER:
        return True
    return baseline is not None and not math.isnan(baseline.value) and not is_better(metric, value, baseline.value)


def worthless(metric: str, metrics: Mapping[str, Estimate], baseline: Baseline | None) -> str:
    """Why a release would be worth nothing; empty when it would be worth something, or cannot be measured."""
    found = metrics.get(metric)
    if found is None or math.isnan(found.value) or not is_trivial(metric, found.value, baseline):
        return ""
    if baseline is None or (found.value == 0 and metric not in LOWER):
        return f"{metric} is {found}: it solves nothing, expected more than 0"
    return f"{metric} is {found}, no better than {told(baseline.value)} of {baseline.words}, expected more than that"


def unproven(metric: str, marks: Marks, baseline: Baseline | None) -> str:
    """Why few test rows cannot tell the answers from what costs no model; empty when they can, or are many.

    The rows that would do are told from the gain and its error on these; fewer than `ENOUGH_TEST` never do, as even
    answers that are all right, beside wrong ones, are chance then (sign test).
    """
    n_rows, few = len(marks), "test row" if len(marks) == 1 else "test rows"
    if baseline is None or n_rows >= MANY_ROWS:
        return ""
    needed = ENOUGH_TEST
    if n_rows >= ENOUGH_TEST:
        if baseline.marks is None:
            return ""
        gain, error = paired_error(metric, marks, baseline.marks)
        if not 0 < gain <= ONE_SIDED * error:
            return ""
        needed = max(n_rows + 1, math.ceil(n_rows * (ONE_SIDED * error / gain) ** 2))
    wanted = "about" if n_rows >= ENOUGH_TEST else "at least"
    return f"{n_rows} {few} cannot tell it from {baseline.words}, expected {wanted} {needed:,}"
