"""kill -9 in every step of an attempt, promotion among them: one champion, nothing lost, and it goes on by itself."""

import os
import signal
import subprocess
import sys

import pytest

from windlass.errors import DataError
from windlass.improving import attempts
from windlass.registry import checkpoints as weights
from windlass.registry import releases

from .toys import say, taught

PROGRAM = """
import os, signal, sys
from pathlib import Path
import windlass.store.files as store
from windlass.improving import attempts
from windlass.project import Project
from windlass.stages import evaluate
evaluate.SECONDS_TIMED = 0.05
when, name = sys.argv[2:]

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def deadly(rename):
    def renaming(source, target):
        if when == "before" and Path(target).match(name):
            die()
        rename(source, target)
        if when == "after" and Path(target).match(name):
            die()
    return renaming

os.replace, os.rename = deadly(os.replace), deadly(os.rename)
if when == "in place":
    def write_in_place(path, values):
        path.parent.mkdir(parents=True)
        with path.open("w") as file:
            file.write('{"steps": {')
            file.flush()
            die()
    attempts.write_json = write_in_place if name == "journal.json" else attempts.write_json
Project(sys.argv[1]).improve(trigger="killed")
"""
KILLS = (
    ("before", "rows.jsonl"),
    ("after", "run.json"),
    ("before", "release/????????????????"),
    ("before", "champion.json"),
    ("after", "champion.json"),
)
"""Renames of an attempt, in the order in which they come."""


def improve(folder, when="", name="nothing"):
    """The exit status of an improving process that dies at a rename."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), when, name],
        capture_output=True,
        timeout=600,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        check=False,
    ).returncode


@pytest.mark.slow
def test_an_attempt_that_is_killed_again_and_again_promotes_once_and_loses_nothing(project):
    """About a second and a half of computing each: a process of its own must start."""
    say(project, taught(160))
    for when, name in KILLS:
        assert improve(project.folder, when, name) == -signal.SIGKILL, (when, name)
        assert project.champion.id == releases.champion_id(project.store)  # it opens, whatever was begun
    assert improve(project.folder) == 0
    found = project.improvements()
    assert [(each.id, each.verdict) for each in found] == [("0001", "promoted")]
    assert found[0].challenger == project.champion.id
    assert len(attempts.learned(project.store)) + found[0].rows["judging"] == 160
    promoted = [entry for entry in releases.told(project.store) if "improvement" in entry["evidence"]]
    assert len(promoted) == 1


@pytest.mark.slow
def test_a_warm_start_that_is_killed_in_training_and_before_its_weights_are_kept_goes_on(network_project):
    """A process of its own each, which must import torch."""
    say(network_project, taught(160))
    for when, name in (("after", "warm-cnn/checkpoint.safetensors"), ("before", "weights/????????????????")):
        assert improve(network_project.folder, when, name) == -signal.SIGKILL, (when, name)
    assert improve(network_project.folder) == 0
    found = network_project.improvements()
    assert [(each.id, each.verdict) for each in found] == [("0001", "promoted")]
    assert list(weights.starts(network_project.store, found[0].challenger, 0))


@pytest.mark.slow
def test_control_a_journal_that_is_written_in_place_does_not_survive(project):
    """The first process is killed while it writes; the attempt cannot be taken up again."""
    say(project, taught(160))
    assert improve(project.folder, "in place", "journal.json") == -signal.SIGKILL
    with pytest.raises(DataError, match="damaged"):
        project.improve()
