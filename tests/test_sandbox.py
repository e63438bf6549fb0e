"""Programs that set out to harm: each is stopped; the same program where nothing shuts it in shows that it would."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from windlass.errors import DataError, NotReady
from windlass.sandbox.programs import Bounds, Outcome, last_words, pass_at_k, passes, run_program

MBPP = Path(__file__).resolve().parents[2] / "shared" / "data" / "code-mbpp" / "test.jsonl"


def shut_in() -> str:
    """Why programs cannot be shut in here; empty when they can."""
    try:
        run_program("pass")
    except NotReady as error:
        return error.message
    return ""


WHY_NOT = shut_in()
confined = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "namespaces work here")


# what is right --------------------------------------------------------------------------------------------------------


@confined
def test_a_program_that_ends_well_passes():
    outcome = run_program("import json, math, re\nprint(math.pi)\n")
    assert outcome == Outcome(True, "", outcome.seconds)
    assert outcome.seconds > 0


@confined
@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def f(:", "SyntaxError: invalid syntax"),
        ("raise SystemExit(3)", "ended with status 3"),
        ("import os; os.abort()", "was killed by SIGABRT"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "was killed by SIGKILL"),
        ("x = '\ud800'", "holds half of a surrogate pair, expected valid Unicode"),
        ("#" * 1_000_001, "has 1,000,001 characters, expected at most 1,000,000"),
        ("import numpy", "ModuleNotFoundError: No module named 'numpy'"),
        ("input()", "EOFError: EOF when reading a line"),
    ],
)
def test_a_program_that_fails_says_why(program, reason):
    assert run_program(program).reason == reason


@confined
def test_tests_hold_or_the_first_that_does_not_is_named():
    program = "def double(x):\n    return x * 2\n"
    tests = ["assert double(2) == 4", "assert double(3) == 7", "assert double(4) == 8"]
    outcome = passes(program, tests)
    assert (outcome.passed, outcome.n_passed, outcome.reason) == (False, 1, "AssertionError: assert double(3) == 7")
    assert passes(program, [tests[0], tests[2]]) == Outcome(True, "", pytest.approx(0, abs=5), 2)
    said = passes(program, ["assert double(1) == 3, 'one doubled is two'"])
    assert said.reason == "AssertionError: one doubled is two"


@confined
def test_setup_sees_the_program_and_the_tests_see_both():
    program = "class Node:\n    def __init__(self, value): self.value = value\n_hidden = 1\n"
    assert passes(program, ["assert root.value + _hidden == 3"], "root = Node(2)").passed


@confined
def test_what_stands_under_main_does_not_run():
    assert passes("def f(): return 1\nif __name__ == '__main__':\n    input()\n", ["assert f() == 1"]).passed


@confined
@pytest.mark.parametrize("end", ["raise SystemExit", "import os; os._exit(0)", "import sys; sys.exit(0)"])
def test_a_program_that_ends_before_its_tests_does_not_pass(end):
    """Control: its status is 0, which alone would look like success."""
    assert run_program(f"def f(): return 1\n{end}\n").passed
    assert not passes(f"def f(): return 1\n{end}\n", ["assert f() == 1"]).passed


@confined
@pytest.mark.parametrize("tail", ['"""', "'''", "(", "\\", "if True:", "#", "def g("])
def test_a_program_that_is_cut_off_does_not_swallow_its_tests(tail):
    outcome = passes(f"def f(): return 2\n{tail}", ["assert f() == 1"])
    assert not outcome.passed
    assert outcome.n_passed == 0


@confined
def test_the_order_of_sets_is_the_same_each_time():
    program = "def order(): return list({'a', 'b', 'c', 'd', 'e', 'f', 'g'})"
    first = passes(program, ["assert False, order()"]).reason
    assert all(passes(program, ["assert False, order()"]).reason == first for _ in range(3))


def test_no_tests_and_impossible_bounds_are_refused():
    with pytest.raises(DataError, match="tests is empty"):
        passes("x = 1", [])
    with pytest.raises(DataError, match="seconds is 0"):
        run_program("x = 1", seconds=0)
    with pytest.raises(DataError, match="at least 32"):
        run_program("x = 1", memory_mb=31)


@confined
def test_the_least_memory_is_enough_for_python():
    assert run_program("import json, re, collections", memory_mb=32).passed


# what is not ----------------------------------------------------------------------------------------------------------


@confined
@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("while True: pass", "ran longer than 0.5 s"),
        ("import time; time.sleep(60)", "ran longer than 0.5 s"),
        ("import os\nos.closerange(0, 64)\nwhile True: pass", "ran longer than 0.5 s"),
        ("import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(60)", "ran longer than 0.5 s"),
    ],
    ids=["loop", "sleep", "closed pipes", "deaf"],
)
def test_an_endless_program_is_stopped_at_its_deadline(program, reason):
    begun = time.perf_counter()
    assert run_program(program, seconds=0.5).reason == reason
    assert time.perf_counter() - begun < 50


@confined
def test_a_fork_bomb_finds_no_more_processes_and_leaves_none():
    """The second goes on after each refusal; the third counts: eight with process 1 and itself."""
    before = left_over()
    assert not run_program("import os\nwhile True:\n    os.fork()\n", seconds=2).passed
    bomb = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass\n"
    assert run_program(bomb, seconds=1).reason == "ran longer than 1 s"
    assert settled(before)
    count = "import os, time\ntry:\n    for n in range(100):\n        if not os.fork(): time.sleep(60)\n"
    found = run_program(f"{count}except OSError:\n    raise SystemExit(f'{{n}} children')\n").reason
    assert found in ("6 children", "7 children")


def of_another_worker(process: Path) -> bool:
    """True for what another process of pytest-xdist has started: its tests run programs, too."""
    while process.name not in ("0", "1"):
        parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
        process = process.with_name(parent)
        if parent != str(os.getpid()) and b"exec(eval(sys.stdin" in (process / "cmdline").read_bytes():
            return True
        if parent == str(os.getpid()):
            return False
    return False


def left_over() -> set[str]:
    """Processes of sandboxes that these tests have started, or that nobody owns."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            is_one = b"program.py" in words or any(word.endswith(b"/cell.py") for word in words)
            if is_one and not of_another_worker(process):
                found.add(process.name)
        except OSError:
            continue
    return found


def settled(before: set[str]) -> bool:
    """True when soon no other sandbox is left."""
    until = time.perf_counter() + 60
    while left_over() - before and time.perf_counter() < until:
        threading.Event().wait(0.02)
    return not left_over() - before


@confined
def test_nothing_outlives_the_program():
    """A daemon that left its session, while the program ended well."""
    before = left_over()
    daemon = "import os, time\nif not os.fork():\n    os.setsid()\n    if not os.fork():\n        time.sleep(600)\n"
    outcome = run_program(daemon, seconds=60)
    assert outcome.passed
    assert outcome.seconds < 60
    assert settled(before)


@confined
@pytest.mark.parametrize(
    "program",
    [
        "x = bytearray(400_000_000)",
        "x = []\nwhile True: x.append(' ' * 1_000_000)",
        "import mmap; mmap.mmap(-1, 400_000_000)",
        "x = 10 ** 10 ** 10",
    ],
)
def test_memory_is_bounded(program):
    """Control: with room for it, the first succeeds."""
    outcome = run_program(program, seconds=3, memory_mb=256)
    assert not outcome.passed
    assert outcome.reason in ("MemoryError", "OSError: [Errno 12] Cannot allocate memory", "ran longer than 3 s")
    if "bytearray" in program:
        assert run_program(program, seconds=60, memory_mb=1_024).passed


@confined
def test_the_disk_is_bounded():
    """One file of a gigabyte, many smaller ones, and files that have no name."""
    big = "with open('big', 'wb') as file:\n    for _ in range(1_000):\n        file.write(bytes(1_000_000))\n"
    assert run_program(big).reason == "OSError: [Errno 27] File too large"
    many = "for n in range(1_000):\n    open(f'{n}', 'wb').write(bytes(7_000_000))\n"
    assert run_program(many).reason == "OSError: [Errno 28] No space left on device"
    empty = "for n in range(100_000):\n    open(f'{n}', 'wb').close()\n"
    assert run_program(empty).reason.startswith("OSError: [Errno 28] No space left on device")
    nameless = "import os\nfor n in range(100):\n    os.write(os.memfd_create('x'), bytes(7_000_000))\n"
    assert run_program(nameless).reason == "PermissionError: [Errno 1] Operation not permitted"
    assert run_program("open('small', 'wb').write(bytes(1_000_000))\nassert open('small', 'rb').read(1)").passed


@confined
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_hundred_megabytes_of_output_are_not_kept(stream):
    program = f"import sys\nfor _ in range(100):\n    sys.{stream}.write('x' * 1_000_000)\n"
    assert run_program(program).reason == "wrote more than 1,024 KiB of output"
    assert run_program(program.replace("range(100)", "range(1)")).passed


@contextmanager
def listener():
    """A server on the loopback address that counts who comes."""
    came = []
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def accept() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                came.append(1)
                connection.close()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield server.getsockname()[1], came
        server.shutdown(socket.SHUT_RDWR)
    thread.join(60)


@confined
def test_a_socket_reaches_nobody_and_does_where_nothing_shuts_it_in():
    with listener() as (port, came):
        program = f"import socket\nsocket.create_connection(('127.0.0.1', {port}), timeout=3)\n"
        assert run_program(program).reason == "PermissionError: [Errno 1] Operation not permitted"
        assert came == []
        assert run_program(program, confined=False).passed
        assert came == [1]


@confined
def test_an_abstract_socket_of_this_machine_is_not_there():
    name = f"\0windlass-{os.getpid()}"
    with closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(name)
        server.listen()
        program = f"import socket\nsocket.socket(socket.AF_UNIX).connect({name!r})\n"
        assert run_program(program).reason == "PermissionError: [Errno 1] Operation not permitted"
        assert run_program(program, confined=False).passed


@confined
def test_files_of_the_machine_are_not_there(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("key")
    for place in (secret, Path("/etc/passwd"), Path("/proc/self/environ"), Path(__file__)):
        program = f"open({str(place)!r}).read(1)\n"
        assert run_program(program).reason.startswith("FileNotFoundError"), place
        assert run_program(program, confined=False).passed, place
    written = tmp_path / "written.txt"
    assert not run_program(f"open({str(written)!r}, 'w').write('x')").passed
    assert not written.exists()


@confined
def test_what_it_does_see_cannot_be_changed():
    seen = "import os, sys\nplaces = [os.path.dirname(os.__file__), '/usr/bin', os.path.dirname(sys.executable)]\n"
    program = "for place in places:\n    open(place + '/windlass-was-here', 'w')\n"
    assert "Errno 30] Read-only file system" in run_program(seen + program).reason


@confined
def test_it_can_stop_neither_its_parent_nor_any_other_process():
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as victim:
        try:
            program = (
                "import os\n"
                f"for process in [os.getppid(), *range(1, 40), {victim.pid}]:\n"
                "    try:\n"
                "        if process != os.getpid(): os.kill(process, 9)\n"
                "    except OSError: pass\n"
            )
            assert run_program(program).passed
            assert victim.poll() is None
            assert run_program(f"import os\nos.kill({victim.pid}, 9)", confined=False).passed
            assert victim.wait(60) == -9
        finally:
            victim.kill()


@confined
def test_it_has_no_rights_and_cannot_get_any():
    """No capability, no user namespace of its own, no mount, no root."""
    program = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
assert os.getuid() != 0 and os.geteuid() != 0
assert libc.unshare(0x10000000) == -1, "a namespace"
assert libc.mount(b"none", b"/program", b"tmpfs", 0, b"") == -1, "a mount"
assert libc.prctl(39, 0, 0, 0, 0) == 1, "new rights"
for name in ("setuid", "setgid"):
    try:
        getattr(os, name)(0)
    except OSError:
        continue
    raise AssertionError(name)
assert sorted(os.environ) == ["HOME", "LANG", "PATH", "PYTHONHASHSEED"], sorted(os.environ)
assert os.listdir(".") == ["program.py"], os.listdir(".")
"""
    outcome = run_program(program)
    assert outcome.passed, outcome.reason


@confined
def test_programs_run_beside_each_other():
    found = []
    threads = [
        threading.Thread(target=lambda place=place: found.append(run_program(f"assert {place} % 2").passed))
        for place in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [False] * 4 + [True] * 4


@confined
def test_no_descriptor_is_left_open():
    run_program("pass")
    before = len(os.listdir("/proc/self/fd"))
    for program in ("pass", "1/0", "while True: pass"):
        run_program(program, seconds=0.3)
    assert len(os.listdir("/proc/self/fd")) == before


@confined
def test_the_program_dies_with_who_asked_for_it():
    """kill -9 of the asking process."""
    before = left_over()
    asking = "from windlass.sandbox.programs import run_program; run_program('while True: pass', seconds=60)"
    with subprocess.Popen([sys.executable, "-c", asking]) as process:
        until = time.perf_counter() + 60
        while len(left_over() - before) < 3 and time.perf_counter() < until:
            threading.Event().wait(0.05)
        assert len(left_over() - before) == 3, "control: it runs"
        process.kill()
    assert settled(before)


def test_a_machine_that_cannot_shut_programs_in_says_so():
    """A processor whose calls are not known; unconfined, the program runs."""
    bounds = Bounds(cell=cell_that("PIVOT_ROOT = {}"))
    with pytest.raises(NotReady, match=r"programs cannot be shut off from network and files here \(.+\)"):
        passes("pass", ["assert True"], bounds=bounds)
    assert passes("pass", ["assert True"], bounds=replace(bounds, confined=False)).passed


def cell_that(change: str) -> Path:
    from windlass.sandbox import programs as sandbox

    text = sandbox.CELL.read_text(encoding="utf-8").replace('if __name__ == "__main__":', f"{change}\nif True:")
    path = Path("cell.py").resolve()
    path.write_text(text, encoding="utf-8")
    return path


# figures --------------------------------------------------------------------------------------------------------------


def test_last_words_name_the_statement_of_a_bare_assertion():
    trace = 'Traceback (most recent call last):\n  File "tests.py", line 5, in <module>\n    assert f(1) == 2\n'
    assert last_words(f"{trace}           ^^^^^^^^^\nAssertionError\n") == "AssertionError: assert f(1) == 2"
    assert last_words(f"{trace}ValueError: bad\n\n") == "ValueError: bad"
    assert last_words("") == last_words("\n \n") == ""
    assert len(last_words("x" * 10_000)) == 500


def test_pass_at_k_is_the_mean_over_tasks_with_its_interval():
    """One of two, none of two: one draw passes in 1/4 of cases, two in 1/2."""
    tried = [[True, False], [False, False]] * 20
    one, two = pass_at_k(tried, 1), pass_at_k(tried, 2)
    assert (one.value, two.value) == (0.25, 0.5)
    assert 0.1 < one.low < 0.25 < one.high < 0.4
    assert pass_at_k(tried, 1) == one
    with pytest.raises(DataError, match="task 1 has 1 programs, expected at least k = 2"):
        pass_at_k([[True, True], [True]], 2)
    with pytest.raises(DataError, match="k is 0"):
        pass_at_k(tried, 0)


@confined
@pytest.mark.real
@pytest.mark.slow
@pytest.mark.skipif(not MBPP.is_file(), reason="code-mbpp is not beside the project")
def test_reference_programs_of_mbpp_pass_their_tests_and_those_of_another_task_do_not():
    """60 tasks, evenly spread over the 500 of the test split; the control gives each task its neighbour's program."""
    rows = [json.loads(line) for line in MBPP.read_text(encoding="utf-8").splitlines()][::8][:60]
    assert len(rows) == 60

    def share(shift: int) -> float:
        programs = [rows[(place + shift) % 60]["code"] for place in range(60)]
        pairs = zip(programs, rows, strict=True)
        found = [passes(code, row["test_list"], row["test_setup_code"], Bounds(60)) for code, row in pairs]
        return sum(outcome.passed for outcome in found) / 60

    assert share(0) >= 0.95
    assert share(1) == 0


def test_the_bounds_are_what_the_program_gets():
    limits = Bounds(seconds=2.5, memory_mb=100).limits
    assert (limits["RLIMIT_CPU"], limits["RLIMIT_AS"]) == (3, 100 * 1024 * 1024)
