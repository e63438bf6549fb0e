"""The stage `plan`: a roadmap from what was measured, what it promises, and what came of it."""

import json
import re
from dataclasses import replace
from datetime import date

import pytest

from windlass import lifecycle
from windlass.database.request_log import Feedback, Logged, RequestLog
from windlass.errors import NotReady, SpecError
from windlass.metrics.measures import Estimate
from windlass.pages.text.roadmap_text import roadmap_text
from windlass.planning import promise_file
from windlass.planning.schedule.changes import WhatIf
from windlass.records import Alarm, Health, Roadmap, as_json, silent
from windlass.stages.plan import PlanRequest, plan
from windlass.store.json_files import read_as, write_json

from .conftest import Product, messages

DAY = date(2026, 11, 22)


def promises_of(product):
    return product.store.stage("plan") / promise_file.FILE


def kept_promises(product):
    return promise_file.read(promises_of(product)).entries


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A product with a leaderboard, some of its labels wrong, and its first roadmap."""
    product = Product(tmp_path_factory.mktemp("desk"))
    rows = [(text, "account" if number % 9 == 0 else label) for number, (text, label) in enumerate(messages(240))]
    product.csv(rows)
    spec = product.spec(learners=["linear"], goal="macro_f1 >= 0.99")
    (product.folder / "product.yaml").write_text(
        "requests_a_day: 2000\nbudget: 3000\npeople: 2\nwrong_cost: 3\nsensitive: [message]\n", encoding="utf-8"
    )
    lifecycle.run(spec, product.store, silent, lambda word, skipped: None, "evaluate")
    return product, spec, plan(spec, product.store, PlanRequest(made=DAY))


def test_every_item_says_what_why_how_much_how_sure_and_by_when(desk):
    _, _, roadmap = desk
    assert roadmap.items
    for item in roadmap.items:
        assert len(item.what) > 10
        assert len(item.why) > 20
        assert item.evidence
        assert item.method
        assert item.acceptance
        assert item.sure in ("measured", "forecast", "rough", "fact")
        assert bool(item.starts) != bool(item.left_out)
        assert item.gain is None or item.gain.low <= item.gain.value <= item.gain.high
        assert "2026-11-22" <= item.finishes <= "2027-05-25" if item.starts else True
    assert sum(item.cost for item in roadmap.chosen) <= 3_000


def test_the_roadmap_is_written_in_every_form(desk):
    product, _, roadmap = desk
    folder = product.store.folder / "plan"
    assert read_as(folder / "plan.json", Roadmap) == roadmap
    text = (folder / "roadmap.md").read_text(encoding="utf-8")
    page = (folder / "roadmap.html").read_text(encoding="utf-8")
    for item in roadmap.chosen:
        assert item.finishes in text
        assert item.finishes in page
    assert "<script" not in page
    assert "风险" in page
    assert not re.search(r"\b(nan|None|inf)\b", text)
    assert (folder / "roadmap.svg").read_text(encoding="utf-8").startswith("<svg")
    assert (folder / "roadmap.mmd").read_text(encoding="utf-8").startswith("gantt")


def test_assumed_figures_are_shown_as_assumed_and_said_ones_as_said(desk):
    _, _, roadmap = desk
    sources = {each["name"]: each["source"] for each in roadmap.assumptions}
    assert sources["requests_a_day"] == "product.yaml"
    assert sources["hour_cost"] == "assumed"
    assert "not yours" in sources["machine_hour"]


def test_what_is_not_measured_is_named_with_the_command_that_would(desk):
    _, _, roadmap = desk
    told = " ".join(f"{each['what']} {each['command']}" for each in roadmap.missing)
    assert "`windlass watch`" in told
    assert "`windlass release`" in told


def test_the_same_evidence_gives_the_same_plan_and_promises_once(desk):
    product, spec, roadmap = desk
    before = kept_promises(product)
    again = plan(spec, product.store, PlanRequest(made=DAY))
    assert replace(again, promises={}) == replace(roadmap, promises={})
    assert kept_promises(product) == before
    assert {entry["id"] for entry in before} == {item.id for item in roadmap.chosen}


def test_what_if_says_what_changes_and_leaves_the_plan_alone(desk):
    product, spec, _ = desk
    kept = (product.store.folder / "plan" / "plan.json").read_bytes()
    told = plan(spec, product.store, PlanRequest(WhatIf(traffic="100x", budget="0"), DAY))
    assert told.what_if == "traffic 100x, budget 0"
    assert any(line.startswith("Cost of an API a month") for line in told.changes)
    assert sum(item.cost for item in told.chosen) == 0
    assert (product.store.folder / "plan" / "plan.json").read_bytes() == kept
    assert plan(spec, product.store, PlanRequest(WhatIf(traffic="1x"), DAY)).changes == ["Nothing changes."]


@pytest.mark.parametrize(
    "wish",
    [WhatIf(traffic="ten"), WhatIf(traffic="0x"), WhatIf(budget="-1"), WhatIf(deadline="soon"), WhatIf(hours="nan")],
)
def test_a_wish_that_is_no_number_or_date_is_refused(desk, wish):
    product, spec, _ = desk
    with pytest.raises(SpecError, match="expected"):
        plan(spec, product.store, PlanRequest(wish, DAY))


def test_without_a_leaderboard_there_is_no_plan(product):
    with pytest.raises(NotReady, match="'evaluate' has not run"):
        plan(product.spec(), product.store)


def test_what_came_is_compared_with_what_was_promised(desk):
    """By hand: +4 points were promised for a third more rows; the rows are there and the score rose by 3."""
    product, spec, roadmap = desk
    path = promises_of(product)
    saved = path.read_bytes()
    now = roadmap.today.value
    path.unlink()
    entry = {
        "event": "promised", "id": "rows-120", "at": "2026-01-01", "what": "more rows", "method": "curve",
        "metric": "macro_f1", "before": now - 0.03, "gain": {"value": 0.04, "low": 0.0, "high": 0.05},
        "measure": "learn_rows", "measured": 144.0, "bound": 192.0, "at_most": False, "by": "2026-02-01",
    }  # fmt: skip
    promise_file.add(promises_of(product), [entry])
    told = plan(spec, product.store, PlanRequest(made=DAY)).promises
    assert told["count"] == 1
    assert told["error"] == pytest.approx(0.01)
    assert told["bias"] == pytest.approx(0.01)
    assert told["inside"] == 1
    text = (product.store.folder / "plan" / "roadmap.md").read_text(encoding="utf-8")
    assert "promised +4.0 points, came +3.0" in text
    assert "1.0 points too much was promised" in text
    path.write_bytes(saved)


def test_alarms_and_feedback_become_items_and_risks(desk):
    """What `watch` and the request log say is evidence, too."""
    product, spec, _ = desk
    alarm = Alarm("drift", "message", 0.0, "'message' is written in new words", {})
    measured = Estimate(0.7, 0.6, 0.8)
    health = Health(
        "desk", "r1", 0.0, 1.0, 500, 2.0, 9.0, 0.8, 0.05, None, measured, 60, {"refund": 1.0}, [], [alarm]
    )  # fmt: skip
    write_json(product.store.record("watch"), as_json(health))
    with RequestLog(product.store.folder / "serve" / "requests.sqlite") as log:
        log.record([Logged(f"a{n}", float(n), "r1", "refund", 0.9, 1.0, None) for n in range(60)], 100)
        for n in range(60):
            log.feedback(Feedback(f"a{n}", "account" if n % 4 == 0 else "refund", None, f"k{n}")).result(60)
    told = plan(spec, product.store, PlanRequest(WhatIf(traffic="1x"), DAY))
    items = {item.id: item for item in told.items}
    assert "new words" in items["retrain"].why
    assert items["retrain"].gain.high > 0.1
    assert "15 of them (25.0 %) were wrong" in items["learn"].why
    assert ("Alarm: drift", "high") in [(risk.name, risk.severity) for risk in told.risks]
    assert next(gap for gap in told.gaps if gap["name"] == "live quality")["state"] == "missed"
    product.store.record("watch").unlink()


def test_a_label_that_does_not_exist_costs_nothing(desk):
    product, spec, _ = desk
    path = product.folder / "product.yaml"
    said = path.read_text(encoding="utf-8")
    path.write_text(said + "wrong_costs: {refnd: 5}\n", encoding="utf-8")
    with pytest.raises(SpecError, match="did you mean 'refund'"):
        plan(spec, product.store, PlanRequest(made=DAY))
    path.write_text(said, encoding="utf-8")


def test_a_product_that_writes_texts_gets_a_plan_of_what_is_known(product):
    rows = [(f"where is parcel {number}", f"Parcel {number} is on its way.") for number in range(60)]
    product.csv(rows, header="message,reply")
    spec = product.spec(output={"reply": "text"}, learners=["copy", "retrieve"], minutes=0.2)
    lifecycle.run(spec, product.store, silent, lambda word, skipped: None, "evaluate")
    told = plan(spec, product.store, PlanRequest(made=DAY))
    assert any("answers are texts" in each["command"] for each in told.missing)
    assert all(item.gain is None for item in told.items)
    assert (product.store.folder / "plan" / "roadmap.html").is_file()


def test_a_line_that_a_crash_cut_is_left_out_and_written_over(product):
    promise_file.add(promises_of(product), [{"event": "came", "id": "one", "error": None, "inside": None}])
    with promises_of(product).open("a", encoding="utf-8") as file:
        file.write('{"event": "promi')
    assert [entry["id"] for entry in kept_promises(product)] == ["one"]
    promise_file.add(promises_of(product), [{"event": "came", "id": "two", "error": None, "inside": None}])
    assert [entry["id"] for entry in kept_promises(product)] == ["one", "two"]


def test_there_is_no_money_on_the_plan_before_product_yaml_says_what_things_are_worth(desk):
    """The same product with and without the file; the one with it is the control."""
    product, spec, priced = desk
    amounts = re.compile(r"EUR|€|\b(right_value|wrong_cost|budget|hour_cost|label_row)\b")
    path = product.folder / "product.yaml"
    said = path.read_text(encoding="utf-8")
    kept = {each: each.read_bytes() for each in (product.store.folder / "plan").rglob("*") if each.is_file()}
    path.unlink()
    try:
        roadmap = plan(spec, product.store, PlanRequest(made=DAY))
        folder = product.store.stage("plan")
        texts = {name: (folder / name).read_text("utf-8") for name in ("roadmap.md", "roadmap.html")}
    finally:
        path.write_text(said, encoding="utf-8")
        for each, content in kept.items():
            each.write_bytes(content)
    assert amounts.search(json.dumps(as_json(priced)))
    for text in (json.dumps(as_json(roadmap)), *texts.values(), roadmap_text(roadmap)):
        assert not amounts.search(text), amounts.search(text)
    assert "`windlass plan --ask` asks for it" in texts["roadmap.md"]
    assert roadmap.chosen
