"""Trained networks as ONNX graphs, proven to give what the network gives."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.export import Dim

from windlass.errors import GateRefused
from windlass.predictors.onnx import FILE
from windlass.store import write_bytes

LARGEST_DIFFERENCE = 1e-3
"""Of a logit, relative to the largest logit: float32 sums in another order differ by some 1e-6."""


def export(network: nn.Module, batches: Sequence[np.ndarray], folder: Path, exporter: str = "graph") -> float:
    """Writes `model.onnx` into the folder, weights inside; gives the largest difference of a logit.

    Args:   batches: rows of each input, (n, ...), n >= 1; the first axis of each and the second axis of token ids
            (int64) may have any length in the graph.
            exporter: 'graph' (torch.export) or 'traced' for layers that torch.export cannot keep symbolic.
    Raises: GateRefused: ONNX Runtime does not give what the network gives.
    """
    network.eval()
    examples = tuple(torch.from_numpy(array) for array in _at_least_two(batches))
    names = [f"input_{number}" for number in range(len(examples))]
    with _quiet(), torch.no_grad():
        content = _graph(network, examples, names) if exporter == "graph" else _traced(network, examples, names)
    difference = largest_difference(network, content, batches)
    if not difference <= LARGEST_DIFFERENCE:
        raise GateRefused(f"exported graph differs from the network by {difference:.2g}, "
                          f"expected at most {LARGEST_DIFFERENCE:g}")
    write_bytes(folder / FILE, content)
    return difference


def _at_least_two(batches: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Rows and tokens doubled: torch.export takes an axis of length 1 for a constant."""
    doubled = [np.concatenate([array[:4], array[:4]]) for array in batches]
    return [np.concatenate([array, array], axis=1)[:, :64] if array.dtype == np.int64 else array for array in doubled]


def _graph(network: nn.Module, examples: tuple[torch.Tensor, ...], names: list[str]) -> bytes:
    shapes = tuple({0: Dim.DYNAMIC, 1: Dim.DYNAMIC} if example.dtype == torch.int64 else {0: Dim.DYNAMIC}
                   for example in examples)
    program: Any = torch.onnx.export(network, examples, dynamo=True, input_names=names, output_names=["logits"],
                                     dynamic_shapes=(shapes,), external_data=False, verbose=False)
    return program.model_proto.SerializeToString()


def _traced(network: nn.Module, examples: tuple[torch.Tensor, ...], names: list[str]) -> bytes:
    axes = {name: {0: "rows", 1: f"tokens_{name}"} if example.dtype == torch.int64 else {0: "rows"}
            for name, example in zip(names, examples, strict=True)}
    file = io.BytesIO()
    torch.onnx.export(network, examples, file, dynamo=False, input_names=names, output_names=["logits"],
                      dynamic_axes={**axes, "logits": {0: "rows"}}, opset_version=18)
    return file.getvalue()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter's own warnings, log lines and prints are not for the user: the check below is what counts."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "torch.export", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def largest_difference(network: nn.Module, content: bytes, batches: Sequence[np.ndarray]) -> float:
    """Between graph and network, over a batch, its single rows and longer rows; relative to the largest logit."""
    run = session(content)
    worst = 0.0
    for part in ([array[:1] for array in batches], list(batches), _at_least_two(batches)):
        with torch.inference_mode():
            wanted = network(*(torch.from_numpy(array) for array in part)).float().numpy()
        found = run(part)
        worst = max(worst, float(np.abs(found - wanted).max()) / max(1.0, float(np.abs(wanted).max())))
    return worst


def session(content: bytes) -> Any:
    """A function from batches to logits (n, k), through ONNX Runtime as the predictor sets it up."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    runtime = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def run(batches: Sequence[np.ndarray]) -> np.ndarray:
        return np.asarray(runtime.run(["logits"], {f"input_{place}": array for place, array in enumerate(batches)})[0])

    return run
