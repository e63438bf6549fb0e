"""Pointing at an answer: the likeliest span by hand, a graph made by hand, and damage refused."""

import json
import math

import numpy as np
import pytest
from onnx import TensorProto, checker, helper, numpy_helper

from windlass.errors import DataError
from windlass.predictors.artifact import write_golden, write_manifest
from windlass.predictors.language.reading import N_TRAITS, Vocabulary, read
from windlass.predictors.language.writing import Writing
from windlass.predictors.retrieval import span
from windlass.predictors.table import load, replay
from windlass.records import Column, Manifest
from windlass.testing.checks import tiny_tokenizer

VOCABULARY = Vocabulary(("oslo", "rome", "in"), (1.0, 1.0, 0.5), 2.0)
ROWS = [{"context": "Anna lives in Rome.", "question": "Where?"}, {"context": "罗马 Oslo 在", "question": "哪里？"}]


def test_the_likeliest_span_is_start_times_end():
    """Starts 0.5, 0.3, 0.2 and ends 0.6, 0.1, 0.3: from 0 to 0 is 0.3, from 1 to 2 0.09, from 0 to 2 0.15."""
    logits = np.log([[0.5, 0.3, 0.2], [0.6, 0.1, 0.3]])
    first, last, logprob = span.best_span(logits, np.arange(3), 3)
    assert (first, last) == (0, 0)
    assert logprob == pytest.approx(math.log(0.3))


def test_an_answer_neither_ends_before_it_starts_nor_goes_on_for_ever():
    logits = np.log([[0.1, 0.1, 0.8], [0.8, 0.1, 0.1]])
    assert span.best_span(logits, np.arange(3), 3)[:2] in ((0, 0), (2, 2))
    far = np.log([[0.7, 0.1, 0.2], [0.1, 0.1, 0.8]])
    assert span.best_span(far, np.arange(3), 3)[:2] == (0, 2)
    assert span.best_span(far, np.arange(3), 2)[:2] == (2, 2)


def test_an_answer_does_not_reach_over_what_was_not_read():
    logits = np.log([[0.7, 0.1, 0.2], [0.1, 0.1, 0.8]])
    assert span.best_span(logits, np.array([0, 1, 5]), 3)[:2] == (2, 2)


def test_a_temperature_makes_it_less_sure():
    logits = np.log([[0.8, 0.2], [0.8, 0.2]])
    assert span.best_span(logits, np.arange(2), 2)[2] == pytest.approx(math.log(0.64))
    assert span.best_span(logits, np.arange(2), 2, 2.0)[2] == pytest.approx(math.log((2 / 3) ** 2))


def graph(n_inputs=3, output="logits", width=N_TRAITS, both=2) -> bytes:
    """Start and end logits are ten times the trait that tells a capital."""
    shapes = [["rows", "words"], ["rows", "words", width], ["rows", "asked"], ["rows", "pieces"], ["rows", "words"]]
    inputs = [
        helper.make_tensor_value_info(f"input_{number}", TensorProto.INT64, shapes[number])
        for number in range(n_inputs)
    ]
    weights = np.zeros((width, both), np.float32)
    weights[-10] = 10 / 255
    nodes = [
        helper.make_node("Cast", ["input_1"], ["traits"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["traits", "weights"], ["scores"]),
        helper.make_node("Transpose", ["scores"], [output], perm=[0, 2, 1]),
    ]
    made = helper.make_graph(
        nodes,
        "capitals",
        inputs,
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["rows", both, "words"])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    checker.check_model(model)
    return model.SerializeToString()


def artifact(folder, content=None, encoder=None, **settings):
    folder.mkdir()
    made = {"column": "context", "longest": 1, **settings} | ({"encoder": encoder} if encoder else {})
    inputs = (Column("context", "text"), Column("question", "text"))
    write_manifest(folder, Manifest("span", "extract", inputs, Column("answer", "text"), settings=made))
    write_golden(folder, ROWS, ["Anna", "Oslo"])
    (folder / span.VOCABULARY).write_text(json.dumps(VOCABULARY.as_json()))
    (folder / span.FILE).write_bytes(content or graph(5 if encoder else 3))
    if encoder:
        (folder / span.TOKENIZER).write_text(tiny_tokenizer())
    return folder


ENCODER = {"length": 64, "pad": 0}


@pytest.mark.parametrize("encoder", [None, ENCODER], ids=["alone", "with an encoder"])
def test_a_graph_points_at_the_answer(encoder, tmp_path):
    """The first word with a capital, of four or three words: two capitals share the probability."""
    folder = artifact(tmp_path / "a", encoder=encoder)
    predictor = load(folder)
    assert replay(predictor, folder) == 0
    answers = predictor.answer(ROWS)
    assert [answer.value for answer in answers] == ["Anna", "Oslo"]
    assert answers[0].confidence == pytest.approx((1 / (2 + 3 * math.exp(-10))) ** 2, rel=1e-5)
    assert answers[1].confidence == pytest.approx((1 / (1 + 3 * math.exp(-10))) ** 2, rel=1e-5)


def test_a_row_is_answered_alike_alone_and_among_many(tmp_path):
    predictor = load(artifact(tmp_path / "a"))
    rows = [{"context": "so " * (number % 7) + "Oslo", "question": ""} for number in range(3 * span.MOST_ROWS + 1)]
    many = predictor.answer(rows)
    assert [answer.value for answer in many] == ["Oslo"] * len(rows)
    assert many[5].confidence == pytest.approx(predictor.answer(rows[5:6])[0].confidence)


def test_where_there_is_nothing_to_read_there_is_no_answer(tmp_path):
    answers = load(artifact(tmp_path / "a")).answer([{"context": None, "question": "who?"}, ROWS[0]])
    assert (answers[0].value, answers[0].confidence) == ("", None)
    assert answers[1].value == "Anna"
    assert load(tmp_path / "a").answer([]) == []


def test_who_listens_may_stop_it(tmp_path):
    engine = load(artifact(tmp_path / "a")).engine
    assert engine.write(ROWS, Writing(), lambda row, piece: row > 0)[0].finish == "cancelled"
    assert engine.nats(ROWS, ["a", "b"]) is None


def test_pieces_of_an_encoder_are_found_for_each_word():
    """The tiny tokenizer has a piece a letter: 'card' has four, and '?' in the question before it one."""
    eyes = span.SpanEncoder(VOCABULARY, span.open_tokenizer(tiny_tokenizer(), 64))
    arrays = eyes.arrays([read("card so", "?", VOCABULARY), read("a", "card", VOCABULARY)])
    assert arrays[3].shape == (2, 7)
    assert arrays[4].tolist() == [[1, 5], [4, 0]]


def _vocabulary(folder, **changes):
    (folder / span.VOCABULARY).write_text(json.dumps({**VOCABULARY.as_json(), **changes}))


DAMAGE = {
    "no graph": lambda folder: (folder / span.FILE).unlink(),
    "half a graph": lambda folder: (folder / span.FILE).write_bytes(graph()[:100]),
    "another output": lambda folder: (folder / span.FILE).write_bytes(graph(output="other")),
    "fewer inputs": lambda folder: (folder / span.FILE).write_bytes(graph(2)),
    "other traits": lambda folder: (folder / span.FILE).write_bytes(graph(width=12)),
    "more than start and end": lambda folder: (folder / span.FILE).write_bytes(graph(both=3)),
    "no vocabulary": lambda folder: (folder / span.VOCABULARY).unlink(),
    "half a vocabulary": lambda folder: (folder / span.VOCABULARY).write_text('{"words": ["a"'),
    "a vocabulary that is a list": lambda folder: (folder / span.VOCABULARY).write_text("[1]"),
    "fewer weights": lambda folder: _vocabulary(folder, weights=[1.0]),
    "a word twice": lambda folder: _vocabulary(folder, words=["in", "in", "a"]),
    "words that are none": lambda folder: _vocabulary(folder, words=[1, 2, 3]),
    "weights that are none": lambda folder: _vocabulary(folder, weights=["1", "x", "2"]),
    "a weight without end": lambda folder: _vocabulary(folder, unseen=1e999),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_artifact_is_refused(damage, tmp_path):
    folder = artifact(tmp_path / "a")
    damage(folder)
    with pytest.raises(DataError):
        load(folder)


@pytest.mark.parametrize(
    "settings",
    [
        {"column": "other"},
        {"column": None},
        {"longest": 0},
        {"longest": "3"},
        {"encoder": {"length": 2, "pad": 0}},
        {"encoder": {"length": 64}},
        {"encoder": {"length": 64, "pad": -1}},
        {"encoder": "yes"},
    ],
)
def test_settings_that_cannot_be_are_refused(settings, tmp_path):
    with pytest.raises(DataError):
        load(artifact(tmp_path / "a", **settings))


@pytest.mark.parametrize("content", [None, "{}", '{"version"', "[]"])
def test_a_damaged_tokenizer_is_refused(content, tmp_path):
    folder = artifact(tmp_path / "a", encoder=ENCODER)
    (folder / span.TOKENIZER).unlink()
    if content is not None:
        (folder / span.TOKENIZER).write_text(content)
    with pytest.raises(DataError, match=r"tokenizer\.json is damaged"):
        load(folder)
