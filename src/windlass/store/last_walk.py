"""What the last walk looked at, and what it said: where none of that has changed, no stage need be asked.

Asking the stages imports what they read data with, which is most of a second. So a walk that ended with every stage up
to date leaves the size and time of each file that decides that; of projects alone whose files all lie in their folder.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import windlass
from windlass.errors import WindlassError
from windlass.store.json_files import fingerprint, read_json, write_json
from windlass.store.store import FOLDER, Store

FILE, RECORDS = "walk.json", ("collect", "prepare", "train", "evaluate", "explain", "release")
WATCHED = ("improve", "forget")
"""Folders of the store whose every file counts."""
CHAMPION = ("release/champion.json", "release/trail.jsonl")
MOST_FILES = 2_000
Said = list[tuple[str, bool]]
"""Lines as they were printed, each with whether it went to stderr."""


class _TooMany(Exception):
    """More files than are looked at, or links, which may lead elsewhere."""


def seen(project: Path) -> str:
    """Changes when anything does that decides whether the stages are up to date; '' where that cannot be told."""
    store = project / FOLDER
    try:
        own = [*_of_project(project), *(_stamp(store / word / f"{word}.json") for word in RECORDS)]
        own += [_stamp(store / name) for name in CHAMPION]
        own += [stamp for name in WATCHED for stamp in _of_folder(store / name, "")]
    except (OSError, _TooMany):
        return ""
    installed = [_stamp(Path(place)) for place in sys.path if place.endswith("-packages")]
    asked = sorted((name, value) for name, value in os.environ.items() if name.startswith("WINDLASS_"))
    return fingerprint([windlass.__version__, sys.version, sys.prefix, str(project.resolve()), own, installed, asked])


def own_files(project: Path) -> str:
    """Changes when a file of the project does, not those of its store; '' as in `seen`."""
    try:
        return fingerprint(list(_of_project(project)))
    except (OSError, _TooMany):
        return ""


def said(project: Path, form: Sequence[Any]) -> Said | None:
    """What the last walk said in that form, such as language and width, where nothing has changed; else None."""
    path = project / FOLDER / FILE
    if not path.is_file():
        return None
    try:
        kept = read_json(path)
        if kept["form"] != list(form) or not (now := seen(project)) or kept["seen"] != now:
            return None
        return [(str(text), bool(err)) for text, err in kept["said"]]
    except (WindlassError, KeyError, TypeError, ValueError, OSError):
        return None  # whatever is wrong with it: the stages are asked


def keep(store: Store, now: str, form: Sequence[Any], lines: Said) -> None:
    """Keeps what a walk said that found nothing to do, or has done it; now: as `seen` gave it, '' = keep nothing."""
    if now:
        with suppress(OSError):  # a full disk or a folder that may not be written: the next walk asks the stages
            write_json(store.folder / FILE, {"seen": now, "form": list(form), "said": lines})


def _of_project(project: Path) -> Iterator[list[Any]]:
    yield from _of_folder(project, ".")


def _of_folder(folder: Path, hidden: str) -> Iterator[list[Any]]:
    """Each file below with its size and times, but for names that begin so ('' = all count)."""
    waiting, n_files = [folder] if folder.is_dir() else [], 0
    while waiting:
        for entry in _entries(waiting.pop(), hidden):
            n_files += 1
            if n_files > MOST_FILES or entry.is_symlink():
                raise _TooMany
            if entry.is_dir():
                waiting.append(Path(entry.path))
            else:
                yield _stamp(Path(entry.path))


def _entries(folder: Path, hidden: str) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        found = [each for each in entries if not hidden or not each.name.startswith(hidden)]
    return sorted(found, key=lambda each: each.name)


def _stamp(path: Path) -> list[Any]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return [str(path), 0, 0, 0]
    return [str(path), found.st_size, found.st_mtime_ns, found.st_ino]
