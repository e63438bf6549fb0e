"""Scanned pages, read by rapidocr where it is installed: its models come with its package, nothing is fetched."""

from functools import cache
from importlib.util import find_spec
from typing import Any

from windlass.sources.documents.pdf.marks import Word

SCALE_DPI = 200
MOST_PIXELS = 12_000_000
LEAST_SCORE = 0.5
"""Of 1: a line that the model itself doubts more is left out."""


def is_there() -> bool:
    return find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None


@cache
def _engine() -> Any:
    import logging

    from rapidocr import RapidOCR

    logging.getLogger("RapidOCR").setLevel(logging.ERROR)
    return RapidOCR(params={"Global.log_level": "error"})


def words_of(page: Any) -> list[Word]:
    """The lines that a picture of the page shows, each as one word with its place in points."""
    width, height = page.get_size()
    scale = min(SCALE_DPI / 72, (MOST_PIXELS / max(width * height, 1.0)) ** 0.5)
    picture = page.render(scale=scale, may_draw_forms=False, draw_annots=False).to_numpy()
    found = _engine()(picture[..., :3])
    if found.boxes is None:
        return []
    words = []
    for box, text, score in zip(found.boxes, found.txts, found.scores, strict=True):
        if score < LEAST_SCORE or not text.strip():
            continue
        xs, ys = [float(point[0]) / scale for point in box], [float(point[1]) / scale for point in box]
        size = max(ys) - min(ys)
        words += _apart(text, min(xs), min(ys), max(xs), max(ys), size)
    return words


def _apart(text: str, left: float, top: float, right: float, bottom: float, size: float) -> list[Word]:
    """The words of a line, each with its share of the width."""
    share = (right - left) / max(len(text), 1)
    words, place = [], 0
    for part in text.split(" "):
        if part:
            begin = left + place * share
            words.append(Word(part, begin, top, begin + len(part) * share, bottom, size * 0.8))
        place += len(part) + 1
    return words
