"""Copies of an artifact with smaller weights: each part of it that has a format which is known is rewritten."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save

from windlass.compress import calibration, graphs, vocabulary
from windlass.errors import DataError, GateRefused, NotReady, pip_install
from windlass.kinds import table as kinds
from windlass.predictors import table as predictors
from windlass.predictors.artifact import GOLDEN, MANIFEST, read_golden, read_manifest, write_golden, write_manifest
from windlass.predictors.networks.onnx import FILE
from windlass.predictors.tables import linear
from windlass.records import Column, Json, Manifest, Row
from windlass.store.files import write_bytes

HALF, INT8, VOCABULARY = "half", "int8", "vocabulary"
SCORES, PICTURES = "onnx", ("heatmap", "queries", "segmentation")
"""Formats of predictors that answer from a graph: of encoded rows, whose products are computed in 8 bits; and of
pictures, whose weights are only kept in them."""
COMPRESSED = "compressed"
"""Of the settings of a copy's manifest: how it was made."""
N_CALIBRATED = 256
"""Rows of training that tell ranges."""


@dataclass(frozen=True)
class Lesson:
    """What a copy is made by: rows of training with their files' folder, and seconds for choosing what stays float."""

    rows: Sequence[Row]
    root: Path
    seconds: float = 60.0


def copied(source: Path, place: Path, method: str, lesson: Lesson) -> None:
    """Writes the copy to `place`, with golden answers of its own.

    Raises: NotReady: a package is missing. DataError: nothing of the artifact can be made smaller so.
    """
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(source, place)
    parts = sorted((path.parent for path in place.rglob(MANIFEST)), key=lambda path: -len(path.parts))
    changed = [part for part in parts if _rewritten(part, method, lesson)]
    if not changed:
        raise DataError(f"nothing in this candidate can be made smaller by '{method}'")
    for part in parts:
        if part not in changed and any(part in other.parents for other in changed):
            _with_inputs_of_parts(part)
        if (part / GOLDEN).is_file() and (part in changed or any(part in other.parents for other in changed)):
            predictor = predictors.load(part)
            rows, _ = read_golden(part)
            answers = getattr(predictor, "golden")(rows)  # noqa: B009  of scores, boxes, masks; no other is rewritten
            if isinstance(answers, np.ndarray) and not np.isfinite(answers).all():
                raise GateRefused(f"a copy by '{method}' answers with what is no number: a weight is beyond its bits")
            write_golden(part, rows, answers)


def _rewritten(folder: Path, method: str, lesson: Lesson) -> bool:
    manifest = read_manifest(folder)
    if manifest.predictor == "linear" and method == HALF:
        tensors = load_file(folder / linear.FILE)
        with np.errstate(over="ignore"):
            halves = {name: array.astype(np.float16) for name, array in tensors.items()}
        write_bytes(folder / linear.FILE, save(halves))
        _tell(folder, manifest, {"method": HALF})
        return True
    if manifest.predictor != SCORES and manifest.predictor not in PICTURES:
        return False
    try:
        model = graphs.read(folder / FILE)
    except ImportError:
        raise NotReady("onnx is not installed, expected it to write graphs", f"`{pip_install('train')}`") from None
    told: Json = {"method": method}
    if method == HALF:
        model = graphs.halved(model)
    elif manifest.predictor in PICTURES:
        if method == VOCABULARY:
            return False
        model = graphs.rounded(model, graphs.Plan({}))
    else:
        if method == VOCABULARY:
            trimmed = _trimmed(model, manifest, lesson)
            if trimmed is None:
                return False
            model, manifest = trimmed
        planned = calibration.planned(model, _encoded(manifest, lesson), lesson.seconds)
        model = graphs.rounded(model, planned.plan)
        told |= {"products": len(planned.plan.ranges), "floats": list(planned.floats), "error": round(planned.error, 5)}
    graphs.write(model, folder / FILE)
    _tell(folder, manifest, told)
    return True


def _tell(folder: Path, manifest: Manifest, told: Json) -> None:
    write_manifest(folder, replace(manifest, settings={**manifest.settings, COMPRESSED: told}))


def _encoded(manifest: Manifest, lesson: Lesson) -> calibration.Rows:
    rows = lesson.rows[:N_CALIBRATED]
    batches = [kinds.encode_column(column, [row[column.name] for row in rows], lesson.root)
               for column in manifest.inputs]  # fmt: skip
    dense = [batch for batch in batches if isinstance(batch, np.ndarray)]
    return calibration.Rows(dense, [column.state.get("pad") for column in manifest.inputs])


def _trimmed(model: Any, manifest: Manifest, lesson: Lesson) -> tuple[Any, Manifest] | None:
    """The graph and the manifest without the tokens that no row of training has; None: it has no such tokens.

    Columns that share a tokenizer share its table, too.
    """
    pieces = {place: column for place, column in enumerate(manifest.inputs) if column.state.get("form") == "pieces"}
    tokenizers = {column.state["tokenizer"] for column in pieces.values()}
    if len(tokenizers) != 1 or not vocabulary.can_trim(text := tokenizers.pop()):
        return None
    texts = [str(row[column.name] or "") for column in pieces.values() for row in lesson.rows]
    smaller, kept = vocabulary.trimmed(text, vocabulary.used(texts, text))
    pads = {column.state["pad"] for column in pieces.values()}
    if any(kept[pad : pad + 1].tolist() != [pad] for pad in pads):
        return None
    try:
        model = vocabulary.cut(model, [f"input_{place}" for place in pieces], kept)
    except ValueError:
        return None

    def of(place: int, column: Column) -> Column:
        return replace(column, state={**column.state, "tokenizer": smaller}) if place in pieces else column

    return model, replace(manifest, inputs=tuple(of(*each) for each in enumerate(manifest.inputs)))


def _with_inputs_of_parts(folder: Path) -> None:
    """A blend reads what its parts read, whose tokenizers may be others now."""
    manifest = read_manifest(folder)
    parts = [read_manifest(path.parent) for path in sorted(folder.glob(f"*/{MANIFEST}"), key=_number)]
    inputs = tuple(column for part in parts for column in part.inputs)
    if [column.name for column in inputs] == [column.name for column in manifest.inputs]:
        write_manifest(folder, replace(manifest, inputs=inputs))


def _number(path: Path) -> int:
    return int("".join(filter(str.isdigit, path.parent.name)) or 0)
