"""What `data` means: a file, files or folders named train and test, a folder of pictures a label, or Python itself."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from windlass.errors import DataError, did_you_mean, expected
from windlass.kinds.image import SUFFIXES
from windlass.sources import conversations, standard_library
from windlass.sources.contract import SPLITS, Names, RawRow, Source
from windlass.sources.tables import read_npz, read_parquet, splits_of_npz
from windlass.sources.text_files import read_csv, read_json_lines, read_passages
from windlass.spec import Spec

READERS: dict[str, Callable[[Source], Iterator[RawRow]]] = {
    ".csv": read_csv,
    ".tsv": read_csv,
    ".tab": read_csv,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    ".parquet": read_parquet,
    ".npz": read_npz,
    ".txt": read_passages,
}
SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}


def names_of(spec: Spec) -> Names:
    """The columns of the spec that a source without a header fills."""
    by_kind = {kind: name for name, kind in reversed(spec.inputs.items())}
    return Names(by_kind.get("image", next(iter(spec.inputs))), spec.output_column, by_kind.get("chat", ""))


def find(data: str | Mapping[Any, str], project: Path, names: Names, scratch: Path) -> list[Source]:
    """The sources that `data` of a spec means, paths relative to the project.

    Raises: DataError: nothing there, nothing readable, or several things it could mean.
    """
    places = {"": data} if isinstance(data, str) else {split: data[split] for split in SPLITS if split in data}
    sources = [source for split in places for source in _place(places[split], split, project, names, scratch)]
    return [conversations.split(source) for source in sources] if names.chat else sources


def _place(place: str, split: str, project: Path, names: Names, scratch: Path) -> list[Source]:
    if place.startswith(standard_library.PREFIX):
        return [standard_library.source(place, split, names)]
    return _sources(project / place, split, names, scratch)


def _sources(path: Path, split: str, names: Names, scratch: Path) -> list[Source]:
    if path.is_dir():
        return _folder(path, split, names, scratch)
    if not path.is_file():
        near = ", ".join(sorted(item.name for item in path.parent.iterdir())[:8]) if path.parent.is_dir() else ""
        raise DataError(f"{path} does not exist, expected a file or folder" + (f"; beside it: {near}" if near else ""))
    suffix = path.suffix.lower()
    if suffix not in READERS:
        raise DataError(f"{path} ends in '{suffix}', expected {expected(READERS)}", "save a spreadsheet as CSV (UTF-8)")
    source = Source(path, split, READERS[suffix], names, scratch)
    if suffix != ".npz":
        return [source]
    return [Source(path, found, read_npz, names, scratch) for found in splits_of_npz(source)]


def _folder(path: Path, split: str, names: Names, scratch: Path) -> list[Source]:
    """Files named by split come first, then a single file, then folders named by split, then folders of labels."""
    items = [item for item in sorted(path.iterdir()) if not item.name.startswith(".")]
    files = [item for item in items if item.suffix.lower() in READERS and item.is_file()]
    tables = [item for item in files if item.suffix.lower() != ".npz"]
    named = [item for item in tables if item.stem.lower() in SPLIT_NAMES]
    if named:
        found = [SPLIT_NAMES[item.stem.lower()] for item in named]
        if len(set(found)) < len(found):
            raise DataError(f"{path} holds {expected(item.name for item in named)}, expected one file a split")
        return [source for item in named for source in _sources(item, SPLIT_NAMES[item.stem.lower()], names, scratch)]
    folders = [item for item in items if item.is_dir() and _has_pictures(item)]
    choices = files + ([path] if folders else [])
    if len(choices) > 1:
        shown = [item.name for item in files] + [f"{item.name}/" for item in folders[:4]]
        raise DataError(
            f"{path} holds {', '.join(shown)}: it is not clear which is meant, expected one",
            f"say `data: {path.name}/{shown[0]}`",
        )
    if files:
        return _sources(files[0], split, names, scratch)
    by_split = [item for item in folders if item.name.lower() in SPLIT_NAMES]
    if by_split:
        return [Source(item, SPLIT_NAMES[item.name.lower()], read_label_folders, names) for item in by_split]
    if folders:
        return [Source(path, split, read_label_folders, names)]
    raise DataError(
        f"{path} holds nothing that can be read, expected {expected(READERS)}, or a folder of pictures a label"
    )


def _has_pictures(folder: Path) -> bool:
    return any(item.suffix.lower() in SUFFIXES for item in folder.rglob("*"))


def read_label_folders(source: Source) -> Iterator[RawRow]:
    """Pictures in folders whose names are the labels; a file that is no picture, or lies beside them, is a fault."""
    files = (item for item in sorted(source.path.rglob("*")) if item.is_file() and not item.name.startswith("."))
    for number, item in enumerate(files, 1):
        place = item.relative_to(source.path)
        if item.suffix.lower() not in SUFFIXES:
            yield RawRow(number, None, f"ends in '{item.suffix}', expected a picture", str(place))
        elif len(place.parts) < 2:
            yield RawRow(number, None, "lies beside the folders of labels, expected it in one of them", str(place))
        else:
            yield RawRow(number, {source.names.image: str(place), source.names.label: place.parts[0]})


def wanted_columns(spec: Spec, split: str) -> list[str]:
    """The columns that rows given as this split must have: tests are asked for where answers are measured."""
    return [*spec.columns, *filter(None, [spec.group, spec.checks if split in ("", "test") else ""])]


def check_columns(wanted: list[str], found: list[str], source: Source) -> None:
    """Raises: DataError: a wanted column is not among the found ones; names the nearest."""
    for column in wanted:
        if column not in found:
            raise DataError(
                f"{source.path} has no column '{column}', expected {expected(found)}", did_you_mean(column, found)
            )
