"""Files are taken apart in a process of its own: one that crashes, eats memory or never ends costs one file, no more.

The process gets an order a line (JSON) and gives a line for each; its memory is bounded by the system (RLIMIT_AS).
"""

import json
import os
import resource
import select
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from windlass.errors import DataError, NotReady
from windlass.sources.documents import formats
from windlass.sources.documents.contract import Block, Limits, Parsed, PassageSizes

MODULE = "windlass.sources.documents.confined"
MOST_REPLY = 1024**3
CHUNK = 1024 * 1024
FAULTS = {"DataError": DataError, "NotReady": NotReady}
READS_SCANS_MB = 2_048
"""What the models for scans need beside."""


class Reading:
    """A process that reads one file after the other; begun with the first, begun anew after one that broke it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Reading":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    def parse(self, path: Path) -> Parsed:
        """Raises: DataError: it cannot be read, or not with so much memory and time. NotReady: a package is missing."""
        if path.suffix.lower() not in formats.NATIVE:
            return formats.parse(path, self.limits)
        formats.check(path, self.limits)
        order = json.dumps({"path": str(path.resolve()), "limits": asdict(self.limits)}).encode() + b"\n"
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(order)
            process.stdin.flush()
            line = self._line(process.stdout, path)
        except BrokenPipeError:
            line = b""
        if not line.endswith(b"\n"):
            self._end()
            raise DataError(
                f"{path.name} breaks what reads it, or needs more than {self.limits.memory_mb:,} MB",
                "save it again from its program, or split it into parts",
            )
        return _restored(json.loads(line))

    def _line(self, pipe: IO[bytes], path: Path) -> bytes:
        """What the process says of the file; without a line end where it ended before. Raises: DataError: too long."""
        end = time.monotonic() + self.limits.seconds
        parts: list[bytes] = []
        size = 0
        while size <= MOST_REPLY:
            if not select.select([pipe], [], [], max(0.0, end - time.monotonic()))[0]:
                self._end()
                raise DataError(
                    f"{path.name} takes more than {self.limits.seconds:g} s to read, expected at most that",
                    "split it into parts",
                )
            part = os.read(pipe.fileno(), CHUNK)
            parts.append(part)
            size += len(part)
            if not part or part.endswith(b"\n"):
                break
        return b"".join(parts)

    def _running(self) -> subprocess.Popen[bytes]:
        if self.process is None or self.process.poll() is not None:
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
            environment |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
            self.process = subprocess.Popen(
                [sys.executable, "-m", MODULE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                bufsize=0,
            )
        return self.process

    def _end(self) -> None:
        if self.process is None:
            return
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        self.process.kill()
        self.process.wait()
        self.process = None


def _restored(reply: dict[str, Any]) -> Parsed:
    """Raises: DataError, NotReady: as the reader there did."""
    if fault := reply.get("fault"):
        raise FAULTS[fault["kind"]](fault["message"], fault["hint"])
    values = reply["parsed"]
    blocks = [Block(**{**each, "turns": tuple(tuple(turn) for turn in each["turns"])}) for each in values.pop("blocks")]
    rows = [(row, why) for row, why in values.pop("rejected_rows")]
    groups = values.pop("access")
    access = None if groups is None else tuple(groups)
    values["hidden"] = Counter(values["hidden"])
    return Parsed(**values, blocks=blocks, rejected_rows=rows, access=access)


def answer(order: Mapping[str, Any]) -> dict[str, Any]:
    """What there is to say of one file."""
    limits = Limits(**{**order["limits"], "sizes": PassageSizes(**order["limits"]["sizes"])})
    try:
        parsed = formats.parse(Path(order["path"]), limits)
        return {"parsed": {**asdict(replace(parsed, hidden=Counter())), "hidden": dict(parsed.hidden)}}
    except (DataError, NotReady) as error:
        return {"fault": {"kind": type(error).__name__, "message": error.message, "hint": error.hint}}


def main() -> None:
    """Answers on what was stdout; whatever libraries print goes nowhere."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    is_bounded = False
    for line in sys.stdin.buffer:
        order = json.loads(line)
        if not is_bounded:
            bound = (order["limits"]["memory_mb"] + _for_scans()) * 1024**2
            resource.setrlimit(resource.RLIMIT_AS, (bound, bound))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            is_bounded = True
        out.write(json.dumps(answer(order)).encode() + b"\n")
        out.flush()


def _for_scans() -> int:
    from windlass.sources.documents.pdf import ocr

    return READS_SCANS_MB if ocr.is_there() else 0


if __name__ == "__main__":
    main()
