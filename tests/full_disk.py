"""Every command on a disk that is full, and on one that can only be read: run by `test_full_disk` in mounts of its own.

Usage: unshare --mount python -m tests.full_disk full|read-only PLACE KEPT    (prints what each command ended as, JSON)
PLACE: where the finished project lies, now on a small disk in memory; KEPT: the files of that project.
"""

import json
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import damaging

ROOM_MB = 24
KINDS = ("full", "read-only")
WRITERS: tuple[tuple[str, ...], ...] = (
    *damaging.COMMANDS,
    ("collect", "--again"),
    ("prepare", "--again"),
    ("train", "--again"),
    ("evaluate", "--again"),
    ("explain", "--again"),
    ("release",),
    ("improve",),
    ("plan", "--traffic", "10x"),
    ("improve", "--ask", "5"),
    ("predict", "more.csv", "--to", "answered.csv"),
    ("predict", "more.csv"),
    ("keys", "create", "another"),
    ("keys", "revoke", "desk"),
    ("forget", "a1"),
    ("canary", "--stop"),
    ("watch", "silence", "drift", "1d"),
    ("serve", "--port", "0"),
    ("ship", "systemd", "shipped"),
    ("repair", "broken.py", "--tests", "checks.py", "--write"),
    ("init", "data.csv", "--force"),
)
WITHOUT_PROJECT = (("new", "spam-filter", "another"), ("demo", "played"))


READERS = {("predict", damaging.ROW), ("predict", "more.csv"), ("releases", "--json"), ("canary",)}
"""They need to write nothing, so they answer."""


def prepare(home: Path) -> tuple[Path, Path]:
    """A finished project with what the commands are given: its place, and a copy of it elsewhere."""
    folder = damaging.finished(home / "desk").folder
    (folder / "more.csv").write_text("message\nwhere is my parcel\n", encoding="utf-8")
    (folder / "broken.py").write_text("def double(x):\n    return x * 3\n", encoding="utf-8")
    (folder / "checks.py").write_text("assert double(2) == 4\n", encoding="utf-8")
    shutil.copytree(folder, home / "kept")
    return folder, home / "kept"


def bad(each: dict[str, Any]) -> str:
    """Why a command did not end as it should; empty when it did."""
    said, code = each["errors"], each["code"]
    told = [line for line in said.splitlines() if line.startswith(("error: ", "hint: "))]
    if "Traceback" in said or damaging.INTERNAL in said:
        return f"traceback: {said}"
    if tuple(each["command"]) in READERS and code:
        return f"it need not write: {said}"
    if code and not (code in (2, 3, 4) and 1 <= len(told) <= 2 and "cannot be" in said):
        return f"code {code}: {said}"
    return ""


def main(kind: str, place: Path, kept: Path) -> None:
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM_MB}m", "none", str(place)], check=True)
    print(json.dumps([asdict(_ended(kind, place, kept, command)) | {"command": command}
                      for command in WRITERS + WITHOUT_PROJECT]))  # fmt: skip


def _ended(kind: str, place: Path, kept: Path, command: tuple[str, ...]) -> damaging.Ended:
    for path in place.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(kept, place, dirs_exist_ok=True)
    if kind == "full":
        _fill(place / "filler")
    else:
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
    try:
        return damaging.run(place, command, has_project=command not in WITHOUT_PROJECT)
    finally:
        if kind != "full":
            subprocess.run(["mount", "-o", "remount,rw", str(place)], check=True)


def _fill(path: Path) -> None:
    """Until not one byte more fits."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass
    assert not os.statvfs(path).f_bavail


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
