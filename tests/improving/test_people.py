"""What people answered: the latest counts, what is settled waits no more, and the document is the owner's to edit."""

import json

import polars as pl
import pytest

from windlass.database.people_answers import (
    DOCUMENT,
    PeopleAnswers,
    PersonAnswer,
    people_answers,
    refused_questions,
    waits,
)
from windlass.database.request_log import Feedback, Logged, RequestLog
from windlass.errors import DataError
from windlass.improving.people import with_people
from windlass.records import Passage, Splits
from windlass.spec import parse
from windlass.store.files import write_text
from windlass.store.store import Store

PUBLISHED = {"text": "Yes, for 3 euros.", "document": DOCUMENT, "quote": "Yes, for 3 euros."}
SPEC = parse("name: help\ndata: q.jsonl\ndocuments: docs\ninputs: {question: text}\noutput: {answer: cited}\n")


def said(question, answer, at=0.0):
    return PersonAnswer({"question": question}, answer, at=at)


def splits(folder, *rows):
    frame = pl.DataFrame(rows or [("x", "{}")], ["question", "answer"], orient="row")
    known = [Passage("a.md", (), 0, 0, 2, "A.")]
    return Splits({"question": "text"}, {"answer": "cited"}, frame, frame, frame, folder, passages=known)


@pytest.fixture
def store(tmp_path):
    write_text(tmp_path / "docs" / "a.md", "A.")
    return Store(tmp_path)


def told(store):
    path = store.project / "docs" / DOCUMENT
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def test_of_two_on_one_question_the_later_counts(tmp_path):
    place, clock = tmp_path / "log.sqlite", iter((1.0, 2.0, 3.0))
    people = PeopleAnswers(place, clock.__next__)
    people.add(said("Do you wrap?", {}))
    people.add(said("Do you ship?", PUBLISHED))
    assert people.add(PersonAnswer({"question": " do you  WRAP?"}, PUBLISHED, ("a", "b"), "anna")) == 3
    people.close()
    assert [(each.number, each.is_published, each.asked) for each in people_answers(place)] == [
        (2, True, ()), (3, True, ("a", "b"))]  # fmt: skip


def test_who_waits(tmp_path):
    """Refused, what was asked is kept, and nobody has settled it: by feedback, an answer, or the same question."""
    place = tmp_path / "log.sqlite"
    values = {"answered": '{"refused": false}', "gone": None, "none": "{}", "right": "", "text": '{"text": "x"}'}
    with RequestLog(place) as log:
        for number, name in enumerate([*values, "open", "asked", "again"]):
            value = '{"refused": false}' if name == "answered" else '{"refused": true}'
            row = None if name == "gone" else {"question": "Same?" if name == "again" else name}
            log.record([Logged(name, float(number), "r", value, 0.1, 1.0, row)], 100)
        for name in ("none", "text"):
            log.feedback(Feedback(name, values[name], None, "")).result()
        log.feedback(Feedback("right", "", None, "", right=True)).result()
    people = PeopleAnswers(place)
    people.add(PersonAnswer({"question": "same?"}, {}, ("asked",)))
    people.close()
    found = refused_questions(place, lambda value: json.loads(value).get("refused", value == "{}"))
    assert [(each.id, each.proposed) for each in found] == [("again", ""), ("open", ""), ("text", '{"text": "x"}')]
    assert [each.id for each in waits(found, people_answers(place))] == ["open", "text"]


def test_a_question_without_words_waits_for_nobody(tmp_path):
    """Empty, spaces, control characters, what has no width, and NUL as PostgreSQL keeps it."""
    place, unseen = tmp_path / "log.sqlite", ["", " \n", "\0", "\x07\u200b", "\ufffd", None]
    with RequestLog(place) as log:
        for number, text in enumerate([*unseen, "?", "\0Why"]):
            log.record([Logged(str(number), float(number), "r", "{}", 0.1, 1.0, {"question": text})], 100)
    assert [each.id for each in refused_questions(place, lambda value: True)] == ["7", "6"]


def test_what_is_published_is_a_document_and_stays_as_its_owner_leaves_it(store):
    first = said("Do you wrap", PUBLISHED, 1.0)
    found, notes = with_people(splits(store.project, ("do you wrap?", "{}"), ("else?", "{}")), [first], SPEC, store)
    assert told(store) == [{"question": "Do you wrap?", "answer": "Yes, for 3 euros."}]
    assert [each.document for each in found.passages] == ["a.md", DOCUMENT]
    assert [json.loads(each).get("document", "") for each in found.train["answer"]] == [DOCUMENT, ""]
    assert notes == ["3 questions without an answer have one now: people gave it"]
    (store.project / "docs" / DOCUMENT).unlink()  # the owner took it out
    again, _ = with_people(splits(store.project), [first, said("你们送货吗", PUBLISHED, 2.0)], SPEC, store)
    assert [line["question"] for line in told(store)] == ["你们送货吗？"]
    assert [each.document for each in again.passages] == ["a.md", DOCUMENT]


def test_who_changes_his_mind_is_believed(store):
    with_people(splits(store.project), [said("Wrap?", PUBLISHED, 1.0)], SPEC, store)
    other = {**PUBLISHED, "text": "No."}
    with_people(splits(store.project), [said("Wrap?", other, 2.0)], SPEC, store)
    assert told(store) == [{"question": "Wrap?", "answer": "No."}]
    found, _ = with_people(splits(store.project), [said("Wrap?", {}, 3.0)], SPEC, store)
    assert (told(store), [each.document for each in found.passages]) == ([], ["a.md"])


def test_a_damaged_document_and_a_single_file_of_documents_are_told(store):
    write_text(store.project / "docs" / DOCUMENT, "no json\n")
    with pytest.raises(DataError, match="is damaged, expected a question and an answer a line"):
        with_people(splits(store.project), [said("Wrap?", PUBLISHED, 1.0)], SPEC, store)
    alone = SPEC.model_copy(update={"documents": "docs/a.md"})
    found, notes = with_people(splits(store.project), [said("Wrap?", PUBLISHED, 1.0)], alone, store)
    assert len(found.passages) == 1
    assert "expected a folder" in notes[0]
