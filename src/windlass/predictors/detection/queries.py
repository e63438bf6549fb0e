"""Answers pictures with boxes, from the queries of an ONNX graph: each stands for one thing, or for nothing.

No boxes are suppressed by others: queries have learned to leave each thing to one of them.
Source: Carion et al. 2020, arXiv:2005.12872 (DETR); scores of each class by itself: Zhu et al. 2021, arXiv:2010.04159.
Shapes: Q queries, K classes.
"""

from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds.boxes import CLASSES
from windlass.metrics.detection import MOST_FOUND, Found
from windlass.metrics.measures import Array
from windlass.predictors.detection.canvas import Canvas
from windlass.predictors.detection.heatmap import Detector, canvas_of, runner
from windlass.predictors.detection.peaks import LEAST_SCORE
from windlass.predictors.networks.onnx import FILE
from windlass.records import Manifest


def decoded(answer: Array, n_classes: int, canvas: Canvas) -> Found:
    """What is on the canvas, the surest first, at most `MOST_FOUND`.

    Args: answer: (Q, K + 4) float; logits of each class, then the middle's x and y, width and height, as shares 0-1.
    """
    logits = answer[:, :n_classes].astype(np.float64).ravel()
    order = np.argsort(-logits, kind="stable")[:MOST_FOUND]
    order = order[logits[order] > np.log(LEAST_SCORE / (1 - LEAST_SCORE))]
    queries, classes = np.divmod(order, n_classes)
    middle, size = np.split(answer[queries, n_classes:].astype(np.float64), 2, axis=1)
    sides = np.array([canvas.width, canvas.height])
    boxes = np.concatenate([(middle - size / 2) * sides, (middle + size / 2) * sides], axis=1)
    return Found(boxes, classes, 1 / (1 + np.exp(-logits[order])))


def load(folder: Path, manifest: Manifest) -> Detector:
    """A graph with the input `input_0` and the output `logits`. Raises: DataError: it is damaged, or another one."""
    canvas = canvas_of(folder, manifest)
    n_answers = len(manifest.output.state[CLASSES]) + 4

    def check(given: dict[str, Any]) -> None:
        last = (given.get("logits") or [0])[-1]
        if isinstance(last, int) and last != n_answers:
            raise DataError(f"{folder / FILE} gives no 'logits' of {n_answers} values a query, expected them")

    return Detector(manifest, runner(folder, canvas, check), canvas, decoded)
