"""The diagnostic log of a project: what went wrong inside, by types of exceptions and places in the code alone.

Each room writes to its own logger, `windlass.<room>`. The message of an exception may quote a row, a label or a key,
and a line of source a literal: neither is written. Calls name candidates, releases and files, never what users wrote.
"""

import errno
import fcntl
import logging
import os
import secrets
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from windlass.store.regular_files import open_folder, open_regular

LOG = "logs/windlass.log"
"""In the folder of a store; an older one is kept beside it as `windlass.log.1`."""
MOST_BYTES, MOST_SAID, MOST_FRAMES, MOST_CAUSES = 1_000_000, 400, 60, 8
MODE = 0o644
ROOT = logging.getLogger("windlass")


def type_name(error: BaseException) -> str:
    """The type of an exception with the word that the system or we have for it: no part of its message."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    if isinstance(error, OSError):
        word = errno.errorcode.get(error.errno or 0, "")
    else:
        word = getattr(error, "kind", "") if kind.__module__.startswith("windlass.") else ""
    return f"{name} ({word})" if word else name


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came of, also where `from None` hides that from users."""
    seen: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in seen and len(seen) < MOST_CAUSES:
        seen.append(following)
        yield following
        following = following.__cause__ or following.__context__


def plain_traceback(error: BaseException) -> list[str]:
    """Lines: the types of the error and of its causes, each with its places in the code, the innermost last."""
    lines = []
    for number, each in enumerate(_chain(error)):
        lines.append(f"  {'caused by ' if number else ''}{type_name(each)}")
        frames = list(traceback.walk_tb(each.__traceback__))
        lines += [f"    ... {len(frames) - MOST_FRAMES} more"] if len(frames) > MOST_FRAMES else []
        lines += [
            f'    File "{frame.f_code.co_filename}", line {line}, in {frame.f_code.co_qualname}'
            for frame, line in frames[-MOST_FRAMES:]
        ]
        if isinstance(each, BaseExceptionGroup):
            lines.append(f"    of {', '.join(type_name(part) for part in each.exceptions[:MOST_CAUSES])}")
    return lines


class PlainFormatter(logging.Formatter):
    """Time, level, logger, process and message on one line; below it the exception, without its own words."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        said = " ".join(record.getMessage().split())[:MOST_SAID]
        error = record.exc_info[1] if record.exc_info else None
        below = plain_traceback(error) if error is not None else []
        return "\n".join([f"{at} {record.levelname} {record.name} [{record.process}] {said}", *below])


class StoreLog(logging.Handler):
    """Appends to the log of a store. Several processes may: each record is one write at the file's end.

    folder: of the store; one that is not there is not made. A record's `store` names another, `path` then says where
    the record stands. What cannot be written is lost, and nothing else: also where a link or a pipe has the log's name.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder: Path | None = None
        self.setFormatter(PlainFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        folder: Path | None = getattr(record, "store", self.folder)
        try:
            if folder is not None and folder.is_dir():
                _append(folder / LOG, self.format(record))
                record.path = folder / LOG
        except OSError:
            return
        except Exception:  # noqa: BLE001  as every handler of `logging`: a log never ends what it tells of
            self.handleError(record)


class _Shown(logging.Handler):
    """Writes to stderr, whatever that is at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.write(f"{self.format(record)}\n")
            sys.stderr.flush()


STORE_LOG, _SHOWN = StoreLog(), _Shown()
_SHOWN.setFormatter(PlainFormatter())
ROOT.addHandler(STORE_LOG)


def keep_in(folder: Path | None) -> None:
    """From now on this process logs in the store of this folder; None: nowhere."""
    STORE_LOG.folder = None if folder is None else folder.absolute()


def show(is_on: bool = True) -> None:
    """Has the lines of the log written on stderr, too."""
    (ROOT.addHandler if is_on else ROOT.removeHandler)(_SHOWN)


def is_shown() -> bool:
    return _SHOWN in ROOT.handlers


def log_unexpected(folder: Path, error: BaseException, doing: str) -> tuple[str, Path | None]:
    """Logs in the store of this folder, else in a file of its own for temporary ones; its id, and where it stands.

    Nowhere: neither can be written.
    """
    id, about = secrets.token_hex(4), (type(error), error, error.__traceback__)
    record = ROOT.makeRecord(
        ROOT.name, logging.ERROR, __file__, 0, "%s failed (traceback %s)", (doing, id), about, extra={"store": folder}
    )
    ROOT.handle(record)
    path: Path | None = getattr(record, "path", None)
    return id, path or _aside(id, PlainFormatter().format(record))


def _aside(id: str, text: str) -> Path | None:
    with suppress(OSError):
        handle, name = tempfile.mkstemp(prefix=f"windlass-{id}-", suffix=".log")
        with os.fdopen(handle, "wb") as file:
            file.write(_bytes(text))
        return Path(name)
    return None


def _bytes(text: str) -> bytes:
    return f"{text}\n".encode("utf-8", "backslashreplace")


def _append(path: Path, text: str) -> None:
    """Raises: OSError: not all of it could be written, or the file is not the store's own."""
    path.parent.mkdir(exist_ok=True)
    folder = open_folder(path.parent)
    try:
        content, handle = _bytes(text), _opened(folder, path.name)
        try:
            if os.write(handle, content) < len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        finally:
            os.close(handle)
    finally:
        os.close(folder)


def _opened(folder: int, name: str) -> int:
    """The log's end; one that has grown long takes its other name first, by one process and once: only who has the
    lock on the very file that still has the name renames it. Who wrote to it at that moment did so in the older one."""
    handle = _end(folder, name)
    if os.fstat(handle).st_size < MOST_BYTES:
        return handle
    try:
        with suppress(BlockingIOError, FileNotFoundError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(handle), os.stat(name, dir_fd=folder, follow_symlinks=False)):
                os.replace(name, f"{name}.1", src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        os.close(handle)
    return _end(folder, name)


def _end(folder: int, name: str) -> int:
    handle = open_regular(Path(name), os.O_WRONLY | os.O_APPEND | os.O_CREAT, MODE, folder)
    if not os.fstat(handle).st_size:
        with suppress(OSError):
            os.fchmod(handle, MODE)
    return handle
