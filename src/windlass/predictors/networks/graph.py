"""Opens an ONNX graph that anybody may have written: what it may do is read from the file before ONNX Runtime sees it,
and it is run once within bounds of time and memory before it is trusted.

Sources: https://protobuf.dev/programming-guides/encoding and the field numbers of onnx/onnx.proto3 (ONNX 1.18).
"""

import math
import mmap
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.predictors.language.threads import n_threads

OPERATORS = frozenset({
    "Abs", "Add", "And", "ArgMax", "ArgMin", "AveragePool", "BatchNormalization", "Cast", "CastLike", "Ceil", "Clip",
    "Concat", "Constant", "ConstantOfShape", "Conv", "ConvInteger", "ConvTranspose", "Cos", "CumSum", "DepthToSpace",
    "DequantizeLinear", "Div", "Dropout", "DynamicQuantizeLinear", "Einsum", "Elu", "Equal", "Erf", "Exp", "Expand",
    "Flatten", "Floor", "GRU", "Gather", "GatherElements", "GatherND", "Gelu", "Gemm", "GlobalAveragePool",
    "GlobalMaxPool", "Greater", "GreaterOrEqual", "GridSample", "GroupNormalization", "HardSigmoid", "HardSwish",
    "Identity", "If", "InstanceNormalization", "IsInf", "IsNaN", "LSTM", "LayerNormalization", "LeakyRelu", "Less",
    "LessOrEqual", "Log", "LogSoftmax", "MatMul", "MatMulInteger", "Max", "MaxPool", "Mean", "Min", "Mish", "Mod",
    "Mul", "Neg", "Not", "OneHot", "Or", "PRelu", "Pad", "Pow", "QLinearConv", "QLinearMatMul", "QuantizeLinear",
    "RNN", "Range", "Reciprocal", "ReduceL1", "ReduceL2", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin",
    "ReduceProd", "ReduceSum", "ReduceSumSquare", "Relu", "Reshape", "Resize", "Round", "ScatterElements",
    "ScatterND", "Selu", "Shape", "Sigmoid", "Sign", "Sin", "Size", "Slice", "Softmax", "Softplus", "Softsign",
    "Split", "Sqrt", "Squeeze", "Sub", "Sum", "Tan", "Tanh", "ThresholdedRelu", "Tile", "TopK", "Transpose", "Trilu",
    "Unsqueeze", "Where", "Xor",
})  # fmt: skip
"""ONNX's own that compute a tensor from tensors: none that repeats, draws by chance or reads texts. `If` is what
tracing writes into `lstm: essay-spam`; its branches are read as the graph is."""
MICROSOFT = frozenset({"DynamicQuantizeLSTM", "DynamicQuantizeMatMul", "QAttention"})
"""What its quantiser writes into our networks (planning/compression.py)."""
MAX_FIELDS = 500_000
"""Of a file: MiniLM's graph has some 10,000."""
MAX_DEPTH = 3
RUN_BYTES = 1024 * 1024 * 1024
"""What all graphs of this process may hold at once beside their weights."""
FIRST_RUN_S = 30.0
"""Of opening and a first run: half a second with MiniLM on one core."""
Feeds = Mapping[str, np.ndarray]
_Field = tuple[int, int | memoryview]


def open_graph(path: Path, feeds: Callable[[Any], Feeds], first_run_s: float = FIRST_RUN_S) -> Any:
    """The ONNX Runtime session of a graph.

    Args:   feeds: gives, for the session, what it is first run with; it may raise DataError.
    Raises: DataError: it is damaged, does what none of ours does, or a first run takes too much time or memory.
    """
    import onnxruntime

    check(path)
    how, found = onnxruntime.RunOptions(), list[Any]()
    waiting = threading.Thread(target=lambda: found.append(_tried(path, feeds, how)), name="first run", daemon=True)
    waiting.start()
    waiting.join(first_run_s)
    if not found:
        how.terminate = True
        raise DataError(f"{path} has not answered within {first_run_s:g} s, expected the graph of a network", HINT)
    if isinstance(found[0], DataError):
        raise found[0]
    return found[0]


def _tried(path: Path, feeds: Callable[[Any], Feeds], how: Any) -> Any:
    """The session; or, since it runs in a thread of its own, the DataError that says what is wrong."""
    from onnxruntime import GraphOptimizationLevel

    try:
        # as it is written first, so that nothing is computed, and no memory taken, before a run that is bounded
        plain = _session(path, GraphOptimizationLevel.ORT_DISABLE_ALL)
        plain.run(None, dict(feeds(plain)), how)
        del plain
        return _session(path, GraphOptimizationLevel.ORT_ENABLE_ALL)
    except DataError as error:
        return error
    except Exception as error:  # noqa: BLE001  ONNX Runtime raises a dozen unrelated types, none of them documented
        return DataError(f"{path} is damaged ({str(error)[:200]}), expected the graph of a network")


def _session(path: Path, level: Any) -> Any:
    import onnxruntime

    _bound_memory()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads()
    options.log_severity_level = 4
    options.graph_optimization_level = level
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.add_session_config_entry("session.use_device_allocator_for_initializers", "1")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@cache
def _bound_memory() -> None:
    """What this process's graphs compute with comes from one arena of at most `RUN_BYTES`."""
    import onnxruntime

    place = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    onnxruntime.create_and_register_allocator(place, onnxruntime.OrtArenaCfg({"max_mem": RUN_BYTES}))


def check(path: Path) -> None:
    """Raises: DataError: the file is no ONNX graph, or holds what none of ours does."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            view = memoryview(content)
            try:
                fault = _Reading(len(view)).model(view)
            finally:
                view.release()
    except (OSError, ValueError, BufferError) as error:
        fault = f"is damaged ({str(error)[:100]})"
    if fault:
        raise DataError(f"{path} {fault}, expected the graph of a network", HINT)


HINT = "only graphs that `windlass train` wrote are answered from"


class _Reading:
    """Reads a model in protobuf's wire format, and gives in words what it must not hold; nothing when it is sound."""

    def __init__(self, size: int) -> None:
        self.size, self.n_fields = size, 0

    def model(self, view: memoryview) -> str:
        n_graphs = 0
        for number, value in self.fields(view):
            if number in (20, 25):
                return "holds functions or training, which no answer needs"
            if number == 7:
                n_graphs += 1
                fault = self.graph(_part(value))
                if fault:
                    return fault
        return "" if n_graphs == 1 else f"holds {n_graphs} graphs, expected one"

    def graph(self, view: memoryview, depth: int = 0) -> str:
        if depth > MAX_DEPTH:
            return f"nests graphs more than {MAX_DEPTH} deep"
        for number, value in self.fields(view):
            fault = ""
            if number == 1:
                fault = self.node(_part(value), depth)
            elif number == 5:
                fault = self.tensor(_part(value))
            elif number == 15:
                fault = "holds sparse weights"
            if fault:
                return fault
        return ""

    def node(self, view: memoryview, depth: int) -> str:
        operators, domains = [], [""]
        for number, value in self.fields(view):
            if number == 4:
                operators.append(_word(value))
            elif number == 7:
                domains.append(_word(value))
            elif number == 5:
                fault = self.attribute(_part(value), depth)
                if fault:
                    return fault
        operator, domain = operators[-1] if operators else "", domains[-1]
        known = {"": OPERATORS, "ai.onnx": OPERATORS, "com.microsoft": MICROSOFT}.get(domain, frozenset())
        return "" if operator in known else f"holds the operator '{domain or 'ai.onnx'}.{operator}'"

    def attribute(self, view: memoryview, depth: int) -> str:
        for number, value in self.fields(view):
            fault = ""
            if number in (5, 10):
                fault = self.tensor(_part(value))
            elif number == 6:
                fault = self.graph(_part(value), depth + 1)
            elif number in (11, 22, 23):
                fault = "holds a list of graphs, or sparse weights"
            if fault:
                return fault
        return ""

    def tensor(self, view: memoryview) -> str:
        n_values = 1
        for number, value in self.fields(view):
            if number == 1:
                sizes = [value] if isinstance(value, int) else _numbers(value)
                n_values *= math.prod(sizes)
            if number == 13 or (number == 14 and value != 0):
                return "keeps weights in another file"
        return "" if n_values <= 2 * self.size else f"claims a tensor of {n_values:,} values, more than the file holds"

    def fields(self, view: memoryview) -> Iterator[_Field]:
        """(number, value) of each field; the value of a fixed width is not looked at. Raises: ValueError: damaged."""
        place = 0
        while place < len(view):
            self.n_fields += 1
            if self.n_fields > MAX_FIELDS:
                raise ValueError(f"more than {MAX_FIELDS:,} parts")
            tag, place = _number(view, place)
            number, wire = tag >> 3, tag & 7
            if wire == 0:
                value, place = _number(view, place)
                yield number, value
                continue
            if wire == 2:
                size, place = _number(view, place)
            elif wire in (1, 5):
                size = 8 if wire == 1 else 4
            else:
                raise ValueError(f"a part of sort {wire}")
            if place + size > len(view):
                raise ValueError("it is cut short")
            if wire == 2:
                yield number, view[place : place + size]
            place += size


def _number(view: memoryview, place: int) -> tuple[int, int]:
    """The varint at a place, as unsigned, and the place after it. Raises: ValueError: it is none."""
    found = 0
    for turn in range(10):
        if place >= len(view):
            raise ValueError("it is cut short")
        byte = view[place]
        place += 1
        found |= (byte & 0x7F) << 7 * turn
        if byte < 0x80:
            return found, place
    raise ValueError("a number of more than 64 bits")


def _numbers(view: memoryview) -> list[int]:
    found, place = [], 0
    while place < len(view):
        number, place = _number(view, place)
        found.append(number)
    return found


def _part(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number where a part is expected")
    return value


def _word(value: int | memoryview) -> str:
    return bytes(_part(value)[:80]).decode("utf-8", "replace")
