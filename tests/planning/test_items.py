"""Each source of evidence that a plan knows gives its item where the case is there, and none where it is not."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from windlass.improving.verdict import CHANGED
from windlass.metrics.measures import Estimate, LabelMarks
from windlass.outputs.contract import Scored
from windlass.pages.text.roadmap_text import promise_lines, roadmap_markdown
from windlass.pages.text.words import quoted
from windlass.planning.drawing.roadmap import Frame, draw
from windlass.planning.evidence import curves, rule_trial
from windlass.planning.evidence.probing import Fitting, Probe
from windlass.planning.items.answers import complaint_gap
from windlass.planning.items.data import grown, in_turn
from windlass.planning.items.item import at_least, at_most, item
from windlass.planning.items.table import proposals
from windlass.planning.schedule import promises
from windlass.records import Alarm, Health, Improvement, Prepared, Release, Splits
from windlass.spec import Spec

from .conftest import candidate

FRAME = Frame(date(2026, 11, 22), "examples")


def ids(setting):
    return [item.id for item in proposals(setting)]


def by_id(setting, id):
    return next(item for item in proposals(setting) if item.id == id)


def curve(scores):
    points = [curves.Point(rows, score, 0.003) for rows, score in zip((200, 400, 800, 1_400), scores, strict=True)]
    return curves.fit(points), [
        {"rows": point.rows, "scores": [point.score], "accuracies": [point.score], "seconds": 0.1, "classes": {},
         "parts": {}, "positive": []}
        for point in points
    ]  # fmt: skip


RISING, FLAT = curve([0.6, 0.7, 0.78, 0.83]), curve([0.7, 0.701, 0.702, 0.702])


def learned(found):
    return {"curve": found[0], "points": found[1]}


def test_a_setting_without_findings_gives_no_items(setting):
    """Control of all below: nothing is proposed where nothing was found."""
    assert ids(setting({"wrong_cost": 0.0, "right_value": 0.0})) == []


def test_what_is_not_said_of_an_item_is_the_usual(setting):
    """No gain, no cost; of a measured gain its chance (mean one standard error above 0: 84 %) and its money."""
    words = dict.fromkeys(("what", "why", "evidence", "method", "acceptance"), "words") | {"hours": 1, "days": 1}
    plain = item(setting(), at_least("watched", 1), id="a", sure="fact", **words)
    assert (plain.gain, plain.money, plain.chance, plain.cost) == (None, None, None, 0.0)
    assert (plain.measure, plain.bound, plain.at_most) == ("watched", 1.0, False)
    gain = Estimate(0.01, 0.01 - 0.0196, 0.01 + 0.0196)
    measured = item(setting(), at_most("p95_ms", 8), id="b", sure="measured", gain=gain, **words)
    assert measured.chance == pytest.approx(0.8413, abs=1e-4)
    assert measured.money == setting().worth.money(gain)
    assert measured.at_most
    assert item(setting(), at_least("watched", 1), id="c", sure="rough", gain=gain, money=None, **words).money is None
    assert item(setting(), at_least("watched", 1), id="d", sure="rough", gain=gain, **words).chance is None


def complained(account=(60, 6), refund=(60, 30)):
    return {"count": 120, "wrong": 36, "unused": 40, "unused_wrong": 0, "by_answer": {
        "account": {"count": account[0], "wrong": account[1], "instead": {}},
        "refund": {"count": refund[0], "wrong": refund[1], "instead": {"account": 25}},
    }}  # fmt: skip


def test_the_answer_that_users_complain_of_is_named(setting):
    """By hand: half of the answers 'refund' are wrong, a tenth of the others: .4 more on half of the answers, so .1
    when half of that comes right."""
    found = by_id(setting(feedback=complained()), "complaints-refund")
    assert "30 of 60 judged answers" in found.why
    assert "(50.0 %), 10.0 % of the others" in found.why
    assert "'account'\u2069 25" in found.why
    assert found.gain.value == pytest.approx(0.1)
    assert found.gain.low == 0.0
    assert found.at_most


@pytest.mark.parametrize("refund", [(60, 7), (12, 9)], ids=["as often as others", "too few"])
def test_complaints_that_may_be_chance_name_nobody(setting, refund):
    assert "complaints-refund" not in ids(setting(feedback=complained(refund=refund)))


def test_a_promise_about_complaints_is_measured_again(setting):
    assert promises.measure(setting(feedback=complained()), "complaints:refund") == pytest.approx(0.4)
    assert complaint_gap({}, "refund") is None


def test_a_goal_that_no_number_of_rows_reaches_asks_for_another_input(setting):
    """A flat curve at .702, today .70 of .80: ten times the rows do not bring .10."""
    low = candidate(metrics={"macro_f1": Estimate(0.7, 0.66, 0.74), "accuracy": Estimate(0.7, 0.66, 0.74)})
    asked = setting(candidates=[low], **learned(FLAT))
    found = by_id(asked, "input")
    assert "beside \u2068'message'\u2069" in found.what
    assert "the goal lacks 10.0 points" in found.why
    assert "input" in [item.id for item in draw(asked, FRAME).chosen]
    assert "input" not in ids(setting(candidates=[low], **learned(RISING)))
    assert "input" not in ids(setting(**learned(FLAT)))


def test_rows_are_proposed_along_a_rising_curve(setting):
    found = [item for item in proposals(setting(**learned(RISING))) if item.id.startswith("rows-")]
    assert [item.rows for item in found] == [900, 1_800, 5_400]
    assert all(0 < item.gain.low < item.gain.value < item.gain.high for item in found)


def test_rows_and_feedback_climb_one_curve_once(setting):
    """By hand: 1,800 rows and then 600 judged answers bring what 2,400 rows do, not the sum of both alone."""
    asked = setting({"requests_a_day": 1_000.0}, **learned(RISING))
    alone = [by_id(asked, "rows-3600"), by_id(asked, "feedback")]
    first, second = in_turn(asked, alone)
    whole = curves.summary(grown(asked, RISING[0], first.rows + int(second.bound)))
    assert first.gain == alone[0].gain
    assert first.gain.value + second.gain.value == pytest.approx(whole.value, abs=0.003)
    assert second.gain.value < 0.7 * alone[1].gain.value
    assert "counted after the 1,800 rows of what comes before" in second.why


def test_rules_that_help_are_proposed_with_what_was_tried(setting):
    found = [{"words": "'message' contains 'refund'", "label": "refund", "rows": 9}]
    rules = {"rules": found, "changed": 9, "right": 9, "gain": {"value": 0.02, "low": 0.01, "high": 0.03}}
    found = by_id(setting(rules=rules), "rules")
    assert "'message' contains 'refund': answer" in found.why
    assert "Windlass has no rules for labels" in found.how
    assert "rules" not in ids(setting(rules=rules | {"gain": {"value": 0.02, "low": -0.01, "high": 0.05}}))


def probed(n_wrong):
    """Each message with 'zebra' is of class 1; the model gets the first so many of those wrong."""
    rows = pl.DataFrame({
        "message": [f"{'zebra' if number % 2 else 'horse'} wants {number}" for number in range(200)],
        "intent": ["b" if number % 2 else "a" for number in range(200)],
    })  # fmt: skip
    targets = np.arange(200) % 2
    said = np.where((targets == 1) & (np.arange(200) < 2 * n_wrong), 0, targets)
    marks = LabelMarks(targets, np.eye(2)[said] * 0.8 + 0.1, 1, ("a", "b"))
    splits = Splits({"message": "text"}, {"intent": "category"}, rows, rows, rows, Path())
    spec = Spec(name="desk", data="d.csv", inputs={"message": "text"}, output={"intent": "category"})
    return Probe(splits, "linear", "accuracy", spec), Fitting(200, marks, 0.1, "accuracy")


def test_a_word_that_always_goes_with_a_label_is_a_rule_and_is_tried():
    """By hand: 10 of 200 answers are mended: +.05, all rightly."""
    found = rule_trial.tried(*probed(10))
    assert (found["changed"], found["right"]) == (10, 10)
    assert found["gain"]["value"] == pytest.approx(0.05)
    assert found["rules"] == [{"words": "'message' contains 'zebra'", "label": "b", "rows": 10}]
    assert set(rule_trial.rules(probed(10)[0]).values()) == {"a", "b"}


def test_rules_that_a_model_has_learned_change_nothing():
    assert rule_trial.tried(*probed(0))["gain"] is None


def test_chinese_rules_are_pairs_of_signs():
    probe, _ = probed(0)
    rows = pl.DataFrame({"message": ["我要退款", "请改地址"] * 12, "intent": ["a", "b"] * 12})
    found = rule_trial.rules(replace(probe, splits=replace(probe.splits, train=rows)))
    assert found["message", "退款"] == "a"
    assert found["message", "地址"] == "b"


def test_texts_that_break_the_brand_are_an_item_where_more_do_than_may(setting):
    broken = candidate(metrics={"rules_broken": Estimate(0.2, 0.15, 0.25)})
    found = by_id(setting(candidates=[broken]), "brand-rules")
    assert "20.0 % [15.0 %, 25.0 %] of the texts break one" in found.why
    kept = candidate(metrics={"rules_broken": Estimate(0.0, 0.0, 0.01)})
    assert "brand-rules" not in ids(setting(candidates=[kept]))


def test_a_limit_of_time_that_nothing_keeps_is_said(setting):
    """p50 8 ms and p95 12: slow in itself. p50 1 ms and p95 12: another program."""
    slow = by_id(setting(limits={"latency_p95_ms": 6.0}), "latency")
    assert slow.what == "Serve on a processor that is 2.0 times as fast, or allow 12.0 ms"
    restless = setting(limits={"latency_p95_ms": 6.0}, candidates=[candidate(latency_p50_ms=1.0)])
    assert by_id(restless, "latency").what.startswith("Measure the time of an answer again")
    assert "latency" not in ids(setting(limits={"latency_p95_ms": 20.0}))
    other = candidate("linear", latency_p50_ms=1.0, latency_p95_ms=2.0, as_good_as_chosen=True)
    late = candidate(misses=["latency p95 is 12.0 ms, expected at most 6 ms"])
    cheaper = setting(limits={"latency_p95_ms": 6.0}, candidates=[late, other],
                      others={"linear": Estimate(0.0, -0.01, 0.01)})  # fmt: skip
    assert "latency" not in ids(cheaper)
    assert "cheaper-linear" in ids(cheaper)


def test_doubted_labels_are_an_item_where_leaving_them_out_helped(setting):
    doubts = {"count": 40, "share": {"value": 0.03, "low": 0.02, "high": 0.04}, "by_label": {"refund": 30}, "rows": [],
              "gain": {"value": 0.01, "low": 0.002, "high": 0.02}}  # fmt: skip
    assert by_id(setting(doubts=doubts), "labels").gain.value == 0.01
    assert "labels" not in ids(setting(doubts=doubts | {"gain": {"value": -0.01, "low": -0.02, "high": 0.0}}))


def test_a_better_model_is_an_item(setting):
    other = candidate("pretrained", latency_p50_ms=20.0)
    found = setting(candidates=[candidate(), other], others={"pretrained": Estimate(0.04, 0.02, 0.06)})
    assert by_id(found, "model-pretrained").how == "`windlass release pretrained`"
    assert "model-pretrained" not in ids(
        setting(candidates=[candidate(), other], others={"pretrained": Estimate(0.04, -0.01, 0.06)})
    )


def test_groups_that_are_treated_differently_are_an_item(setting):
    """Every second row of class 1 in one group is missed, none in the other."""
    rows = pl.DataFrame({"message": ["x"] * 400, "sex": ["f" if number % 4 > 1 else "m" for number in range(400)],
                         "intent": ["account", "refund"] * 200})  # fmt: skip
    targets = np.array([0, 1] * 200)
    wrong = (np.arange(400) % 8 == 3) & (targets == 1)
    marks = LabelMarks(targets, np.eye(2)[np.where(wrong, 0, targets)] * 0.8 + 0.1, 1, ("account", "refund"))
    inputs = {"message": "text", "sex": "category"}
    splits = Splits(inputs, {"intent": "category"}, rows, rows, rows, Path())

    def made(sensitive):
        found = setting({"sensitive": sensitive}, marks=marks, splits=splits)
        spec = found.evidence.spec.model_copy(update={"inputs": inputs})
        return replace(found, evidence=replace(found.evidence, spec=spec))

    assert "50.0 % are found where 'sex' is 'f'" in by_id(made(["sex"]), "fair-sex").why
    assert "fair-sex" not in ids(made([]))


def test_a_drift_that_was_seen_is_an_item(setting):
    alarm = Alarm("drift", "message", 0.0, "'message' is written in new words", {})
    health = Health("desk", "r1", 0.0, 1.0, 500, 2.0, 9.0, 0.8, 0.05, None, None, 0, {}, [], [alarm])
    assert by_id(setting(health=health), "retrain").benefit == "an end of the alarm"
    assert "retrain" not in ids(setting(health=replace(health, alarms=[])))


def test_after_a_refusal_because_the_world_changed_the_same_is_not_advised_again(setting):
    """Recent rows were answered better and old test rows worse: the rows themselves must change."""
    alarm = Alarm("drift", "price", 0.0, "'price' is larger", {})
    health = Health("desk", "r1", 0.0, 1.0, 500, 2.0, 9.0, 0.8, 0.05, None, None, 0, {}, [], [alarm])
    checks = [{"name": "loss", "holds": False, "guards": True}, {"name": "recent", "holds": True, "guards": False}]
    made = Improvement("1", "", "", "r1", "linear", "refused", "lost", {}, {"checks": checks})
    feedback = {"count": 90, "wrong": 60, "unused": 90, "unused_wrong": 60, "by_answer": {}}
    found = setting(health=health, improvements=[made], feedback=feedback)
    released = Release("r1", "desk", "linear", "accuracy", Estimate(0.9, 0.8, 0.95), "", "", {}, 1.0)
    found = replace(found, evidence=replace(found.evidence, released=released))
    assert by_id(found, "retrain").how == CHANGED
    assert "learn" not in ids(found)
    later = replace(found, evidence=replace(found.evidence, improvements=[replace(made, champion="r0")]))
    assert "windlass improve" in by_id(later, "retrain").how, "the champion is another one since"


def test_what_came_of_promises_is_told_with_what_was_done_at_the_same_time(setting):
    def came(id, what, beside):
        return {"event": "came", "id": id, "at": "2026-12-01", "what": what, "method": "curve", "part": 1.0,
                "promised": 0.04, "came": 0.03, "error": 0.01, "inside": True, "beside": [beside]}  # fmt: skip

    entries = [came("rows-2", "Get 2 rows", "labels"), came("labels", "Read the labels", "rows-2")]
    lines = promise_lines(replace(draw(setting(), FRAME), promises=promises.told(entries)))
    assert lines[0] == (
        "2026-12-01: Get 2 rows: promised +4.0 points, came +3.0 (shared with “Read the labels”, done at the same "
        "time); inside of the promised interval."
    )
    assert "(shared with “Get 2 rows”, done at the same time)" in lines[1]
    assert lines[2].startswith("Mean error of 2 promises: 1.0 points; on average 1.0 points too much was promised")


def test_every_item_tells_what_to_type_or_to_do(setting):
    """What, why, how much, how sure, how and by when stand in the Markdown for each chosen item."""
    low = candidate(metrics={"macro_f1": Estimate(0.7, 0.66, 0.74), "accuracy": Estimate(0.7, 0.66, 0.74)})
    made = draw(setting({"peak_a_second": 300.0}, candidates=[low], feedback=complained(), **learned(RISING)), FRAME)
    text = roadmap_markdown(made)
    assert made.chosen
    assert all(item.how for item in made.items)
    assert text.count("- **How:**") == len(made.chosen)
    assert "EUR 73.05 a month" in text


def test_labels_that_are_one_are_merged_before_more_rows_are_bought(setting):
    """Of 400 answers 40 are wrong, 20 of them since 'refnud' is 'refund': merged, 20 are, so accuracy is .95 for .9."""
    targets = np.array([0, 2] * 200)
    targets[1:41:2] = 1
    probabilities = np.full((400, 3), 0.05)
    said = np.where(targets == 1, 2, targets)
    said[100:140:2] = 2
    probabilities[np.arange(400), said] = 0.9
    labels = ("account", "refnud", "refund")
    counts = {"account": 700, "refnud": 20, "refund": 700}
    prepared = Prepared("", {"train": 1_420, "validation": 400, "test": 400}, {}, {"train": counts}, [], [])
    seen = {"marks": LabelMarks(targets, probabilities, 1, labels), "prepared": prepared}
    scored, board = Scored("accuracy", seen["marks"]), replace(setting().evidence.board, headline="accuracy")
    merged = by_id(setting(**seen, scored=scored, board=board), "merge-labels")
    assert merged.gain.value == pytest.approx(0.05)
    assert merged.what == f"Merge {quoted('refnud')} into {quoted('refund')}"
    assert merged.cost == 0
    assert "merge-labels" not in ids(setting())


def said(right, wrong, new=0):
    counts = {"count": right + wrong, "wrong": wrong, "unused": right + wrong, "unused_wrong": wrong, "by_answer": {}}
    return {**counts, "live_right": right, "live_wrong": wrong, "new": {"billing": new} if new else {}}


@pytest.mark.parametrize(
    ("feedback", "proposed"),
    [
        (said(20, 20), True),  # half of what was tested (.9)
        (said(34, 6), False),  # .85 [.71, .93], tested .9 [.87, .93]
        (said(3, 27), False),  # complaints alone are no share
        (said(9, 9), False),  # too few
    ],
)
def test_live_quality_far_below_the_test_has_the_judged_answers_learned(setting, feedback, proposed):
    """Without a learning curve too: what is asked now is another thing than what was tested."""
    asked = setting(feedback=feedback)
    chosen = {item.id: item for item in draw(asked, FRAME).chosen}
    assert ("learn" in chosen) == proposed
    if proposed:
        assert "users call 50.0 % [35.2 %, 64.8 %] of the answers right, tested were 90.0 %" in chosen["learn"].why
        assert "`keep_inputs: true`" in chosen["learn"].how
        assert "learn" not in ids(setting(feedback={**feedback, "unused": 0}))


def test_labels_that_training_does_not_know_and_users_give_are_proposed_first(setting):
    asked = setting(feedback=said(20, 20, new=20))
    chosen = draw(asked, FRAME).chosen
    assert [item.id for item in chosen][:2] == ["new-labels", "learn"]
    assert "`improve: {new_labels: 10}`" in chosen[0].how
    assert "'billing'\u2069 20 times" in chosen[0].why
    assert promises.measure(asked, "new_labels") == 0.0
    assert "new-labels" not in ids(setting(feedback=said(20, 20, new=9)))
