"""Answers by a JSON schema: whatever the model would rather write, what it writes keeps the schema."""

import json
from dataclasses import replace

import jsonschema
import pytest

from tests.learners import writers
from windlass.errors import DataError, NotReady
from windlass.learners.language import tokens
from windlass.predictors.language import decoding
from windlass.predictors.language.engine import MODEL
from windlass.predictors.language.grammar import Grammar, check_cost
from windlass.predictors.language.language import Language
from windlass.predictors.language.prompts import Template
from windlass.predictors.language.writing import Writing, silent_hear

END = writers.tokenizer().token_to_id(tokens.END)
TEMPLATE = Template(start=[END], roles={"user": ([], [])}, answer=[END], end=[END], most=40)
ROWS = [{"said": "ab"}, {"said": "Who are you, user?"}, {"said": "x"}]
SCHEMAS = {
    "object": {
        "type": "object",
        "properties": {
            "mood": {"enum": ["glad", "sad"]},
            "sure": {"type": "boolean"},
            "town": {"type": "string", "maxLength": 4},
        },
        "required": ["mood", "sure", "town"],
        "additionalProperties": False,
    },
    "list": {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 99}, "minItems": 2, "maxItems": 3},
    "one word": {"enum": ["yes", "no"]},
    "number": {"type": "integer", "minimum": 1, "maximum": 999},
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("artifact")
    writers.decoder(folder / MODEL, length=256)
    decoder = decoding.open_decoder(folder / MODEL, [END])
    return Language(writers.prompts(folder / MODEL, TEMPLATE), [lambda: decoder])


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_a_random_model_keeps_the_schema(model, schema, temperature):
    how = Writing(max_tokens=200, schema=schema, temperature=temperature)
    for written in model.write(ROWS, how, silent_hear):
        assert written.finish == "stop"
        jsonschema.validate(json.loads(written.text), schema)


def test_without_the_schema_it_does_not(model):
    """Control: the model knows no JSON by itself."""
    for written in model.write(ROWS, Writing(max_tokens=30), silent_hear):
        with pytest.raises(ValueError, match=r"Expecting|Extra"):
            json.loads(written.text + "]")


def test_a_schema_holds_in_a_batch_as_it_does_alone(model):
    how = Writing(max_tokens=200, schema=SCHEMAS["object"])
    together = [written.text for written in model.write(ROWS, how, silent_hear)]
    assert together == [model.write([row], how, silent_hear)[0].text for row in ROWS]


@pytest.mark.parametrize("schema", [{"type": "nothing"}, {"$ref": "#/nowhere"}, {"type": "string", "pattern": "("}])
def test_a_schema_that_cannot_be_kept_is_refused(model, schema):
    with pytest.raises(DataError, match="expected a JSON schema"):
        model.write(ROWS, Writing(schema=schema), silent_hear)


def test_a_schema_with_beams_is_refused(model):
    with pytest.raises(DataError, match="cannot write in this way"):
        model.write(ROWS, Writing(schema=SCHEMAS["number"], beams=2), silent_hear)


def test_a_model_without_a_tokenizer_beside_it_says_so():
    with pytest.raises(NotReady, match="needs the tokenizer"):
        Grammar.of({"type": "object"}, None, [1])


def test_without_llguidance_it_says_what_to_install(model, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "llguidance", None)
    with pytest.raises(NotReady, match="llguidance"):
        model.write(ROWS, replace(Writing(), schema=SCHEMAS["number"]), silent_hear)


def test_no_schema_allows_every_token():
    import torch

    logits = torch.randn(7)
    grammar = Grammar.of(None, None, [])
    grammar.take(3)
    assert grammar.allowed(logits) is logits
    assert not grammar.is_complete


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": [{"type": "string", "pattern": f".*{sign}.*"} for sign in "abcdefghijklmnopqrst"]},
        {"allOf": [{"type": "integer", "multipleOf": prime} for prime in (2, 3, 5, 7, 11, 13, 17, 19)]},
    ],
)
def test_a_schema_that_would_be_compiled_for_minutes_is_refused(schema):
    """Fourteen patterns take 0.2 s and each more doubles that; 9,699,690 is what the primes multiply to."""
    with pytest.raises(DataError, match="more than 2 s to be compiled"):
        check_cost(schema)


@pytest.mark.parametrize("schema", SCHEMAS.values())
def test_control_of_the_above_an_ordinary_schema_is_taken(schema):
    check_cost(schema)
