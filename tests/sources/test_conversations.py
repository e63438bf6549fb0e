"""Whole conversations as rows: what was said, and the answer to it."""

import json

import pytest

from windlass.errors import DataError
from windlass.sources.places import find, names_of
from windlass.spec import parse
from windlass.stages.collect import collect
from windlass.store.store import Store

SPEC = "name: bot\ndata: talks.jsonl\ninputs: {messages: chat}\noutput: {reply: text}\n"


def said(*lines):
    """Messages from 'u: hello', 'a: hi', 's: be brief'."""
    roles = {"s": "system", "u": "user", "a": "assistant"}
    return [{"role": roles[line[0]], "content": line[3:]} for line in lines]


def rows(folder, *values, name="talks.jsonl"):
    (folder / name).write_text("".join(json.dumps(value) + "\n" for value in values), encoding="utf-8")
    spec = parse(SPEC)
    (source,) = find(spec.data, folder, names_of(spec), folder)
    return list(source.rows()), source


def test_every_answer_of_a_conversation_is_a_row_with_what_was_said_before(tmp_path):
    talk = said("u: I am Ann", "a: Hello Ann", "u: my name?", "a: Ann")
    found, _ = rows(tmp_path, {"messages": talk})
    assert [row.values for row in found] == [
        {"messages": talk[:1], "reply": "Hello Ann"},
        {"messages": talk[:3], "reply": "Ann"},
    ]
    assert [row.number for row in found] == [1, 1]


def test_a_greeting_of_the_assistant_is_no_answer_but_stays_in_what_was_said(tmp_path):
    talk = said("a: Welcome", "u: hi", "a: How can I help?")
    found, _ = rows(tmp_path, {"messages": talk})
    assert [row.values for row in found] == [{"messages": talk[:2], "reply": "How can I help?"}]


def test_system_messages_come_first(tmp_path):
    talk = said("u: hi", "s: be brief", "a: yes?")
    found, _ = rows(tmp_path, {"messages": talk})
    assert found[0].values["messages"] == [talk[1], talk[0]]


def test_other_columns_stay_beside_every_answer(tmp_path):
    found, _ = rows(tmp_path, {"messages": said("u: a", "a: b", "u: c", "a: d"), "shop": "north"})
    assert [row.values["shop"] for row in found] == ["north", "north"]


def test_a_row_that_has_its_reply_already_stays_as_it_is(tmp_path):
    row = {"messages": said("u: a", "a: b", "u: c"), "reply": "d"}
    found, _ = rows(tmp_path, row)
    assert [each.values for each in found] == [row]


def test_the_share_gpt_form_is_read(tmp_path):
    turns = [("system", "be brief"), ("human", "hi"), ("gpt", "yes?"), ("human", "bye"), ("gpt", "bye")]
    talk = [{"from": who, "value": what, "weight": 1} for who, what in turns]
    found, _ = rows(tmp_path, {"id": 7, "conversations": talk})
    assert [row.values["reply"] for row in found] == ["yes?", "bye"]
    assert found[0].values == {"id": 7, "messages": said("s: be brief", "u: hi"), "reply": "yes?"}


def test_a_speaker_that_is_not_known_is_named(tmp_path):
    found, _ = rows(tmp_path, {"conversations": [{"from": "tool", "value": "3"}, {"from": "gpt", "value": "b"}]})
    assert found[0].values is None
    assert "'messages': message 0 has the role 'tool'" in found[0].fault


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        (said("u: hello?"), "no answer of the assistant to a user"),
        (said("a: welcome"), "no answer of the assistant to a user"),
        ([], "expected a list of 1 to"),
        (None, "is missing"),
        ("hello", "expected a list of messages"),
        ([{"role": "user"}], "message 0 is not an object"),
        ([{"role": "user", "content": 3}], "message 0 has a content that is not text"),
    ],
)
def test_a_conversation_that_teaches_nothing_is_a_fault_and_never_a_crash(tmp_path, messages, words):
    found, _ = rows(tmp_path, {"messages": messages})
    assert [row.values for row in found] == [None]
    assert words in found[0].fault


def test_a_question_that_nobody_answers_is_left_out_and_said_aloud(tmp_path):
    found, source = rows(tmp_path, {"messages": said("u: a", "a: b", "u: c")})
    assert [row.values["reply"] for row in found] == ["b"]
    assert "1 conversations of talks.jsonl end with a message that nobody answers" in source.warnings[0]


def test_csv_may_hold_conversations_as_json(tmp_path):
    talk = json.dumps(said("u: a", "a: b")).replace('"', '""')
    (tmp_path / "talks.csv").write_text(f'messages\n"{talk}"\n', encoding="utf-8")
    spec = parse(SPEC.replace("jsonl", "csv"))
    (source,) = find(spec.data, tmp_path, names_of(spec), tmp_path)
    assert [row.values for row in source.rows()] == [{"messages": said("u: a"), "reply": "b"}]


def test_without_a_chat_input_a_column_named_messages_is_any_column(tmp_path):
    (tmp_path / "talks.jsonl").write_text(json.dumps({"messages": "a", "reply": "b"}) + "\n", encoding="utf-8")
    spec = parse(SPEC.replace("chat", "text"))
    (source,) = find(spec.data, tmp_path, names_of(spec), tmp_path)
    assert [row.values for row in source.rows()] == [{"messages": "a", "reply": "b"}]


def collected(folder, *values):
    (folder / "talks.jsonl").write_text("".join(json.dumps(value) + "\n" for value in values), encoding="utf-8")
    return collect(parse(SPEC), Store(folder))


def test_answers_taken_in_and_conversations_refused_add_up(tmp_path):
    good = {"messages": said("u: a", "a: b", "u: c", "a: d")}
    record = collected(tmp_path, good, {"messages": said("u: alone")}, {"messages": said("u: e", "a: ")})
    assert (record.rows_in, record.accepted, record.rejected) == (4, 2, 2)
    assert record.rows_in == record.accepted + record.rejected


def test_a_file_without_conversations_names_the_column_that_it_lacks(tmp_path):
    with pytest.raises(DataError, match="no column 'messages'"):
        collected(tmp_path, {"text": "a"})
