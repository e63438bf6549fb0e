"""COCO's JSON as masks: polygons, whose parts count together, and run lengths, which may have holes and be crowds.

Source: https://cocodataset.org/#format-data; a pixel is inside where its middle is (even-odd within a polygon).
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds import image, masks
from windlass.kinds.boxes import CROWD, LABEL, is_pixel
from windlass.kinds.contract import shown
from windlass.kinds.masks import MASK
from windlass.metrics import run_lengths
from windlass.metrics.measures import Array
from windlass.records import Json
from windlass.sources.annotations import coco
from windlass.sources.contract import RawRow, Source

BOXES_HINT = "`output: {things: boxes}` learns boxes alone"


def read(source: Source) -> Iterator[RawRow]:
    """A row for each picture, one without an annotation too: nothing is there."""
    content = json.loads(source.path.read_text(encoding="utf-8-sig"))
    names, n_empty = coco.names_in(content), 0
    for picture in coco.listed(content, source):
        try:
            size = image.upright_size(picture.place, source.root)
            if fault := _of_other_size((picture.width, picture.height), size):
                raise DataError(fault)
            things = [_thing(each, names, size) for each in picture.annotations]
        except DataError as error:
            yield RawRow(picture.number, None, error.message, picture.place)
            continue
        kept = [thing for thing in things if thing is not None]
        n_empty += len(things) - len(kept)
        yield RawRow(picture.number, {source.names.image: picture.place, source.names.label: kept})
    if n_empty:
        source.warnings.append(f"{source.path.name}: {n_empty:,} masks cover no pixel: taken out")


def _of_other_size(said: tuple[float, float], size: tuple[int, int]) -> str:
    if not all(said) or said == size:
        return ""
    words = f"is {size[0]} x {size[1]} upright, and its masks are of one of {said[0]:g} x {said[1]:g}"
    if said == size[::-1]:
        return f"{words}: drawn on it as it lies in the file, before EXIF turned it upright?"
    return f"{words}, expected the picture that they were drawn on"


def _thing(annotation: Json, names: dict[Any, str], size: tuple[int, int]) -> dict[str, Any] | None:
    """None: it covers no pixel. Raises: DataError: of an unknown category, or without a mask that can be read."""
    runs = runs_of(annotation.get("segmentation"), size[::-1])
    label = coco.label_of(annotation, names)
    if not run_lengths.area(runs):
        return None
    thing = masks.thing_of(label, runs, size[::-1])
    return {**thing, CROWD: True} if annotation.get("iscrowd") else thing


def runs_of(segmentation: Any, size: tuple[int, int]) -> list[int]:
    """The run lengths of polygons or of run lengths, on a picture of this height and width. Raises: DataError."""
    if isinstance(segmentation, dict):
        if segmentation.get("size") != list(size):
            said = shown(segmentation.get("size"))
            raise DataError(f"an annotation's mask is of {said}, expected {list(size)}: the picture's height and width")
        try:
            runs = masks.runs_of(segmentation)
        except (TypeError, ValueError):
            raise DataError("an annotation has run lengths that cannot be read, expected COCO's") from None
        if sum(runs) != size[0] * size[1]:
            raise DataError(f"an annotation's runs are of {sum(runs):,} pixels, expected {size[0] * size[1]:,}")
        return runs
    polygons = [each for each in segmentation if isinstance(each, list)] if isinstance(segmentation, list) else []
    if not polygons or not all(_is_polygon(each) for each in polygons):
        raise DataError("an annotation has no polygon and no run lengths, expected one of them", BOXES_HINT)
    found = np.zeros(size, bool)
    for each in polygons:
        found |= filled(np.array(each, float).reshape(-1, 2), size)
    return run_lengths.runs_of(found)


def _is_polygon(values: list[Any]) -> bool:
    return len(values) >= 6 and len(values) % 2 == 0 and all(map(is_pixel, values))


def filled(points: Array, size: tuple[int, int]) -> Array:
    """(H, W) bool: pixels whose middle lies inside a polygon, even-odd. points: (n, 2) across and down."""
    height, width = size
    following = np.roll(points, -1, axis=0)
    turns = np.zeros((height, width + 1), int)
    for (x, y), (next_x, next_y) in zip(points, following, strict=True):
        if y == next_y:
            continue
        (low_x, low), (high_x, high) = sorted(((x, y), (next_x, next_y)), key=lambda point: point[1])
        rows = np.arange(max(0, int(np.ceil(low - 0.5))), min(height, int(np.ceil(high - 0.5))))
        crossed = low_x + (rows + 0.5 - low) / (high - low) * (high_x - low_x)
        columns = np.clip(np.ceil(crossed - 0.5), 0, width).astype(int)
        turns[rows, columns] += 1
    return np.asarray(np.cumsum(turns, axis=1)[:, :width] % 2 == 1)


def written(pictures: Sequence[tuple[str, tuple[int, int], Sequence[Json]]]) -> Json:
    """The file of pictures, each its place, width and height, and things with masks; category ids count from 1."""
    names = sorted({thing[LABEL] for _, _, things in pictures for thing in things})
    images: list[Json] = []
    annotations: list[Json] = []
    for number, (place, (width, height), things) in enumerate(pictures, 1):
        images.append({"id": number, "file_name": place, "width": width, "height": height})
        for thing in things:
            runs = masks.runs_of(thing[MASK])
            left, top, right, bottom = run_lengths.bounds(runs, height)
            annotations.append({
                "id": len(annotations) + 1,
                "image_id": number,
                "category_id": names.index(thing[LABEL]) + 1,
                "segmentation": thing[MASK],
                "bbox": [left, top, right - left, bottom - top],
                "area": run_lengths.area(runs),
                "iscrowd": int(bool(thing.get(CROWD))),
            })  # fmt: skip
    categories = [{"id": number, "name": name} for number, name in enumerate(names, 1)]
    return {"images": images, "annotations": annotations, "categories": categories}
