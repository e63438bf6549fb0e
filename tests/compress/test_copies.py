"""Copies are smaller and answer alike; whatever breaks one is refused."""

import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from safetensors.numpy import load_file

from tests.compress.networks import ROWS, encoder, graph, tokenizer
from tests.predictors import artifacts as made
from windlass.compress import copies, graphs, parity, vocabulary
from windlass.compress.copies import Lesson
from windlass.errors import DataError, GateRefused
from windlass.kinds import text
from windlass.predictors.artifact import read_manifest, write_manifest
from windlass.predictors.table import load, replay


def copy_of(tmp_path, method, source=None, rows=ROWS):
    source = source or encoder(tmp_path / "model")
    copies.copied(source, tmp_path / "copy", method, Lesson(rows, tmp_path, 5.0))
    return load(source), load(tmp_path / "copy")


def compared(tmp_path, model, copy):
    return parity.of_scores(model, copy, ROWS, tmp_path, 10.0)


def test_products_of_8_bits_answer_alike_and_a_row_beside_others_as_alone(tmp_path):
    model, copy = copy_of(tmp_path, "int8")
    found = compared(tmp_path, model, copy)
    assert 0 < found.error < 0.05
    assert found.changed <= 0.1 * found.rows
    parity.check(found, "copy")
    alone = np.concatenate([copy.probabilities([row]) for row in ROWS[:20]])
    assert np.abs(alone - copy.probabilities(ROWS[:20])).max() < 1e-5
    assert replay(copy, tmp_path / "copy") < 1e-5
    told = copy.manifest.settings["compressed"]
    assert told["method"] == "int8"
    assert told["products"] == 2
    kept = {each.name: each.data_type for each in onnx.load(str(tmp_path / "copy" / "model.onnx")).graph.initializer}
    assert kept["table_rows"] == onnx.TensorProto.INT8  # tables, too
    assert not {"table", "table_half", "one", "two"} & set(kept)  # MiniLM kept its table beside it: 47 MB instead of 23
    sizes = [(tmp_path / name / "model.onnx").stat().st_size for name in ("copy", "model")]
    assert sizes[0] < 0.6 * sizes[1]


def test_weights_of_16_bits_are_half_the_file(tmp_path):
    model, copy = copy_of(tmp_path, "half")
    assert compared(tmp_path, model, copy).error < 1e-3
    sizes = [(tmp_path / name / "model.onnx").stat().st_size for name in ("copy", "model")]
    assert sizes[0] < 0.6 * sizes[1]
    assert {array.dtype for array in load_file(_half_linear(tmp_path)).values()} == {np.dtype(np.float16)}


def _half_linear(tmp_path):
    source = made.linear(tmp_path / "linear")
    copies.copied(source, tmp_path / "small", "half", Lesson([], tmp_path))
    assert replay(load(tmp_path / "small"), tmp_path / "small") == pytest.approx(0, abs=1e-6)
    return tmp_path / "small" / "model.safetensors"


def test_a_vocabulary_without_what_training_never_has_reads_the_rest_as_before(tmp_path):
    large = tokenizer(extra=[f"un{one}{other}" for one in "abcdefghijklmnopqrst" for other in "abcdefghijklmnopqrst"])
    model, copy = copy_of(tmp_path, "vocabulary", encoder(tmp_path / "model", text=large))
    smaller = json.loads(copy.manifest.inputs[0].state["tokenizer"])["model"]["vocab"]
    assert len(smaller) < 100
    assert "unab" not in smaller
    assert "card" in smaller
    parity.check(compared(tmp_path, model, copy), "copy")
    kept = vocabulary.trimmed(large, vocabulary.used([row["message"] for row in ROWS], large))
    ids = [text.encode([row["message"] for row in ROWS], {**model.manifest.inputs[0].state, "tokenizer": each})
           for each in (large, kept[0])]  # fmt: skip
    assert np.array_equal(kept[1][ids[1]], ids[0])  # the same tokens under other numbers
    unknown = text.encode(["unab"], {**model.manifest.inputs[0].state, "tokenizer": kept[0]})
    assert unknown.shape[1] > 4  # in pieces


def test_a_product_that_8_bits_harm_stays_in_floats(tmp_path):
    weights = graph(66)
    for tensor in weights.graph.initializer:
        if tensor.name == "one":  # one column so large that what goes into the second product is 0 or 1 but for it
            array = numpy_helper.to_array(tensor).copy()
            array[:, 1:] *= 1e-3
            tensor.CopyFrom(numpy_helper.from_array(array, "one"))
        if tensor.name == "two":
            array = numpy_helper.to_array(tensor).copy()
            array[0] *= 1e-4
            tensor.CopyFrom(numpy_helper.from_array(array, "two"))
    model, copy = copy_of(tmp_path, "int8", encoder(tmp_path / "model", weights))
    told = copy.manifest.settings["compressed"]
    assert len(told["floats"]) == 1
    assert told["error"] < 0.1
    assert compared(tmp_path, model, copy).error < 0.1


def test_swapped_labels_are_refused(tmp_path):
    model, copy = copy_of(tmp_path, "int8")
    output = copy.manifest.output
    state = {**output.state, "labels": [*output.state["labels"][1:], output.state["labels"][0]]}
    write_manifest(tmp_path / "copy", replace(copy.manifest, output=replace(output, state=state)))
    with pytest.raises(GateRefused, match=r"answers .* rows in another way"):
        parity.check(compared(tmp_path, model, load(tmp_path / "copy")), "copy")


def test_weights_that_do_not_fit_16_bits_are_refused(tmp_path):
    weights = graph(66)
    for tensor in weights.graph.initializer:
        if tensor.name == "two":
            array = numpy_helper.to_array(tensor) * np.float32(1e6)
            tensor.CopyFrom(numpy_helper.from_array(array, "two"))
    with pytest.raises(GateRefused, match="a weight is beyond its bits"):
        copy_of(tmp_path, "half", encoder(tmp_path / "model", weights))


def test_scores_that_are_no_numbers_are_refused(tmp_path):
    model = load(encoder(tmp_path / "model"))
    broken = replace(model, engine=lambda batches: np.full((len(batches[0]), 3), np.nan))
    with pytest.raises(GateRefused, match="differs from the model that it was made of by inf"):
        parity.check(compared(tmp_path, model, broken), "copy")


def test_another_vocabulary_is_refused(tmp_path):
    """The table was trimmed, and the tokenizer that goes with it numbers its words in another order."""
    model, copy = copy_of(tmp_path, "vocabulary")
    column = copy.manifest.inputs[0]
    values = json.loads(column.state["tokenizer"])
    words = [word for word in values["model"]["vocab"] if not word.startswith("[")]
    values["model"]["vocab"] |= dict(zip(words, [values["model"]["vocab"][each] for each in words[::-1]], strict=True))
    wrong = replace(column, state={**column.state, "tokenizer": json.dumps(values)})
    write_manifest(tmp_path / "copy", replace(copy.manifest, inputs=(wrong,)))
    with pytest.raises(GateRefused):
        parity.check(compared(tmp_path, model, load(tmp_path / "copy")), "copy")


def test_what_cannot_be_made_smaller_says_so(tmp_path):
    with pytest.raises(DataError, match="nothing in this candidate can be made smaller by 'int8'"):
        copies.copied(made.linear(tmp_path / "linear"), tmp_path / "copy", "int8", Lesson([], tmp_path))


def test_convolutions_keep_8_bits_and_compute_in_32(tmp_path):
    weight = np.random.default_rng(0).normal(0, 1, (16, 8, 3, 3)).astype(np.float32)
    made_graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Conv", ["input_0", "weight"], ["maps"], pads=[1, 1, 1, 1]),
         onnx.helper.make_node("Relu", ["maps"], ["logits"])],
        "conv",
        [onnx.helper.make_tensor_value_info("input_0", onnx.TensorProto.FLOAT, [1, 8, 6, 6])],
        [onnx.helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, [1, 16, 6, 6])],
        [numpy_helper.from_array(weight, "weight")],
    )  # fmt: skip
    model = onnx.helper.make_model(made_graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=10)
    from windlass.compress.calibration import opened

    small = graphs.rounded(model, graphs.Plan({}))
    assert len(small.SerializeToString()) < 0.6 * len(model.SerializeToString())
    feed = {"input_0": np.random.default_rng(1).normal(0, 1, (1, 8, 6, 6)).astype(np.float32)}
    one, other = opened(model)(feed)[0], opened(small)(feed)[0]
    assert 0 < np.abs(one - other).max() < 0.05 * np.abs(one).max()


def test_golden_answers_of_a_copy_are_its_own(tmp_path):
    _, copy = copy_of(tmp_path, "int8")
    assert read_manifest(tmp_path / "copy").output == read_manifest(tmp_path / "model").output
    assert copy.answer(ROWS[:2])[0].confidence is not None
