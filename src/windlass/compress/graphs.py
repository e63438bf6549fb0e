"""Rewrites ONNX graphs: matrix products in 8 bits, weights kept in 8 or 16 bits.

A product's weights are int8, one scale a column; what goes into it is uint8, by a range that rows of training told once
and for all. So a row is answered alike beside others and alone, which ranges told anew at each run cannot promise.
Of the weights' 8 bits 7 are used: processors without VNNI add products in pairs and cut off sums beyond 16 bits (seen:
logits off by 8 % instead of 1); with 7 every processor gives the same answers.
What is no matrix product (convolutions, recurrent layers, tables) is kept in 8 bits and computed in 32: ONNX Runtime's
integer convolutions took 1.4 times as long (docs/log.md).
Source: Jacob et al. 2018, arXiv:1712.05877; onnxruntime.ai/docs/performance/model-optimizations/quantization.html.
Shapes: a weight of a product (K, N); a table of embeddings (V, D).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from windlass.store.files import write_bytes

LEAST_WEIGHTS = 1_024
"""Of a tensor: smaller ones stay as they are."""
CHANNEL = {"Conv": 0, "ConvTranspose": 1, "MatMul": -1}
"""Operator -> the axis of its weight that each has a scale of its own."""
ROUNDED = ("Conv", "ConvTranspose", "Gemm", "LSTM", "GRU", "MatMul")
PRODUCT_LEVELS, LEVELS = 63, 127
"""Largest whole number of a weight: of a product, as twice 255 * 63 is below 32,768; and of what is only kept."""
Range = tuple[float, float]


@dataclass(frozen=True)
class Plan:
    """ranges: of what goes into each product that computes in 8 bits, by the product's name. Others are kept in 16."""

    ranges: Mapping[str, Range]


def read(path: Path) -> Any:
    """The graph of an artifact. Raises: DataError: it is none of ours."""
    import onnx

    from windlass.predictors.networks.graph import check

    check(path)
    return onnx.load(str(path))


def write(model: Any, path: Path) -> None:
    write_bytes(path, model.SerializeToString())


def weights_of(model: Any) -> dict[str, Any]:
    """Name -> the float32 tensors that are large enough to be worth a change."""
    from onnx import TensorProto

    return {
        tensor.name: tensor
        for tensor in model.graph.initializer
        if tensor.data_type == TensorProto.FLOAT and np.prod(tensor.dims) >= LEAST_WEIGHTS
    }


def products(model: Any) -> list[Any]:
    """The nodes that multiply by a weight matrix (K, N), in order; named, where they have no name yet."""
    known = weights_of(model)
    found = []
    for number, node in enumerate(model.graph.node):
        if node.op_type == "MatMul" and node.input[1] in known and len(known[node.input[1]].dims) == 2:
            node.name = node.name or f"product_{number}"
            found.append(node)
    return found


def watched(model: Any, names: Iterable[str]) -> Any:
    """A copy of the graph that gives these float tensors as well."""
    import onnx

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for name in dict.fromkeys(names):
        copy.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    return copy


def rounded(model: Any, plan: Plan) -> Any:
    """A copy that computes the plan's products in 8 bits and keeps all other weights in 8 or 16.

    A head (the last product) that the plan leaves out keeps its 32 bits where it is small.
    """
    import onnx

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.graph.value_info[:]
    _Rewriting(copy).run(plan)
    return copy


def halved(model: Any) -> Any:
    """A copy whose weights are kept in 16 bits and computed with in 32; what does not fit becomes infinite, which
    parity refuses."""
    import onnx

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    rewriting = _Rewriting(copy)
    for name in weights_of(copy):
        rewriting.half(name)
    rewriting.done()
    return copy


class _Rewriting:
    """Puts nodes in front of those that read a weight, and new weights in the place of old ones."""

    def __init__(self, model: Any) -> None:
        self.model, self.first = model, list[Any]()
        self.weights = weights_of(model)
        self.quantised = dict[tuple[str, Range], str]()

    def run(self, plan: Plan) -> None:
        known = {node.name: node for node in products(self.model)}
        readers, nodes = self._readers(), []
        for node in list(self.model.graph.node):
            if node.name in known and node.name in plan.ranges and len(readers[node.input[1]]) == 1:
                nodes += self.product(node, plan.ranges[node.name])
            elif self._is_table(node, readers):
                nodes += self.table(node)
            else:
                nodes.append(node)
        del self.model.graph.node[:]
        self.model.graph.node.extend(nodes)
        readers = self._readers()  # a table that is read in 8 bits by now is read no more as it was
        for name in list(self.weights):
            self.stored(name, readers.get(name, []))
        self.done()

    def _readers(self) -> dict[str, list[Any]]:
        """Of each name, the nodes that read it."""
        found: dict[str, list[Any]] = {}
        for node in self.model.graph.node:
            for name in node.input:
                found.setdefault(name, []).append(node)
        return found

    def product(self, node: Any, span: Range) -> list[Any]:
        """Dequantised times dequantised: ONNX Runtime makes one integer product of it."""
        from onnx import helper

        value, weight = node.input[0], self._array(node.input[1])
        scale = np.maximum(np.abs(weight).max(axis=0), 1e-12) / PRODUCT_LEVELS
        name = self._put(f"{node.name}_weight", np.rint(weight / scale).astype(np.int8))
        scales = self._put(f"{node.name}_scale", scale.astype(np.float32))
        zeros = self._put(f"{node.name}_zero", np.zeros(len(scale), np.int8))
        self._drop(node.input[1])
        nodes, own = [], (value, span)
        if own not in self.quantised:
            nodes = self._quantise(node.name, value, span)
            self.quantised[own] = nodes[-1].output[0]
        whole = f"{node.name}_restored"
        nodes.append(helper.make_node("DequantizeLinear", [name, scales, zeros], [whole], axis=1))
        return [*nodes, helper.make_node("MatMul", [self.quantised[own], whole], list(node.output), name=node.name)]

    def _quantise(self, name: str, value: str, span: Range) -> list[Any]:
        from onnx import helper

        low, high = min(span[0], 0.0), max(span[1], 0.0)
        step = max((high - low) / 255, 1e-12)
        zero = int(np.clip(np.rint(-low / step), 0, 255))
        parts = [
            self._put(f"{name}_step", np.array(step, np.float32)),
            self._put(f"{name}_rest", np.array(zero, np.uint8)),
        ]
        return [
            helper.make_node("QuantizeLinear", [value, *parts], [f"{name}_rounded"]),
            helper.make_node("DequantizeLinear", [f"{name}_rounded", *parts], [f"{name}_read"]),
        ]

    def _is_table(self, node: Any, readers: Mapping[str, list[Any]]) -> bool:
        name = node.input[0] if node.op_type == "Gather" else ""
        axis = next((each.i for each in node.attribute if each.name == "axis"), 0)
        return name in self.weights and len(self.weights[name].dims) == 2 and axis == 0 and all(
            other.op_type == "Gather" for other in readers[name]
        )  # fmt: skip

    def table(self, node: Any) -> list[Any]:
        """Rows of 8 bits, each with its scale: only those that are asked for are restored."""
        from onnx import helper

        name = node.input[0]
        rows, scales = f"{name}_rows", f"{name}_scales"
        if not any(each.name == rows for each in self.model.graph.initializer):
            table = self._array(name)
            scale = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-12) / LEVELS
            self._put(rows, np.rint(table / scale).astype(np.int8))
            self._put(scales, scale.astype(np.float32))
        out = node.output[0]
        return [
            helper.make_node("Gather", [rows, node.input[1]], [f"{out}_rows"], axis=0),
            helper.make_node("Cast", [f"{out}_rows"], [f"{out}_cast"], to=1),
            helper.make_node("Gather", [scales, node.input[1]], [f"{out}_scale"], axis=0),
            helper.make_node("Mul", [f"{out}_cast", f"{out}_scale"], [out]),
        ]

    def stored(self, name: str, readers: Sequence[Any]) -> None:
        """In 8 bits where one operator reads it that has channels; else in 16."""
        operators = {node.op_type for node in readers}
        is_written = any(each.name == name for each in self.model.graph.initializer)
        if not is_written or not readers:
            if is_written:
                self._drop(name)
            return
        weight = self._array(name)
        if len(operators) != 1 or not operators <= set(ROUNDED) or weight.ndim < 2 or _is_last(self.model, readers):
            self.half(name)
            return
        axes = _reduced(readers[0], weight.ndim)
        scale = np.maximum(np.abs(weight).max(axis=axes, keepdims=True), 1e-12) / LEVELS
        small = self._put(f"{name}_small", np.rint(weight / scale).astype(np.int8))
        self._restore(name, small, self._put(f"{name}_scale", scale.astype(np.float32)))

    def half(self, name: str) -> None:
        with np.errstate(over="ignore"):
            small = self._put(f"{name}_half", self._array(name).astype(np.float16))
        self._restore(name, small, "")

    def _restore(self, name: str, small: str, scale: str) -> None:
        """The weight under its name again, computed when the graph is opened."""
        from onnx import helper

        self._drop(name)
        cast = f"{small}_cast" if scale else name
        self.first.append(helper.make_node("Cast", [small], [cast], to=1))
        if scale:
            self.first.append(helper.make_node("Mul", [cast, scale], [name]))

    def _array(self, name: str) -> np.ndarray:
        from onnx import numpy_helper

        return numpy_helper.to_array(self.weights[name])

    def _put(self, name: str, values: np.ndarray) -> str:
        from onnx import numpy_helper

        self.model.graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def _drop(self, name: str) -> None:
        for place, tensor in enumerate(self.model.graph.initializer):
            if tensor.name == name:
                del self.model.graph.initializer[place]
                return

    def done(self) -> None:
        nodes = [*self.first, *self.model.graph.node]
        del self.model.graph.node[:]
        self.model.graph.node.extend(nodes)


def _is_last(model: Any, readers: Collection[Any]) -> bool:
    """The weight is of the head: what it gives are the logits, or one sum away from them."""
    logits = {output.name for output in model.graph.output}
    before = {name for node in model.graph.node if set(node.output) & logits and node.op_type == "Add"
              for name in node.input}  # fmt: skip
    return any(set(node.output) & (logits | before) for node in readers)


def _reduced(node: Any, n_axes: int) -> tuple[int, ...]:
    """The axes that share a scale."""
    if node.op_type in ("LSTM", "GRU"):
        return (n_axes - 1,)
    is_turned = any(each.name == "transB" and each.i for each in node.attribute)
    channel = (0 if is_turned else 1) if node.op_type == "Gemm" else CHANNEL[node.op_type] % n_axes
    return tuple(axis for axis in range(n_axes) if axis != channel)
