"""Opens files to write to that may have been put there by a stranger: no link is followed, no pipe is waited for."""

import errno
import os
import stat
from pathlib import Path

GUARDED = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def open_folder(path: Path) -> int:
    """A handle of a folder, for what is named below it. Raises: OSError: it is a link, or no folder."""
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | GUARDED)


def open_regular(path: Path, flags: int, mode: int, folder: int | None = None) -> int:
    """A handle of a regular file with one name, such as `os.open` gives it. folder: a handle that `path` starts from.

    Raises: OSError: it is a link, a pipe or device, has other names, or cannot be opened.
    """
    handle = os.open(path, flags | GUARDED, mode, dir_fd=folder)
    found = os.fstat(handle)
    if stat.S_ISREG(found.st_mode) and found.st_nlink <= 1:  # 0: a rotation has just replaced it
        return handle
    os.close(handle)
    code = errno.EMLINK if stat.S_ISREG(found.st_mode) else errno.EINVAL
    raise OSError(code, os.strerror(code), str(path))
