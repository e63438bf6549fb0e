"""Runs a program that nobody has read: in a process of its own, for so long, with so much memory, with no way out.

Guaranteed on Linux from 5.12 on where unprivileged user namespaces are allowed (`NotReady` says so where they are not):
- no network, not even this machine's own: it has no interface at all, and can make no socket of any family;
- no system call that is not on a list (`system_calls`): no System V or POSIX shared memory, no files without a name, no
  kernel keys (its session's keyring is new and empty), no namespaces, mounts, tracing, BPF, io_uring or userfaultfd;
- of the files it sees Python, the system's libraries and programs (read-only) and a folder in memory of 32 MB that is
  gone with it; it reads no file of the user's, `/etc/passwd` neither;
- it sees no process but its own, so it can stop or inspect no other, and none of its own outlives it;
- `memory_mb` a process, at most 8 processes and threads, 8 MB a file, 1 MiB of output, `seconds` in all.
Not guaranteed: anything against a fault of the kernel itself; and tests run in the interpreter of the program, so that
one that sets out to fool them (not one that fails or ends early) can.
"""

import json
import math
import os
import secrets
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from windlass.errors import DataError, NotReady
from windlass.metrics import texts as text_metrics
from windlass.metrics.measures import Estimate
from windlass.sandbox import system_calls

CELL = Path(__file__).with_name("cell.py")
MAX_SOURCE, MAX_OUTPUT, MAX_REASON = 1_000_000, 1024 * 1024, 500
LEAST_MEMORY_MB = 32
N_PROCESSES, N_FILES = 8, 32
FILE_BYTES, DISK_BYTES = 8 * 1024 * 1024, 32 * 1024 * 1024
START_S, END_S = 60, 3
PROGRAM, TESTS = "program.py", "tests.py"
TOO_LONG = "too long"


@dataclass(frozen=True)
class Outcome:
    """How a program ended. reason: why it did not pass, one line; n_passed: tests that held before one did not."""

    passed: bool
    reason: str
    seconds: float
    n_passed: int = 0


@dataclass(frozen=True)
class Bounds:
    """What a program may use. confined: False leaves the limits of time, memory and size alone, which is for programs
    that you trust: they then reach the network, your files and your other processes. cell: what starts it."""

    seconds: float = 5.0
    memory_mb: int = 256
    confined: bool = True
    cell: Path = CELL

    def __post_init__(self) -> None:
        if not 0 < self.seconds <= 3_600:
            raise DataError(f"seconds is {self.seconds}, expected more than 0 and at most 3600")
        if self.memory_mb < LEAST_MEMORY_MB:
            raise DataError(f"memory_mb is {self.memory_mb}, expected at least {LEAST_MEMORY_MB}: Python needs them")

    @property
    def limits(self) -> dict[str, int]:
        return {
            "RLIMIT_CPU": int(self.seconds) + 1,
            "RLIMIT_AS": self.memory_mb * 1024 * 1024,
            "RLIMIT_FSIZE": FILE_BYTES,
            "RLIMIT_NOFILE": N_FILES,
            "RLIMIT_NPROC": N_PROCESSES,
            "RLIMIT_CORE": 0,
            "RLIMIT_MSGQUEUE": 0,
            "RLIMIT_MEMLOCK": 0,
        }


@dataclass(frozen=True)
class _Ended:
    """What came of it. stopped: why we ended it, empty when it ended by itself."""

    code: int
    errors: str
    reported: bytes
    seconds: float
    stopped: str


def run_program(source: str, seconds: float = 5, memory_mb: int = 256, confined: bool = True) -> Outcome:
    """Runs the program alone; it passes when it ends with status 0.

    Raises: NotReady: this machine cannot shut it in. DataError: bounds that no program can keep.
    """
    fault = _unreadable(source)
    if fault:
        return Outcome(False, fault, 0.0)
    ended = _run({PROGRAM: source}, PROGRAM, Bounds(seconds, memory_mb, confined))
    reason = _reason(ended)
    return Outcome(not reason, reason, ended.seconds)


def passes(program: str, tests: Sequence[str], setup: str = "", bounds: Bounds | None = None) -> Outcome:
    """Whether each test (a statement such as `assert f(1) == 2`) holds of the program; `setup` runs before the tests.

    The program is imported, so what stands under `if __name__ == "__main__"` does not run.
    Raises: as `run_program`. DataError: no tests.
    """
    if not tests:
        raise DataError("tests is empty, expected at least one: nothing would show that the program is right")
    fault = _unreadable(program) or _unreadable("\n".join([setup, *tests]))
    if fault:
        return Outcome(False, fault, 0.0)
    word = secrets.token_hex(8)
    ended = _run({PROGRAM: program, TESTS: _harness(tests, setup, word)}, TESTS, bounds or Bounds())
    held = ended.reported.split(b"\n").count(word.encode())
    reason = _reason(ended)
    if not reason and held < len(tests):
        reason = f"ended after {held} of {len(tests)} tests"
    return Outcome(not reason, reason, ended.seconds, min(held, len(tests)))


def pass_at_k(tried: Sequence[Sequence[bool]], k: int, seed: int = 13) -> Estimate:
    """Mean chance over tasks that one of k programs passes, with its 95 % interval over tasks.

    Args:   tried: for each task, whether each of its programs passed; at least k of them.
    Raises: DataError: a task with fewer programs than k.
    """
    short = [place for place, task in enumerate(tried) if len(task) < k]
    if short or k < 1:
        raise DataError(
            f"task {short[0]} has {len(tried[short[0]])} programs, expected at least k = {k}"
            if short
            else f"k is {k}, expected at least 1"
        )
    return text_metrics.mean([text_metrics.pass_at_k(len(task), sum(task), k) for task in tried], seed)


def _unreadable(text: str) -> str:
    """Why the text cannot be a program; empty when it can."""
    if len(text) > MAX_SOURCE:
        return f"has {len(text):,} characters, expected at most {MAX_SOURCE:,}"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "holds half of a surrogate pair, expected valid Unicode"
    return ""


def _harness(tests: Sequence[str], setup: str, word: str) -> str:
    """Imports the program and says through a pipe that a test held, by a word that no program knows beforehand."""
    told = f"_told_{word}"
    lines = [
        f"import os, sys; sys.path.insert(0, ''); {told} = os.write, int(sys.argv.pop()), b'{word}\\n'; del os, sys",
        f"import {Path(PROGRAM).stem} as {told}_program",
        f"globals().update({{name: value for name, value in vars({told}_program).items() if name[:2] != '__'}})",
        setup,
    ]
    for test in tests:
        lines += [test, f"{told}[0](*{told}[1:])"]
    return "\n".join(lines) + "\n"


@dataclass
class _Pipe:
    """Bytes from the program, at most `MAX_OUTPUT` of them."""

    out: int = field(init=False)
    into: int = field(init=False)
    parts: list[bytes] = field(default_factory=list)
    size: int = 0
    is_ended: bool = False

    def __post_init__(self) -> None:
        self.out, self.into = os.pipe()

    def read(self, selector: selectors.BaseSelector) -> None:
        """Reads what is there; at its end it is watched no more."""
        chunk = os.read(self.out, 65_536)
        self.size += len(chunk)
        self.is_ended = not chunk
        if self.is_ended:
            selector.unregister(self.out)
        if self.size <= MAX_OUTPUT:
            self.parts.append(chunk)

    @property
    def content(self) -> bytes:
        return b"".join(self.parts)

    def close_own_end(self) -> None:
        os.close(self.into)
        self.into = -1

    def close(self) -> None:
        for end in (self.out, self.into):
            if end >= 0:
                os.close(end)


def _run(files: dict[str, str], start: str, bounds: Bounds) -> _Ended:
    if not sys.platform.startswith("linux"):
        raise NotReady(f"sandbox does not work on {sys.platform}, expected Linux", "run it in a Linux machine")
    with ExitStack() as stack:
        folder = "/"
        if not bounds.confined:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="windlass-"))
        pipes = {name: stack.enter_context(closing(_Pipe())) for name in ("status", "out", "errors", "report")}
        order = {
            "files": files,
            "start": start,
            "limits": bounds.limits,
            "disk_bytes": DISK_BYTES,
            "confined": bounds.confined,
            "filter": system_calls.program(os.uname().machine).hex() if bounds.confined else "",
            "status": pipes["status"].into,
            "arguments": [str(pipes["report"].into)] if start == TESTS else [],
            "parent": os.getpid(),
        }
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", str(bounds.cell)],
            cwd=folder,
            env={},
            stdin=subprocess.PIPE,
            stdout=pipes["out"].into,
            stderr=pipes["errors"].into,
            pass_fds=(pipes["status"].into, pipes["report"].into),
            start_new_session=True,
        )
        stack.callback(_kill, process)
        for pipe in pipes.values():
            pipe.close_own_end()
        assert process.stdin is not None
        with suppress(BrokenPipeError), process.stdin:
            process.stdin.write(json.dumps(order).encode())
        return _watch(process, pipes, bounds)


def _watch(process: "subprocess.Popen[bytes]", pipes: dict[str, _Pipe], bounds: Bounds) -> _Ended:
    """Waits until it has started, then until it ends; ends it where it must. Raises: NotReady: it cannot start."""
    stopped = _read(pipes, time.perf_counter() + START_S, "status")
    said = pipes["status"].content.decode("utf-8", "replace")[:200]
    if stopped or said:
        raise _not_ready(said or "it did not start in time")
    begun = time.perf_counter()
    stopped = _read(pipes, begun + bounds.seconds) or _left(process, begun + bounds.seconds)
    seconds = time.perf_counter() - begun
    _kill(process)
    _read(pipes, time.perf_counter() + END_S, most=math.inf)  # to their end: then all that held them is gone
    errors = pipes["errors"].content.decode("utf-8", "replace")
    if stopped == TOO_LONG:
        stopped = f"ran longer than {bounds.seconds:g} s"
    return _Ended(process.returncode, errors, pipes["report"].content, seconds, stopped)


def _read(pipes: dict[str, _Pipe], until: float, only: str = "", most: float = MAX_OUTPUT) -> str:
    """Reads until all pipes are at their end (or this one is); why it stopped before, or nothing."""
    with selectors.DefaultSelector() as selector:
        for name, pipe in pipes.items():
            if not pipe.is_ended:
                selector.register(pipe.out, selectors.EVENT_READ, name)
        while selector.get_map() and not (only and pipes[only].is_ended):
            for key, _ in selector.select(max(0.0, until - time.perf_counter())):
                pipes[key.data].read(selector)
            if any(pipe.size > most for pipe in pipes.values()):
                return f"wrote more than {MAX_OUTPUT // 1024:,} KiB of output"
            if time.perf_counter() >= until:
                return TOO_LONG
    return ""


def _left(process: "subprocess.Popen[bytes]", until: float) -> str:
    """Waits for a program that has closed all its pipes."""
    try:
        process.wait(max(0.0, until - time.perf_counter()))
    except subprocess.TimeoutExpired:
        return TOO_LONG
    return ""


def _not_ready(why: str) -> NotReady:
    return NotReady(
        f"programs cannot be shut off from network and files here ({why}), expected Linux namespaces",
        "allow unprivileged user namespaces (Docker: --security-opt seccomp=unconfined and apparmor=unconfined)",
    )


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """Ends the session; process 1 of the namespace dies with its parent, and with it all that is in there."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(END_S)


def _reason(ended: _Ended) -> str:
    """Why it did not end well, on one line; empty when it did."""
    if ended.stopped:
        return ended.stopped
    if ended.code == 0:
        return ""
    said = last_words(ended.errors)
    number = -ended.code if ended.code < 0 else ended.code - 128
    if number in {each.value for each in signal.Signals} and not said:
        return f"was killed by {signal.Signals(number).name}"
    return said or f"ended with status {ended.code}"


def last_words(errors: str) -> str:
    """The last line of what a program wrote to stderr; with the statement, when it is an assertion without words."""
    lines = [line.rstrip() for line in errors.splitlines() if line.strip(" ^~\t")]
    if not lines:
        return ""
    last = lines[-1].strip()
    if last == "AssertionError" and len(lines) > 1:
        last = f"{last}: {lines[-2].strip()}"
    return last[:MAX_REASON]
