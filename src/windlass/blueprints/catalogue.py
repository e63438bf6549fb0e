"""The ready products that ship with Windlass, and copying one of them."""

import re
from pathlib import Path

from windlass.errors import DataError, SpecError, did_you_mean, expected
from windlass.store.files import write_bytes

HOME = Path(__file__).parent
MINUTES = re.compile(r"^minutes: *([0-9.]+)", re.MULTILINE)


def names() -> list[str]:
    return sorted(path.name for path in HOME.iterdir() if (path / "windlass.yaml").is_file())


def listing() -> list[tuple[str, str, str]]:
    """Of each blueprint its name, the minutes that it trains for, and what it does in a sentence."""
    found = []
    for name in names():
        minutes = MINUTES.search((HOME / name / "windlass.yaml").read_text(encoding="utf-8"))
        told = (HOME / name / "README.md").read_text(encoding="utf-8").split("\n\n")[1]
        found.append(
            (name, minutes[1] if minutes else "10", re.split(r"[.;] ", " ".join(told.split()))[0].rstrip(".") + ".")
        )
    return found


def copy(name: str, folder: Path) -> Path:
    """The blueprint in a new folder. Raises: SpecError: no such blueprint; DataError: the folder is not empty."""
    if name not in names():
        raise SpecError(f"blueprint is '{name}', expected {expected(names())}", did_you_mean(name, names()))
    if folder.exists() and any(folder.iterdir()):
        raise DataError(f"{folder} is not empty, expected a new folder", f"`windlass new {name} ANOTHER-FOLDER`")
    for source in sorted(path for path in (HOME / name).rglob("*") if path.is_file()):
        write_bytes(folder / source.relative_to(HOME / name), source.read_bytes())
    return folder
