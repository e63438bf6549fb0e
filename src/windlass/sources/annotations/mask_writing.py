"""Pictures and their masks in a folder as annotation tools read them, and as `windlass init` knows them again."""

import io
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from windlass.kinds import masks
from windlass.kinds.boxes import LABEL, Things
from windlass.kinds.masks import VOID
from windlass.metrics.measures import Array
from windlass.sources.annotations import coco_masks
from windlass.sources.annotations.mask_files import VOC_VOID
from windlass.sources.annotations.writing import SHORT
from windlass.store.files import write_bytes, write_text


class Masked(NamedTuple):
    """A picture with its masks. place: below the folder; size: width and height."""

    place: str
    size: tuple[int, int]
    things: Things


Parts = Mapping[str, Sequence[Masked]]
"""Split -> its pictures."""


def _coco(folder: Path, parts: Parts) -> None:
    for split, pictures in parts.items():
        content = json.dumps(coco_masks.written(pictures), ensure_ascii=False)
        write_text(folder / "annotations" / f"{SHORT[split]}.json", content)


def _png(folder: Path, parts: Parts) -> None:
    """A number a class in `masks/`; where a picture has several things of a class, a number each in `instances/`."""
    every = [each for pictures in parts.values() for each in pictures]
    classes = sorted({thing[LABEL] for each in every for thing in each.things} - {VOID})
    code = {**{name: number for number, name in enumerate(classes, 1)}, VOID: VOC_VOID}
    is_apart = any(max(_counted(each.things).values(), default=0) > 1 for each in every)
    for split, pictures in parts.items():
        for each in pictures:
            numbers = masks.map_of(each.things, each.size[::-1])
            codes = [0, *(code[thing[LABEL]] for thing in each.things)]
            name = f"{PurePosixPath(each.place).stem}.png"
            _picture(folder / SHORT[split] / "masks" / name, np.array(codes)[numbers].astype(np.uint8))
            if is_apart:
                _picture(folder / SHORT[split] / "instances" / name, numbers.astype(np.uint16))
    write_text(folder / "classes.txt", "".join(f"{name}\n" for name in ("background", *classes)))


def _counted(things: Things) -> Counter[str]:
    return Counter(thing[LABEL] for thing in things)


def _picture(path: Path, numbers: Array) -> None:
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(numbers).save(content, "PNG")
    write_bytes(path, content.getvalue())


class MaskFormat(NamedTuple):
    """pictures: the folder of the pictures of a split, which stands for `{split}`. write(folder, parts). is_flat: a
    pixel is of one thing, and a crowd is one like any other."""

    pictures: str
    write: Callable[[Path, Parts], None]
    is_flat: bool = False


MASK_FORMATS = {"coco": MaskFormat("images/{split}", _coco), "png": MaskFormat("{split}/images", _png, is_flat=True)}
