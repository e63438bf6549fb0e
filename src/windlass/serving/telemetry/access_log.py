"""One line of JSON a request, on stderr or in a file: when, which route, how it ended. Never what was asked.

The line is written by a thread of its own: a terminal that does not take it, or a full disk, delays no answer.
"""

import threading
from collections import deque
from io import FileIO
from pathlib import Path
from types import TracebackType

from windlass.errors import NotReady
from windlass.records import Json
from windlass.serving.contract import codec

MAX_WAITING = 10_000


class AccessLog:
    """The writing end. lost: lines that could not be written."""

    def __init__(self, to: str) -> None:
        """to: `json` for stderr, else a file, which is appended to. Raises: NotReady: it cannot be opened."""
        self.lost = 0
        self._file = open(2, "wb", buffering=0, closefd=False) if to == "json" else _opened(to)  # noqa: SIM115
        self._lines: deque[bytes] = deque(maxlen=MAX_WAITING)
        self._wake = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="windlass-access", daemon=True)
        self._thread.start()

    def __enter__(self) -> "AccessLog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        self._wake.set()
        self._thread.join()
        self._file.close()

    def write(self, line: Json) -> None:
        """Has the line written soon; never waits."""
        self.lost += len(self._lines) == MAX_WAITING
        self._lines.append(codec.dumps(line))
        self._wake.set()

    def _run(self) -> None:
        while not (self._closing and not self._lines):
            self._wake.wait()
            self._wake.clear()
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            self._put(lines)

    def _put(self, lines: list[bytes]) -> None:
        try:
            self._file.write(b"".join(line + b"\n" for line in lines))
        except OSError:
            self.lost += len(lines)


def _opened(path: str) -> FileIO:
    try:
        return Path(path).open("ab", buffering=0)
    except OSError as error:
        raise NotReady(f"log {path} cannot be opened ({error.strerror}), expected a file to append to") from None
