"""The only module that knows paths: where each stage keeps its things, written so that a crash leaves old or new."""

import errno
import fcntl
import hashlib
import json
import math
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import IO, Any, TypeVar, get_args, get_origin, get_type_hints

from windlass.store.diagnostics import log_unexpected
from windlass.errors import DataError, NotReady, WindlassError
from windlass.store.regular_files import open_regular

FOLDER = ".windlass"
MOST_REASON = 400
SHARED_MODE = 0o644
"""mkstemp gives 0600: another user, such as a service's, must be able to read."""
NOT_OWN = (errno.ELOOP, errno.EMLINK, errno.EINVAL, errno.ENXIO)
"""What `open_regular` says of a link, a file with other names, and two of a pipe, a socket or a device."""
Record = TypeVar("Record")


@contextmanager
def aside(path: Path, mode: int = SHARED_MODE) -> Iterator[Path]:
    """A file to fill, which then takes this name at once, on disk; the file as it was when anything goes wrong.

    Raises: OSError: it names `path`.
    """
    made: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
        made = Path(name)
        yield made
        _sync_file(made)
        made.chmod(mode)
        made.replace(path)
    except BaseException as error:
        if made is not None:
            made.unlink(missing_ok=True)
        _name(error, path)
        raise
    sync_folder(path.parent)


def _name(error: BaseException, path: Path) -> None:
    """An error of the system speaks of the file that was to be, not of what was written aside."""
    if isinstance(error, OSError) and error.errno is not None:
        error.filename, error.filename2 = str(path), None


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """An error of the system that names no file names this one."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            _name(error, path)
        raise


def write_bytes(path: Path, content: bytes) -> None:
    """The file with this content, or the file as it was: written aside, flushed to disk, then renamed."""
    with aside(path) as made:
        made.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    write_bytes(path, content.encode("utf-8"))


def rewrite_text(path: Path, content: str) -> None:
    """Changes a file of the user's, at once or not at all: what a link names is written, mode and owner stay.

    Raises: NotReady: that cannot be kept: the file has a second name, or the owner is another one than who writes.
    """
    target = path.resolve()
    if not target.exists():
        write_text(target, content)
        return
    known = target.stat()
    if known.st_nlink > 1:
        raise NotReady(f"{path} has {known.st_nlink} names (hard links), expected one: the others would stay old")
    try:
        with aside(target, known.st_mode & 0o7777) as made:
            made.write_bytes(content.encode("utf-8"))
            os.chown(made, known.st_uid, known.st_gid)
            for name in os.listxattr(target) if sys.platform == "linux" else ():
                os.setxattr(made, name, os.getxattr(target, name))
    except PermissionError as error:
        raise NotReady(
            f"{path} cannot be changed ({error.strerror}), expected its owner, mode and attributes to stay as they are"
        ) from None


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
        raise DataError(f"{path} is damaged, expected JSON", AGAIN) from None


AGAIN = "remove it and run the stage again"
"""What helps with a damaged file that a stage makes."""


@contextmanager
def reading(path: Path, what: str, hint: str = AGAIN) -> Iterator[None]:
    """Whatever goes wrong with the shape of the file's values is told as damage to it. what: what was expected there.

    Raises: DataError: it is damaged.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError, OverflowError) as error:
        words = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise DataError(f"{path} is damaged ({words[:100]}), expected {what}", hint) from None


def read_as(path: Path, kind: type[Record], hint: str = AGAIN) -> Record:
    """The record in the file. Raises: NotReady: it is not there. DataError: it is damaged, or another record."""
    values = read_json(path)
    with reading(path, f"a record '{kind.__name__}'", hint):
        record: Record = restored(kind, values)
    return record


def restored(kind: Any, value: Any, name: str = "it") -> Any:
    """What plain JSON values were before: records, tuples; null where a number must be is NaN, as `as_json` wrote it.

    Names that the record does not have are left out: a later version wrote them. Raises: ValueError: another shape.
    """
    origin, parts = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return _record(kind, value, name)
    if origin is dict and isinstance(value, dict):
        return {key: restored(parts[1], each, f"{name}.{key}") for key, each in value.items()}
    if origin in (list, tuple) and isinstance(value, list):
        inner = [parts[0]] * len(value) if origin is list or Ellipsis in parts else list(parts)
        return origin(restored(part, each, name) for part, each in zip(inner, value, strict=True))
    if kind is float and value is None:
        return math.nan
    if origin is None and _is(kind, value):
        return value
    if parts and origin not in (dict, list, tuple):  # a union
        for part in parts:
            if part is type(None) and value is None:
                return None
            if part is not type(None) and (value is not None or part is Any):
                return restored(part, value, name)
    raise ValueError(f"{name} is {type(value).__name__}")


def _is(kind: Any, value: Any) -> bool:
    """True where the value is of that plain kind; a whole number is a number, and true is none."""
    if kind is Any:
        return True
    wanted = (int, float) if kind is float else kind
    return isinstance(value, wanted) and (kind is bool or not isinstance(value, bool))


def _record(kind: Any, value: Any, name: str) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"{name} is {type(value).__name__}")
    hints, found = get_type_hints(kind), {}
    for each in fields(kind):
        if each.name in value:
            found[each.name] = restored(hints[each.name], value[each.name], each.name)
        elif each.default is MISSING and each.default_factory is MISSING:
            raise ValueError(f"no '{each.name}'")
    return kind(**found)


@contextmanager
def own_file(path: Path, flags: int = 0) -> Iterator[IO[bytes]]:
    """A file of the store to read, lock and append to, made where there is none. flags: further ones of `os.open`.

    Raises: DataError: a link, a pipe or a file with a second name stands there. OSError: it cannot be opened.
    """
    try:
        handle = open_regular(path, os.O_RDWR | os.O_CREAT | flags, SHARED_MODE)
    except OSError as error:
        _name(error, path)
        if error.errno not in NOT_OWN:
            raise
        raise DataError(
            f"{path} is a link, a pipe or a file with a second name, expected a file of this project's own",
            "whoever made the project put it there: look at it, then remove it",
        ) from None
    with os.fdopen(handle, "r+b") as file:
        yield file


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
    made, old = _folder_aside(target), None
    try:
        build(made)
        for path in sorted(made.rglob("*")):
            if path.is_file():
                _sync_file(path)
            else:
                sync_folder(path)
        made.chmod(0o755)
        sync_folder(made)
        if target.exists():
            old = _folder_aside(target)
            os.rename(target, old / target.name)
        os.rename(made, target)
    except BaseException as error:
        shutil.rmtree(made, ignore_errors=True)
        if isinstance(error, OSError) and str(error.filename or made).startswith(str(made)):
            _name(error, target)
        raise
    sync_folder(target.parent)
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)


def _folder_aside(target: Path) -> Path:
    try:
        return Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    except OSError as error:
        _name(error, target)
        raise


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

    def read(self, word: str, kind: type[Record]) -> Record:
        """What the stage gave last, as a record. Raises: NotReady, naming the command that makes it. DataError."""
        values = self.read_record(word)
        with reading(self.record(word), f"the result of '{word}'", f"remove it, then `windlass {word}`"):
            record: Record = restored(kind, values)
        return record

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
            raise DataError(f"{path} is damaged, expected a mapping", f"remove it, then `windlass {word}`")
        return values

    def key(self, word: str) -> str:
        """What the stage's last result was made from. Raises: NotReady, DataError: as `read`."""
        values = self.read_record(word)
        with reading(self.record(word), f"the result of '{word}'", f"remove it, then `windlass {word}`"):
            return str(restored(str, values["key"], "key"))

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
        traceback: the project's, also where this is a workspace that goes away."""
        if isinstance(error, WindlassError):
            return "; ".join(filter(None, (error.message, error.hint)))[:MOST_REASON]
        words = f"{type(error).__name__}: {' '.join(str(error).split())}"[:MOST_REASON]
        id, path = log_unexpected(self.project / FOLDER, error, doing)
        return f"{words} (traceback {id} in {path})" if path else f"{words} (its traceback could not be written)"

    def run_folder(self, candidate: str) -> Path:
        """Where a candidate trains; its checkpoint, curve and artifact live here."""
        folder = self.folder / "train" / candidate
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @contextmanager
    def lock(self) -> Iterator[None]:
        """One writer a store. Raises: NotReady when another process holds it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with own_file(self.folder / "lock") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise NotReady(
                    f"{self.project} is in use by another `windlass` command, expected one at a time",
                    "wait until it is done",
                ) from None
            yield
