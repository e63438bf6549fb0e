"""`windlass repair`: a broken program and its tests in, one that passes them out, by proposing, running and going on.

What a champion writes is tried first, then every program that is one change away. All run in the sandbox.
"""

import ast
import difflib
from dataclasses import dataclass, replace
from pathlib import Path

from windlass.errors import DataError, NotReady
from windlass.kinds import table as kinds
from windlass.pages.text.words import block, plain
from windlass.predictors.retrieval.edits import one_change
from windlass.predictors.retrieval.repair import Propose, Repaired, Tries, repair
from windlass.predictors.writer import Writer, writer_of
from windlass.records import Json
from windlass.registry import releases
from windlass.sandbox.syntax import tree_of
from windlass.spec import FILE_NAME
from windlass.store.files import rewrite_text
from windlass.store.store import Store

ROUNDS = 2
"""A second change is sought where the first one made more tests hold."""
SAMPLES, TEMPERATURE = 3, 0.8
HINT = "a file with lines such as `assert double(2) == 4`, or functions `test_...`"


@dataclass(frozen=True)
class Repair:
    """What came of it. n_tests: how many there are; diff: from the broken program to the one that held the most."""

    repaired: Repaired
    n_tests: int
    diff: str

    def as_json(self) -> Json:
        found = self.repaired
        return {"passed": found.passed, "programs": found.tried, "reason": found.reason, "tests": self.n_tests,
                "program": found.program, "diff": self.diff}  # fmt: skip

    def __str__(self) -> str:
        """For a terminal: what a stranger's program said cannot act on it."""
        found, diff = self.repaired, block(self.diff)
        if found.passed and not self.diff:
            return f"nothing to repair: all {self.n_tests} tests hold"
        if found.passed:
            return f"repaired: all {self.n_tests} tests hold; programs that were run for it: {found.tried}\n{diff}"
        told = f"not repaired by {found.tried} programs: {plain(found.reason)}"
        return f"{told}\nheld more tests than the broken one:\n{diff}" if diff else told


def mend(program: Path, tests: Path, project: Path, tries: int, write: bool = False) -> Repair:
    """The program that passes the tests, else the one that came furthest. write: one that passes replaces the file.

    Args:   tries: programs that are run in each of two rounds. project: its champion is asked first, if it has one.
    Raises: DataError: a file that cannot be read, or without tests. NotReady: no sandbox here, or a file that cannot
            be changed and stay what it is.
    """
    broken = _read(program)
    setup, checks = read_tests(_read(tests), tests.name, program.stem)
    found = repair(proposals(champion(project)), broken, checks, Tries(ROUNDS, tries), setup)
    before, after = broken.splitlines(keepends=True), found.program.splitlines(keepends=True)
    diff = "".join(difflib.unified_diff(before, after, program.name, f"{program.name} (repaired)"))
    if write and found.passed and diff:
        rewrite_text(program, found.program)
    return Repair(found, len(checks), diff)


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}, expected a Python file") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 at byte {error.start}, expected a Python file in UTF-8") from None


def read_tests(text: str, where: str, program: str) -> tuple[str, list[str]]:
    """What runs before the tests, and the tests: `assert` lines, and functions `test_...` without arguments.

    Args:   program: the module's name; the tests need not import it, and lines that do are left out.
    Raises: DataError: no Python, or no test in it.
    """
    try:
        tree = tree_of(text)
    except (SyntaxError, ValueError) as error:
        raise DataError(f"{where} is no Python: {error}, expected tests", HINT) from None
    checks, before = [], []
    for node in tree.body:
        source = ast.get_source_segment(text, node) or ""
        if isinstance(node, ast.Assert):
            checks.append(source)
        elif not _imports(node, program):
            before.append(source)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            checks.append(f"{node.name}()")
    if not checks:
        raise DataError(f"{where} holds no test, expected at least one", HINT)
    return "\n".join(before), checks


def _imports(node: ast.stmt, program: str) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == program
    return isinstance(node, ast.Import) and [name.name for name in node.names] == [program]


def champion(project: Path) -> Writer | None:
    """What the project released, when it writes a text for a text; else nothing."""
    if not (project / FILE_NAME).is_file():
        return None
    store = Store(project.resolve())
    try:
        predictor = releases.open_release(store, releases.champion_id(store))[1]
    except NotReady:
        return None
    inputs = [kinds.get(column.kind) for column in predictor.manifest.inputs]
    return writer_of(predictor) if len(inputs) == 1 and inputs[0].is_prose else None


def proposals(writer: Writer | None) -> Propose:
    """What the writer says of a program, and then every program that is one change away."""
    return lambda program, reason: [*(_written(writer, program) if writer else ()), *one_change(program)]


def _written(writer: Writer, program: str) -> list[str]:
    """The likeliest text, and some by chance."""
    row, plain = {writer.manifest.inputs[0].name: program}, writer.writing
    chances = [replace(plain, beams=1, temperature=TEMPERATURE, seed=plain.seed + n) for n in range(SAMPLES)]
    return [writer.write([row], how)[0].text for how in (plain, *chances)]
