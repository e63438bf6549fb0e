"""8-bit weights are really tried: a network made by hand is rounded, timed and scored."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.predictors import artifacts as made
from windlass.planning.evidence.compression import tried
from windlass.predictors.table import load
from windlass.records import Splits

WIDTH = 20_000
ROWS = pl.DataFrame({"message": ["card", "lost"] * 30, "answer": ["no", "yes"] * 30})
SPLITS = Splits({"message": "text"}, {"answer": "category"}, ROWS, ROWS, ROWS, Path())


def network(folder, spread=0.0):
    """'card' says no, 'lost' says yes: an embedding of each word, wide so that its size shows, times a head.

    spread: one weight so much larger than the others that 8 bits cannot tell those from 0.
    """
    embedding = np.zeros((4, WIDTH), np.float32)
    embedding[2], embedding[3] = 0.5, -0.5
    head = np.zeros((WIDTH, 2), np.float32)
    head[:, 0] = 1 / WIDTH
    head[0, 0] = spread
    embedding[2:, 0] = 0.0
    nodes = [
        helper.make_node("Gather", ["embedding", "input_0"], ["words"], axis=0),
        helper.make_node("ReduceSum", ["words", "axes"], ["text"], keepdims=0),
        helper.make_node("MatMul", ["text", "head"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "words",
        [helper.make_tensor_value_info("input_0", TensorProto.INT64, ["n", "length"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 2])],
        [
            numpy_helper.from_array(embedding, "embedding"),
            numpy_helper.from_array(head, "head"),
            numpy_helper.from_array(np.array([1], np.int64), "axes"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    return made.onnx(folder, model.SerializeToString())


def test_the_copy_is_a_quarter_of_the_size_and_answers_like_the_model(tmp_path):
    found = tried(network(tmp_path / "model"), SPLITS, "accuracy", tmp_path / "int8")
    assert found["fault"] == ""
    assert found["size_mb_now"] / found["size_mb"] == pytest.approx(4, rel=0.1)
    assert found["gain"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert found["rows"] == 60
    assert 0 < found["ms"] < 1_000
    assert [answer.value for answer in load(tmp_path / "int8").answer([{"message": "card"}, {"message": "lost"}])] == [
        "no", "yes"
    ]  # fmt: skip


def test_what_rounding_costs_is_measured(tmp_path):
    """Control: a weight of 1 beside many of 1 / 20,000 leaves zeros in 8 bits: all rows get the same answer."""
    found = tried(network(tmp_path / "model", spread=1.0), SPLITS, "accuracy", tmp_path / "int8")
    assert found["gain"]["value"] == pytest.approx(-0.5)
    assert found["gain"]["high"] < 0


def test_a_linear_model_has_no_network_to_round(tmp_path):
    assert tried(made.linear(tmp_path / "model"), SPLITS, "accuracy", tmp_path / "int8") == {}
    assert not (tmp_path / "int8").exists()


def test_a_network_that_cannot_be_rounded_says_so(tmp_path):
    found = tried(made.onnx(tmp_path / "model", b"not a graph"), SPLITS, "accuracy", tmp_path / "int8")
    assert "cannot round" in found["fault"]
