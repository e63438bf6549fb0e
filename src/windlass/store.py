"""The only module that knows paths: where each stage keeps its things, written so that a crash leaves old or new."""

import fcntl
import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from windlass.errors import DataError, NotReady, WindlassError

FOLDER, LOG = ".windlass", "windlass.log"
MOST_LOG_BYTES, MOST_REASON = 1_000_000, 400


def write_bytes(path: Path, content: bytes) -> None:
    """The file with this content, or the file as it was: written aside, flushed to disk, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(aside, 0o644)  # mkstemp gives 0600: another user, such as a service's, must be able to read
        os.replace(aside, path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_text(path: Path, content: str) -> None:
    write_bytes(path, content.encode("utf-8"))


def write_json(path: Path, values: Any) -> None:
    """JSON in UTF-8, atomically. Raises: ValueError when a number is not finite."""
    write_text(path, json.dumps(values, ensure_ascii=False, allow_nan=False))


def read_json(path: Path) -> Any:
    """What the file holds. Raises: NotReady when it is not there, DataError when it is damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotReady(f"{path} does not exist, expected it from an earlier stage", "`windlass run`") from None
    except (ValueError, RecursionError):
        raise DataError(f"{path} is damaged, expected JSON", "remove it and run the stage again") from None


def sync_folder(folder: Path) -> None:
    """The names in the folder are on disk when this returns."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def publish(target: Path, build: Callable[[Path], None]) -> None:
    """A folder that is there whole or not at all; what stood at `target` is replaced.

    `build` fills a temporary sibling; each file is flushed to disk before the sibling takes its name. An older folder
    is renamed away first, never emptied in place: a crash between the two renames leaves none, which is right for a
    folder that can be made again. Releases do not rely on it, since each has a name of its own.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    old: Path | None = None
    try:
        build(aside)
        for path in sorted(aside.rglob("*")):
            if path.is_file():
                _sync_file(path)
            else:
                sync_folder(path)
        aside.chmod(0o755)
        sync_folder(aside)
        if target.exists():
            old = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
            os.rename(target, old / target.name)
        os.rename(aside, target)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    sync_folder(target.parent)
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def hash_file(path: Path) -> str:
    """SHA-256 of the file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_folder(folder: Path) -> dict[str, str]:
    """Relative path -> SHA-256, for each file below the folder."""
    return {
        path.relative_to(folder).as_posix(): hash_file(path) for path in sorted(folder.rglob("*")) if path.is_file()
    }


def size_mb(folder: Path) -> float:
    """Megabytes (10^6 bytes) of all files below the folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def fingerprint(values: Any) -> str:
    """SHA-256 of the values as canonical JSON, hexadecimal."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def log_traceback(folder: Path, doing: str, error: BaseException) -> Path:
    """The file, `windlass.log` in the store's folder, that now holds when, what was being done, and the traceback.

    Where the folder cannot be written, the file stands in the folder for temporary files: a traceback is never lost.
    """
    for place in (folder, Path(tempfile.gettempdir())):
        try:
            place.mkdir(parents=True, exist_ok=True)
            handler = RotatingFileHandler(place / LOG, maxBytes=MOST_LOG_BYTES, backupCount=1, encoding="utf-8")
        except OSError:
            continue
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        failed = (type(error), error, error.__traceback__)
        handler.emit(logging.LogRecord("windlass", logging.ERROR, "", 0, doing, None, failed))
        handler.close()
        return place / LOG
    return Path(os.devnull)


class Store:
    """The folder `.windlass` of a project: one folder a stage, named by the stage's word.

    folder: another place for the same, such as the workspace in which `improve` tries something.
    """

    def __init__(self, project: Path, folder: Path | None = None) -> None:
        self.project = project
        self.folder = folder or project / FOLDER

    def stage(self, word: str) -> Path:
        """The folder of a stage, made when it is not there."""
        folder = self.folder / word
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def record(self, word: str) -> Path:
        return self.folder / word / f"{word}.json"

    def read_record(self, word: str) -> dict[str, Any]:
        """What the stage gave last. Raises: NotReady, naming the command that makes it."""
        path = self.record(word)
        if not path.is_file():
            raise NotReady(
                f"stage '{word}' has not run in {self.project}, expected its result",
                f"`windlass {word}` or `windlass run`",
            )
        values = read_json(path)
        if not isinstance(values, dict):
            raise DataError(f"{path} is damaged, expected a mapping", f"`windlass {word} --again`")
        return values

    def is_current(self, word: str, key: str) -> bool:
        """True when the stage's last result was made from exactly this key."""
        path = self.record(word)
        if not path.is_file():
            return False
        values = read_json(path)
        return isinstance(values, dict) and values.get("key") == key

    def forget(self, word: str) -> None:
        """The stage counts as out of date; for `train`, so do its candidates."""
        self.record(word).unlink(missing_ok=True)
        if word == "train":
            shutil.rmtree(self.folder / "train", ignore_errors=True)

    def reason(self, doing: str, error: Exception) -> str:
        """Why something failed, with what to do, on one line; an unforeseen error's line names the log with its
        traceback."""
        if isinstance(error, WindlassError):
            return "; ".join(filter(None, (error.message, error.hint)))[:MOST_REASON]
        words = f"{type(error).__name__}: {' '.join(str(error).split())}"[:MOST_REASON]
        return f"{words} (traceback in {log_traceback(self.folder, doing, error)})"

    def run_folder(self, candidate: str) -> Path:
        """Where a candidate trains; its checkpoint, curve and artifact live here."""
        folder = self.folder / "train" / candidate
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @contextmanager
    def lock(self) -> Iterator[None]:
        """One writer a store. Raises: NotReady when another process holds it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise NotReady(
                    f"{self.project} is in use by another `windlass` command, expected one at a time",
                    "wait until it is done",
                ) from None
            yield
