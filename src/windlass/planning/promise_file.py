"""The append-only list of what plans promised and what came of it, a JSON line each, beside the plan."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from windlass.errors import DataError
from windlass.records import Json
from windlass.store.files import own_file
from windlass.store.json_files import reading, restored

FILE = "promises.jsonl"


@dataclass(frozen=True)
class _Promised:
    """A line of the event `promised`, as it must be to be read."""

    id: str
    at: str
    what: str
    method: str
    metric: str
    before: float | None
    gain: Json | None
    measure: str
    measured: float | None
    bound: float
    at_most: bool
    by: str


@dataclass(frozen=True)
class _Came:
    """A line of the event `came`, as it must be to be read."""

    id: str
    error: float | None
    inside: bool | None


SHAPES = {"promised": _Promised, "came": _Came}
RESTORE = "restore it from a backup, or move it away to begin anew"


@dataclass(frozen=True)
class Promises:
    """The lines so far, oldest first. warnings: what to tell of a last line that was cut off."""

    entries: list[Json]
    warnings: list[str]


def read(path: Path) -> Promises:
    """A last line that a crash cut is left out. Raises: DataError: another is damaged."""
    if not path.is_file():
        return Promises([], [])
    content = path.read_bytes()
    if not content:
        raise DataError(f"{path} is damaged (it is empty), expected promises", RESTORE)
    *lines, last = content.split(b"\n")
    found = []
    for number, line in enumerate(lines, 1):
        with reading(path, f"an entry as JSON in line {number}", RESTORE):
            entry = restored(Json, json.loads(line))
            restored(SHAPES[entry["event"]], entry)
            found.append(entry)
    said = f"{path} is damaged: its last line was cut off and does not count"
    return Promises(found, [said] if last else [])


def add(path: Path, entries: Sequence[Json]) -> None:
    """Appends the entries, on disk when this returns; half a line that a crash left is ended first."""
    if not entries:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with own_file(path, os.O_APPEND) as file:
        file.seek(0)
        content = file.read()
        file.truncate(content.rfind(b"\n") + 1)
        file.write("".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries).encode("utf-8"))
        file.flush()
        os.fsync(file.fileno())
