"""Graphs that a stranger wrote: what they may do is read before they run, and the first run is bounded."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from windlass.errors import DataError
from windlass.predictors.networks.graph import open_graph

ROW = {"input_0": np.ones((1, 2), np.float32)}


def model(nodes, constants=(), domains=("",), functions=()) -> bytes:
    """A graph from `input_0` (rows, 2) to `logits`."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("input_0", "logits")]
    weights = [numpy_helper.from_array(np.asarray(value), name) for name, value in dict(constants).items()]
    made = helper.make_graph(nodes, "g", ends[:1], ends[1:], weights)
    versions = [helper.make_opsetid(domain, 18 if not domain else 1) for domain in domains]
    return helper.make_model(made, opset_imports=versions, ir_version=9, functions=functions).SerializeToString()


def node(operator, inputs=("input_0",), outputs=("logits",), **named):
    return helper.make_node(operator, list(inputs), list(outputs), **named)


def body():
    """What a loop does: adds its value to itself, as long as it may."""
    kinds = {"turn": TensorProto.INT64, "on": TensorProto.BOOL, "x": TensorProto.FLOAT}
    given = [helper.make_tensor_value_info(name, kind, [] if name != "x" else None) for name, kind in kinds.items()]
    made = [helper.make_tensor_value_info("again", TensorProto.BOOL, []),
            helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]  # fmt: skip
    nodes = [helper.make_node("Identity", ["on"], ["again"]), helper.make_node("Add", ["x", "x"], ["y"])]
    return helper.make_graph(nodes, "body", given, made)


def branch(*nodes):
    return helper.make_graph(list(nodes), "branch", [], [helper.make_tensor_value_info("b", TensorProto.FLOAT, None)])


LOOP = model([node("Loop", ("trips", "on", "input_0"), body=body())],
             {"trips": np.int64(2**62), "on": np.bool_(True)})  # fmt: skip
CHOICE = {"on": np.bool_(True)}


def outside(where: str) -> bytes:
    """A graph whose weight is said to lie in another file."""
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2], data_location=TensorProto.EXTERNAL)
    weight.external_data.add(key="location", value=where)
    made = helper.make_model(helper.make_graph(
        [node("Add", ("input_0", "w"))], "g", [helper.make_tensor_value_info("input_0", TensorProto.FLOAT, None)],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, None)], [weight]))  # fmt: skip
    return made.SerializeToString()


def claiming(n_values: int) -> bytes:
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[n_values])
    made = helper.make_graph([node("Add", ("input_0", "w"))], "g", [], [], [weight])
    return helper.make_model(made).SerializeToString()


HOSTILE = {
    "a loop of 2^62 turns": (LOOP, "holds the operator 'ai.onnx.Loop'"),
    "a scan": (model([node("Scan", num_scan_inputs=1, body=body())]), "holds the operator 'ai.onnx.Scan'"),
    "a loop in a branch": (
        model([node("If", ("on",), then_branch=branch(node("Loop", ("on", "on"), ("b",), body=body())),
                    else_branch=branch(node("Identity", ("input_0",), ("b",))))], CHOICE),
        "holds the operator 'ai.onnx.Loop'",
    ),
    "an operator of its own": (model([node("Run", domain="evil")], domains=("", "evil")), "'evil.Run'"),
    "texts": (model([node("RegexFullMatch", pattern="(a+)+$")]), "'ai.onnx.RegexFullMatch'"),
    "chance": (model([node("RandomNormalLike")]), "'ai.onnx.RandomNormalLike'"),
    "a function": (
        model([node("Same", domain="f")], domains=("", "f"), functions=[
            helper.make_function("f", "Same", ["x"], ["y"], [node("Identity", ("x",), ("y",))],
                                 [helper.make_opsetid("", 18)])]),
        "holds functions or training|'f.Same'",
    ),
    "weights elsewhere": (outside("../../../etc/passwd"), "keeps weights in another file"),
    "weights beside it": (outside("weights.bin"), "keeps weights in another file"),
    "weights that are claimed": (claiming(2**40), "claims a tensor of 1,099,511,627,776 values"),
    "a constant of a terabyte": (model([node("ConstantOfShape", ("n",), ("c",)), node("ReduceSum", ("c",), ("s",)),
                                        node("Add", ("input_0", "s"))], {"n": np.array([2**38])}), "is damaged"),
    "a row as often as it fills the memory": (model([node("Expand", ("input_0", "n"))], {"n": np.array([2**36, 2])}),
                                              "is damaged"),
    "tiles": (model([node("Tile", ("input_0", "n"))], {"n": np.array([2**20, 2**14])}), "is damaged"),
    "a range": (model([node("Range", ("a", "n", "d"))],
                      {"a": np.float32(0), "n": np.float32(2e9), "d": np.float32(1)}), "is damaged"),
    "nothing": (b"", "is damaged"),
    "two graphs": (model([node("Identity")]) + model([node("Identity")]), "holds 2 graphs"),
    "very many parts": (b"\x08\x01" * 600_000, "is damaged"),
    "a number without end": (b"\xff" * 30, "is damaged"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_graph_is_refused_at_once(name, tmp_path):
    content, words = HOSTILE[name]
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    started = time.process_time()
    with pytest.raises(DataError, match=words):
        open_graph(path, lambda session: ROW)
    assert time.process_time() - started < 20


HANGS = """
import os, sys
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import numpy, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
print("opened", flush=True)
session.run(None, {"input_0": numpy.ones((1, 2), numpy.float32)})
"""


def test_onnx_runtime_alone_runs_the_loop_for_ever(tmp_path):
    """Control: it is a sound graph, and nothing but the list of operators keeps it out."""
    (tmp_path / "model.onnx").write_bytes(LOOP)
    command = [sys.executable, "-c", HANGS, tmp_path / "model.onnx"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == b"opened\n"
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(2)
        finally:
            process.kill()


def test_a_first_run_that_takes_too_long_is_given_up(tmp_path):
    """Products of large matrices: within the memory, and minutes of work."""
    nodes = [node("Expand", ("one", "n"), ("m0",))]
    nodes += [node("MatMul", (f"m{turn}", "m0"), (f"m{turn + 1}",)) for turn in range(150)]
    nodes += [node("ReduceSum", ("m150",), ("s",)), node("Add", ("input_0", "s"))]
    (tmp_path / "model.onnx").write_bytes(model(nodes, {"one": np.float32([[1e-3]]), "n": np.array([3_000, 3_000])}))
    started = time.monotonic()
    with pytest.raises(DataError, match="has not answered within 1 s"):
        open_graph(tmp_path / "model.onnx", lambda session: ROW, first_run_s=1.0)
    assert time.monotonic() - started < 30


def test_an_ordinary_graph_opens_and_answers(tmp_path):
    """Control of all of the above, a branch among it: 1 x 2 + 0.5."""
    nodes = [
        node("MatMul", ("input_0", "w"), ("p",)),
        node("If", ("on",), ("q",), then_branch=branch(node("Add", ("p", "half"), ("b",))),
             else_branch=branch(node("Identity", ("p",), ("b",)))),
        node("Identity", ("q",)),
    ]  # fmt: skip
    constants = {"w": np.float32([[1, 0], [1, 2]]), "half": np.float32(0.5), **CHOICE}
    (tmp_path / "model.onnx").write_bytes(model(nodes, constants))
    session = open_graph(tmp_path / "model.onnx", lambda session: ROW)
    assert session.run(None, ROW)[0].tolist() == [[2.5, 2.5]]


def test_flipped_bytes_are_refused_or_answered_and_nothing_else(tmp_path):
    random, path = np.random.default_rng(0), Path(tmp_path, "model.onnx")
    whole = model([node("MatMul", ("input_0", "w"))], {"w": np.float32([[1, 0], [1, 2]])})
    refused = 0
    for turn in range(150):
        content = bytearray(whole)
        for place in random.integers(0, len(content), 1 + turn % 4):
            content[place] = random.integers(0, 256)
        path.write_bytes(bytes(content))
        try:
            open_graph(path, lambda session: ROW)
        except DataError:
            refused += 1
    assert refused > 50
