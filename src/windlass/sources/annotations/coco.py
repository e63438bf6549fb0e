"""COCO's JSON of boxes: `images`, `annotations` (left, top, width, height; polygons; run lengths) and `categories`.

Source: https://cocodataset.org/#format-data; run lengths as text: cocoapi's `maskApi.c`.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from windlass.errors import DataError
from windlass.kinds.boxes import BOX, CROWD, LABEL, is_pixel, name_of
from windlass.kinds.contract import shown
from windlass.records import Json
from windlass.sources.annotations.contract import Annotated, classes_of, rows
from windlass.sources.contract import RawRow, Source

PARTS = ("images", "annotations", "categories")
MAX_BYTES, HEAD = 500_000_000, 4_096


def is_coco(path: Path) -> bool:
    """The file holds pictures and their annotations; others are not read to the end."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return False
        with path.open(encoding="utf-8-sig") as file:
            head = file.read(HEAD)
            if not any(f'"{name}"' in head for name in (*PARTS, "info")):
                return False
            found = json.loads(head + file.read())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and all(isinstance(found.get(name), list) for name in PARTS)


def read(source: Source) -> Iterator[RawRow]:
    """A row for each picture, one without an annotation too: nothing is there."""
    content = json.loads(source.path.read_text(encoding="utf-8-sig"))
    return rows(_pictures(content, source), source)


@dataclass(frozen=True)
class Listed:
    """A picture as the file lists it; width, height: 0 = it does not say."""

    number: int
    place: str
    width: float
    height: float
    annotations: Sequence[Json]


def names_in(content: Json) -> dict[Any, str]:
    """Id of a category -> its name."""
    return {each.get("id"): name_of(str(each.get("name", ""))) for each in _objects(content, "categories")}


def _pictures(content: Json, source: Source) -> Iterator[Annotated]:
    names = names_in(content)
    for each in listed(content, source):
        try:
            things = [_thing(annotation, names) for annotation in each.annotations]
        except DataError as error:
            yield Annotated(each.number, each.place, fault=error.message)
            continue
        yield Annotated(each.number, each.place, each.width, each.height, things)


def listed(content: Json, source: Source) -> Iterator[Listed]:
    """The pictures with their annotations; those of other pictures become a warning of the source."""
    by_picture: dict[Any, list[Any]] = {}
    for each in _objects(content, "annotations"):
        by_picture.setdefault(_id(each.get("image_id")), []).append(each)
    folders = _folders(source.root)
    for number, each in enumerate(_objects(content, "images"), 1):
        own = by_picture.pop(_id(each.get("id")), [])
        place = _place(str(each.get("file_name", "")), source.root, folders)
        yield Listed(number, place, _side(each.get("width")), _side(each.get("height")), own)
    if by_picture:
        count = sum(map(len, by_picture.values()))
        source.warnings.append(f"{source.path.name}: {count:,} annotations are of pictures that 'images' does not list")


def _objects(content: Json, part: str) -> list[Json]:
    return [each for each in content[part] if isinstance(each, dict)]


def _id(value: Any) -> Any:
    return value if isinstance(value, int | str) else None


def _side(value: Any) -> float:
    return float(value) if is_pixel(value) and value > 0 else 0.0


def _folders(root: Path) -> list[str]:
    """Where pictures may lie: beside the file, or in a folder there."""
    return ["", *(f"{item.name}/" for item in sorted(root.iterdir()) if item.is_dir())]


def _place(name: str, root: Path, folders: Sequence[str]) -> str:
    return next((f"{folder}{name}" for folder in folders if name and (root / f"{folder}{name}").is_file()), name)


def label_of(annotation: Json, names: dict[Any, str]) -> str:
    """Raises: DataError: of an unknown category."""
    category = _id(annotation.get("category_id"))
    if not names.get(category):
        known = ", ".join(f"{key}" for key in list(names)[:8])
        raise DataError(f"category_id is {shown(annotation.get('category_id'))}, expected one of the file's: {known}")
    return names[category]


def _thing(annotation: Json, names: dict[Any, str]) -> dict[str, Any]:
    """Raises: DataError: of an unknown category, or without a box that can be read."""
    label = label_of(annotation, names)
    box = annotation.get("bbox")
    if isinstance(box, list) and len(box) == 4 and all(map(is_pixel, box)):
        left, top, width, height = map(float, box)
        found = [left, top, left + width, top + height]
    else:
        found = box_of(annotation.get("segmentation"))
    thing = {LABEL: label, BOX: found}
    return {**thing, CROWD: True} if annotation.get("iscrowd") else thing


def box_of(segmentation: Any) -> list[float]:
    """The box around polygons, or around run lengths. Raises: DataError: it is neither."""
    if isinstance(segmentation, dict):
        return _box_of_runs(segmentation)
    flat = [polygon for polygon in segmentation or () if isinstance(polygon, list)] if isinstance(
        segmentation, list) else []  # fmt: skip
    points = [value for polygon in flat for value in polygon]
    if not points or not all(map(is_pixel, points)) or any(len(polygon) % 2 for polygon in flat):
        raise DataError("an annotation has no bbox of four numbers and no polygon, expected one of them")
    across, down = ([v for polygon in flat for v in polygon[first::2]] for first in (0, 1))
    return [float(min(across)), float(min(down)), float(max(across)), float(max(down))]


def _box_of_runs(segmentation: Json) -> list[float]:
    """Runs of 0 and 1 in turn, column by column."""
    size, counts = segmentation.get("size"), segmentation.get("counts")
    runs = _unpacked(counts) if isinstance(counts, str) else counts
    is_sized = isinstance(size, list) and len(size) == 2 and all(isinstance(side, int) and side > 0 for side in size)
    if not is_sized or not isinstance(runs, list) or not all(isinstance(run, int) and run >= 0 for run in runs):
        raise DataError("an annotation has run lengths that cannot be read, expected `size` and `counts`")
    assert isinstance(size, list)
    height, place = size[0], 0
    left = top = float("inf")
    right = bottom = 0
    for number, run in enumerate(runs):
        if number % 2 and run:
            first, last = place, place + run - 1
            is_one_column = first // height == last // height
            left, right = min(left, first // height), max(right, last // height + 1)
            top = min(top, first % height if is_one_column else 0)
            bottom = max(bottom, last % height + 1 if is_one_column else height)
        place += run
    if not bottom:
        raise DataError("an annotation has run lengths without a pixel, expected one at least")
    return [float(left), float(top), float(right), float(bottom)]


def _unpacked(text: str) -> list[int]:
    """Run lengths as COCO packs them: six bits a sign, from the third on as a difference to the one before the last."""
    runs: list[int] = []
    value = shift = 0
    for sign in text:
        bits = ord(sign) - 48
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    return runs


def written(pictures: Sequence[Annotated]) -> Json:
    """The file of these pictures; category ids count from 1, classes in alphabetical order."""
    names = classes_of(pictures)
    images = [
        {"id": number, "file_name": each.place, "width": each.width, "height": each.height}
        for number, each in enumerate(pictures, 1)
    ]
    found = [(number, thing) for number, each in enumerate(pictures, 1) for thing in each.things]
    annotations = [_annotation(number, picture, thing, names) for number, (picture, thing) in enumerate(found, 1)]
    categories = [{"id": number, "name": name} for number, name in enumerate(names, 1)]
    return {"images": images, "annotations": annotations, "categories": categories}


def _annotation(number: int, picture: int, thing: dict[str, Any], names: list[str]) -> Json:
    left, top, right, bottom = thing[BOX]
    width, height = round(right - left, 4), round(bottom - top, 4)
    return {
        "id": number,
        "image_id": picture,
        "category_id": names.index(thing[LABEL]) + 1,
        "bbox": [left, top, width, height],
        "area": round(width * height, 4),
        "iscrowd": int(bool(thing.get(CROWD))),
    }
