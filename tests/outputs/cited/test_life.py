"""Cited answers walk the whole life: from a folder of documents to a champion, watched, improved and planned."""

import json
import subprocess
import sys
import time

import pytest

import windlass
from windlass.errors import DataError, SpecError
from windlass.outputs.checks import check_output
from windlass.outputs.cited.output import OUTPUT
from windlass.pages.text.listing import stage_line
from windlass.records import as_json
from windlass.sources.guess import write_guess
from windlass.sources.prepared import read_splits
from windlass.spec import from_values
from windlass.store.files import write_text
from windlass.testing.toys import cited_toy

from ...test_lifecycle import ask, running


def product(folder, toy, learners="bm25") -> windlass.Project:
    """The toy as files: a document a thing, and its questions."""
    for passage in toy.passages:
        write_text(folder / "docs" / passage.document, f"# {passage.title}\n\n{passage.text}\n")
    rows = [*toy.train.to_dicts(), *toy.validation.to_dicts(), *toy.test.to_dicts()]
    lines = [json.dumps({"question": row["question"], "answer": json.loads(row["answer"])}) for row in rows]
    write_text(folder / "questions.jsonl", "\n".join(lines))
    found, target = write_guess(folder / "docs", folder)
    assert (found.output_kind, found.data, found.documents) == ("cited", "questions.jsonl", "docs")
    said = f"learners: [{learners}]\n"
    said += "minutes: 1\nkeep_inputs: true\nimprove: {rows: 5}\nwatch: {window: 1h, rows: 50}\n"
    write_text(target, target.read_text().replace("minutes: 10\n", said))
    return windlass.Project(folder)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("things")
    made = product(folder, cited_toy(folder), "bm25, hybrid")
    made.run()
    return made


def test_documents_are_read_and_answers_measured(project):
    counts = project.store.read_record("collect")["documents"]
    assert (counts["documents"], counts["rejected"]) == (12, 0)
    best = project.board.candidate(project.board.chosen)
    assert best.metrics["recall_at_5"].value > 0.9
    assert best.metrics["answer_accuracy"].value > 0.9
    assert best.metrics["risk"].value < 0.1
    assert best.metrics["citation_recall"].value > 0.9
    assert (best.metrics["unsupported"].value, best.metrics["attack_success_rate"].value) == (0, 0)
    assert len(project.board.details["attacks"]) == 20
    page = project.report.read_text()
    assert all(each in page for each in ("What was measured", "Answering and refusing", "Orders planted"))


def test_they_are_served_corrected_watched_improved_and_planned(project):
    release = project.release()
    row = {"question": "The kettle weighs how many grams?"}
    wanted = release.predict([row])[0].value
    citation = wanted["sentences"][0]["citations"][0]
    assert citation["document"] == "kettle.md"
    text = (project.folder / "docs" / "kettle.md").read_text()
    assert citation["quote"] in text
    assert wanted["passages"][0]["text"].count(citation["quote"]) == 1
    refused = release.predict([{"question": "Who painted the old bridge of Z in winter?"}])[0].value
    assert (refused["refused"], refused["text"], refused["sentences"]) == (True, "", [])
    with running(project) as url:
        answer = ask(url, "/v1/predict", {"row": row})["answers"][0]
        assert answer["value"] == wanted
        right = ask(url, "/v1/feedback", {"id": answer["id"], "right": True})
        assert right["right"] is True
        told = ask(url, "/v1/feedback", {"id": answer["id"], "correct": {"text": "12 tons", "document": "kettle.md"}})
        assert (told["right"], told["correct"]) == (False, {"text": "12 tons", "document": "kettle.md"})
        none = ask(url, "/v1/feedback", {"id": answer["id"], "correct": {}})
        assert (none["right"], none["correct"]) == (False, {})
        said = {"model": project.spec.name, "messages": [{"role": "user", "content": row["question"]}]}
        chat = ask(url, "/v1/chat/completions", said)["choices"][0]["message"]
        note = chat["annotations"][0]["file_citation"]
        assert chat["content"][note["start_index"] : note["end_index"]] == note["quote"] == citation["quote"]
        said["messages"][0]["content"] = "谁画了旧桥？"
        assert ask(url, "/v1/chat/completions", said)["choices"][0]["message"]["content"].startswith("现有文档")
        for number in range(12):
            asked = {"question": f"How many grams does the lamp weigh, please, {number}?"}
            given = ask(url, "/v1/predict", {"row": asked})["answers"][0]
            ask(url, "/v1/feedback", {"id": given["id"], "correct": given["value"]["text"] or "nothing of that sort"})
    assert project.watch(now=time.time() + 7_200).answers == 15
    assert project.improve().verdict in ("promoted", "refused", "waiting")
    assert project.plan()


def test_the_checks_hold(project):
    check_output(OUTPUT, project.spec, read_splits(project.spec, project.store), project.champion.predictor)


def test_one_question_is_asked_in_the_terminal(project):
    order = [sys.executable, "-m", "windlass.cli", "ask", "水壶价格是多少欧元？", "--project", str(project.folder)]
    said = subprocess.run(order, capture_output=True, text=True, check=True).stdout
    assert "[1] 水壶.md" in said


def test_a_changed_document_is_answered_from_and_the_others_are_not_read_again(tmp_path):
    """A rebuilt index knows the new sentence; rows, documents and passages are counted."""
    made = product(tmp_path, cited_toy(tmp_path))
    made.run()
    write_text(tmp_path / "docs" / "kettle.md", "# kettle\n\nOur kettle weighs 12345 grams since last spring.\n")
    made.run()
    counts = made.store.read_record("collect")["documents"]
    assert counts["unchanged"] == 11
    (run,) = made.train()
    assert run.renewed
    assert "indexed anew: what was trained is kept" in stage_line("train", False, made.store.read_record("train"))
    notes = made.board.candidate("bm25").notes
    assert "1 passages are new and 1 gone since it was trained" in notes[0]
    found = made.release(anyway=True).predict([{"question": "The kettle weighs how many grams?"}])[0].value
    assert "12345" in found["passages"][0]["text"]
    (tmp_path / "docs" / "kettle.md").unlink()
    collected = made.collect()
    assert collected.documents["removed"] == 1
    assert (
        "8 of 120 questions have their answer in a document that is not there ('kettle.md')" in collected.warnings[-1]
    )
    assert "11 documents, 11 passages (11 unchanged, 1 removed)" in stage_line("collect", False, as_json(collected))
    # `improve` reads the folder by itself: a changed document needs nobody's word, and is learned once.
    write_text(tmp_path / "docs" / "lamp.md", "# lamp\n\nOur lamp weighs 54321 grams since last spring.\n")
    improved = made.improve()
    assert (improved.verdict, "2 documents are new, changed or gone: 'kettle.md', 'lamp.md'" in improved.why) == (
        "promoted", True), improved.why  # fmt: skip
    found = made.champion.predict([{"question": "The lamp weighs how many grams?"}])[0].value
    assert "54321" in found["passages"][0]["text"]
    assert made.improve().verdict == "waiting"


def test_what_cannot_be_is_refused_by_name(tmp_path):
    values = {"name": "a", "data": "q.jsonl", "inputs": {"question": "text"}, "output": {"answer": "cited"}}
    from windlass.outputs import table as outputs

    with pytest.raises(SpecError, match="there are no 'documents'"):
        outputs.goal(from_values(values, "a"))
    with pytest.raises(SpecError, match="expected a question: text"):
        outputs.goal(from_values({**values, "documents": "docs", "inputs": {"size": "number"}}, "a"))
    with pytest.raises(SpecError, match="expected cited"):
        outputs.goal(from_values({**values, "documents": "docs", "output": {"answer": "text"}}, "a"))
    (tmp_path / "docs").mkdir()
    write_text(tmp_path / "q.jsonl", '{"question": "a", "answer": "b"}\n' * 3)
    write_text(tmp_path / "windlass.yaml", json.dumps({**values, "documents": "docs"}))
    with pytest.raises(DataError, match="holds no file, expected documents"):
        windlass.Project(tmp_path).collect()
