"""Pictures and their boxes in a folder as an annotation tool reads them, and as `windlass init` knows them again."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from windlass.sources.annotations import coco, label_studio, voc, yolo
from windlass.sources.annotations.contract import Annotated, classes_of
from windlass.store.files import write_text

SHORT = {"train": "train", "validation": "val", "test": "test"}
"""What the formats call a split."""
Parts = Mapping[str, Sequence[Annotated]]
"""Split -> its pictures, each with its place below the folder."""


@dataclass(frozen=True)
class Format:
    """pictures: the folder of the pictures of a split, which stands for `{split}`. write(folder, parts).

    has_crowds: a box of several things that nobody told apart remains one. is_whole: pixels are whole numbers.
    """

    pictures: str
    write: Callable[[Path, Parts], None]
    has_crowds: bool = False
    is_whole: bool = False


def _coco(folder: Path, parts: Parts) -> None:
    for split, pictures in parts.items():
        _write_json(folder / "annotations" / f"{SHORT[split]}.json", coco.written(pictures))


def _voc(folder: Path, parts: Parts) -> None:
    for split, pictures in parts.items():
        for each in pictures:
            write_text(folder / "Annotations" / f"{Path(each.place).stem}.xml", voc.written(each))
        names = "".join(f"{Path(each.place).stem}\n" for each in pictures)
        write_text(folder / "ImageSets" / "Main" / f"{SHORT[split]}.txt", names)


def _yolo(folder: Path, parts: Parts) -> None:
    classes = classes_of(each for pictures in parts.values() for each in pictures)
    for each in (each for pictures in parts.values() for each in pictures):
        write_text(yolo.label_file(folder / each.place), yolo.written(each, classes))
    places = "".join(f"{SHORT[split]}: images/{SHORT[split]}\n" for split in parts)
    names = "".join(f"  {number}: {json.dumps(name, ensure_ascii=False)}\n" for number, name in enumerate(classes))
    write_text(folder / "data.yaml", f"{places}names:\n{names}" if names else f"{places}names: []\n")


def _label_studio(folder: Path, parts: Parts) -> None:
    for split, pictures in parts.items():
        _write_json(folder / f"{SHORT[split]}.json", label_studio.written(pictures))
    every = [each for pictures in parts.values() for each in pictures]
    write_text(folder / "label-config.xml", label_studio.labelling(every))


def _write_json(path: Path, content: object) -> None:
    write_text(path, json.dumps(content, ensure_ascii=False))


FORMATS = {
    "coco": Format("images/{split}", _coco, has_crowds=True),
    "voc": Format("JPEGImages", _voc, is_whole=True),
    "yolo": Format("images/{split}", _yolo),
    "label-studio": Format("images/{split}", _label_studio),
}
