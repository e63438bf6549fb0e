"""Pictures with their boxes drawn, for reports: the right ones dashed, the found ones with their score."""

import base64
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from windlass.errors import DataError
from windlass.kinds import image
from windlass.metrics.detection import Found
from windlass.pages.text.words import escaped

SIDE = 360
"""Pixels of the longer side."""
COLOURS = ("#e6550d", "#3182bd", "#31a354", "#756bb1", "#d6278a", "#8c6d31", "#17a2a2", "#636363")
"""Of classes, in their order, again from the first on."""


def drawn(picture: Any, right: Found, found: Found, classes: Sequence[str]) -> str:
    """SVG; '' where the picture cannot be read."""
    parts = ((right, True), (found, False))
    said = f"{len(found.classes)} found, {len(right.classes)} right"
    return _svg(picture, lambda line: "".join(_boxes(each, line, classes, dashed) for each, dashed in parts), said)


def labelled(picture: Any, right: Found, classes: Sequence[str]) -> str:
    """SVG of the right boxes alone, in full; '' where the picture cannot be read."""
    return _svg(picture, lambda line: _boxes(right, line, classes, False), f"{len(right.classes)} boxes")


def _svg(picture: Any, lines: Callable[[float], str], said: str) -> str:
    try:
        pixels, (width, height) = image.read_sized(picture, Path())
    except DataError:
        return ""
    return (
        f'<svg class="seen" viewBox="0 0 {width} {height}" width="{SIDE * width / max(width, height):.0f}" role="img" '
        f'aria-label="{said}"><image href="{_jpeg(pixels)}" width="{width}" height="{height}"/>'
        f"{lines(max(width, height) / 180)}</svg>"
    )


def _boxes(found: Found, line: float, classes: Sequence[str], is_right: bool) -> str:
    """is_right: dashed, and without scores."""
    return "".join(
        _box(box, number, line, "" if is_right else f"{score:.2f}", classes)
        for box, number, score in zip(*found, strict=True)
    )


def _jpeg(pixels: Any) -> str:
    from PIL import Image

    small = Image.fromarray(pixels)
    small.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    small.save(file, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"


def _box(box: Any, number: int, line: float, score: str, classes: Sequence[str]) -> str:
    left, top, right, bottom = (float(side) for side in box)
    colour = COLOURS[number % len(COLOURS)]
    dashes = "" if score else f' stroke-dasharray="{2 * line:.1f}"'
    words = f"{escaped(classes[number], 40)} {score}".rstrip()
    return (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}" fill="none" '
        f'stroke="{colour}" stroke-width="{line if score else 0.7 * line:.1f}"{dashes}><title>{words}</title></rect>'
    )


def key(classes: Sequence[str]) -> str:
    """Which colour is which class, as HTML."""
    named = (
        f'<svg width="12" height="12"><rect width="12" height="12" fill="{COLOURS[number % len(COLOURS)]}"/></svg> '
        f"<bdi>{escaped(name, 40)}</bdi>"
        for number, name in enumerate(classes)
    )
    return f"<p>{' &nbsp; '.join(named)}</p>"
