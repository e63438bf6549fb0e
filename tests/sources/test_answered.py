"""A log whose events are answers: a row an event, with what came before its moment and nothing of it."""

import json

from windlass.kinds import table as kinds
from windlass.sources.events.answered import AnsweredEvents, answered_columns, histories_of, is_answered
from windlass.spec import Spec

SPEC = {
    "name": "tutor",
    "data": "tries.csv",
    "inputs": {"history": "items", "exercise": "category"},
    "output": {"right": "category"},
    "group": "learner",
    "items": {"item": "exercise", "time": "time", "event": "right", "counts": {"yes": 1, "no": 0}},
}
ROWS = [
    ("n1", "2026-01-02", "e2", "no"),
    ("n1", "2026-01-01", "e1", "yes"),
    ("n1", "2026-01-02", "e3", "yes"),
    ("n2", "2026-01-01", "e1", "no"),
    ("n1", "2026-01-03", "e1", "yes"),
]


def source(tmp_path, rows=ROWS):
    names = ("learner", "time", "exercise", "right")
    path = tmp_path / "tries.csv"
    path.write_text("\n".join(",".join(each) for each in (names, *rows)) + "\n", encoding="utf-8")
    from windlass.sources.places import find, names_of

    return find("tries.csv", tmp_path, names_of(Spec.model_validate(SPEC)), tmp_path / "scratch")


def composed(tmp_path):
    spec = Spec.model_validate(SPEC)
    ways = kinds.ways(spec)
    columns = {name: kinds.reading(kind, ways.get(name)) for name, kind in {**spec.inputs, **spec.output}.items()}
    log = AnsweredEvents(spec, columns)
    for each in source(tmp_path):
        for raw in each.rows():
            log.add(raw, each)
    return list(log.series())


def test_a_row_holds_what_came_before_its_moment_and_nothing_of_it(tmp_path):
    found = [
        (each.group, each.values["exercise"], each.values["right"], json.loads(each.values["history"]))
        for each in composed(tmp_path)
    ]
    assert [(group, exercise, right, past["items"]) for group, exercise, right, past in found] == [
        ("n1", "e1", "yes", []),
        ("n1", "e2", "no", ["e1"]),
        ("n1", "e3", "yes", ["e1"]),
        ("n1", "e1", "yes", ["e1", "e2", "e3"]),
        ("n2", "e1", "no", []),
    ]
    assert found[3][3]["weights"] == [1, 0, 1]
    assert found[3][3]["now"] - found[3][3]["times"][0] == 2 * 86_400


def test_a_product_that_asks_for_no_list_has_answered_events():
    spec = Spec.model_validate(SPEC)
    assert is_answered(spec)
    assert answered_columns(spec) == ["learner", "exercise", "time", "right"]


def test_what_a_learner_did_is_told_whole(tmp_path):
    found = histories_of(Spec.model_validate(SPEC), source(tmp_path, [*ROWS, ("n3", "tomorrow", "e1", "yes")]))
    assert {name: each.items for name, each in found.items()} == {"n1": ("e1", "e2", "e3", "e1"), "n2": ("e1",)}
