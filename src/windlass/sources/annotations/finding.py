"""Which annotation format a file or folder is, and what of it is which split."""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from windlass.errors import DataError, SpecError
from windlass.kinds import image
from windlass.sources.annotations import coco, label_studio, voc, yolo
from windlass.sources.annotations.contract import BOXES
from windlass.sources.contract import Names, Source
from windlass.sources.readers.system_files import visible, walk

SPLIT_WORDS = {
    "train": "train", "training": "train", "val": "validation", "valid": "validation", "validation": "validation",
    "dev": "validation", "test": "test", "testing": "test",
}  # fmt: skip
ANNOTATIONS, SETS = "annotations", "ImageSets/Main"
MAX_YAML, MOST_LOOKED_AT = 262_144, 20
LISTS = ("data.yaml", "data.yml", "dataset.yaml")
"""What the file is called that names YOLO's classes and folders."""


def find(path: Path, split: str, names: Names) -> list[Source]:
    """The sources of boxes that a file or folder holds; none where it holds no annotations.

    Raises: DataError: YOLO's class names or folders are not there.
    """
    if path.is_file():
        source = _of_json(path, split, names)
        return [] if source is None else [source]
    if not path.is_dir():
        return []
    return _of_files(path, split, names) or _of_voc(path, split, names) or _of_yolo(path, split, names)


def split_of(name: str) -> str:
    """The split that a name says, such as `instances_train2017.json`; '' = none."""
    words = re.split(r"[^a-z]+", name.lower())
    return next((SPLIT_WORDS[word] for word in words if word in SPLIT_WORDS), "")


def _of_json(path: Path, split: str, names: Names) -> Source | None:
    """COCO's file or Label Studio's; None: it is neither."""
    if path.suffix.lower() != ".json" or not path.is_file():
        return None
    forms = ((coco.is_coco, coco.read), (label_studio.is_label_studio, label_studio.read))
    read = next((read for is_form, read in forms if is_form(path)), None)
    if read is None:
        return None
    source = Source(path, split, read, names, answers=BOXES)
    if path.parent.name.lower() == ANNOTATIONS:
        source.root = path.parent.parent
    return source


def _of_files(path: Path, split: str, names: Names) -> list[Source]:
    """Files of boxes in the folder, in `annotations` there, or one in each folder of a split."""
    folders = [path, *(item for item in visible(path) if item.is_dir())]
    files = [item for folder in folders for item in visible(folder) if item.suffix.lower() == ".json"]
    by_split: dict[str, Path] = {}
    found: list[Source] = []
    for item in files[:MOST_LOOKED_AT]:
        said = split or split_of(item.name) or (split_of(item.parent.name) if item.parent != path else "")
        source = _of_json(item, said, names)
        if source is None:
            continue
        if said in by_split:
            raise DataError(
                f"{path} holds '{by_split[said].name}' and '{item.name}', both with boxes, expected one file a split",
                f"`data: {{train: {path.name}/{by_split[said].name}, test: ...}}` says which",
            )
        by_split[said] = item
        found.append(source)
    return found


def _of_voc(path: Path, split: str, names: Names) -> list[Source]:
    """XML files below the folder; the lists of `ImageSets/Main` say which is of which split."""
    files = [item for item in walk(path) if item.suffix.lower() == ".xml"]
    if not any(voc.is_voc(item) for item in sorted(files)[:MOST_LOOKED_AT]):
        return []
    if not split:
        if (path / SETS).is_dir():
            return _by_list(path, names)
        folders = [item for item in visible(path) if item.is_dir() and split_of(item.name)]
        if folders and all(any(item.is_relative_to(folder) for folder in folders) for item in files):
            return [Source(item, split_of(item.name), voc.read, names, answers=BOXES) for item in folders]
    return [Source(path, split, voc.read, names, answers=BOXES)]


def _by_list(path: Path, names: Names) -> list[Source]:
    lists = {split_of(item.stem): item for item in visible(path / SETS) if item.suffix == ".txt" and
             item.stem.lower() in SPLIT_WORDS}  # fmt: skip
    found = []
    for said, item in lists.items():
        lines = item.read_text(encoding="utf-8", errors="replace").splitlines()
        listed = frozenset(line.split()[0] for line in lines if line.strip())
        found.append(Source(path, said, partial(voc.read, listed=listed), names, answers=BOXES))
    return found or [Source(path, "", voc.read, names, answers=BOXES)]


def _of_yolo(path: Path, split: str, names: Names) -> list[Source]:
    listed = next((path / name for name in LISTS if (path / name).is_file()), None)
    if listed is not None:
        return _by_yaml(listed, split, names)
    classes = path / "classes.txt"
    if not ((path / "labels").is_dir() and (path / "images").is_dir() and classes.is_file()):
        return []
    said = [line.strip() for line in classes.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    folders = [item for item in visible(path / "images") if item.is_dir() and split_of(item.name)]
    return [_yolo(path, item, split or split_of(item.name), said, names) for item in folders] or [
        _yolo(path, path / "images", split, said, names)
    ]


def _yolo(root: Path, pictures: Path, split: str, classes: list[str], names: Names) -> Source:
    return Source(root, split, partial(yolo.read, pictures=pictures, classes=classes), names, answers=BOXES)


def _by_yaml(path: Path, split: str, names: Names) -> list[Source]:
    """Those of a data.yaml; it may be of something else altogether, and then it holds no names."""
    values = _yaml(path)
    if not isinstance(values, Mapping) or "names" not in values:
        return []
    classes, folders = yolo.names_in(values), dict[Path, tuple[Path, list[str]]]()
    for said in ("train", "val", "test"):
        if said in values:
            named = _pictures(path.parent, values, str(values[said]))
            folders.setdefault(named.resolve(), (named, []))[1].append(said)
    if not folders:
        raise DataError(f"{path} has no 'train', expected the folder of pictures to learn from")
    found = []
    for pictures, words in folders.values():
        source = _yolo(path.parent, pictures, split or SPLIT_WORDS[words[0]], classes, names)
        found.append(source)
        if len(words) > 1:  # as in files that show the form: what is learned would be what tests
            source.split = split
            twice = " and ".join(f"'{word}'" for word in words)
            source.warnings.append(f"{path.name}: {twice} are one folder: its pictures are read once, and parted here")
    return found


def _yaml(path: Path) -> Any:
    if path.stat().st_size > MAX_YAML:
        return None
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        return None


def _pictures(home: Path, values: Mapping[str, Any], place: str) -> Path:
    """The folder of pictures that a data.yaml names, below its own folder. Raises: DataError, SpecError."""
    below = home / str(values.get("path", "")) if not Path(str(values.get("path", ""))).is_absolute() else home
    for folder in (below / place, home / place, home / place.removeprefix("../")):
        if folder.is_dir():
            if not folder.resolve().is_relative_to(home.resolve()):
                raise SpecError(f"'{place}' of {home / LISTS[0]} lies outside {home}, expected a folder inside it")
            has_pictures = any(item.suffix.lower() in image.SUFFIXES for item in walk(folder))
            return folder if has_pictures or not (folder / "images").is_dir() else folder / "images"
    raise DataError(f"'{place}' of {home / LISTS[0]} is no folder, expected the pictures there")
