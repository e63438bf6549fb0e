"""A small finished project, every way that a file of its store may be damaged, and the commands that read it.

`test_store_damage` runs a sample of them, and all in the soak; `benchmarks/store_damage.py` counts all of them.
"""

import contextlib
import io
import json
import os
import random
import re
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from windlass import cli
from windlass.commands import failures
from windlass.database.keys import KeyRequest, create
from windlass.database.location import memory
from windlass.project import Project
from windlass.registry import releases
from windlass.store.store import FOLDER
from windlass.watching import silence

from .brief import briefly_timed
from .improving.toys import say, taught
from .stages.conftest import Product, messages

ROW = '{"message": "the parcel is late, where is my parcel"}'
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("collect", "--json"),
    ("prepare", "--json"),
    ("train", "--json"),
    ("evaluate", "--json"),
    ("explain", "--json"),
    ("explain", ROW, "--json"),
    ("predict", ROW),
    ("releases", "--json"),
    ("releases", "--trail", "--json"),
    ("improve", "--history", "--json"),
    ("watch", "--json"),
    ("plan", "--json"),
    ("keys", "list", "--json"),
    ("canary",),
    ("run", "--json"),
    ("rollback",),
)
"""The last two write; each command has a copy of the project of its own."""
RELEASE = re.compile(r"/release/[0-9a-f]{16}/")
INTERNAL = "internal error"


def finished(folder: Path) -> Project:
    """Every stage has run, the service was used, something was learned, planned and silenced, and a trial runs."""
    folder.mkdir()
    product = Product(folder)
    product.csv(messages(90))
    product.spec(learners=["majority", "linear"], keep_inputs=True, improve={"new_labels": 5})
    with briefly_timed():
        project = Project(folder)
        project.release()
        first = project.champion.id
        project.explain()
        say(project, taught(160))
        project.watch()
        made = project.improve()
        assert made.verdict == "promoted", made.why
        say(project, taught(40, 900), first=900)
        project.watch(now=time.time() + 60)
        project.run()
        project.plan()
        project.plan(deadline="2031-01-01")
        project.improvements()
        create(memory(project.store), KeyRequest("desk", ("predict",), "", "", ""))
        silence.silence(project.store, ["silence", "drift", "7d"])
        run(folder, ("canary", first, "--share", "0.1"))
    assert releases.champion_id(project.store) == made.challenger
    return project


def files(folder: Path) -> list[Path]:
    """Every file of the store, relative to the project, in order; locks hold nothing."""
    found = sorted(path for path in (folder / FOLDER).rglob("*") if path.is_file())
    return [path.relative_to(folder) for path in found if path.stat().st_size]


def other_shape(content: bytes) -> bytes:
    """JSON of the same names with values of another kind; a text that is no JSON becomes a mapping."""
    try:
        values = json.loads(content)
    except ValueError:
        return b'{"other": [1, 2, {"shape": null}]}\n'
    if not isinstance(values, dict):
        return json.dumps({"other": values}).encode()
    changed = {name: ["another", 1] if isinstance(value, str) else "another" for name, value in values.items()}
    return json.dumps(changed).encode()


DAMAGES = {
    "empty": lambda content: b"",
    "cut in half": lambda content: content[: len(content) // 2],
    "random bytes": lambda content: random.Random(len(content)).randbytes(len(content)),
    "another shape": other_shape,
    "another mapping": lambda content: b'{"other": [1, 2, {"shape": null}]}\n',
    "a list": lambda content: b"[1, 2]\n",
}


@dataclass(frozen=True)
class Ended:
    """What a command gave: its exit code, and what it printed."""

    code: int
    out: str
    errors: str


def run(folder: Path, arguments: Sequence[str], has_project: bool = True) -> Ended:
    """The command in this process, as `main` runs it; in the folder of the project."""
    out, errors = io.StringIO(), io.StringIO()
    before, sys.argv = sys.argv, ["windlass", *arguments, *(("--project", str(folder)) if has_project else ())]
    here = Path.cwd()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            code = failures.ended(cli.app)
    finally:
        sys.argv = before
        os.chdir(here)
    return Ended(code, out.getvalue(), errors.getvalue())


@dataclass(frozen=True)
class Found:
    """A command that met the damage badly. what: traceback, wrong answer, or words that do not help."""

    file: str
    damage: str
    command: str
    what: str
    detail: str

    def __str__(self) -> str:
        return f"{self.file}, {self.damage}, `{self.command}`: {self.what}: {self.detail[-300:]}"


TIMES = ("seconds", "latency", "answers_per_second", "made", "at", "created", "until", "since", "machine", "windows",
         "service", "money", "today")  # fmt: skip
"""What starts so is a time, a speed, or follows from one: it differs from run to run."""


def plain(out: str) -> object:
    """What it printed, without times and measured speeds."""
    try:
        return _timeless(json.loads(out))
    except ValueError:
        return out


def _timeless(value: object) -> object:
    if isinstance(value, dict):
        return {name: _timeless(each) for name, each in value.items() if not name.startswith(TIMES)}
    return [_timeless(each) for each in value] if isinstance(value, list) else value


@dataclass
class Walk:
    """A finished project whose store is put back before each command: stages know their data by its place and time."""

    project: Path
    kept: Path
    known: dict[tuple[str, ...], Ended] = field(default_factory=dict)

    def check(self, file: Path, damage: str, command: tuple[str, ...]) -> Found | None:
        """What the command does with the damaged file; nothing when it is as it should be."""
        whole = self.whole(command)
        self._put_back()
        path = self.project / file
        path.write_bytes(DAMAGES[damage](path.read_bytes()))
        ended = run(self.project, command)
        what = bad(ended, file, whole)
        return Found(file.as_posix(), damage, " ".join(command), what, ended.errors or ended.out) if what else None

    def whole(self, command: tuple[str, ...]) -> Ended:
        """What the command gives where nothing is damaged."""
        if command not in self.known:
            self._put_back()
            self.known[command] = ended = run(self.project, command)
            assert ended.code == 0, (command, ended.errors)
        return self.known[command]

    def _put_back(self) -> None:
        shutil.rmtree(self.project / FOLDER)
        shutil.copytree(self.kept, self.project / FOLDER)


def walk(folder: Path) -> Walk:
    """Finishes a project in the folder."""
    project = finished(folder / "desk").folder
    shutil.copytree(project / FOLDER, folder / "kept")
    return Walk(project, folder / "kept")


def bad(ended: Ended, file: Path, whole: Ended) -> str:
    """Why this is no good end; empty when it is: the whole answer, or an error that says what to do about what."""
    if INTERNAL in ended.errors or "Traceback" in ended.errors + ended.out:
        return "traceback"
    if ended.code == 0:
        is_told = file.name in ended.errors + ended.out and file.name not in whole.errors + whole.out
        return "" if is_told or plain(ended.out) == plain(whole.out) else "wrong answer"
    told = [line for line in ended.errors.splitlines() if line.startswith(("error: ", "hint: "))]
    is_named = file.name in ended.errors or (RELEASE.search(file.as_posix()) and "release '" in ended.errors)
    return "" if 1 <= len(told) <= 2 and "expected" in ended.errors and is_named else "words"
