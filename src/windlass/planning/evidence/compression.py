"""What 8-bit weights would bring: a copy of the chosen network is made, timed and scored on validation rows.

Weights become int8, one scale a channel; activations are rounded at each run (dynamic quantisation).
Source: onnxruntime.quantization; Jacob et al. 2018, arXiv:1712.05877.
"""

import logging
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from windlass.errors import pip_install
from windlass.kinds import table as kinds
from windlass.metrics.measures import paired_difference
from windlass.predictors.artifact import read_golden, write_golden
from windlass.predictors.contract import Predictor
from windlass.predictors.networks import onnx
from windlass.predictors.table import load_labeller
from windlass.records import Json, Row, Splits
from windlass.store.files import size_mb

logger = logging.getLogger("windlass.planning")
FOLDER = "int8"
OPERATORS = ["MatMul", "Gather", "LSTM", "Attention"]
"""What is rounded. Convolutions are left: ONNX Runtime's integer ones took 1.4 times as long (docs/log.md)."""
MOST_ROWS, LEAST_ROWS, SECONDS = 2_000, 100, 30.0
N_TIMED, BLOCKS = 20, 5
SMALLER, FASTER = 0.7, 0.85
"""Of today's size, and of today's time: a copy that is neither is not worth a word."""


def tried(artifact: Path, splits: Splits, metric: str, place: Path) -> Json:
    """Size, processor time and score of the copy beside those of the model; empty where no network is in the artifact.

    The copy stays in `place` as an artifact of its own when it is smaller or faster.
    Gives: size_mb, ms (of a processor, one row at a time), both also as `..._now`; gain: of the
    metric on validation rows, with its interval; rows: of them; fault: why there is no copy.
    """
    if not list(artifact.rglob(onnx.FILE)):
        return {}
    with TemporaryDirectory(prefix=".int8-", dir=place.parent) as folder:
        copy = Path(folder) / FOLDER
        shutil.copytree(artifact, copy)
        fault = _rounded(copy)
        if fault:
            return {"fault": fault}
        found = _compared(artifact, copy, splits, metric)
        shutil.rmtree(place, ignore_errors=True)
        if is_better(found):
            copy.rename(place)
    return found


def is_better(found: Json) -> bool:
    """It is much smaller or faster."""
    return bool(found["size_mb"] <= SMALLER * found["size_mb_now"] or found["ms"] <= FASTER * found["ms_now"])


def _rounded(copy: Path) -> str:
    """Rounds every graph of the artifact in place; why not, when that fails."""
    try:
        from onnxruntime.quantization import QuantType, quantize_dynamic
    except ImportError:
        return f"`{pip_install('train')}`"
    try:
        with _quiet():
            for graph in copy.rglob(onnx.FILE):
                small = graph.with_suffix(".small")
                quantize_dynamic(graph, small, OPERATORS, per_channel=True, weight_type=QuantType.QInt8)
                small.replace(graph)
    except Exception as error:  # noqa: BLE001  the quantiser raises whatever it stumbles over, none of it documented
        logger.warning("a network cannot be rounded", exc_info=error)
        return f"ONNX Runtime cannot round this network ({str(error)[:120]})"
    return ""


@contextmanager
def _quiet() -> Iterator[None]:
    """The quantiser's warnings are advice to whoever wrote the network."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _compared(artifact: Path, copy: Path, splits: Splits, metric: str) -> Json:
    model, small = load_labeller(artifact), load_labeller(copy)
    golden, _ = read_golden(copy)
    write_golden(copy, golden, small.probabilities(golden))
    head = splits.validation.head(MOST_ROWS)
    single = head.head(N_TIMED).select(list(splits.inputs)).to_dicts()
    sent = [{name: kinds.get(kind).portable(row[name], splits.root) for name, kind in splits.inputs.items()}
            for row in single]  # fmt: skip
    seconds = answer_seconds([model, small], sent, BLOCKS)
    most = max(LEAST_ROWS, round(SECONDS / max(sum(seconds), 1e-6)))
    rows = head.head(most).to_dicts()
    truth = [row[splits.output_column] for row in rows]
    gain = paired_difference(metric, small.marks(rows, truth, splits.root), model.marks(rows, truth, splits.root))
    return {
        "size_mb": size_mb(copy),
        "size_mb_now": size_mb(artifact),
        "ms": 1000 * seconds[1],
        "ms_now": 1000 * seconds[0],
        "gain": vars(gain),
        "rows": len(rows),
        "fault": "",
    }


def answer_seconds(models: Sequence[Predictor], rows: Sequence[Row], n_blocks: int) -> list[float]:
    """Processor seconds of one answer of each, in turn; the least of several blocks is the one least disturbed."""
    blocks: list[list[float]] = [[] for _ in models]
    for _ in range(n_blocks + 1):  # the first one warms up
        for model, times in zip(models, blocks, strict=True):
            started = time.process_time()
            for row in rows:
                model.answer([row])
            times.append((time.process_time() - started) / len(rows))
    return [min(times[1:]) for times in blocks]
