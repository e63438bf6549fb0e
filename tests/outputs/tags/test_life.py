"""Tags walk the whole life: from a file with lists to a champion that learned what was added and taken away."""

import json
import time

import numpy as np
import pytest

import windlass
from windlass.outputs.checks import check_output
from windlass.outputs.tags.output import OUTPUT, amended, read_correction
from windlass.records import Column
from windlass.sources.guess import write_guess
from windlass.sources.outgoing import as_csv
from windlass.sources.prepared import read_splits
from windlass.store.files import write_text

from ...test_lifecycle import ask, running

WORDS = {
    "refund": ["money back", "退款", "reimburse me", "return my payment"],
    "late": ["still waiting", "没收到", "overdue", "not here yet"],
    "broken": ["cracked", "坏了", "in pieces", "does not close"],
}
FILLER = ["hello", "please", "my order", "thanks", "手机", "today", "again"]


def rows_of(n_rows: int, seed: int, words=WORDS, slips=0.0) -> list[dict]:
    """Messages that say of each thing whether they are about it. slips: share of the tags that are noted wrongly."""
    random = np.random.default_rng(seed)
    made = []
    for number in range(n_rows):
        about = [tag for tag in words if random.random() < 0.45]
        said = [str(random.choice(words[tag])) for tag in about] + [str(each) for each in random.choice(FILLER, 3)]
        noted = [tag for tag in words if (tag in about) != (random.random() < slips)]
        made.append({"message": f"{' '.join(random.permutation(said))} n{number}", "tags": ";".join(noted) or "[]"})
    return made


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tickets")
    write_text(folder / "tickets.csv", as_csv(["message", "tags"], rows_of(500, 1, slips=0.04)))
    found, target = write_guess(folder / "tickets.csv", folder)
    assert (found.output, found.output_kind, found.goal) == ("tags", "tags", "micro_f1")
    assert found.formats == {"tags": "a;b"}
    said = "minutes: 1\nlearners: [majority, linear]\nkeep_inputs: true\nimprove: {rows: 20}\n"
    said += "watch: {window: 1h, rows: 50}\n"
    write_text(target, target.read_text().replace("minutes: 10\n", said))
    made = windlass.Project(folder)
    made.run()
    return made


def test_they_are_measured_and_reported(project):
    """Each word tells its tag, so that nearly all can be right; the report says which tags may be forgotten."""
    board = project.board
    assert board.headline == "micro_f1"
    assert board.candidate("linear").metrics["micro_f1"].value > 0.9
    assert board.candidate("linear").metrics["map"].value > 0.9
    assert board.candidate("majority").worthless
    page = project.report.read_text()
    assert "Each tag" in page
    assert "Tags that may be missing in the data" in page
    assert "log-odds" in project.explain().read_text()


def test_they_are_served_corrected_watched_and_improved(project):
    """New words for known tags come up in use: what callers add to the answers is learned."""
    release = project.release()
    row = {"message": "please money back, it is cracked"}
    wanted = release.predict([row])[0]
    assert sorted(wanted.value) == ["broken", "refund"]
    assert 0.5 < wanted.confidence <= 1
    new = {**WORDS, "broken": ["kaputt", "缺角"]}
    with running(project) as url:
        answer = ask(url, "/v1/predict", {"row": row})["answers"][0]
        assert answer["value"] == wanted.value
        named = {each["value"]: each["confidence"] for each in answer["alternatives"]}
        assert set(named) == set(WORDS)
        told = ask(url, "/v1/feedback", {"id": answer["id"], "correct": {"add": ["late"], "remove": ["refund"]}})
        assert (told["right"], told["correct"], told["new_label"]) == (False, ["broken", "late"], False)
        right = ask(url, "/v1/feedback", {"id": answer["id"], "correct": ["REFUND", "broken", "broken"]})
        assert (right["right"], right["correct"]) == (True, ["broken", "refund"])
        none = ask(url, "/v1/feedback", {"id": answer["id"], "correct": []})
        assert (none["right"], none["correct"], none["teaches"]) == (False, [], True)
        strange = ask(url, "/v1/feedback", {"id": answer["id"], "correct": {"add": ["typo"]}})
        assert (strange["new_label"], strange["teaches"]) == (True, False)
        for each in rows_of(160, 9, new):
            given = ask(url, "/v1/predict", {"row": {"message": each["message"]}})["answers"][0]
            ask(url, "/v1/feedback", {"id": given["id"], "correct": each["tags"]})
    health = project.watch(now=time.time() + 7_200)
    assert (health.answers, health.feedback) == (161, 161)
    made = project.improve()
    assert made.verdict == "promoted", (made.why, made.rows)
    assert made.rows["learned"] > 60
    assert project.champion.predict([{"message": "hello please kaputt thanks"}])[0].value[0] == "broken"


def test_the_checks_hold_and_the_plan_is_made(project):
    check_output(OUTPUT, project.spec, read_splits(project.spec, project.store), project.champion.predictor)
    assert project.plan().items


def test_columns_of_yes_and_no_are_read_and_rows_that_nobody_tagged_are_said(tmp_path):
    """A cell that is neither yes nor no is refused with its column; a row without any is not labelled."""
    rows = rows_of(80, 2)
    cells = [{"message": row["message"], **{tag: int(tag in row["tags"].split(";")) for tag in WORDS}} for row in rows]
    cells[0]["late"], cells[1] = 7, {**cells[1], **dict.fromkeys(WORDS, "")}
    write_text(tmp_path / "a.csv", as_csv(["message", *WORDS], cells))
    spec = "name: a\ndata: a.csv\ninputs: {message: text}\noutput: {tags: tags}\nminutes: 1\n"
    spec += "learners: [linear]\nlabels: {columns: [refund, late, broken]}\n"
    write_text(tmp_path / "windlass.yaml", spec)
    project = windlass.Project(tmp_path)
    project.run()
    rejects = (project.store.folder / "collect" / "rejects.jsonl").read_text().splitlines()
    reasons = [json.loads(line)["reason"] for line in rejects]
    assert "column 'late' is '7', expected 1 or 0: a tag or not" in reasons[0]
    assert "column 'tags' is missing" in reasons[1]
    assert project.board.candidate("linear").metrics["micro_f1"].value > 0.6


def test_what_is_sent_back_is_read_and_the_answer_amended():
    column = Column("tags", "tags", {"labels": ["a", "b"]})
    said = read_correction(column, {"add": ["B"], "remove": ["x"]})
    assert said == {"add": ["b"], "remove": ["x"]}
    assert amended(["a", "x"], said) == ["a", "b"]
    assert amended(["a"], read_correction(column, [])) == []
    for wrong in ({}, {"added": ["a"]}, {"add": "a"}, {"add": [1]}):
        with pytest.raises(windlass.errors.DataError, match="tags"):
            read_correction(column, wrong)


def test_a_tag_that_consists_of_others_is_told(tmp_path):
    rows = [
        {"message": f"hello my order {number} please", "tags": "a;b" if number % 2 else "a,b"} for number in range(60)
    ]
    write_text(tmp_path / "rows.csv", as_csv(["message", "tags"], rows))
    write_guess(tmp_path / "rows.csv", tmp_path)
    warnings = windlass.Project(tmp_path).prepare().warnings
    assert any("tag 'a,b' is a tag of its own on 30 rows, though 'a', 'b' are tags, too" in each for each in warnings)
