"""Other systems than Linux: what only Linux has is asked for in one place each, beside what is done without it."""

import ast
import os
import re
import tomllib
from pathlib import Path

import pytest
import yaml

import windlass
from windlass.predictors.language import threads
from windlass.serving.telemetry import metrics

ROOT = Path(windlass.__file__).parent
LINUX = frozenset(
    {"sched_getaffinity", "sched_setaffinity", "memfd_create", "pidfd_open", "eventfd", "splice", "posix_fadvise"}
    | {"unshare", "setns", "O_TMPFILE", "epoll", "CLONE_NEWUSER"}
)
HERE = {"predictors/language/threads.py"}
"""Files that ask whether the system has it."""
READ = {"compress/memory.py", "stages/evaluate.py", "shipping/trial.py", "serving/telemetry/metrics.py"}
"""Files that read /proc where it is there."""


def linux_only(text: str) -> set[str]:
    nodes = ast.walk(ast.parse(text))
    return {node.attr for node in nodes if isinstance(node, ast.Attribute) and node.attr in LINUX}


def test_what_only_linux_has_is_called_in_the_sandbox_alone() -> None:
    texts = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in ROOT.rglob("*.py")}
    outside = {place: text for place, text in texts.items() if not place.startswith("sandbox/")}
    assert {place for place, text in outside.items() if linux_only(text)} == HERE
    assert {place for place, text in outside.items() if re.search(r'"/proc/|f"/proc/', text)} == READ
    assert linux_only("import os\nos.memfd_create('x')\n") == {"memfd_create"}, "control"


def test_cores_and_memory_are_told_without_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    assert threads.cores() == len(os.sched_getaffinity(0))
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.delenv(threads.NAME, raising=False)
    assert threads.cores() == os.cpu_count()
    assert threads.n_threads() >= 1
    monkeypatch.setattr(Path, "is_file", lambda self: False)
    assert metrics.memory_bytes() > 1_000


def test_the_environment_of_conda_installs_extras_that_there_are() -> None:
    checkout = Path(__file__).parent.parent
    told = yaml.safe_load((checkout / "environment.yml").read_text(encoding="utf-8"))
    project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (extras,) = re.findall(r"\[([\w,]+)\]", told["dependencies"][-1]["pip"][0])
    assert set(extras.split(",")) <= set(project["optional-dependencies"])
    assert f">={told['dependencies'][0].partition('=')[2]}" == project["requires-python"]
