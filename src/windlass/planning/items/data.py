"""What can be done about the data: more rows, cleaner labels, weak labels and slices, feedback. Each names its
evidence."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from windlass.kinds.category import slips, variants
from windlass.metrics.measures import Estimate, LabelMarks, confusion, paired_difference, wilson
from windlass.pages.text.classes import class_scores
from windlass.pages.text.roadmap_text import seconds_words
from windlass.pages.text.words import count, percent, quoted, share
from windlass.planning.context import Setting
from windlass.planning.evidence import curves, probing
from windlass.planning.evidence.curves import Point
from windlass.planning.evidence.slices import Slice
from windlass.planning.items.item import REAL, at_least, at_most, forecast, item, points_of
from windlass.planning.schedule.economics import exchange, training_seconds
from windlass.records import Item, Json
from windlass.watching.evidence import LEAST_RIGHT, TESTED, below

STEPS = (1.5, 2.0, 4.0)
MOST_TIMES = 10.0
CURVE = "learning curve: mistakes fall by a power law to a floor, all floors averaged"
CHECK_SHARE, CHECKED_A_MINUTE = 0.05, 2.0
ADDED = "put them beside your data and `windlass run`, or `windlass improve --rows new.csv`"
LEAST_EXCHANGE = 0.2
WEAKEST, LEAST_TEST, LEAST_SAID = 5, 8, 50
UNMEASURED = "none: what it brings is measured by the attempt"
SURE, LEAST_NEW = 0.05, 10
"""p from which on live quality is short of the test; rows of a label that training does not know."""
FEEDBACK_SHARE, FEEDBACK_MONTHS = 0.01, 2
"""Of the answers so many are judged by users, where they are asked: a guess on the low side, to be measured."""


def more_rows(setting: Setting) -> Iterator[Item]:
    """Rows from 1.5 to 4 times today's, and as many as the goal needs."""
    curve, n_rows = setting.evidence.curve, setting.evidence.n_rows
    today = setting.evidence.today
    if curve is None or today is None or "targets" in setting.evidence.board.details:  # lists have items of their own
        return
    wanted = {_round(n_rows * (step - 1)) for step in STEPS}
    if setting.missing_points > 0:
        fitted = setting.evidence.n_fitted
        needed = curve.rows_for(setting.missing_points / (1 - today.value), fitted, fitted * MOST_TIMES)
        wanted |= {_round(n_rows * (needed / fitted - 1))} if needed else set()
    for more in sorted(wanted):
        yield _rows_item(setting, curve, more)


def _round(rows: float) -> int:
    """Two leading digits, upwards: 1,834 becomes 1,900."""
    step = 10 ** max(len(str(int(rows))) - 2, 0)
    return int(-(-rows // step) * step)


def grown(setting: Setting, curve: curves.Curve, more: int) -> np.ndarray:
    """The gain in each draw when so many rows come to those that are there."""
    evidence = setting.evidence
    end = evidence.n_fitted * (1 + more / evidence.n_rows)
    return setting.gains(curve.won(evidence.n_fitted, end))


def effort(setting: Setting, more: int, own_hours: float) -> Json:
    """Cost, hours (own work, and a look at every twentieth row) and days of that many more labelled rows."""
    return {
        "cost": more * setting.label_cost,
        "hours": own_hours + CHECK_SHARE * more / setting.prices.label_rows_hour,
        "days": 7 * more / setting.product.rows_a_week,
        "rows": more,
    }


def labelled(setting: Setting, draws: np.ndarray, more: int, own_hours: float) -> Json:
    """What that many rows to learn from bring and ask for. draws: (n,) of the gain."""
    return {**forecast(draws), **effort(setting, more, own_hours), "how": ADDED, "instead_of": "rows"}


def in_turn(setting: Setting, chosen: Sequence[Item]) -> list[Item]:
    """The chosen items, those that bring rows of all sorts with what each brings after the ones before it: one learning
    curve is climbed once."""
    curve, found, came = setting.evidence.curve, list(chosen), 0
    riding = [place for place, item in enumerate(found) if _rows_brought(setting, item)]
    if curve is None or len(riding) < 2:
        return found
    for place in riding:
        more = _rows_brought(setting, found[place])
        draws = grown(setting, curve, came + more) - grown(setting, curve, came)
        gain = curves.summary(draws)
        chance = None if found[place].chance is None else float((draws >= REAL).mean())
        why = found[place].why + f"; counted after the {count(came)} rows of what comes before" * (came > 0)
        found[place] = replace(found[place], gain=gain, money=setting.worth.money(gain), chance=chance, why=why)
        came += more
    return found


def _rows_brought(setting: Setting, item: Item) -> int:
    """Rows of all sorts that an item brings, by which its gain was told; 0 for others."""
    if item.id.startswith("rows-"):
        return item.rows
    return {"feedback": int(item.bound), "learn": setting.evidence.feedback["unused"]}.get(item.id, 0)


def _rows_item(setting: Setting, curve: curves.Curve, more: int) -> Item:
    evidence = setting.evidence
    bought, total = labelled(setting, grown(setting, curve, more), more, 2), evidence.n_rows + more
    first, last = evidence.points[0], evidence.points[-1]
    seconds = training_seconds(evidence.points, total)
    rose = (
        f"with {count(first['rows'])} rows the score was {share(np.mean(first['scores']))}, with "
        f"{count(last['rows'])} it was {share(np.mean(last['scores']))} (validation rows)"
    )
    return item(
        setting,
        id=f"rows-{total}",
        what=f"Get {count(more)} more labelled rows ({count(total)} in all)",
        why=rose + (", and it is still rising" if bought["gain"].value >= REAL else ": it has nearly stopped rising"),
        evidence=f"{sum(len(each['scores']) for each in evidence.points)} trainings of '{evidence.learner}' on "
        f"{len(evidence.points)} sizes; one training with {count(total)} rows will take {seconds_words(seconds)}",
        method=CURVE,
        **bought,
        acceptance=f"{count(total)} rows to learn from",
        until=at_least("learn_rows", total),
    )


def merged_labels(setting: Setting) -> Iterator[Item]:
    """One label where there are two: what a slip of the pen, case or spaces made another one."""
    evidence, marks = setting.evidence, setting.evidence.marks
    if marks is None:
        return
    counts = {name: found for name, found in evidence.prepared.labels.get("train", {}).items() if name in marks.labels}
    merge = {**slips(counts), **variants(counts)}
    if not merge:
        return
    named = [f"{quoted(name)} into {quoted(into)}" for name, into in list(merge.items())[:WEAKEST]]
    gain = paired_difference(evidence.metric, _as_one(marks, merge), marks, evidence.spec.seed)
    rows = sum(counts[name] for name in merge)
    yield item(
        setting,
        id="merge-labels",
        what=f"Merge {', '.join(named)}" + (f" and {count(len(merge) - len(named))} more" * (len(merge) > len(named))),
        why=f"{count(rows)} training rows have a label that is probably another one written differently; nothing has "
        "to be labelled for it",
        evidence=f"names and rows of the {count(len(counts))} labels, and the {count(len(marks))} test answers",
        method="the same answers, counted with these labels as one",
        gain=gain,
        sure="measured",
        how="`labels: {merge: {'" + "', '".join(f"{name}': '{into}" for name, into in merge.items()) + "'}}` in "
        "windlass.yaml, then `windlass run`",
        hours=0.5,
        days=0,
        acceptance="no two labels that are one",
        until=at_most("label_variants", 0),
    )


def _as_one(marks: LabelMarks, merge: dict[str, str]) -> LabelMarks:
    """The same answers where some labels are others."""
    kept = [name for name in marks.labels if name not in merge]
    places = [kept.index(merge.get(name, name)) for name in marks.labels]
    probabilities = np.zeros((len(marks), len(kept)))
    for number, place in enumerate(places):
        probabilities[:, place] += marks.probabilities[:, number]
    positive = places[marks.positive]
    return LabelMarks(np.array(places)[marks.targets], probabilities, positive, tuple(kept))


def cleaner_labels(setting: Setting) -> Iterator[Item]:
    """Reading the labels that are doubted, where leaving them out was seen to help."""
    doubts = setting.evidence.doubts
    gain = Estimate(**doubts["gain"]) if doubts.get("gain") else None
    if not doubts.get("count") or gain is None or gain.value <= 0:
        return
    n_doubted, part = doubts["count"], Estimate(**doubts["share"])
    most = ", ".join(f"{quoted(name)} {number}" for name, number in list(doubts["by_label"].items())[:3])
    yield item(
        setting,
        id="labels",
        what=f"Read the {count(n_doubted)} training rows whose label looks wrong, and mend those that are",
        why=f"models that had not seen them are sure of another label for {percent(part.value)} of the rows (most: "
        f"{most}); leaving them out already changed the score by {points_of(gain)}",
        evidence="three-fold check of every training label, and one training without the doubted rows",
        method="confident learning; gain as measured on validation rows without the doubted rows",
        gain=gain,
        sure="measured",
        how="`.windlass/plan/measured.json` names the first of them under `doubts`; mend them in your data, then "
        "`windlass run`",
        hours=1 + n_doubted / CHECKED_A_MINUTE / 60,
        days=1,
        acceptance=f"at most {count(n_doubted // 2)} doubted labels in the next plan",
        until=at_most("doubted_labels", n_doubted // 2),
    )


def weak_labels(setting: Setting) -> Iterator[Item]:
    """More rows for the labels that are found worst, where the metric counts each label the same."""
    evidence, marks = setting.evidence, setting.evidence.marks
    if marks is None or not evidence.metric.startswith("macro") or len(marks.labels) < 4:
        return
    table = confusion(marks.targets, marks.answers, len(marks.labels))
    scores = [score for score in class_scores(table, list(marks.labels)) if score.rows >= LEAST_TEST]
    usual = float(np.median([score.f1.value for score in scores])) if scores else 0.0
    weak = sorted((score for score in scores if score.f1.high < usual), key=lambda score: score.f1.value)[:WEAKEST]
    names = [score.label for score in weak]
    counts = evidence.prepared.labels["train"]
    if not weak or not all(name in point["classes"] for point in evidence.points for name in names):
        return
    have = float(np.mean([counts.get(name, 0) for name in names]))
    target = _round(max(2 * have, float(np.median(list(counts.values())))))
    more = sum(max(target - counts.get(name, 0), 0) for name in names)
    curve = _class_curve(setting, names, have)
    if curve is None or more == 0:
        return
    missed = float(np.mean([1 - score.f1.value for score in weak]))
    draws = curve.won(have, target) * missed * len(names) / len(marks.labels)
    told = ", ".join(f"{quoted(score.label)} {share(score.f1.value)}" for score in weak)
    yield item(
        setting,
        id="weak-labels",
        what=f"Get {count(more)} more rows of the weakest labels: {', '.join(quoted(name) for name in names)} (up to "
        f"{count(target)} each)",
        why=f"they are told apart worst (F1: {told}; the label in the middle has {share(usual)}), and in this metric "
        "each label counts the same",
        evidence=f"F1 of each label on {count(len(marks))} test rows, and how it grew with their rows on validation "
        "rows",
        method="learning curve of these labels alone; what other labels may lose is not counted",
        **labelled(setting, draws, more, 3),
        acceptance=f"{count(target)} training rows of each of them; F1 of each at least {share(usual)}",
        until=at_least(f"least_rows:{'|'.join(names)}", target),
    )


def _class_curve(setting: Setting, names: list[str], have: float) -> curves.Curve | None:
    points = setting.evidence.points
    if len(points) < curves.LEAST_POINTS:
        return None
    whole = points[-1]["rows"]
    errors = [point.error for point in probing.points(points)]
    spread = (setting.n_labels / len(names)) ** 0.5  # fewer labels in the mean, more noise in it
    found = [
        Point(max(1, round(have * each["rows"] / whole)), float(np.mean([each["classes"][name] for name in names])),
              error * spread + 0.01)
        for each, error in zip(points, errors, strict=True)
    ]  # fmt: skip
    return curves.fit(found, setting.evidence.spec.seed) if len({point.rows for point in found}) >= 3 else None


def weak_part(setting: Setting) -> Iterator[Item]:
    """More rows of the part where most wrong answers could be won, if that part was seen to learn from more rows."""
    evidence = setting.evidence
    for each in setting.weak:
        curve = _part_curve(setting, each)
        if curve is None:
            continue
        inside = each.share * evidence.n_rows
        more = _round(max(inside, 50))
        draws = each.share * each.wrong.value * curve.won(inside, inside + more)
        if np.median(draws) < REAL:
            continue
        rate = exchange(evidence.points)
        gain = curves.summary(draws / rate) if rate > LEAST_EXCHANGE else None
        yield item(
            setting,
            id=f"part-{_slug(each.words)}",
            what=f"Get {count(more)} more labelled rows where {each.words}",
            why=f"{percent(each.wrong.value)} of the answers there are wrong, {percent(each.rest)} of the others; "
            f"{percent(each.share)} of all rows are of this sort",
            evidence=f"{count(each.rows)} such test rows, difference {percent(each.gap.value)} "
            f"[{percent(each.gap.low)}, {percent(each.gap.high)}], certain after correcting for all parts looked at",
            method="learning curve of this part alone",
            **labelled(setting, draws, more, 3) | {"gain": gain},
            acceptance=f"at most {percent(each.gap.value / 2)} more wrong answers there than elsewhere",
            until=at_most(f"gap:{each.words}", round(each.gap.value / 2, 4)),
        )
        return


def _part_curve(setting: Setting, each: Slice) -> curves.Curve | None:
    """How the share of right answers in this part grew with its rows."""
    points = setting.evidence.points
    if len(points) < curves.LEAST_POINTS or not all(each.words in point["parts"] for point in points):
        return None
    validation = sum(setting.evidence.validation["counts"].values())
    found = []
    for point in points:
        right = point["parts"][each.words]
        trained = max(len(point["scores"]), 1)
        error = (max(right * (1 - right), 0.01) / max(each.share * validation, 1) / trained) ** 0.5
        found.append(Point(max(1, round(each.share * point["rows"])), right, error))
    return curves.fit(found, setting.evidence.spec.seed) if len({point.rows for point in found}) >= 3 else None


def _slug(words: str) -> str:
    return "-".join("".join(sign if sign.isalnum() else " " for sign in words.lower()).split())[:48]


def live_quality(setting: Setting) -> Estimate | None:
    """The share of right answers by feedback on the champion where it certainly falls short of the test; else None."""
    said, tested, health = setting.evidence.feedback, setting.evidence.accuracy, setting.evidence.health
    right, wrong = said.get("live_right", 0), said.get("live_wrong", 0)
    if tested is None or not right + wrong:
        return None
    is_told = any((alarm.name, alarm.subject) == ("quality", TESTED) for alarm in (health.alarms if health else []))
    is_short = right >= LEAST_RIGHT and below(right, right + wrong, tested) <= SURE
    return wilson(right, right + wrong) if is_told or is_short else None


def feedback(setting: Setting) -> Iterator[Item]:
    """Learning from what users said; or asking them."""
    evidence, live = setting.evidence, live_quality(setting)
    n_said, unused = evidence.feedback["count"], evidence.feedback["unused"]
    if (
        unused
        and not evidence.is_world_changed
        and (live is not None or (evidence.curve is not None and unused >= LEAST_SAID))
    ):
        yield _learn(setting, unused, live)
    yield from _new_labels(setting)
    if n_said >= LEAST_SAID or evidence.curve is None:
        return
    expected = int(FEEDBACK_SHARE * setting.product.month * FEEDBACK_MONTHS)
    if expected < 20:
        return
    gain = curves.summary(grown(setting, evidence.curve, expected))
    if gain.value < REAL:
        return
    yield item(
        setting,
        id="feedback",
        what="Ask users “was this right?” at the answer, and let `windlass improve` learn from what they say",
        why=f"{count(n_said) if n_said else 'none'} of the answers was judged so far; at "
        f"{count(setting.product.requests_a_day)} answers a day, one in a hundred judged gives about "
        f"{count(expected)} labelled rows in {FEEDBACK_MONTHS} months at no labelling cost",
        evidence="feedback in the request log, and the learning curve",
        method=f"{CURVE}; the share of judged answers is a guess",
        gain=gain,
        sure="rough",
        how="the service's page has the buttons; a program of your own posts to `/v1/feedback`",
        hours=8,
        days=FEEDBACK_MONTHS * 30,
        acceptance=f"{count(expected)} judged answers",
        until=at_least("feedback", expected),
    )


def _learn(setting: Setting, n_said: int, live: Estimate | None) -> Item:
    """n_said: answers that were judged, and not learned from yet. live: the share of right ones, where it is low."""
    evidence = setting.evidence
    gain = None if evidence.curve is None else curves.summary(grown(setting, evidence.curve, n_said))
    wrong, tested = evidence.feedback["unused_wrong"], evidence.accuracy
    short = ""
    if live is not None and tested is not None:
        short = (
            f"users call {percent(live.value)} [{percent(live.low)}, {percent(live.high)}] of the answers right, "
            f"tested were {percent(tested.value)}; "
        )
    can_teach = "" if evidence.spec.keep_inputs else "`keep_inputs: true` lets feedback teach; "
    return item(
        setting,
        id="learn",
        what=f"Run `windlass improve`: learn from the {count(n_said)} judged answers that nothing was learned from yet",
        why=f"{short}{count(wrong)} of them ({percent(wrong / n_said)}) were wrong; each is a labelled row that is "
        "there already",
        evidence="feedback in the request log" + (", and the learning curve" if gain else ""),
        method=f"{CURVE}; of rows like those of the test" if gain else UNMEASURED,
        gain=gain,
        sure="forecast" if gain else "rough",
        benefit="" if gain else "right answers to what is asked now",
        how=f"{can_teach}`windlass improve`; `windlass improve --doubts` shows what it set aside",
        hours=2,
        days=1,
        acceptance="a challenger learned from them was judged on the test rows",
        until=at_least("improvements", len(evidence.improvements) + 1),
        instead_of="learn",
    )


def _new_labels(setting: Setting) -> Iterator[Item]:
    """Labels that users give again and again and training does not know, where nothing lets them be learned."""
    evidence = setting.evidence
    often = {name: n_rows for name, n_rows in evidence.feedback.get("new", {}).items() if n_rows >= LEAST_NEW}
    if not often or evidence.spec.improve.new_labels:
        return
    told = ", ".join(f"{quoted(name)} {count(n_rows)} times" for name, n_rows in list(often.items())[:WEAKEST])
    yield item(
        setting,
        id="new-labels",
        what=f"Let `windlass improve` learn what users call {', '.join(map(quoted, list(often)[:WEAKEST]))}",
        why=f"users said {told}, which training does not know: no answer can be that, and such feedback is set aside",
        evidence="feedback in the request log, on answers of the champion",
        method=UNMEASURED,
        sure="fact",
        benefit=f"{count(sum(often.values()))} answers of this sort that cannot be right today",
        how=f"`improve: {{new_labels: {LEAST_NEW}}}` in windlass.yaml, then `windlass improve`",
        hours=1,
        days=1,
        acceptance="windlass.yaml says from how many rows on a new label is learned",
        until=at_least("new_labels", 1),
    )
