"""Every command where nothing can be written: a line or two and an exit code; what only reads still answers."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import windlass

from . import full_disk

ROOT = Path(__file__).resolve().parent.parent


def own_mounts() -> list[str]:
    """The command that gives a process mounts of its own; empty where that is not allowed."""
    for order in (["unshare", "--mount"], ["unshare", "--map-root-user", "--mount"]):
        if not shutil.which("unshare"):
            return []
        if not subprocess.run([*order, "true"], capture_output=True, check=False).returncode:
            return order
    return []


MOUNTS = own_mounts()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return full_disk.prepare(tmp_path_factory.mktemp("disk"))


@pytest.mark.slow
@pytest.mark.skipif(not MOUNTS, reason="mounts of one's own are not allowed here: no disk can be made small")
@pytest.mark.parametrize("kind", full_disk.KINDS)
def test_a_command_that_cannot_write_says_so_in_a_line_with_its_exit_code(kind, place):
    """`serve` would run for ever where it could start. Control: what need not write answers as ever."""
    order = [*MOUNTS, sys.executable, "-m", "tests.full_disk", kind, *map(str, place)]
    path = os.pathsep.join([str(ROOT), str(Path(windlass.__file__).parent.parent)])
    done = subprocess.run(order, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True,
                          timeout=900, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr[-2_000:]
    ended = json.loads(done.stdout)
    assert len(ended) == len(full_disk.WRITERS) + len(full_disk.WITHOUT_PROJECT)
    assert not [(each["command"], why) for each in ended if (why := full_disk.bad(each))]
    failed = {tuple(each["command"]) for each in ended if each["code"]}
    assert {("run", "--json"), ("evaluate", "--again"), ("keys", "create", "another"), ("rollback",)} <= failed
