"""Programs that set out to leave the sandbox, each run shut in and, as its control, where nothing shuts it in.

Usage: python benchmarks/sandbox_escape.py [--runs 20]
A program ends with status 0 when it got what it must not have. A control that fails says that this machine has no such
thing (no module for that family, no root): it is named and proves nothing. Writes results/sandbox_escape.json, a goal.
"""

import argparse
import ctypes
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from windlass.sandbox.programs import run_program
from windlass.store.files import write_text

RESULTS = Path(__file__).resolve().parent / "results" / "sandbox_escape.json"
MACHINE = os.uname().machine
COLUMN = {"x86_64": 0, "aarch64": 1}.get(MACHINE, 0)
REFUSALS = ("PermissionError", "FileNotFoundError", "ProcessLookupError", "MemoryError", "BlockingIOError",
            "OSError: [Errno 38]", "OSError: [Errno 30]", "OSError: [Errno 12]")  # fmt: skip
MEMORY_MB = 128
CALL = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
def call(*values):
    found = libc.syscall(*[ctypes.c_long(each) if isinstance(each, int) else each for each in values])
    if found < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return found
"""
NUMBERS = {
    name: number[COLUMN]
    for name, number in {
        "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "shmdt": (67, 197), "semget": (64, 190),
        "msgget": (68, 186), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
        "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "bpf": (321, 280), "perf_event_open": (298, 241),
        "ptrace": (101, 117), "process_vm_readv": (310, 270), "unshare": (272, 97), "memfd_create": (319, 279),
        "personality": (135, 92), "inotify_init1": (294, 26), "fanotify_init": (300, 262), "mount": (165, 40),
        "chroot": (161, 51), "pidfd_open": (434, 434), "kcmp": (312, 272), "open_tree": (428, 428),
        "fsopen": (430, 430), "memfd_secret": (447, 447), "clone": (56, 220), "clone3": (435, 435),
    }.items()
}  # fmt: skip
"""Of asm/unistd_64.h and asm-generic/unistd.h; `tests/test_system_calls.py` compares ours with those files."""
HOLD = f"""
held = []
try:
    for _ in range(16):
        place = call({NUMBERS["shmget"]}, 0, 64 << 20, 0o600)
        held.append(place)
        at = call({NUMBERS["shmat"]}, place, 0, 0)
        ctypes.memset(at, 1, 64 << 20)
        call({NUMBERS["shmdt"]}, at)
finally:
    for place in held:
        call({NUMBERS["shmctl"]}, place, 0, 0)
"""
"""A gigabyte, of which never more than 64 MB are mapped: what RLIMIT_AS does not see."""
FORKS = "import os, time\nfor _ in range(40):\n    if not os.fork():\n        time.sleep(2)\n        os._exit(0)\n"


@dataclass(frozen=True)
class Escape:
    """A way out: a program that ends with status 0 when it found it; `@name@` in it stands for a bait."""

    name: str
    program: str


def system_call(name: str, arguments: str, word: str = "") -> Escape:
    return Escape(word or name, f"{CALL}\ncall({NUMBERS[name]}, {arguments})\n")


def family(name: str, number: int, kind: int = 1, protocol: int = 0) -> Escape:
    return Escape(f"socket of {name}", f"import socket\nsocket.socket({number}, {kind}, {protocol})\n")


ESCAPES = (
    Escape("shared memory beyond memory_mb", CALL + HOLD),
    system_call("semget", "0, 1, 0o1600", "System V semaphores"),
    system_call("msgget", "0, 0o1600", "System V messages"),
    system_call("memfd_create", "b'x', 0", "files without a name"),
    system_call("add_key", "b'user', b'windlass-escape', b'x', 1, -3", "a key left in the session's keyring"),
    system_call("keyctl", "0, -3, 0", "the session's keyring"),
    system_call("keyctl", "0, -4, 0", "the user's keyring"),
    *(family(*each) for each in (
        ("AF_UNIX", 1), ("AF_INET", 2), ("AF_INET6", 10), ("AF_NETLINK", 16, 3), ("AF_PACKET", 17, 3), ("AF_VSOCK", 40),
        ("AF_ALG", 38, 5), ("AF_KEY", 15, 3, 2), ("AF_BLUETOOTH", 31, 5), ("AF_CAN", 29, 3, 1), ("AF_TIPC", 30, 5),
        ("AF_RDS", 21, 5), ("AF_QIPCRTR", 42, 2), ("AF_XDP", 44, 3), ("AF_SMC", 43),
    )),
    Escape("datagram sockets, which send anywhere", "import socket\nsocket.socketpair(type=socket.SOCK_DGRAM)"),
    system_call("userfaultfd", "1"),
    system_call("io_uring_setup", "1, ctypes.create_string_buffer(256)"),
    system_call("bpf", "0, ctypes.create_string_buffer(bytes([2,0,0,0,4,0,0,0,4,0,0,0,1,0,0,0]), 128), 128"),
    system_call("perf_event_open", "ctypes.create_string_buffer(bytes([1,0,0,0,112]), 128), 0, -1, -1, 0"),
    system_call("ptrace", "0, 0, 0, 0"),
    system_call("process_vm_readv", "os.getpid(), 0, 0, 0, 0, 0"),
    system_call("kcmp", "os.getpid(), os.getpid(), 1, 0, 0"),
    system_call("pidfd_open", "os.getpid(), 0"),
    system_call("unshare", "0x10000000", "a user namespace by unshare"),
    Escape("a user namespace by clone", CALL + f"""
child = call({NUMBERS['clone']}, 0x10000000 | 17, 0, 0, 0, 0)
if child == 0:
    os._exit(0)
os.waitpid(child, 0)
"""),
    Escape("a user namespace by clone3", CALL + f"""
import struct
order = struct.pack('=8Q', 0x10000000, 0, 0, 0, 17, 0, 0, 0)
child = call({NUMBERS['clone3']}, ctypes.create_string_buffer(order, 64), 64)
if child == 0:
    os._exit(0)
os.waitpid(child, 0)
"""),
    system_call("mount", "b'none', b'/sys', b'', 1 << 18, 0", "mount"),
    system_call("open_tree", "-100, b'/', 1"),
    system_call("fsopen", "b'tmpfs', 0"),
    system_call("chroot", "b'/'"),
    system_call("personality", "0x0040000"),
    system_call("inotify_init1", "0"),
    system_call("fanotify_init", "0x200, 0"),
    system_call("memfd_secret", "0"),
    Escape("pages of pipes", "import fcntl, os\nfcntl.fcntl(os.pipe()[1], 1031, 1 << 20)\n"),
    Escape("forty processes", FORKS),
    Escape("the users of the machine", "open('/etc/passwd').read(1)"),
    Escape("a file of who asked", "open(@secret@).read(1)"),
    Escape("a file for who asked", "open(@written@, 'w').write('x')"),
    Escape("a change of Python", "import os\nopen(os.path.dirname(os.__file__) + '/windlass-was-here', 'w').close()\n"
           "os.remove(os.path.dirname(os.__file__) + '/windlass-was-here')"),
    Escape("a signal to another process", "import os\nos.kill(@victim@, 0)"),
    Escape("a connection to this machine", "import socket\nsocket.create_connection(('127.0.0.1', @port@), timeout=3)"),
    Escape("an abstract socket of this machine", "import socket\nsocket.socket(socket.AF_UNIX).connect(@abstract@)"),
    Escape("the key of who asked", f"""{CALL}
assert call({NUMBERS['keyctl']}, 11, @key@, ctypes.create_string_buffer(9), 9) == 6
"""),
)  # fmt: skip


@contextmanager
def bait() -> Iterator[dict[str, object]]:
    """What the programs reach for: a file, a process, a listener, an abstract socket, a key of this session."""
    with tempfile.TemporaryDirectory() as folder, closing(socket.create_server(("127.0.0.1", 0))) as server:
        Path(folder, "secret.txt").write_text("secret", encoding="utf-8")
        Path(folder).chmod(0o755)
        name = f"\0windlass-escape-{os.getpid()}"
        with closing(socket.socket(socket.AF_UNIX)) as local:
            local.bind(name)
            local.listen(64)
            victim = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
            thread = threading.Thread(target=_accept, args=(server,), daemon=True)
            thread.start()
            key = ctypes.CDLL(None).syscall(NUMBERS["add_key"], b"user", b"windlass-bait", b"secret", 6, -3)
            try:
                yield {"secret": f"{folder}/secret.txt", "written": f"{folder}/written.txt", "victim": victim.pid,
                       "port": server.getsockname()[1], "abstract": name, "key": key}  # fmt: skip
            finally:
                ctypes.CDLL(None).syscall(NUMBERS["keyctl"], 3, key)  # revoked: nothing stays in the session
                victim.kill()
                victim.wait()
                server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def _accept(server: socket.socket) -> None:
    while True:
        try:
            server.accept()[0].close()
        except OSError:
            return


def attempt(escape: Escape, found: dict[str, object], confined: bool) -> str:
    """Why the program did not get out; empty when it did."""
    program = escape.program
    for name, value in found.items():
        program = program.replace(f"@{name}@", repr(value))
    outcome = run_program(program, seconds=20, memory_mb=MEMORY_MB, confined=confined)
    return "" if outcome.passed else outcome.reason


def is_refused(reason: str) -> bool:
    """True when the kernel said no, rather than the program a mistake of its own."""
    return reason.startswith(REFUSALS)


def main() -> None:
    from goals import Goal, record

    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=20)
    runs = options.parse_args().runs
    out: Counter[str] = Counter()
    odd: dict[str, str] = {}
    with bait() as found:
        controls = {each.name: attempt(each, found, confined=False) for each in ESCAPES}
        for _ in range(runs):
            for each in ESCAPES:
                reason = attempt(each, found, confined=True)
                out[each.name] += not reason
                if reason and not is_refused(reason):
                    odd[each.name] = reason
    open_here = [name for name, why in controls.items() if not why]
    rows = [{"escape": each.name, "runs": runs, "got_out": out[each.name], "control": controls[each.name] or "got out"}
            for each in ESCAPES]  # fmt: skip
    write_text(RESULTS, json.dumps(rows, ensure_ascii=False, indent=1) + "\n")
    for name, reason in odd.items():
        print(f"not by a refusal: {name}: {reason}")
    n_runs, n_out = runs * len(open_here), sum(out[name] for name in open_here)
    closed = [f"{name} ({why})" for name, why in controls.items() if why]
    record(Goal(
        "mended", "sandbox: ways out that are refused",
        "shared memory, keyring, families, userfaultfd, forks, files, signals: all refused; each succeeds outside",
        f"{n_out} of {n_runs:,} attempts got out ({len(open_here)} ways, {runs} runs each; below {3 / n_runs:.2%}); "
        f"outside the sandbox {len(open_here)} of {len(open_here)}",
        n_out == 0 and not odd and sum(out.values()) == 0,
        f"no control on this machine for: {'; '.join(closed) or 'none'}",
    ))  # fmt: skip


if __name__ == "__main__":
    main()
