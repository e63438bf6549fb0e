"""Pictures with their masks drawn, for reports: found ones coloured, right ones as white outlines."""

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds import image, masks
from windlass.kinds.boxes import LABEL
from windlass.outputs.boxes.drawing import COLOURS, SIDE
from windlass.predictors.segmentation.things import whole

FILL = 0.4
"""Of a found thing's colour over the picture."""


def drawn(
    picture: Any, right: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]], classes: Sequence[str],
    said: str = "",
) -> str:  # fmt: skip
    """SVG; '' where the picture cannot be read. said: in words; none: how many are found and right."""
    from PIL import Image

    try:
        pixels, (width, height) = image.read_sized(picture, Path())
    except DataError:
        return ""
    small = Image.fromarray(pixels)
    small.thumbnail((SIDE, SIDE))
    canvas = np.asarray(small, np.float32).copy()
    size = (canvas.shape[0], canvas.shape[1])
    numbers = whole(masks.map_of(found, (height, width)), size)
    colours = np.array([[0, 0, 0], *(_colour(each[LABEL], classes) for each in found)], np.float32)
    is_there, is_line = numbers > 0, edges(numbers)
    canvas[is_there] = (1 - FILL) * canvas[is_there] + FILL * colours[numbers[is_there]]
    canvas[is_line] = colours[numbers[is_line]]
    canvas[edges(whole(masks.map_of(right, (height, width)), size))] = 255
    said = said or f"{len(found)} found, {len(right)} right"
    wide, high = size[1], size[0]
    return (
        f'<svg class="seen" viewBox="0 0 {wide} {high}" width="{wide}" role="img" aria-label="{said}">'
        f'<image href="{_png(canvas)}" width="{wide}" height="{high}"/></svg>'
    )


def edges(numbers: np.ndarray) -> np.ndarray:
    """(H, W) bool: pixels of a thing to the right of which, or below, lies another thing or nothing."""
    padded = np.pad(numbers, ((0, 1), (0, 1)))
    return np.asarray((numbers > 0) & ((numbers != padded[1:, :-1]) | (numbers != padded[:-1, 1:])))


def _colour(label: str, classes: Sequence[str]) -> tuple[int, ...]:
    code = COLOURS[list(classes).index(label) % len(COLOURS)]
    return tuple(int(code[place : place + 2], 16) for place in (1, 3, 5))


def _png(canvas: np.ndarray) -> str:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
