"""Files and folders written so that a crash leaves the old or the new, and what they hold as one number."""

import errno
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from windlass.errors import DataError, NotReady
from windlass.store.regular_files import open_regular

SHARED_MODE = 0o644
"""mkstemp gives 0600: another user, such as a service's, must be able to read."""
NOT_OWN = (errno.ELOOP, errno.EMLINK, errno.EINVAL, errno.ENXIO)
"""What `open_regular` says of a link, a file with other names, and two of a pipe, a socket or a device."""


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
