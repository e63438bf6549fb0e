"""Answers from an ONNX graph through ONNX Runtime."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds.contract import Batch, Sparse
from windlass.kinds.text import widths
from windlass.predictors.contract import Engine, empty_batches, n_scores
from windlass.predictors.networks.graph import open_graph
from windlass.records import Manifest

FILE = "model.onnx"
MOST_ROWS, MOST_TOKENS = 64, 1_024
"""Of one run: more is no faster (the second-level cache is full), and takes more memory (docs/log.md, "serving")."""
RUN_TOKENS = 12
"""What a run costs beside its tokens, in tokens: MiniLM on one core takes 3.1 ms and 0.26 ms a token."""


def load(folder: Path, manifest: Manifest) -> Engine:
    """A graph with inputs `input_0`, `input_1` ... in the manifest's order and the output `logits`.

    Raises: DataError when the graph is damaged or not the manifest's.
    """
    names = [f"input_{number}" for number in range(len(manifest.inputs))]
    batches = dict(zip(names, empty_batches(manifest), strict=True))

    def first_row(session: Any) -> dict[str, np.ndarray]:
        _check_shapes(folder, session, batches, n_given)
        return {name: np.zeros([max(1, size) for size in batch.shape], batch.dtype) for name, batch in _dense(batches)}

    n_given = n_scores(manifest)
    session = open_graph(folder / FILE, first_row)
    pads = [column.state.get("pad") for column in manifest.inputs]

    def logits(batches: Sequence[Batch]) -> np.ndarray:
        dense = [batch for batch in batches if isinstance(batch, np.ndarray)]
        result = np.empty((len(dense[0]), n_given), np.float32)
        for rows in _runs(dense, pads):
            feed = {name: _cut(batch[rows], pad) for name, batch, pad in zip(names, dense, pads, strict=True)}
            result[rows] = session.run(["logits"], feed)[0]
        return result

    return logits


def _dense(batches: Mapping[str, Batch]) -> list[tuple[str, np.ndarray]]:
    return [(name, batch) for name, batch in batches.items() if isinstance(batch, np.ndarray)]


def _check_shapes(folder: Path, session: Any, batches: Mapping[str, Batch], n_given: int) -> None:
    """Raises: DataError: the graph reads or gives something else than the manifest says."""
    found = sorted(item.name for item in session.get_inputs())
    if found != sorted(batches):
        raise DataError(f"{folder / FILE} reads {found}, expected {list(batches)}")
    for item in session.get_inputs():
        if not _fits(item, batches[item.name]):
            raise DataError(
                f"{folder / FILE} reads {item.type} {item.shape} as '{item.name}', "
                "expected what the manifest's column gives"
            )
    last = {item.name: item.shape[-1:] for item in session.get_outputs()}.get("logits", [])
    if not last or (isinstance(last[0], int) and last[0] != n_given):
        raise DataError(f"{folder / FILE} gives no 'logits' of {n_given} numbers a row, expected them")


def _runs(batches: Sequence[np.ndarray], pads: Sequence[int | None]) -> Iterator[np.ndarray]:
    """Row numbers of each run, rows of like length together: bounds memory, and pads little."""
    lengths = np.zeros(len(batches[0]), np.int64)
    for batch, pad in zip(batches, pads, strict=True):
        if pad is not None:
            lengths += widths(batch, pad)
    order = np.argsort(-lengths, kind="stable")
    ends = cuts(lengths[order].tolist())
    for start, end in pairwise([0, *ends]):
        yield order[start:end]


def cuts(lengths: Sequence[int]) -> list[int]:
    """Where the runs of rows end that take the least time together; lengths: tokens of each row, longest first.

    A run takes as long as its rows, each as wide as the first, and `RUN_TOKENS` more: many runs read the weights often,
    few runs pad much.
    """
    least = [0, *(len(lengths) * [sys.maxsize])]
    begin = least.copy()
    for end in range(1, len(least)):
        for start in range(end - 1, max(end - MOST_ROWS, 0) - 1, -1):
            tokens = (end - start) * lengths[start]
            if tokens > MOST_TOKENS and end - start > 1:
                break
            if least[start] + tokens + RUN_TOKENS < least[end]:
                least[end], begin[end] = least[start] + tokens + RUN_TOKENS, start
    ends, end = [], len(lengths)
    while end:
        ends.append(end)
        end = begin[end]
    return ends[::-1]


def _cut(batch: np.ndarray, pad: int | None) -> np.ndarray:
    return batch if pad is None else batch[:, : widths(batch, pad).max(initial=1)]


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
