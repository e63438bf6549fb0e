"""From evidence, product and prices to a roadmap: gaps, what to do by when, risks, milestones, figures."""

import math
import re
from dataclasses import dataclass, replace
from datetime import date, timedelta

from windlass.metrics.measures import LOWER, Estimate
from windlass.pages.text.words import METRIC_MEANINGS, amount, count, measure, metric_name, number, percent, share
from windlass.planning.context import Setting
from windlass.planning.drawing.risks import risks
from windlass.planning.items.data import in_turn, live_quality
from windlass.planning.items.machines import closing, few, machines_words
from windlass.planning.items.models import more_test_rows
from windlass.planning.items.table import proposals
from windlass.planning.product import assumptions
from windlass.planning.schedule.choosing import Bounds, choose, together, why_left_out
from windlass.planning.schedule.economics import training_seconds
from windlass.planning.schedule.handover import coverage
from windlass.planning.schedule.scheduling import dated
from windlass.records import Item, Json, Roadmap

HALF_A_YEAR = 183
CERTAINTY = 0.1
"""Of the budget, for rows that make nothing better."""
N_CURVE = 24
LIMITS = (("latency_p95_ms", "ms", "slow answers (p95)"), ("size_mb", "MB", "size"))


@dataclass(frozen=True)
class Frame:
    """When the plan is made, where its prices are from, and its key in the store."""

    made: date
    prices_from: str
    key: str = ""


def draw(setting: Setting, frame: Frame) -> Roadmap:
    """The roadmap. The same evidence, product, prices and day give the same one."""
    gaps = _gaps(setting)
    bounds = _bounds(setting, frame.made)
    found = proposals(setting)
    chosen = dated(in_turn(setting, choose(found, bounds)), setting.product.hours_a_week, frame.made)
    taken = {item.id for item in chosen}
    left = [_left_out(setting, item, chosen, bounds) for item in found if item.id not in taken]
    evidence = setting.evidence
    return Roadmap(
        product=evidence.spec.name,
        made=frame.made.isoformat(),
        currency=setting.product.currency,
        headline=evidence.metric,
        today=evidence.today,
        goal=setting.goal,
        candidate=evidence.best.name,
        summary=_summary(setting, chosen, bounds, gaps),
        gaps=gaps,
        items=[*chosen, *left],
        milestones=_milestones(setting, chosen),
        risks=risks(setting),
        curve=_curve(setting),
        handover=_handover(setting),
        service=_service(setting),
        money=_money(setting, chosen),
        assumptions=assumptions(setting.product, setting.prices, frame.prices_from),
        missing=evidence.missing + _not_tried(setting),
        promises={},
        key=frame.key,
    )


def _bounds(setting: Setting, made: date) -> Bounds:
    product, today = setting.product, setting.evidence.today
    end = product.deadline or made + timedelta(days=HALF_A_YEAR)
    headroom = 1 - today.value if today is not None and setting.evidence.metric not in LOWER else 0.0
    missing = setting.missing_points
    uncertain = today is not None and setting.goal is not None and today.low < setting.goal < today.high
    certainty = 1.0 if uncertain and _is_cheap(setting) else 0.0
    closes = {"test-rows": certainty, "retrain": 1.0, "watch": 1.0, "keep-days": 1.0}
    closes |= {f"fair-{each.column}": 1.0 for each in setting.unequal}
    closes |= {"new-labels": 1.0} | ({"learn": 1.0} if live_quality(setting) is not None else {})
    closes |= closing(setting) | {"brand-rules": 1.0, "input": 0.25}
    return Bounds(product.budget, product.hours_a_week, (end - made).days, product.hour_cost, headroom, missing, closes)


def _is_cheap(setting: Setting) -> bool:
    """Certainty whether the goal is met takes a small part of the budget."""
    return all(item.cost <= CERTAINTY * setting.product.budget for item in more_test_rows(setting))


def _left_out(setting: Setting, item: Item, chosen: list[Item], bounds: Bounds) -> Item:
    def words(amount: float) -> str:
        return f"{setting.product.currency} {amount:,.0f}"

    return replace(item, left_out=why_left_out(item, chosen, bounds, words))


def _gaps(setting: Setting) -> list[Json]:
    """What stands between today and what was asked for; `state` is met, unsure or missed."""
    evidence, today = setting.evidence, setting.evidence.today
    found = []
    if today is not None and setting.goal is not None:
        found.append(_goal_gap(setting, today, setting.goal))
    for key, unit, name in LIMITS:
        limit, value = number(evidence.board.limits.get(key)), getattr(evidence.best, key)
        if limit is not None:
            found.append(_gap(name, measure(value, unit), f"at most {limit:g} {unit}", value <= limit))
    found.append(
        _gap(
            "traffic at the peak",
            f"{count(setting.carried)} answers a second ({machines_words(setting)})",
            f"{few(setting.product.peak)} in the busiest second, which may take 60 % of that",
            setting.carried >= setting.asked_for,
        )
    )
    health = evidence.health
    if health is not None and health.measured is not None and evidence.accuracy is not None:
        live = health.measured
        found.append(
            _gap(
                "live quality",
                f"{percent(live.value)} right [{percent(live.low)}, {percent(live.high)}]",
                f"as tested: {percent(evidence.accuracy.value)}",
                live.high >= evidence.accuracy.value,
            )
        )
    if health is None and evidence.released is not None:
        found.append(_gap("watched", "nobody looks", "`windlass watch` every day", False))
    if evidence.spec.keep_inputs and evidence.spec.keep_days is None:
        found.append(_gap("what users send", "kept for ever", "kept as long as users were told", False))
    for each in setting.unequal:
        found.append(
            _gap(f"groups of '{each.column}' alike", f"{percent(each.gap.value)} apart", "no certain difference", False)
        )
    return found


def _gap(name: str, today: str, goal: str, is_met: bool) -> Json:
    return {"name": name, "today": today, "goal": goal, "state": "met" if is_met else "missed"}


def _goal_gap(setting: Setting, today: Estimate, goal: float) -> Json:
    lower = setting.evidence.metric in LOWER
    met = today.value <= goal if lower else today.value >= goal
    found = _gap(
        metric_name(setting.evidence.metric),
        f"{share(today.value)} [{share(today.low)}, {share(today.high)}]",
        f"at {'most' if lower else 'least'} {goal:g}",
        met,
    )
    return {**found, "state": "unsure"} if today.low < goal < today.high else found


def expected(setting: Setting, items: list[Item]) -> Estimate | None:
    """The score after these items: gains are taken together; today's uncertainty, as far as it is left, and theirs are
    independent."""
    today = setting.evidence.today
    if today is None:
        return None
    gains = [item.gain for item in items if item.gain is not None and item.gain.value > 0]
    room = max(1 - today.value, 1e-9)
    whole = together([gain.value for gain in gains], room)
    left = 1 - whole / room
    below = sum((gain.value - gain.low) ** 2 for gain in gains) + (left * (today.value - today.low)) ** 2
    above = sum((gain.high - gain.value) ** 2 for gain in gains) + (left * (today.high - today.value)) ** 2
    value = today.value + whole
    return Estimate(value, max(value - below**0.5, 0.0), min(value + above**0.5, 1.0))


def _milestones(setting: Setting, chosen: list[Item]) -> list[Json]:
    """The days on which something is finished, with the number that has to be there."""
    found, done = [], []
    for item in sorted(chosen, key=lambda item: (item.finishes, item.id)):
        done.append(item)
        score = expected(setting, done) if item.gain is not None and item.gain.value > 0 else None
        words = item.acceptance
        found.append(
            {
                "date": item.finishes,
                "item": item.id,
                "words": words,
                "score": None if score is None else round(score.value, 4),
                "least": None if score is None else round(score.low, 4),
            }
        )
    return found


def _summary(setting: Setting, chosen: list[Item], bounds: Bounds, gaps: list[Json]) -> list[str]:
    """The plan in a few plain sentences."""
    evidence, today = setting.evidence, setting.evidence.today
    name, currency = metric_name(evidence.metric), setting.product.currency
    lines = []
    if today is not None:
        lines.append(
            f"Today: {name} {share(today.value)} [{share(today.low)}, {share(today.high)}] with the model "
            f"'{evidence.best.name}'{_against_goal(today, setting)}."
        )
    if evidence.metric in METRIC_MEANINGS:
        begun = name[0].upper() + name[1:]
        lines.append(
            f"{begun} is {METRIC_MEANINGS[evidence.metric]}. A point is a hundredth of it; "
            "brackets hold the truth in 95 of 100 cases."
        )
    missed = [f"{gap['name']} ({gap['today']}, wanted {gap['goal']})" for gap in gaps
              if gap["state"] == "missed" and gap["name"] != name]  # fmt: skip
    if missed:
        lines.append(f"Not as it was asked for: {'; '.join(missed)}.")
    if not chosen:
        return [*lines, "Nothing that could be done is worth its cost: leave it as it is, and watch it."]
    cost, hours = sum(item.cost for item in chosen), sum(item.hours for item in chosen)
    lines.append(
        f"The plan: {len(chosen)} thing{'s' * (len(chosen) != 1)} to do, {amount(cost, currency)} and {hours:,.0f} "
        f"hours of your team, done by {max(item.finishes for item in chosen)}."
    )
    after = expected(setting, chosen)
    if after is not None and today is not None and after.value > today.value + 0.0005:
        lines.append(f"Afterwards: {name} about {share(after.value)} [{share(after.low)}, {share(after.high)}].")
    earned = _a_month(chosen)
    if earned:
        lines.append(
            f"Worth: about {amount(earned.value, currency)} a month [{earned.low:,.0f}, {earned.high:,.0f}], as your "
            "figures under “What this rests on” value answers."
        )
    if bounds.missing > 0 and after is not None and setting.goal is not None and after.value < setting.goal:
        lines.append(f"The goal {setting.goal:g} is still missed then: ask for less, or find another kind of input.")
    return lines


def _against_goal(today: Estimate, setting: Setting) -> str:
    goal = setting.goal
    if goal is None or setting.evidence.metric in LOWER:
        return ""
    if today.low >= goal:
        return f"; the goal {goal:g} is met for certain"
    if today.value >= goal:
        return f"; the goal {goal:g} is met, though not for certain"
    return f"; the goal {goal:g} is missed" + (" for certain" if today.high < goal else ", though not for certain")


def _a_month(chosen: list[Item]) -> Estimate | None:
    """What the chosen items earn a month together, uncertainties as independent."""
    found = [item.money for item in chosen if item.money is not None]
    if not found:
        return None
    value = sum(each.value for each in found)
    below = sum((each.value - each.low) ** 2 for each in found) ** 0.5
    above = sum((each.high - each.value) ** 2 for each in found) ** 0.5
    return Estimate(value, value - below, value + above)


def _curve(setting: Setting) -> Json:
    """What the picture of the learning curve draws."""
    evidence = setting.evidence
    if evidence.curve is None:
        return {}
    first, last = evidence.points[0]["rows"], 4 * max(evidence.n_fitted, evidence.points[-1]["rows"])
    places = [first * (last / first) ** (step / N_CURVE) for step in range(N_CURVE + 1)]
    band = [(rows, evidence.curve.score(rows)) for rows in places]
    return {
        "learner": evidence.learner,
        "metric": evidence.metric,
        "points": [{"rows": each["rows"], "scores": each["scores"]} for each in evidence.points],
        "band": [{"rows": round(rows), "value": each.value, "low": each.low, "high": each.high} for rows, each in band],
        "today": evidence.n_fitted,
        "goal": setting.goal,
    }


def _handover(setting: Setting) -> Json:
    marks, found = setting.evidence.marks, setting.handover
    if marks is None or found is None:
        return {}
    return {"points": coverage(marks), "handed": found.handed, "threshold": found.threshold}


def _service(setting: Setting) -> Json:
    found, month = setting.running(setting.evidence.best)
    seconds = training_seconds(setting.evidence.points, 2 * setting.evidence.n_rows)
    return {
        "answers_a_second": found.answers_a_second,
        "request_s": setting.seconds_of(setting.evidence.best),
        "measured": setting.evidence.request_s is not None,
        "cores": found.cores,
        "carried": setting.carried,
        "peak": setting.product.peak,
        "machines": found.machines,
        "used": found.used,
        "wait_ms": found.wait_ms,
        "machines_month": month,
        "training_seconds_double": seconds,
        "training_cost_double": seconds / 3600 * setting.prices.training_hour,
    }


def _money(setting: Setting, chosen: list[Item]) -> Json:
    """Own against API, and for how long the budget lasts after the plan."""
    found = setting.comparison
    cost = sum(item.cost for item in chosen)
    left = setting.product.budget - cost
    earned = _a_month(chosen)
    return {
        "own": found.own,
        "machines": found.machines,
        "upkeep": found.upkeep,
        "api": vars(found.api),
        "api_thousand": vars(found.api_thousand),
        "own_thousand": 1_000 * found.own / setting.product.month,
        "machine_thousand": 1_000 * found.machines / setting.product.month,
        "busy_thousand": found.busy_thousand,
        "even": _finite(found.even),
        "even_machines": _finite(found.even_machines),
        "user_month": found.own / setting.product.users if setting.product.users else None,
        "month": setting.worth.month,
        "cost": cost,
        "hours": sum(item.hours for item in chosen),
        "left": left,
        "runway_months": left / found.own if found.own else None,
        "earned_month": vars(earned) if earned else None,
    }


def _finite(estimate: Estimate) -> Json:
    """Null for what is infinite: there is no break-even."""
    return {name: value if math.isfinite(value) else None for name, value in vars(estimate).items()}


def _not_tried(setting: Setting) -> list[Json]:
    """Candidates that were not trained: what they would score is not known."""
    found = []
    for each in setting.evidence.board.not_trained:
        how = "more `minutes:` in windlass.yaml" if each["status"] == "out of time" else each["reason"]
        found.append({"what": f"candidate '{each['name']}'", "command": how})
    return found


UNTOLD = "whether it is worth its cost depends on your own figures"
MONEY = frozenset({"currency", "right_value", "wrong_cost", "wrong_costs", "person_wrong", "case_minutes", "budget",
                   "hour_cost", "label_cost", "api_thousand", "upkeep_hours"})  # fmt: skip


def unpriced(roadmap: Roadmap) -> Roadmap:
    """The roadmap without a word of money, while nobody has said what an answer, an hour or a label is worth: amounts
    by figures of the package would be read as the user's own."""
    amounts = re.compile(rf"(?<!\w){re.escape(roadmap.currency)} ?\d[\d,.]*")

    def tells(*texts: str) -> bool:
        return any(amounts.search(text) for text in texts)

    kept = [each for each in roadmap.items if not tells(each.what, each.why, each.evidence, each.acceptance, each.how)]
    names = {each.id for each in kept}
    items = [
        replace(each, money=None, cost=0.0, monthly=0.0, after=tuple(name for name in each.after if name in names),
                left_out=UNTOLD if tells(each.left_out) else each.left_out)
        for each in kept
    ]  # fmt: skip
    summary = [re.sub(rf"{amounts.pattern} and ", "", line) for line in roadmap.summary]
    return replace(
        roadmap,
        currency="",
        summary=[line for line in summary if not tells(line)],
        gaps=[each for each in roadmap.gaps if not tells(*map(str, each.values()))],
        items=items,
        milestones=[each for each in roadmap.milestones if not tells(*map(str, each.values()))],
        risks=[each for each in roadmap.risks if not tells(each.evidence, each.answer)],
        handover={},
        money={},
        assumptions=[each for each in roadmap.assumptions
                     if each["name"] not in MONEY and not each["source"].startswith("prices")],
        changes=[each for each in roadmap.changes if not tells(each)],
    )  # fmt: skip
