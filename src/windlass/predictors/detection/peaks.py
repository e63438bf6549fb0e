"""Boxes from heat-maps: a place that is hottest among its neighbours is a thing, and says how far its sides are.

No boxes are suppressed by others, so that nothing has to be tuned for it, or can disagree between training and service.
Source: Zhou et al. 2019, arXiv:1904.07850 (CenterNet), section 4; distances to the sides: Tian et al. 2019,
arXiv:1904.01355 (FCOS).
Shapes: K classes, h and w places.
"""

import numpy as np

from windlass.metrics.detection import MOST_FOUND, Found
from windlass.metrics.measures import Array
from windlass.predictors.detection.canvas import STRIDE

LEAST_SCORE = 0.01
"""Below it nothing is a thing: that many boxes would only cost time."""


def decoded(answer: Array, n_classes: int) -> Found:
    """What is on the canvas, the surest first, at most `MOST_FOUND`.

    Args: answer: (K + 4, h, w) float; logits of each class, then distances to left, top, right, bottom in places.
    """
    heat, sides = answer[:n_classes], answer[n_classes:].astype(np.float64)
    is_peak = (heat >= _largest_around(heat)) & (heat > np.log(LEAST_SCORE / (1 - LEAST_SCORE)))
    classes, rows, columns = np.nonzero(is_peak)
    logits = heat[classes, rows, columns].astype(np.float64)
    order = np.argsort(-logits, kind="stable")[:MOST_FOUND]
    classes, rows, columns = classes[order], rows[order], columns[order]
    across, down = columns + 0.5, rows + 0.5
    left, top, right, bottom = sides[:, rows, columns]
    boxes = np.stack([across - left, down - top, across + right, down + bottom], axis=1) * STRIDE
    return Found(boxes, classes, 1 / (1 + np.exp(-logits[order])))


def _largest_around(heat: Array) -> Array:
    """The largest of the 3 x 3 places around each, (K, h, w)."""
    padded = np.pad(heat, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    across = np.maximum(np.maximum(padded[:, :, :-2], padded[:, :, 1:-1]), padded[:, :, 2:])
    return np.maximum(np.maximum(across[:, :-2], across[:, 1:-1]), across[:, 2:])
