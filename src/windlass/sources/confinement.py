"""Files that data names stay inside the data's own folder: a stranger's table shows nothing else of a machine."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from windlass.errors import DataError
from windlass.kinds.contract import Kind

SAID = "names a file outside the data's folder"


def allowed_folders(files: Sequence[str], project: Path) -> tuple[Path, ...]:
    """The folders (or files) that `files` of a spec allows, relative ones from the project."""
    return tuple((project / each).resolve() for each in files)


def check_files(values: Mapping[str, Any], kinds: Mapping[str, Kind], root: Path, allowed: Sequence[Path]) -> None:
    """Raises: DataError: a value names a file that lies, links followed, neither below the root nor in what is allowed.

    It does not tell whether there is such a file.
    """
    for column, kind in kinds.items():
        name = kind.file_of(values.get(column))
        if name and (where := _outside(name, root, allowed)):
            raise DataError(
                f"column '{column}' names '{name[:80]}', outside {root}, expected a file inside the data's folder; "
                f"`files: [{where}]` in windlass.yaml allows that folder"
            )


def _outside(name: str, root: Path, allowed: Sequence[Path]) -> str:
    """The folder of the file when it is not allowed; '' when it is, or when no file can have such a name."""
    try:
        real = Path(root, name).resolve()
    except (OSError, ValueError, RuntimeError):
        return ""
    places = (_real(root), *allowed)
    return "" if any(real.is_relative_to(place) for place in places) else str(real.parent)


@lru_cache(maxsize=64)
def _real(root: Path) -> Path:
    return root.resolve()
