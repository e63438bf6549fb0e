"""Help-center played end to end: a question, a cited answer, a refusal, a person's answer, answered after improve."""

import json
import os
import time
import urllib.error
import urllib.request

import polars as pl
import pytest

from windlass.database.people_answers import DOCUMENT, people_answers
from windlass.errors import SpecError
from windlass.improving.people import amended_by_document, people_tests
from windlass.lifecycle import memory
from windlass.planning.items.documents import LEAST_ASKED
from windlass.records import Passage
from windlass.sources.prepared import read_passages
from windlass.store.files import write_text
from windlass.testing.toys import cited_toy

from ...test_lifecycle import ask, running
from .test_life import product

ENGLISH, CHINESE = "Do you offer gift wrapping?", "可以礼品包装吗？"
SAID, SAID_CHINESE = "We wrap gifts for 3 euros. Choose it in the basket.", "礼品包装每件收费20元。"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("loop")
    made = product(folder, cited_toy(folder))
    made.run()
    made.release(anyway=True)
    return made


def got(url, path):
    with urllib.request.urlopen(url + path, timeout=60) as response:
        return response.read().decode()


def fault(url, path, body):
    with pytest.raises(urllib.error.HTTPError) as raised:
        ask(url, path, body)
    with raised.value as error:
        return error.code, json.loads(error.read())["error"]


def answered(url, question):
    return ask(url, "/v1/predict", {"row": {"question": question}})["answers"][0]


def refusals(url):
    return json.loads(got(url, "/v1/refusals"))


def of_group(url, word):
    group = next(each for each in refusals(url)["groups"] if word in each["name"])
    return group, [id for question in group["questions"] for id in question["ids"]]


def cites(value):
    return [each["document"] for sentence in value["sentences"] for each in sentence["citations"]]


def test_a_refusal_becomes_a_test_a_passage_and_an_answer(project):
    """The whole loop, both languages. `forget` of the published document is played in the tests of `forget`."""
    with running(project) as url:
        # 1. A question is answered with a citation, others are refused and wait, alike ones together.
        assert cites(answered(url, "The kettle weighs how many grams?")["value"]) == ["kettle.md"]
        first = answered(url, ENGLISH)
        assert first["value"]["refused"]
        for question in ["Is gift wrapping possible?", ENGLISH, CHINESE, "你们有礼品包装吗？", "Who is the mayor?"]:
            assert answered(url, question)["value"]["refused"], question
        time.sleep(0.3)
        assert "windlass_refusals_total 6" in got(url, "/metrics")
        group, english = of_group(url, "gift wrapping")
        assert (group["times"], len(group["questions"])) == (3, 2)
        chinese = of_group(url, "礼品包装")[1]
        assert len(chinese) == 2
        # 2. What cannot be right is refused by name.
        code, said = fault(url, "/v1/feedback", {"id": first["id"], "correct": {"text": "x", "document": "ketle.md"}})
        assert (code, said["hint"]) == (422, "did you mean 'kettle.md'?")
        assert "document is 'ketle.md', expected one that the release has read" in said["message"]
        assert fault(url, "/v1/refusals", {"ids": ["nope"], "correct": {}})[0] == 404
        assert fault(url, "/v1/refusals", {"ids": english, "correct": {"text": "Do you?"}})[0] == 422
        # 3. watch names what has no article, plan says how many questions one would answer.
        health = project.watch(now=time.time() + 60)
        about = {each["name"]: each["times"] for each in health.documents["groups"]}
        assert (health.documents["refused"], health.documents["answers"]) == (6, 7)
        assert about["gift wrapping"] == 3 >= LEAST_ASKED
        item = next(each for each in project.plan().items if each.id.startswith("write-"))
        assert item.what == "Write next: gift wrapping"
        assert "answers 3 questions in 30 days" in item.benefit
        # 4. A person answers: a test that fails.
        told = ask(url, "/v1/refusals", {"ids": english, "row": {"question": ENGLISH}, "correct": {"text": SAID}})
        assert (told["state"], told["settled"], told["answer"]["document"]) == ("published", 3, DOCUMENT)
        ask(url, "/v1/refusals", {"ids": chinese, "row": {"question": CHINESE}, "correct": {"text": SAID_CHINESE}})
        mayor = of_group(url, "mayor")[1]
        assert ask(url, "/v1/refusals", {"ids": mayor, "correct": {}})["state"] == "nothing answers"
        left = refusals(url)
        assert left["waiting"] == 0
        assert {each["row"]["question"]: each["holds"] for each in left["tests"]} == {
            ENGLISH: False, CHINESE: False, "Who is the mayor?": True}  # fmt: skip
    assert [each["holds"] for each in project.people_tests()] == [False, False, True]
    # 5. After improve both are answered with a citation of the person's answer; nothing else is lost.
    made = project.improve()
    assert (made.verdict, made.why[:9]) == ("promoted", "2 of 3 qu")
    with running(project) as url:
        for question, right in ((ENGLISH, SAID), (CHINESE, SAID_CHINESE)):
            value = answered(url, question)["value"]
            assert value["text"].split() == right.split()
            assert set(cites(value)) == {DOCUMENT}
        assert cites(answered(url, "The kettle weighs how many grams?")["value"]) == ["kettle.md"]
        assert answered(url, "Who is the mayor?")["value"]["refused"]
        assert all(each["holds"] for each in refusals(url)["tests"])
    assert all(each["holds"] for each in project.people_tests())
    # 6. The next attempt has nothing to mend, and a whole run reads the answers as any document.
    assert project.improve().verdict == "waiting"
    project.collect()
    assert DOCUMENT in {each.document for each in read_passages(project.spec, project.store)}


def test_passages_are_searched_without_an_answer(project):
    with running(project) as url:
        found = ask(url, "/v1/search", {"query": "kettle grams", "k": 2})
        assert found["passages"][0]["document"] == "kettle.md"
        assert len(found["passages"]) == 2
        assert set(found["passages"][0]) == {"document", "title", "page", "start", "end", "text", "score"}
        assert json.loads(got(url, "/v1/search?query=kettle&k=1"))["passages"][0]["document"] == "kettle.md"
        for body in ({}, {"query": " "}, {"query": "x", "k": 0}, {"query": "x", "k": True}, {"query": 3}):
            assert fault(url, "/v1/search", body)[0] == 422
        assert 'data-word="searchFor"' in got(url, "/search")
        assert 'data-word="deskNote"' in got(url, "/refusals")
    assert project.search("kettle", 1)[0]["document"] == "kettle.md"
    with pytest.raises(SpecError, match="k is 99, expected 1 to 10"):
        project.search("kettle", 99)


def test_documents_that_are_not_what_was_read_are_told(tmp_path):
    """A date that is past, a file that changed, one that is new, one that is gone; and an alarm of it."""
    toy = cited_toy(tmp_path)
    made = product(tmp_path, toy)
    write_text(tmp_path / "docs" / "offer.md", "# Offer\n\nValid until 2020-03-31. The tent is cheap.\n")
    made.collect()
    assert [(each["document"], each["reason"]) for each in made.watch().documents["stale"]] == [("offer.md", "past")]
    write_text(tmp_path / "docs" / "kettle.md", "# kettle\n\nIt is red now.\n")
    write_text(tmp_path / "docs" / "new.md", "# New\n\nIt is new.\n")
    (tmp_path / "docs" / "lamp.md").unlink()
    later = time.time() + 10
    for name in ("kettle.md", "new.md"):
        os.utime(tmp_path / "docs" / name, (later, later))
    health = made.watch()
    assert {each["document"]: each["reason"] for each in health.documents["stale"]} == {
        "offer.md": "past", "kettle.md": "changed", "lamp.md": "removed", "new.md": "new"}  # fmt: skip
    assert [alarm.name for alarm in health.alarms] == ["documents"]
    assert "0 → 4" in health.alarms[0].words


def test_who_cites_nothing_has_no_such_tests(project, tmp_path):
    assert people_answers(tmp_path / "none.db") == []
    spec = project.spec.model_copy(update={"output": {"answer": "category"}})
    with pytest.raises(SpecError, match="no cited answer"):
        people_tests(project.champion.predictor, spec, memory(project.store))


def test_rows_that_nobody_answered_say_what_people_answered_since(project):
    """Nearly the same question said {}: now it has the answer; what had one keeps it, and so does another question."""
    text = f"{ENGLISH}\n{SAID}"
    passages = [Passage(DOCUMENT, (), 0, 0, len(text), text), Passage("kettle.md", (), 0, 0, 4, "Why?")]
    rows = pl.DataFrame({"question": ["do you offer gift wrapping", ENGLISH, "Do you ship?"],
                         "answer": ["{}", '{"text": "no"}', "{}"]})  # fmt: skip
    found, changed = amended_by_document(rows, passages, project.spec)
    assert changed == 1
    assert [json.loads(each).get("text", "") for each in found["answer"]] == [SAID, "no", ""]
