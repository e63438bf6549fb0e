"""Answers from an ONNX graph through ONNX Runtime."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds.contract import Batch, Sparse
from windlass.predictors.contract import Engine, empty_batches
from windlass.records import Manifest

FILE = "model.onnx"


def load(folder: Path, manifest: Manifest) -> Engine:
    """A graph with inputs `input_0`, `input_1` ... in the manifest's order and the output `logits`.

    Raises: DataError when the graph is damaged or not the manifest's.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = max(1, min(8, len(os.sched_getaffinity(0))))
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(folder / FILE), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001  ONNX Runtime raises a dozen unrelated types, none of them documented
        raise DataError(f"{folder / FILE} is damaged ({str(error)[:200]}), expected an ONNX graph") from None
    names = [f"input_{number}" for number in range(len(manifest.inputs))]
    found = sorted(item.name for item in session.get_inputs())
    if found != sorted(names):
        raise DataError(f"{folder / FILE} reads {found}, expected {names}")
    batches = dict(zip(names, empty_batches(manifest), strict=True))
    for item in session.get_inputs():
        if not _fits(item, batches[item.name]):
            raise DataError(
                f"{folder / FILE} reads {item.type} {item.shape} as '{item.name}', "
                "expected what the manifest's column gives"
            )
    last = {item.name: item.shape[-1:] for item in session.get_outputs()}.get("logits", [])
    n_classes = len(manifest.output.state["labels"])
    if not last or (isinstance(last[0], int) and last[0] != n_classes):
        raise DataError(f"{folder / FILE} gives no 'logits' of {n_classes} classes, expected them")

    def logits(batches: Sequence[Batch]) -> np.ndarray:
        return np.asarray(session.run(["logits"], dict(zip(names, batches, strict=True)))[0])

    return logits


def _fits(item: Any, batch: Batch) -> bool:
    """True when the graph's input has the batch's type and rank, and its sizes where it fixes them."""
    if isinstance(batch, Sparse) or len(item.shape) != batch.ndim:
        return False
    if item.type != {np.dtype(np.float32): "tensor(float)", np.dtype(np.int64): "tensor(int64)"}.get(batch.dtype):
        return False
    ids = batch.dtype == np.int64  # as wide as the longest row
    return ids or all(
        not isinstance(fixed, int) or fixed == size for fixed, size in zip(item.shape[1:], batch.shape[1:], strict=True)
    )
