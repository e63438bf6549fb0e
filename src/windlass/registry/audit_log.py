"""The audit trail of releases: every change of who answers, who made it and why; lines are added, never changed.

How it stays true through a crash: the pointer to the champion carries the entry that made it. The pointer is replaced
first, at once; its entry is added to the trail afterwards. Killed in between, whoever reads next sees the entry in the
pointer, and whoever writes next adds it; a line that was cut off by a kill is cut away. All of it under one lock.
"""

import fcntl
import getpass
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from windlass.errors import DataError
from windlass.records import Json
from windlass.store.files import own_file, sync_folder
from windlass.store.json_files import read_json

TRAIL, LOCK, POINTER = "trail.jsonl", ".trail.lock", "champion.json"


@dataclass(frozen=True)
class Why:
    """What is done and why. command: as a person would type it. evidence: what was measured, as JSON."""

    event: str
    command: str
    reason: str
    evidence: Json = field(default_factory=dict)


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """One writer of pointer and trail at a time; others wait. home: the folder of the releases."""
    home.mkdir(parents=True, exist_ok=True)
    with own_file(home / LOCK) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def entries(home: Path) -> list[Json]:
    """All entries, oldest first, that of the pointer among them. Raises: DataError: a line is damaged."""
    found = _lines(home / TRAIL)[0]
    waiting = _of_pointer(home)
    if waiting is None or waiting["number"] <= len(found):
        return found
    if waiting["number"] > len(found) + 1:
        raise DataError(
            f"{home / TRAIL} ends with entry {len(found)}, expected {waiting['number'] - 1}",
            "entries are lost: restore it from a backup, or move it away to begin a new one",
        )
    return [*found, waiting]


def next_entry(home: Path, why: Why, before: str, after: str) -> Json:
    """The entry that comes next, with what was missing added first. To be called under the lock."""
    known = entries(home)
    written = _lines(home / TRAIL)[0]
    for entry in known[len(written) :]:
        add(home, entry)
    return {
        "number": len(known) + 1,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "event": why.event,
        "from": before,
        "to": after,
        "command": why.command,
        "user": _user(),
        "host": os.uname().nodename,
        "reason": why.reason,
        "evidence": why.evidence,
    }


def add(home: Path, entry: Json) -> None:
    """Adds the entry; it is on disk when this returns. To be called under the lock."""
    path = home / TRAIL
    is_new = not path.exists()
    whole = _lines(path)[1]
    with own_file(path, os.O_APPEND) as file:
        file.truncate(whole)
        file.write(json.dumps(entry, ensure_ascii=False, allow_nan=False).encode("utf-8") + b"\n")
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        sync_folder(home)


def _lines(path: Path) -> tuple[list[Json], int]:
    """The entries of whole lines, and how many bytes these take."""
    content = path.read_bytes() if path.is_file() else b""
    whole = content.rfind(b"\n") + 1
    found = []
    for number, line in enumerate(content[:whole].splitlines(), 1):
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict) or entry.get("number") != number:
            raise DataError(
                f"{path} has a damaged line {number}, expected entry {number}",
                "somebody changed it: restore it from a backup, or move it away to begin a new one",
            )
        found.append(entry)
    return found, whole


def _of_pointer(home: Path) -> Json | None:
    """The entry that made the champion; nothing where the pointer is damaged: then the trail is all that is known."""
    path = home / POINTER
    try:
        values = read_json(path) if path.is_file() else None
    except DataError:
        return None
    entry = values.get("entry") if isinstance(values, dict) else None
    return entry if isinstance(entry, dict) and isinstance(entry.get("number"), int) else None


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        return str(os.getuid())
