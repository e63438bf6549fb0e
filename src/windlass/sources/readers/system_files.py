"""Files and folders that systems and editors leave beside data: they are no data, no pictures and no labels."""

import os
from collections.abc import Iterator
from pathlib import Path

NAMES = frozenset(
    {"__macosx", "__pycache__", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "$recycle.bin", "lost+found",
     "system volume information", "@eadir", "#recycle"}
)  # fmt: skip


def is_system(name: str) -> bool:
    """True for names with a dot before them, for those of systems, and for the locks and copies of office programs."""
    return name.startswith((".", "~$")) or name.casefold() in NAMES


def visible(folder: Path) -> list[Path]:
    """What lies in the folder, in order, without system files."""
    return [item for item in sorted(folder.iterdir()) if not is_system(item.name)]


def files_below(folder: Path) -> list[Path]:
    """Every file below the folder, in order, without system files and folders; links are followed, each folder once.

    A link that leads nowhere is among them, so that it can be told.
    """
    return sorted(walk(folder))


def walk(folder: Path) -> Iterator[Path]:
    """The same one by one, in no order."""
    seen: set[tuple[int, int]] = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        here = os.stat(place)
        if (here.st_dev, here.st_ino) in seen:
            folders.clear()
            continue
        seen.add((here.st_dev, here.st_ino))
        folders[:] = [name for name in folders if not is_system(name)]
        paths = (Path(place, name) for name in names if not is_system(name))
        yield from (path for path in paths if path.is_file() or path.is_symlink())
