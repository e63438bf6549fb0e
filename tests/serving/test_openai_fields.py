"""What clients of OpenAI send besides the question: taken where it cannot change the text, refused where it could."""

import json
from typing import Any

import openai
import pytest
from toy_writer import Toy

from windlass.predictors.language.grammar import SPACE
from windlass.serving.api.schema_budget import LARGEST, bounded, need

WITHOUT_EFFECT = {
    "store": True,
    "metadata": {"order": "7"},
    "prompt_cache_key": "shop",
    "safety_identifier": "visitor-7",
    "service_tier": "flex",
    "verbosity": "medium",
    "reasoning_effort": "high",
    "user": "anna",
    "temperature": 0,
    "extra_body": {"top_k": 40},
}


def ask(server: Any, messages: Any, **options: Any) -> Any:
    with openai.OpenAI(base_url=f"http://127.0.0.1:{server.port}/v1", api_key="none", max_retries=0) as client:
        return client.chat.completions.create(model="teller", messages=messages, **options)


def test_what_cannot_change_the_text_is_taken_and_listed(teller: Any) -> None:
    said = ask(teller, [{"role": "user", "content": "hello", "name": "anna"}], **WITHOUT_EFFECT)
    assert said.choices[0].message.content == "You said: hello"
    operation = teller.ask("GET", "/openapi.json").json["paths"]["/v1/chat/completions"]["post"]
    listed = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert all("accepted" in listed[name]["description"] for name in ["store", "metadata", "top_k", "reasoning_effort"])


def test_a_talk_that_other_clients_kept_comes_back_as_it_was(teller: Any, toy: Toy) -> None:
    talk = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": None, "id": "msg-1", "name": "bot"},
            {"role": "user", "content": [{"type": "text", "text": each} for each in ("and", "now")]}]  # fmt: skip
    ask(teller, talk)
    (row,) = toy.calls[-1][0]
    said = json.loads(row["messages"]) if isinstance(row["messages"], str) else row["messages"]
    assert [each["content"] for each in said] == ["hi", "and\nnow"]


@pytest.mark.parametrize(
    ("options", "word"),
    [({"verbosity": "low"}, "verbosity"), ({"temperature": 1, "extra_body": {"top_k": 5}}, "top_k"),
     ({"messages": [{"role": "user", "content": None}]}, "messages.0")],
)  # fmt: skip
def test_what_would_change_the_text_is_refused(teller: Any, options: Any, word: str) -> None:
    asked = {"messages": [{"role": "user", "content": "hello"}], **options}
    with pytest.raises(openai.BadRequestError) as caught:
        ask(teller, asked.pop("messages"), **asked)
    assert caught.value.body["param"] == word


def test_numbers_of_a_schema_have_an_end_and_its_budget_follows_it(teller: Any, toy: Toy) -> None:
    person = {
        "type": "object",
        "properties": {"age": {"type": "integer"}, "maximum": {"type": "integer", "minimum": 0}},
    }
    schema = {"type": "object", "properties": {"people": {"type": "array", "items": person, "maxItems": 30}}}
    inner = bounded(schema)["properties"]["people"]["items"]["properties"]
    assert inner["age"] == {"type": "integer", "maximum": LARGEST, "minimum": -LARGEST}
    assert inner["maximum"] == {"type": "integer", "minimum": 0, "maximum": LARGEST}
    assert bounded({"type": ["number", "null"], "minimum": 0}) == {
        "type": ["number", "null"], "minimum": 0, "maximum": LARGEST, "multipleOf": 1e-6}  # fmt: skip
    assert bounded({"type": "integer", "enum": [1, 2]}) == {"type": "integer", "enum": [1, 2]}
    wanted = {"type": "json_schema", "json_schema": {"name": "people", "schema": schema}}
    ask(teller, [{"role": "user", "content": "hello"}], response_format=wanted)
    assert toy.calls[-1][1].max_tokens >= 30 * 2 * 16
    ask(teller, [{"role": "user", "content": "hello"}], response_format=wanted, max_tokens=9)
    assert toy.calls[-1][1].max_tokens == 9, "who asks for an end gets it"
    endless = {"$ref": "#/$defs/node", "$defs": {"node": {"properties": {"next": {"$ref": "#/$defs/node"}}}}}
    assert 0 < need(endless) < 1_000
    assert need({"enum": ["yes", "no"]}) == 5
    assert need({"type": "string", "maxLength": 40}) == 42


@pytest.mark.parametrize(
    ("schema", "endless", "most"),
    [({"type": "integer"}, "1" * 60, 16), ({"type": "number"}, "0." + "3" * 60, 9), ({"type": "number"}, "7" * 60, 16),
     ({"type": ["number", "null"]}, "0." + "3" * 60, 9), ({"type": "array", "items": {}}, "[" + " " * 60, 3),
     ({"type": "object"}, "{" + chr(10) * 60, 3)],
)  # fmt: skip
def test_no_number_and_no_space_goes_on_for_ever(schema: Any, endless: str, most: int) -> None:
    """What the grammar takes of a text that would never end; a control takes all of it."""
    llguidance = pytest.importorskip("llguidance")

    def taken(schema: Any, space: str) -> int:
        grammar = llguidance.LLMatcher.grammar_from_json_schema(
            json.dumps(schema), overrides={"whitespace_pattern": space}
        )
        matcher = llguidance.LLMatcher(llguidance.LLTokenizer("byte"), grammar)
        assert not matcher.is_error()
        return matcher.try_consume_tokens(list(endless.encode()))

    assert taken(bounded(schema), SPACE) <= most
    assert taken(schema, r"[ \n]*") > 50, "the control goes on"
