"""Each way out of the sandbox is refused, and is open to the same program outside; what honest programs need works."""

import os
import subprocess
import sys

import pytest

from tests.benchmark_scripts import FOLDER, loaded
from tests.test_sandbox import confined
from windlass.sandbox.programs import Bounds, passes, run_program

escapes = loaded("sandbox_escape")
pytestmark = confined


@pytest.fixture(scope="module")
def found():
    with escapes.bait() as bait:
        yield bait


@pytest.mark.parametrize("escape", escapes.ESCAPES, ids=lambda escape: escape.name)
def test_a_way_out_is_refused_and_is_open_outside(escape, found):
    reason = escapes.attempt(escape, found, confined=True)
    assert escapes.is_refused(reason), reason or "it got out"
    without = escapes.attempt(escape, found, confined=False)
    if without:
        pytest.skip(f"this machine does not have it outside either: {without}")


def test_the_controls_that_matter_most_are_there(found):
    """Where shared memory or a family cannot be had outside, the test above would say nothing."""
    names = ("shared memory beyond memory_mb", "socket of AF_UNIX", "socket of AF_INET", "socket of AF_NETLINK")
    ways = {each.name: each for each in escapes.ESCAPES}
    assert [escapes.attempt(ways[name], found, confined=False) for name in names] == ["", "", "", ""]


def test_no_descriptor_of_who_asked_is_inherited():
    """Beside the three of each process, the pipe that says which tests held; control: a plain child sees it."""
    place = os.open("/etc/passwd", os.O_RDONLY)
    os.set_inheritable(place, True)
    program = (
        "import os, sys\nopen_here = []\nfor n in range(256):\n"
        "    try:\n        os.fstat(n)\n        open_here.append(n)\n"
        "    except OSError: pass\nassert len(open_here) <= most, open_here\n"
    )
    try:
        outcome = run_program(f"most = 4\n{program}")
        assert outcome.passed, outcome.reason
        order = [sys.executable, "-c", f"most = 3\n{program}"]
        plain = subprocess.run(order, close_fds=False, capture_output=True, check=False)
        assert plain.returncode == 1
    finally:
        os.close(place)


HONEST = {
    "a thread": """
import threading
found = []
thread = threading.Thread(target=found.append, args=(1,))
thread.start()
thread.join()
assert found
""",
    "an event loop and a thread of it": """
import asyncio
async def one():
    await asyncio.sleep(0.01)
    return await asyncio.to_thread(sum, [1, 2])
assert asyncio.run(one()) == 3
""",
    "fork and a pipe": """
import os
read, write = os.pipe()
if not os.fork():
    os.write(write, b"x")
    os._exit(0)
assert os.read(read, 1) == b"x"
""",
    "a program of its own": """
import subprocess, sys
order = [sys.executable, "-S", "-c", "print(2)"]
assert subprocess.run(order, capture_output=True).stdout == b"2\\n"
""",
    "files": """
import os, pathlib, shutil, tempfile
with tempfile.TemporaryDirectory(dir=".") as folder:
    path = pathlib.Path(folder, "a")
    path.write_text("é")
    shutil.copy(path, "b")
    os.replace("b", "c")
assert pathlib.Path("c").read_text() == "é"
""",
    "sqlite": """
import sqlite3
base = sqlite3.connect("x.db")
base.execute("create table t(a)")
base.execute("insert into t values (1)")
base.commit()
assert base.execute("select a from t").fetchall() == [(1,)]
""",
    "the library": """
import csv, datetime, decimal, hashlib, json, logging, random, secrets, statistics, time, uuid, zlib
random.random(), secrets.token_hex(4), uuid.uuid4(), datetime.datetime.now(), time.sleep(0.001), hashlib.sha256(b"x")
""",
    "an alarm": """
import signal, time
found = []
signal.signal(signal.SIGALRM, lambda *_: found.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.01)
time.sleep(0.1)
assert found
""",
    "mapped memory": """
import ctypes, mmap, selectors
memory = mmap.mmap(-1, 4096)
memory[:1] = b"x"
selectors.DefaultSelector().close()
""",
    "unittest": """
import unittest
class Test(unittest.TestCase):
    def test_one(self): self.assertEqual(1, 1)
unittest.main()
""",
    "a pool of threads": """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(2) as pool:
    assert list(pool.map(abs, [-1, 2])) == [1, 2]
""",
}


@pytest.mark.parametrize("program", HONEST.values(), ids=HONEST.keys())
def test_what_honest_programs_need_works(program):
    outcome = run_program(program, seconds=20)
    assert outcome.passed, outcome.reason


def test_a_program_that_is_tested_is_shut_in_as_well():
    program = "import socket\ndef f():\n    return socket.socket()\n"
    assert passes(program, ["f()"]).reason == "PermissionError: [Errno 1] Operation not permitted"
    assert passes(program, ["f().close()"], bounds=Bounds(confined=False)).passed


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_it_is_the_same_for_an_ordinary_user():
    """Skipped where another user cannot start this Python, as when it lies in root's home."""
    folders = os.pathsep.join(["src", *(path for path in sys.path if path.endswith("site-packages"))])
    asking = (
        "from windlass.sandbox.programs import run_program as run\n"
        "assert run('pass').passed\n"
        "print(run('import socket; socket.socket()').reason)\n"
    )
    order = [os.path.realpath(sys.executable), "-c", asking]
    who = {"user": 65534, "group": 65534, "extra_groups": [], "env": {"PYTHONPATH": folders}}
    try:
        found = subprocess.run(order, cwd=FOLDER.parent, capture_output=True, text=True, check=False, **who)
    except PermissionError as error:
        pytest.skip(f"user 65534 cannot start this Python: {error}")
    if "NotReady" in found.stderr:
        pytest.skip(f"user 65534: {found.stderr.strip()[-200:]}")
    assert found.stdout == "PermissionError: [Errno 1] Operation not permitted\n", found.stderr
