"""YOLO's text files of boxes, one a picture: number of the class, middle, width and height as shares of the picture.

Source: https://docs.ultralytics.com/datasets/detect; polygons of the same form as segments have more numbers.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from windlass.errors import DataError
from windlass.kinds import image
from windlass.kinds.boxes import BOX, LABEL, name_of
from windlass.sources.annotations.contract import Annotated, rows
from windlass.sources.contract import RawRow, Source
from windlass.sources.readers.system_files import files_below

MAX_CHARACTERS = 1_000_000


def read(source: Source, pictures: Path, classes: Sequence[str]) -> Iterator[RawRow]:
    """A row for each picture of the folder; one without a text file holds nothing."""
    found = [item for item in files_below(pictures) if item.suffix.lower() in image.SUFFIXES]
    return rows((_picture(number, item, classes, source.root) for number, item in enumerate(found, 1)), source)


def label_file(picture: Path) -> Path:
    """Where the boxes of a picture stand: `labels` in place of the last `images` of its path, else beside it."""
    parts = list(picture.parts)
    for place in range(len(parts) - 2, -1, -1):
        if parts[place] == "images":
            parts[place] = "labels"
            return Path(*parts).with_suffix(".txt")
    return picture.with_suffix(".txt")


def _picture(number: int, path: Path, classes: Sequence[str], root: Path) -> Annotated:
    place, file = path.relative_to(root).as_posix(), label_file(path)
    try:
        width, height = image.upright_size(place, root)
        lines = file.read_text(encoding="utf-8-sig")[:MAX_CHARACTERS].splitlines() if file.is_file() else []
        things = [_thing(line, classes, width, height) for line in lines if line.strip()]
    except (DataError, OSError, UnicodeDecodeError) as error:
        return Annotated(number, place, fault=error.message if isinstance(error, DataError) else str(error))
    return Annotated(number, place, width, height, things)


def _thing(line: str, classes: Sequence[str], width: int, height: int) -> dict[str, Any]:
    """Raises: DataError: the line is of another form, or of a class that has no name."""
    try:
        which, *shares = map(float, line.split())
    except ValueError:
        raise DataError(f"line '{line[:40]}' holds no numbers, expected `class x y width height`") from None
    if not which.is_integer() or not 0 <= which < len(classes):
        raise DataError(f"class {which:g} has no name, expected one of 0 to {len(classes) - 1}")
    if len(shares) in (4, 5):
        across, down, wide, high = shares[:4]
        box = [across - wide / 2, down - high / 2, across + wide / 2, down + high / 2]
    elif len(shares) >= 6 and len(shares) % 2 == 0:
        box = [min(shares[::2]), min(shares[1::2]), max(shares[::2]), max(shares[1::2])]
    else:
        raise DataError(f"line '{line[:40]}' has {len(shares) + 1} numbers, expected `class x y width height`")
    if max(map(abs, box)) > 2:
        raise DataError(f"line '{line[:40]}' lies far beside the picture, expected shares of it, 0 to 1")
    return {LABEL: classes[int(which)], BOX: [side * size for side, size in zip(box, 2 * (width, height), strict=True)]}


def names_in(values: Any) -> list[str]:
    """The class names of a data.yaml: a list, or number -> name. Raises: DataError."""
    names = values.get("names") if isinstance(values, Mapping) else None
    if isinstance(names, Mapping) and sorted(names) == list(range(len(names))):
        names = [names[number] for number in range(len(names))]
    if not isinstance(names, list) or not all(isinstance(name, str) and name_of(name) for name in names):
        raise DataError("data.yaml has no 'names', expected the class names in order")
    return [name_of(name) for name in names]


def written(picture: Annotated, classes: Sequence[str]) -> str:
    """The text file of one picture."""
    lines = []
    for thing in picture.things:
        left, top, right, bottom = thing[BOX]
        across, down = (left + right) / 2 / picture.width, (top + bottom) / 2 / picture.height
        wide, high = (right - left) / picture.width, (bottom - top) / picture.height
        lines.append(f"{classes.index(thing[LABEL])} {across:.8f} {down:.8f} {wide:.8f} {high:.8f}\n")
    return "".join(lines)
