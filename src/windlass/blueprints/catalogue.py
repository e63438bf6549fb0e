"""The ready products that ship with Windlass, and copying one of them."""

from pathlib import Path

from windlass.errors import DataError, SpecError, did_you_mean, expected
from windlass.store.files import write_bytes

HOME = Path(__file__).parent


def names() -> list[str]:
    return sorted(path.name for path in HOME.iterdir() if (path / "windlass.yaml").is_file())


def copy(name: str, folder: Path) -> Path:
    """The blueprint in a new folder. Raises: SpecError: no such blueprint; DataError: the folder is not empty."""
    if name not in names():
        raise SpecError(f"blueprint is '{name}', expected {expected(names())}", did_you_mean(name, names()))
    if folder.exists() and any(folder.iterdir()):
        raise DataError(f"{folder} is not empty, expected a new folder", f"`windlass new {name} ANOTHER-FOLDER`")
    for source in sorted(path for path in (HOME / name).rglob("*") if path.is_file()):
        write_bytes(folder / source.relative_to(HOME / name), source.read_bytes())
    return folder
