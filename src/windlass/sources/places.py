"""What `data` means: a file, files or folders named train and test, a folder of pictures a label, or Python itself."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from windlass.errors import DataError, SpecError, did_you_mean, expected
from windlass.kinds.image import SUFFIXES
from windlass.sources import refusals, standard_library
from windlass.sources.annotations import mask_finding
from windlass.sources.contract import SPLITS, Names, Packed, RawRow, Source
from windlass.sources.events.answered import answered_columns, is_answered
from windlass.sources.events.log import event_columns, history_column
from windlass.sources.readers import archives, conversations
from windlass.sources.readers.json_files import read_objects
from windlass.sources.readers.system_files import files_below, visible, walk
from windlass.sources.readers.tables import read_excel, read_npz, read_parquet, splits_of_npz
from windlass.sources.readers.text_files import read_csv, read_passages
from windlass.sources.series_points import point_columns
from windlass.spec import Spec
from windlass.store.store import FOLDER

Reader = Callable[[Source], Iterator[RawRow]]
TABLES: dict[str, Reader] = {
    ".csv": read_csv,
    ".tsv": read_csv,
    ".tab": read_csv,
    ".jsonl": read_objects,
    ".ndjson": read_objects,
    ".json": read_objects,
    ".parquet": read_parquet,
    ".xlsx": read_excel,
    ".xlsm": read_excel,
}
"""The ending of a file with rows under names -> what reads it."""
SHEET = re.compile(r"(?P<file>.+\.xls[xm])#(?P<sheet>.+)", re.IGNORECASE)
READERS: dict[str, Reader] = {**TABLES, ".npz": read_npz, ".txt": read_passages}
TIERS = (
    (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".parquet", ".npz", ".txt"),
    (".json", ".xlsx", ".xlsm"),
    archives.SUFFIXES,
)
"""What is looked for in a folder, one after the other."""
READABLE = "CSV, TSV, JSON, JSONL, Parquet or Excel (.xlsx), or a .zip or .gz of it"
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
    image, chat = by_kind.get("image", next(iter(spec.inputs))), by_kind.get("chat", "")
    return Names(image, spec.output_column, chat, tuple(spec.labels.columns), spec.output[spec.output_column])


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
    return _sources(project / place, split, names, ReaderFolders(scratch, project / FOLDER / "unpacked"))


@dataclass(frozen=True)
class ReaderFolders:
    """Where readers may write: pictures made of arrays, and what archives hold."""

    pictures: Path
    unpacked: Path


def file_and_sheet(path: Path) -> tuple[Path, str]:
    """The file, and the sheet that stands behind it: `book.xlsx#Sheet2`; '' = none is named."""
    found = None if path.is_file() else SHEET.fullmatch(path.name)
    return (path.with_name(found["file"]), found["sheet"]) if found else (path, "")


def table(path: Path, unpacked: Path) -> Source:
    """The one table that the file is, or that the archive holds; archives are unpacked below `unpacked`.

    Raises: SpecError: another ending. DataError: no such file, or an archive without a table.
    """
    suffix = file_and_sheet(path)[0].suffix.lower()
    if suffix not in (*TABLES, *archives.SUFFIXES):
        refusals.check_address(str(path))
        if path.is_file():
            refusals.check_file(path, READABLE)
        raise SpecError(f"'{path}' ends in '{suffix}', expected {expected(TABLES)}", "or a .zip or .gz of it")
    found = _sources(path, "", Names(), ReaderFolders(unpacked, unpacked))
    if len(found) != 1 or found[0].path.suffix.lower() not in TABLES:
        shown = ", ".join(source.path.name for source in found[:4])
        raise DataError(f"{path} holds {shown}, expected one file of {expected(TABLES)}")
    return found[0]


def _sources(path: Path, split: str, names: Names, rooms: ReaderFolders) -> list[Source]:
    if annotated := mask_finding.find(path, split, names):
        return annotated
    if path.is_dir():
        return _folder(path, split, names, rooms)
    path, sheet = file_and_sheet(path)
    if not path.is_file():
        refusals.check_address(str(path))
        near = ", ".join(item.name for item in visible(path.parent)[:8]) if path.parent.is_dir() else ""
        raise DataError(f"{path} does not exist, expected a file or folder" + (f"; beside it: {near}" if near else ""))
    refusals.check_file(path, READABLE)
    suffix = path.suffix.lower()
    if suffix in archives.SUFFIXES:
        return _unpacked(path, split, names, rooms)
    if suffix not in READERS:
        endings = expected([*READERS, *archives.SUFFIXES])
        raise DataError(f"{path} ends in '{suffix}', expected {endings}", "save a spreadsheet as CSV (UTF-8)")
    source = Source(path, split, READERS[suffix], names, rooms.pictures, sheet=sheet)
    if suffix != ".npz":
        return [source]
    found = [Source(path, each, read_npz, names, rooms.pictures) for each in splits_of_npz(source)]
    for each in found:
        each.root = rooms.pictures
    return found


def _unpacked(path: Path, split: str, names: Names, rooms: ReaderFolders) -> list[Source]:
    """What the archive holds; a folder that all of it lies in is opened. Its version is that of the archive."""
    inside = archives.unpacked(path, rooms.unpacked)
    packed = Packed(path, inside if path.suffix.lower() == ".zip" else inside.parent)
    while inside.is_dir() and len(items := visible(inside)) == 1 and not _is_label(items[0]):
        inside = items[0]
    if inside.suffix.lower() in archives.SUFFIXES:
        raise DataError(f"{path} holds an archive ('{inside.name}'), expected one that is packed once", refusals.UNPACK)
    try:
        found = _sources(inside, split, names, rooms)
    except DataError as error:
        raise DataError(packed.named(error.message), refusals.UNPACK) from None
    seen = path.stat()
    for source in found:
        source.packed = packed
        source.version = f"{path.name} {source.path.name} {seen.st_size} {seen.st_mtime_ns}"
    return found


def _is_label(item: Path) -> bool:
    """True for a folder with pictures right in it."""
    return item.is_dir() and any(each.suffix.lower() in SUFFIXES for each in visible(item))


def _folder(path: Path, split: str, names: Names, rooms: ReaderFolders) -> list[Source]:
    """Files named by split come first, then a single file, then folders named by split, then folders of labels.

    What is rarer as data (JSON documents, spreadsheets, archives) is looked at where there is nothing else.
    """
    items = visible(path)
    files = _of_tier(items, TIERS[0])
    if named := _by_split(path, files, names, rooms):
        return named
    folders = [item for item in items if item.is_dir() and _has_pictures(item)]
    if not files and not folders:
        files = next(filter(None, (_of_tier(items, tier) for tier in TIERS[1:])), [])
        if named := _by_split(path, files, names, rooms):
            return named
    choices = files + ([path] if folders else [])
    if len(choices) > 1:
        shown = [item.name for item in files] + [f"{item.name}/" for item in folders[:4]]
        raise DataError(
            f"{path} holds {', '.join(shown[:10])}: it is not clear which is meant, expected one",
            f"say `data: {path.name}/{shown[0]}`",
        )
    if files:
        return _sources(files[0], split, names, rooms)
    by_split = [item for item in folders if item.name.lower() in SPLIT_NAMES]
    if by_split:
        return [Source(item, SPLIT_NAMES[item.name.lower()], read_label_folders, names) for item in by_split]
    if folders:
        return [Source(path, split, read_label_folders, names)]
    for item in items:
        if item.is_file():
            refusals.check_file(item, READABLE)
    raise DataError(f"{path} holds nothing that can be read, expected {READABLE}, or a folder of pictures a label")


def _of_tier(items: list[Path], tier: tuple[str, ...]) -> list[Path]:
    return [item for item in items if item.suffix.lower() in tier and item.is_file()]


def _by_split(path: Path, files: list[Path], names: Names, rooms: ReaderFolders) -> list[Source]:
    """The sources of the files that are named by split; none where no file is."""
    split_of = {item: SPLIT_NAMES.get(item.name.lower().partition(".")[0], "") for item in files}
    named = [item for item in files if split_of[item] and item.suffix.lower() != ".npz"]
    if len({split_of[item] for item in named}) < len(named):
        raise DataError(f"{path} holds {expected(item.name for item in named)}, expected one file a split")
    return [source for item in named for source in _sources(item, split_of[item], names, rooms)]


def _has_pictures(folder: Path) -> bool:
    return any(item.suffix.lower() in SUFFIXES for item in walk(folder))


def labelled_pictures(folder: Path) -> list[tuple[Path, str]]:
    """Each picture in folders of labels, relative, with its label: the first folder below this one."""
    places = (item.relative_to(folder) for item in files_below(folder) if item.suffix.lower() in SUFFIXES)
    return [(place, place.parts[0]) for place in places if len(place.parts) > 1]


def read_label_folders(source: Source) -> Iterator[RawRow]:
    """Pictures in folders whose names are the labels; a file that is no picture, or lies beside them, is a fault."""
    for number, item in enumerate(files_below(source.path), 1):
        place = item.relative_to(source.path)
        if item.suffix.lower() not in SUFFIXES:
            yield RawRow(number, None, f"ends in '{item.suffix}', expected a picture", str(place))
        elif len(place.parts) < 2:
            yield RawRow(number, None, "lies beside the folders of labels, expected it in one of them", str(place))
        else:
            yield RawRow(number, {source.names.image: str(place), source.names.label: place.parts[0]})


def wanted_columns(spec: Spec, split: str) -> list[str]:
    """The columns that rows given as this split must have: tests are asked for where answers are measured."""
    if spec.series is not None:
        return point_columns(spec)
    if is_answered(spec):
        return answered_columns(spec)
    if history_column(spec):
        return event_columns(spec)
    return [*spec.columns, *filter(None, [spec.group, spec.checks if split in ("", "test") else ""])]


def check_columns(wanted: list[str], found: list[str], source: Source) -> None:
    """Raises: DataError: a wanted column is not among the found ones; names the nearest."""
    for column in wanted:
        if column not in found:
            raise DataError(
                f"{source.shown} has no column '{column}', expected {expected(found)}", did_you_mean(column, found)
            )
