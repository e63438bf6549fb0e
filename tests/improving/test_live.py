"""In use: a champion that does worse is rolled back, one on trial is settled, and what to label is chosen."""

import csv

import numpy as np
import pytest
from PIL import Image

from windlass.database.request_log import Logged, RequestLog
from windlass.errors import NotReady
from windlass.improving import attempts, live, probation
from windlass.improving.active_learning import write_questions
from windlass.improving.cycle import write_set_aside
from windlass.improving.protection import Protection
from windlass.improving.training_feedback import from_file
from windlass.outputs.labelled_row import ASIDE, LabelledRow
from windlass.outputs.worth_labelling import Question, questions
from windlass.records import Improvement, as_json
from windlass.registry import canaries as trials
from windlass.registry import releases
from windlass.registry.audit_log import Why
from windlass.spec import from_values
from windlass.store.json_files import write_json
from windlass.store.store import Store

from .toys import champion, released, spec, told

IMPROVED = Why("promote", "windlass improve", "better", {"improvement": "0001"})
RIGHT = [(f"money {place}", "refund", "refund", f"key{place % 20}") for place in range(60)]


@pytest.fixture
def store(tmp_path):
    """The former champion knows what money means; the new one says 'account' to all."""
    made = Store(tmp_path)
    released(made, "former", 6.0)
    released(made, "newer", 0.0, IMPROVED)
    return made


@pytest.fixture
def log(tmp_path):
    with RequestLog(tmp_path / "log.sqlite") as opened:
        yield opened


def worse(right):
    return [(f"my money {place}", "account", right, f"key{place % 20}") for place in range(60)]


def test_a_champion_that_does_worse_than_the_former_would_is_rolled_back_with_the_reason(store, log):
    told(log, "former", RIGHT)
    told(log, "newer", worse("refund"))
    seen = live.look(spec(), store, log.database)
    assert seen.has_fallen
    assert live.go_back(store, seen, "windlass improve") == "former"
    last = releases.told(store)[-1]
    assert (last["event"], last["evidence"]["live"]["wrong"]) == ("rollback", 60)
    assert "60 of 60 answers were wrong by feedback" in last["reason"]
    assert live.look(spec(), store, log.database) is None  # a person's champion is a person's affair


def test_a_world_that_has_changed_is_no_reason_to_go_back(store, log):
    """As many wrong answers, but the former champion would have given wrong ones, too."""
    told(log, "former", RIGHT)
    told(log, "newer", worse("delivery"))
    assert not live.look(spec(), store, log.database).has_fallen


def test_one_hostile_caller_cannot_bring_a_champion_down(store, log):
    told(log, "former", RIGHT)
    fine = [(f"password {place}", "account", "account", f"key{place % 20}") for place in range(200)]
    told(log, "newer", [*fine, *((message, said, right, "hostile") for message, said, right, _ in worse("refund"))])
    seen = live.look(spec(), store, log.database)
    assert (seen.told, seen.wrong) == (210, 10)
    assert not seen.has_fallen


@pytest.mark.parametrize("why", [IMPROVED, releases.PROMOTED], ids=["as it is", "control"])
def test_a_service_goes_back_by_itself_and_says_why(tmp_path, log, capsys, why):
    """Control: what a person made champion is a person's affair."""
    store, is_improved = Store(tmp_path), why is IMPROVED
    released(store, "former", 6.0)
    released(store, "newer", 0.0, why)
    protection = Protection(spec(), store, log.database)
    told(log, "former", RIGHT)
    told(log, "newer", worse("refund")[:20])
    protection.look()
    assert releases.champion_id(store) == "newer", "too little was said by then"
    told(log, "newer", worse("refund"))
    protection.look()
    assert (releases.champion_id(store) == "former") is is_improved
    assert ("since 80 of 80 answers were wrong by feedback" in capsys.readouterr().err) is is_improved
    last = releases.told(store)[-1]
    assert (last["event"], last["command"]) == ("rollback", "windlass serve") or not is_improved
    assert ("live quality has fallen: 80 of 80" in last["reason"]) is is_improved


def test_a_service_settles_a_trial_unless_improve_is_at_it(store, log):
    on_trial(store)
    told(log, "newer", worse("refund"))
    told(log, "third", RIGHT)
    protection = Protection(spec(), store, log.database)
    with attempts.locked(store):
        protection.look()
    assert releases.champion_id(store) == "newer"
    protection.look()
    assert releases.champion_id(store) == "third"


def test_two_that_see_the_same_fall_go_back_one_step(tmp_path, log):
    """Such as a service and `windlass improve --every`. Control: without a name a rollback goes further back."""
    store = Store(tmp_path)
    for id, why in (("first", releases.PROMOTED), ("former", releases.PROMOTED), ("newer", IMPROVED)):
        released(store, id, 6.0 if id == "former" else 0.0, why)
    told(log, "former", RIGHT)
    told(log, "newer", worse("refund"))
    seen = live.look(spec(), store, log.database)
    live.go_back(store, seen, "windlass serve")
    with pytest.raises(NotReady, match="champion is 'former' by now"):
        live.go_back(store, seen, "windlass improve")
    assert releases.champion_id(store) == "former"
    assert releases.rollback(store) == "first"


def on_trial(store):
    released(store, "third", 6.0)
    releases.rollback(store)
    trials.start(store, "third", 0.1)
    attempt = attempts.begin(store, {"columns": {}})
    made = Improvement(attempt.id, "2026-01-01T00:00:00+00:00", "x", "newer", "third", "canary", "better")
    write_json(attempt.folder / "improvement.json", as_json(made))
    attempt.end("canary")


def test_a_challenger_on_trial_waits_for_feedback_then_becomes_the_champion(store, log):
    on_trial(store)
    told(log, "newer", worse("refund"))
    found = probation.conclude_trial(spec(), store, log.database)
    assert (found.verdict, found.why) == ("canary", "on trial: feedback on 0 answers of each, expected 30")
    told(log, "third", RIGHT)
    assert probation.conclude_trial(spec(), store, log.database).verdict == "promoted"
    assert releases.champion_id(store) == "third"
    assert [attempt.id for attempt in attempts.in_use(store)] == ["0001"]
    assert probation.conclude_trial(spec(), store, log.database) is None


def test_a_challenger_that_does_worse_on_trial_or_is_stopped_is_refused(store, log):
    on_trial(store)
    told(log, "newer", RIGHT)
    told(log, "third", worse("refund"))
    assert probation.conclude_trial(spec(), store, log.database).verdict == "refused"
    assert (releases.champion_id(store), trials.running(store)) == ("newer", None)


def test_what_to_label_next_is_unsure_and_diverse_and_comes_back_filled_in(tmp_path, log):
    knows = champion(tmp_path / "model")
    messages = ["money", "parcel", *(f"what is this thing here {n}" for n in range(5)), "hello there, my friend"]
    with pytest.raises(NotReady, match="no answer in the log has what was asked"):
        questions(log.database, knows, {"message": "text"}, 2)
    log.record(
        [
            Logged(f"a{n}", 1.0 + n, "r", "account", 0.9, 1.0, {"message": message})
            for n, message in enumerate(messages)
        ],
        100,
    )
    told(log, "r", [("some day", "account", "account", "")])  # what was said already is not asked
    found = questions(log.database, knows, {"message": "text"}, 2)
    asked = {each.values["message"] for each in found}
    assert "hello there, my friend" in asked
    assert len(asked & {"money", "parcel", "some day"}) == 0
    path = write_questions(found, spec(), tmp_path)
    lines = list(csv.DictReader(path.read_text().splitlines()))
    filled = path.with_name("filled.csv")
    filled.write_text(path.read_text().replace(f"{lines[0]['message']},,", f"{lines[0]['message']},refund,"))
    rows = from_file(filled, spec(), Store(tmp_path), 5.0)
    assert [(row.answer, row.label, row.source) for row in rows] in ([(lines[0]["id"], "refund", "file")], [])


TEXTS = ['=HYPERLINK("http://x")', "-5 degrees outside", "@you: 'hello'", "'=1 said he", "+1", "two\nlines"]


def test_texts_that_a_spreadsheet_would_run_leave_marked_and_come_back_as_they_were(tmp_path):
    path = write_questions(
        [Question(f"a{n}", {"message": text}, "account", 0.5, 0.1) for n, text in enumerate(TEXTS)], spec(), tmp_path
    )
    with path.open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [line["message"] for line in lines[:2]] == ['\'=HYPERLINK("http://x")', "'-5 degrees outside"]
    assert lines[4]["message"] == "+1"
    filled = tmp_path / "filled.csv"
    with filled.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(line | {"intent": "refund"} for line in lines)
    assert [row.values["message"] for row in from_file(filled, spec(), Store(tmp_path), 5.0)] == TEXTS

    store = Store(tmp_path)
    write_set_aside(
        [LabelledRow({"message": text}, "refund", answer=f"a{n}", fate=ASIDE) for n, text in enumerate(TEXTS)],
        spec(),
        store,
    )
    rows = from_file(store.stage("improve") / "aside.csv", spec(), store, 5.0)
    assert [(row.answer, row.values["message"]) for row in rows] == [(f"a{n}", text) for n, text in enumerate(TEXTS)]


def test_inputs_that_are_called_like_our_columns_are_kept_apart_from_them(tmp_path):
    named = from_values(
        {"name": "p", "data": "a.csv", "inputs": {"id": "text", "answered": "text"}, "output": {"intent": "category"}},
        "test",
    )
    path = write_questions([Question("a1", {"id": "my id", "answered": "no"}, "refund", 0.5, 0.1)], named, tmp_path)
    assert path.read_text().splitlines()[0] == "id_1,id,answered,intent,answered_1,confidence_1"
    path.write_text(path.read_text().replace("no,,refund", "no,account,refund"))
    (row,) = from_file(path, named, Store(tmp_path), 5.0)
    assert (row.answer, row.values, row.said) == ("a1", {"id": "my id", "answered": "no"}, "refund")


def test_a_file_of_labelled_rows_names_no_picture_outside_its_folder(tmp_path):
    for place in ("new/own.png", "private/secret.png"):
        (tmp_path / place).parent.mkdir()
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / place)
    (tmp_path / "new/rows.csv").write_text("photo,intent\nown.png,refund\n../private/secret.png,refund\n")
    values = {"name": "p", "data": "a.csv", "inputs": {"photo": "image"}, "output": {"intent": "category"}}
    for files, fates in ([], ["", ASIDE]), (["private"], ["", ""]):
        allowing = from_values({**values, "files": files}, "test")
        rows = from_file(tmp_path / "new/rows.csv", allowing, Store(tmp_path), 5.0)
        assert [row.fate for row in rows] == fates
        assert ("outside" in rows[1].reason) == bool(fates[1])
