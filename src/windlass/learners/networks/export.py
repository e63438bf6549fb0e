"""Trained networks as ONNX graphs, proven to give what the network gives."""

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from windlass.errors import GateRefused
from windlass.predictors.networks.onnx import FILE
from windlass.store.files import write_bytes

Apart = Callable[[np.ndarray, np.ndarray], float]
LARGEST_DIFFERENCE = 1e-3
"""Of a logit, relative to the largest logit: float32 sums in another order differ by some 1e-6."""
OPSET = 18
EXPECTED: tuple[tuple[str, type[Warning]], ...] = (
    ("Converting a tensor to a Python|Using len to get tensor shape", torch.jit.TracerWarning),
    ("You are using the legacy TorchScript-based ONNX export|The feature will be removed", DeprecationWarning),
    ("Exporting aten::index operator|Exporting a model to ONNX with a batch_size|Constant folding", UserWarning),
)
"""What the exporter says of every one of our networks: the beginning of the message as a pattern, and its class."""


def largest(found: np.ndarray, wanted: np.ndarray) -> float:
    """The largest difference of a value at its place."""
    return float(np.abs(found - wanted).max())


def export(network: nn.Module, batches: Sequence[np.ndarray], folder: Path, apart: Apart = largest) -> float:
    """Writes `model.onnx` into the folder, weights inside; gives the largest difference of a logit.

    The graph is traced: torch.onnx's newer exporter (dynamo=True) took 35-99 s where tracing takes 2-7 s (MiniLM, LSTM;
    same machine) and cannot keep the length of a plain RNN open. What tracing could miss is what the check looks at.

    Args:   batches: rows of each input, (n, ...), n >= 1; the first axis of each and the second axis of token ids
            (int64) may have any length in the graph. apart(found, wanted): how far two answers are from each other.
    Raises: GateRefused: ONNX Runtime does not give what the network gives.
    """
    network.eval()
    content = graph(network, batches)
    difference = largest_difference(network, content, batches, apart)
    if not difference <= LARGEST_DIFFERENCE:
        raise GateRefused(
            f"exported graph differs from the network by {difference:.2g}, expected at most {LARGEST_DIFFERENCE:g}"
        )
    write_bytes(folder / FILE, content)
    return difference


def graph(network: nn.Module, batches: Sequence[np.ndarray]) -> bytes:
    """The network as ONNX, traced on these rows."""
    names = [f"input_{number}" for number in range(len(batches))]
    axes = {
        name: {0: "rows", 1: f"tokens_{name}"} if array.dtype == np.int64 else {0: "rows"}
        for name, array in zip(names, batches, strict=True)
    }
    file = io.BytesIO()
    with _quiet(), torch.no_grad():
        torch.onnx.export(
            network,
            tuple(torch.from_numpy(array) for array in doubled(batches)),
            file,  # type: ignore[arg-type]
            dynamo=False,
            input_names=names,
            output_names=["logits"],
            dynamic_axes={**axes, "logits": {0: "rows"}},
            opset_version=OPSET,
        )
    return file.getvalue()


def doubled(batches: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The rows twice, token ids of twice the length (at most 64 more): another shape of the same inputs."""
    rows = [np.concatenate([array, array]) for array in batches]
    return [np.concatenate([array, array[:, :64]], axis=1) if array.dtype == np.int64 else array for array in rows]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What the exporter is known to warn of, its log lines and prints are not for the user: the check below counts."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        for message, category in EXPECTED:
            warnings.filterwarnings("ignore", message, category)
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def largest_difference(
    network: nn.Module, content: bytes, batches: Sequence[np.ndarray], apart: Apart = largest
) -> float:
    """Between graph and network, over a batch, its single rows and longer rows; relative to the largest logit."""
    run = session(content)
    worst = 0.0
    for part in ([array[:1] for array in batches], list(batches), doubled(batches)):
        with torch.inference_mode():
            wanted = network(*(torch.from_numpy(array) for array in part)).float().numpy()
        found = run(part)
        worst = max(worst, apart(found, wanted) / max(1.0, float(np.abs(wanted).max())))
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
