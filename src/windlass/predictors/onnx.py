"""Answers from an ONNX graph through ONNX Runtime."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from windlass.errors import DataError
from windlass.kinds.contract import Batch
from windlass.predictors.contract import Engine
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

    def logits(batches: Sequence[Batch]) -> np.ndarray:
        return np.asarray(session.run(["logits"], dict(zip(names, batches, strict=True)))[0])

    return logits
