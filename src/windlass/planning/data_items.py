"""What can be done about the data: more rows, cleaner labels, weak labels and slices, feedback. Each names its
evidence."""

from collections.abc import Iterator
from statistics import NormalDist

import numpy as np

from windlass.metrics import Estimate, confusion
from windlass.pages.classes import class_scores
from windlass.pages.words import count, metric_name, percent, quoted, share
from windlass.planning import curves, probing
from windlass.planning.curves import Point
from windlass.planning.setting import Setting, item, points_of
from windlass.planning.worth import training_seconds
from windlass.records import Item

STEPS = (1.5, 2.0, 4.0)
MOST_TIMES = 10.0
CURVE = "learning curve (power law, logarithm and exponential, averaged)"
CHECK_SHARE, CHECKED_A_MINUTE = 0.05, 2.0
REAL = 0.005
"""A gain that counts: half a point."""
WEAKEST, LEAST_TEST = 5, 8
FEEDBACK_SHARE, FEEDBACK_MONTHS = 0.01, 2
"""Of the answers so many are judged by users, where they are asked: a guess on the low side, to be measured."""


def more_rows(setting: Setting) -> Iterator[Item]:
    """Rows from 1.5 to 4 times today's, and as many as the goal needs."""
    curve, n_train = setting.evidence.curve, setting.evidence.n_train
    if curve is None:
        return
    wanted = {_round(n_train * step) for step in STEPS}
    if setting.missing_points > 0:
        needed, _ = curve.rows_for(setting.missing_points, n_train, n_train * MOST_TIMES)
        wanted |= {_round(needed)} if needed else set()
    for rows in sorted(wanted):
        yield _rows_item(setting, curve, rows)


def _round(rows: float) -> int:
    """Two leading digits, upwards: 1,834 becomes 1,900."""
    step = 10 ** max(len(str(int(rows))) - 2, 0)
    return int(-(-rows // step) * step)


def _rows_item(setting: Setting, curve: curves.Curve, rows: int) -> Item:
    evidence = setting.evidence
    more, gain = rows - evidence.n_train, curve.gain(evidence.n_train, rows)
    draws = curve.draws(rows) - curve.draws(evidence.n_train)
    first, last = evidence.points[0], evidence.points[-1]
    seconds = training_seconds(evidence.points, rows)
    return item(
        setting,
        id=f"rows-{rows}",
        what=f"Collect and label {count(more)} more rows, {count(rows)} in all for training",
        why=f"{metric_name(evidence.metric)} rose from {share(np.mean(first['scores']))} with "
        f"{count(first['rows'])} rows "
        f"to {share(np.mean(last['scores']))} with {count(last['rows'])}, and the curve has not gone flat"
        if gain.value >= REAL
        else f"the learning curve is nearly flat at {count(last['rows'])} rows: more of the same brings little",
        evidence=f"{len(evidence.points)} sizes, {sum(len(each['scores']) for each in evidence.points)} trainings of "
        f"'{evidence.learner}' on validation rows; one with {count(rows)} rows will take about {seconds:.0f} s",
        method=CURVE,
        gain=gain,
        chance=float((draws >= REAL).mean()),
        sure="forecast",
        cost=more * setting.label_cost,
        hours=2 + (CHECK_SHARE * more if setting.label_cost else more) / setting.prices.label_rows_hour,
        days=7 * more / setting.product.rows_a_week,
        acceptance=f"{count(rows)} training rows, and {metric_name(evidence.metric)} up by about {points_of(gain)}",
        measure="train_rows",
        bound=float(rows),
        instead_of="rows",
    )


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
        why=f"models that had not seen them are sure of another label for {percent(part.value)} of the rows "
        f"(most: {most}); leaving them out already changed the score by {points_of(gain)}",
        evidence="three-fold check of every training label, and one training without the doubted rows",
        method="confident learning; gain as measured on validation rows without the doubted rows",
        gain=gain,
        chance=chance_of(gain),
        sure="measured",
        cost=0.0,
        hours=1 + n_doubted / CHECKED_A_MINUTE / 60,
        days=1,
        acceptance=f"at most {count(n_doubted // 2)} doubted labels in the next plan",
        measure="doubted_labels",
        bound=float(n_doubted // 2),
        at_most=True,
    )


def chance_of(gain: Estimate) -> float:
    """That a gain with this interval is above 0, if it is spread normally."""
    spread = max((gain.high - gain.low) / 3.92, 1e-9)
    return 1 - NormalDist(gain.value, spread).cdf(0.0)


def weak_labels(setting: Setting) -> Iterator[Item]:
    """More rows for the labels that are found worst, where the metric counts each label the same."""
    evidence, marks = setting.evidence, setting.evidence.marks
    if marks is None or not evidence.metric.startswith("macro") or len(marks.labels) < 4:
        return
    table = confusion(marks.targets, marks.probabilities.argmax(1), len(marks.labels))
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
    part = len(names) / len(marks.labels)
    draws = part * (curve.draws(target) - curve.draws(have))
    gain = curves.summary(draws)
    told = ", ".join(f"{quoted(score.label)} {share(score.f1.value)}" for score in weak)
    yield item(
        setting,
        id="weak-labels",
        what=f"Collect {count(more)} more rows for {', '.join(quoted(name) for name in names)}: {count(target)} each",
        why=f"they are found worst (F1: {told}; the middle label has {share(usual)}), and each label counts the same",
        evidence=f"F1 of each label on {count(len(marks))} test rows; how it grew with the rows on validation rows",
        method="learning curve of these labels alone; what other labels lose is not counted",
        gain=gain,
        chance=float((draws >= REAL / 2).mean()),
        sure="forecast",
        cost=more * setting.label_cost,
        hours=3 + (CHECK_SHARE * more if setting.label_cost else more) / setting.prices.label_rows_hour,
        days=7 * more / setting.product.rows_a_week,
        acceptance=f"{count(target)} training rows for each of them",
        measure=f"least_rows:{'|'.join(names)}",
        bound=float(target),
        instead_of="rows",
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
    """The part of the rows where most wrong answers could be won."""
    found = setting.weak[:1]
    for each in found:
        evidence = setting.evidence
        inside = round(each.share * evidence.n_train)
        more = _round(max(inside, 50))
        won = each.share * each.gap.value / max(setting.worth.exchange, 0.2)
        gain = Estimate(won / 2, 0.0, won)
        yield item(
            setting,
            id=f"part-{_slug(each.words)}",
            what=f"Collect {count(more)} more rows where {each.words}",
            why=f"{percent(each.wrong.value)} of the answers there are wrong, {percent(each.rest)} of the others; "
            f"{percent(each.share)} of all rows are of this sort",
            evidence=f"{count(each.rows)} such test rows; difference {percent(each.gap.value)} "
            f"[{percent(each.gap.low)}, {percent(each.gap.high)}], certain after correcting for all parts looked at",
            method="rule of thumb: about twice the rows there close half of the difference (none to all of it)",
            gain=gain,
            chance=None,
            sure="rough",
            cost=more * setting.label_cost,
            hours=3 + (CHECK_SHARE * more if setting.label_cost else more) / setting.prices.label_rows_hour,
            days=7 * more / setting.product.rows_a_week,
            acceptance=f"no certain difference between rows where {each.words} and the others",
            measure=f"gap:{each.words}",
            bound=round(each.gap.value / 2, 4),
            at_most=True,
        )


def _slug(words: str) -> str:
    return "-".join("".join(sign if sign.isalnum() else " " for sign in words.lower()).split())[:48]


def feedback(setting: Setting) -> Iterator[Item]:
    """Learning from what users said; or asking them."""
    evidence = setting.evidence
    n_said = evidence.feedback["count"]
    if evidence.curve is None:
        return
    if n_said >= 50:
        yield _learn(setting, n_said)
        return
    expected = int(FEEDBACK_SHARE * setting.product.month * FEEDBACK_MONTHS)
    if expected < 20:
        return
    gain = evidence.curve.gain(evidence.n_train, evidence.n_train + expected)
    yield item(
        setting,
        id="feedback",
        what="Ask users “was this right?” at the answer, and let `windlass improve` learn from what they say",
        why=f"{count(n_said)} answers were judged so far; at {count(setting.product.requests_a_day)} answers a "
        f"day, one in "
        f"a hundred judged gives about {count(expected)} labelled rows in {FEEDBACK_MONTHS} months at no labelling "
        f"cost",
        evidence="feedback in the request log, and the learning curve",
        method=f"{CURVE}; the share of judged answers is a guess",
        gain=gain,
        chance=None,
        sure="rough",
        cost=0.0,
        hours=8,
        days=FEEDBACK_MONTHS * 30,
        acceptance=f"{count(expected)} judged answers",
        measure="feedback",
        bound=float(expected),
    )


def _learn(setting: Setting, n_said: int) -> Item:
    evidence = setting.evidence
    assert evidence.curve is not None
    gain = evidence.curve.gain(evidence.n_train, evidence.n_train + n_said)
    wrong = evidence.feedback["wrong"]
    return item(
        setting,
        id="learn",
        what=f"Run `windlass improve`: learn from the {count(n_said)} answers that users judged",
        why=f"{count(wrong)} of them ({percent(wrong / n_said)}) were wrong; each is a labelled row that is there "
        f"already",
        evidence="feedback in the request log, and the learning curve",
        method=CURVE,
        gain=gain,
        chance=None,
        sure="forecast",
        cost=0.0,
        hours=2,
        days=1,
        acceptance="a challenger learned from them was judged on the test rows",
        measure="improvements",
        bound=float(len(evidence.improvements) + 1),
    )
