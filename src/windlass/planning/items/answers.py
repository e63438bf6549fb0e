"""What can be done about single answers: those that users complain of, and those that a plain rule gets right."""

from collections.abc import Iterator
from statistics import NormalDist

import numpy as np

from windlass.metrics.measures import Estimate
from windlass.pages.text.words import count, percent, quoted
from windlass.planning.context import Setting
from windlass.planning.evidence import curves
from windlass.planning.evidence.slices import LEVEL, difference
from windlass.planning.items.data import CURVE, LEAST_EXCHANGE, grown
from windlass.planning.items.item import at_least, at_most, item, points_of
from windlass.planning.schedule.economics import exchange
from windlass.records import Item, Json

LEAST_JUDGED, LEAST_WRONG = 20, 5
TIMES, TRIED_ROWS = 10.0, 300


def complaint_gap(by_answer: Json, label: str) -> Estimate | None:
    """How many more of the answers `label` users call wrong than of the others; None where too few were judged."""
    inside = by_answer.get(label, {"count": 0, "wrong": 0})
    others = [each for name, each in by_answer.items() if name != label]
    n_others, wrong = sum(each["count"] for each in others), sum(each["wrong"] for each in others)
    if inside["count"] < LEAST_JUDGED or n_others < LEAST_JUDGED:
        return None
    first, second = (np.arange(whole) < part for whole, part in ((inside["count"], inside["wrong"]), (n_others, wrong)))
    return difference(first, second)


def complaints(setting: Setting) -> Iterator[Item]:
    """The answer that users call wrong certainly more often than the others, where most of that is."""
    by_answer = setting.evidence.feedback.get("by_answer", {})
    found = {label: gap for label in by_answer if (gap := complaint_gap(by_answer, label)) is not None}
    z = NormalDist().inv_cdf(1 - LEVEL / 2 / max(len(found), 1)) / 1.959964
    certain = [label for label, gap in found.items()
               if gap.value - z * (gap.value - gap.low) > 0 and by_answer[label]["wrong"] >= LEAST_WRONG]  # fmt: skip
    if not certain:
        return
    label = max(certain, key=lambda name: found[name].value * by_answer[name]["count"])
    gap, judged, whole = found[label], by_answer[label], sum(each["count"] for each in by_answer.values())
    others = sum(each["wrong"] for name, each in by_answer.items() if name != label) / (whole - judged["count"])
    share, rate = judged["count"] / whole, max(exchange(setting.evidence.points), LEAST_EXCHANGE)
    rather = ", ".join(f"{quoted(name)} {number}" for name, number in list(judged["instead"].items())[:3])
    yield item(
        setting,
        id=f"complaints-{label}",
        what=f"Look into the answers {quoted(label)} that users call wrong",
        why=f"{count(judged['wrong'])} of {count(judged['count'])} judged answers {quoted(label)} were wrong "
        f"({percent(judged['wrong'] / judged['count'])}), {percent(others)} of the others"
        + (f"; what users said instead: {rather}" if rather else ""),
        evidence=f"feedback on {count(whole)} answers that nothing was learned from yet",
        method="half of what is wrong more than elsewhere comes right (none to all of it); people judge wrong answers "
        "more often than right ones, so only the comparison counts",
        gain=Estimate(share * gap.value / 2 / rate, 0.0, share * max(gap.high, 0.0) / rate),
        sure="rough",
        how="`windlass improve` learns from what users said; `windlass improve --ask 50` names more answers that are "
        "worth a label",
        hours=2 + judged["wrong"] / 60,
        days=2,
        acceptance=f"answers {quoted(label)} are wrong at most {percent(gap.value / 2)} more often than others",
        until=at_most(f"complaints:{label}", round(gap.value / 2, 4)),
    )


def rules(setting: Setting) -> Iterator[Item]:
    """Plain rules before the model, where they were tried and certainly help."""
    found = setting.evidence.rules
    gain = Estimate(**found["gain"]) if found.get("gain") else None
    if gain is None or gain.low <= 0:
        return
    told = "; ".join(f"{each['words']}: answer {quoted(each['label'])}" for each in found["rules"][:3])
    more = len(found["rules"]) - 3
    yield item(
        setting,
        id="rules",
        what=f"Put {count(len(found['rules']))} plain rules before the model",
        why=f"they held for nearly all training rows ({told}{f'; {more} more' if more > 0 else ''}), and where they "
        f"differ from the model ({count(found['changed'])} validation rows) they are right {count(found['right'])} "
        "times",
        evidence=f"rules from the training rows, tried on the validation rows: {points_of(gain)}",
        method="paired bootstrap of answers with and without the rules",
        gain=gain,
        sure="measured",
        how="Windlass has no rules for labels: ask them in your program before you ask the model; "
        "`.windlass/plan/measured.json` has them all under `rules`",
        hours=6,
        days=1,
        acceptance="a model that has learned them, or rules in your program: they add at most half as much",
        until=at_most("rule_gain", round(gain.value / 2, 4)),
    )


def broken_rules(setting: Setting) -> Iterator[Item]:
    """Texts that break the brand's rules, where more of them do than may."""
    broken = setting.evidence.best.metrics.get("rules_broken")
    allowed = setting.evidence.spec.limits.rules_broken
    if broken is None or broken.value <= (allowed or 0.0):
        return
    yield item(
        setting,
        id="brand-rules",
        what="Hold what is written to the rules of the brand",
        why=f"{percent(broken.value)} [{percent(broken.low)}, {percent(broken.high)}] of the texts break one, "
        f"{percent(allowed or 0.0)} may",
        evidence=f"the rules of `{setting.evidence.spec.brand}` on {count(setting.evidence.board.n_test)} test answers",
        method="none needed: the texts were read by the rules",
        sure="measured",
        benefit=f"up to {percent(broken.value)} of the texts that nobody has to write again",
        how="the report (`.windlass/evaluate/report.html`) shows which; write those training answers again by the "
        "rules, then `windlass run`",
        hours=8,
        days=3,
        acceptance=f"at most {percent(max(allowed or 0.0, broken.value / 2))} of the texts break a rule",
        until=at_most("rules_broken", max(allowed or 0.0, round(broken.value / 2, 4))),
    )


def another_input(setting: Setting) -> Iterator[Item]:
    """Another kind of input, where the goal is missed and even ten times the rows would not reach it."""
    evidence, today = setting.evidence, setting.evidence.today
    if evidence.curve is None or today is None or setting.missing_points <= 0:
        return
    fitted, missing = evidence.n_fitted, setting.missing_points
    if evidence.curve.rows_for(missing / (1 - today.value), fitted, fitted * TIMES) is not None:
        return
    reach = curves.summary(grown(setting, evidence.curve, round((TIMES - 1) * evidence.n_rows)))
    columns = ", ".join(quoted(name) for name in evidence.spec.inputs)
    best = max(evidence.columns, key=lambda each: each["adds"]["value"], default=None)
    known = ""
    if best is not None:
        adds = points_of(Estimate(**best["adds"]))
        known = f"; of the columns that are there, {quoted(best['column'])} adds most: {adds}"
    yield item(
        setting,
        id="input",
        what=f"Give the model another kind of input beside {columns}",
        why=f"the goal lacks {100 * missing:.1f} points, and even ten times the rows bring {points_of(reach)}: what "
        f"decides is not always in {columns}",
        evidence=f"learning curve of {sum(len(each['scores']) for each in evidence.points)} trainings{known}",
        method=CURVE,
        sure="rough",
        benefit=f"at most the {100 * max(missing - max(reach.value, 0.0), 0.0):.1f} points that rows do not bring; how "
        f"much of it, {count(TRIED_ROWS)} rows tell",
        how=f"collect one thing more with {count(TRIED_ROWS)} rows (who asks, which product, what was asked before, a "
        "picture), name it under `inputs:` in windlass.yaml, `windlass run`: the next plan says what it adds",
        cost=TRIED_ROWS * setting.label_cost,
        rows=TRIED_ROWS,
        hours=16,
        days=7 * TRIED_ROWS / setting.product.rows_a_week,
        acceptance=f"{len(evidence.spec.inputs) + 1} input columns, and what the new one adds is known",
        until=at_least("inputs", len(evidence.spec.inputs) + 1),
    )
