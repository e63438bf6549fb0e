"""Whatever boxes there are, each format that is written is read again to half a pixel, with names, splits and order."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from PIL import Image

from windlass.kinds.boxes import name_of
from windlass.sources.annotations.contract import Annotated
from windlass.sources.annotations.writing import FORMATS, SHORT
from windlass.sources.contract import Names
from windlass.sources.places import find

SIZES = {"tall.png": (37, 301), "wide.jpg": (640, 90), "lying.jpg": (50, 80)}
"""Upright; the last one lies on its side in the file."""
LETTERS = some.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp"), exclude_characters="\x7f")
NAMES = some.text(LETTERS, min_size=1, max_size=12).filter(lambda text: name_of(text) == text)


@some.composite
def things(draw, size):
    """Boxes to a hundredth of a pixel, a pixel wide at least, each once."""
    found = []
    for _ in range(draw(some.integers(0, 4))):
        sides = []
        for whole in size:
            low = draw(some.integers(0, 100 * whole - 100))
            sides.append((low / 100, draw(some.integers(low + 100, 100 * whole)) / 100))
        (left, right), (top, bottom) = sides
        thing = {"label": draw(NAMES), "box": [left, top, right, bottom]}
        if thing not in found:
            found.append(thing)
    return found


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=8, deadline=None, derandomize=True)
@given(every=some.tuples(*(things(size) for size in SIZES.values())))
def test_boxes_come_back(form, every):
    """Whole pixels are half a pixel off, shares and percents less than a fiftieth."""
    with tempfile.TemporaryDirectory() as place:
        home = Path(place, "set")
        parts = {"train": [], "validation": [], "test": []}
        for split, (name, size), found in zip(parts, SIZES.items(), every, strict=True):
            path = home / FORMATS[form].pictures.format(split=SHORT[split]) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            exif = Image.Exif()
            if name == "lying.jpg":
                exif[274] = 6
            Image.new("RGB", size[::-1] if exif else size).save(path, exif=exif)
            parts[split] = [Annotated(1, path.relative_to(home).as_posix(), *size, found)]
        FORMATS[form].write(home, parts)
        sources = find(str(home), home, Names("image", "boxes"), home / "scratch")
        read = {source.split: (list(source.rows()), source.warnings) for source in sources}
    slack = 0.5 if FORMATS[form].is_whole else 0.02
    for split, (wanted,) in parts.items():
        (row,), warnings = read[split]
        assert (row.fault, [each for each in warnings if "there twice" not in each]) == ("", [])
        got = row.values["boxes"]
        if FORMATS[form].is_whole and warnings:
            continue  # two boxes of one name became the same one
        assert [each["label"] for each in got] == [each["label"] for each in wanted.things]
        for one, other in zip(got, wanted.things, strict=True):
            assert one["box"] == pytest.approx(other["box"], abs=slack + 1e-6)
