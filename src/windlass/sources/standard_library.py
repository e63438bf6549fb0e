"""Rows of code from the standard library of the Python that runs: code to complete, and mistakes to repair.

Nothing is copied into the product: the files are read where Python keeps them, the same rows every time.
Source: the Python standard library, Python Software Foundation License.
"""

import ast
import os
import random
import sys
import sysconfig
import textwrap
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from windlass.errors import DataError, did_you_mean, expected
from windlass.sandbox.syntax import tree_of
from windlass.sources.contract import Names, RawRow, Source
from windlass.sources.mistakes import FUNCTIONS, MISTAKES, Change, changed, is_python

PREFIX = "stdlib:"
SEED = 13
LEFT_OUT = frozenset(
    {"test", "tests", "idlelib", "encodings", "site-packages", "dist-packages", "turtledemo", "pydoc_data", "lib2to3"}
)
"""Folders that hold tests, tables, programs or other people's code."""
MAX_FILE_BYTES = 400_000
LEAST, MOST_BEFORE, MOST_AFTER, MOST_FUNCTION = 60, 600, 200, 600
"""Characters of a function at least; of what stands before and after the gap, and of a broken function, at most."""


@dataclass(frozen=True)
class Function:
    """A function of the library: where it is, its text without indent and docstring, and its tree."""

    place: str
    text: str
    node: ast.FunctionDef | ast.AsyncFunctionDef


def source(data: str, split: str, names: Names) -> Source:
    """The source that `stdlib:completion` or `stdlib:repair` means. Raises: DataError: another task."""
    task = data.removeprefix(PREFIX)
    readers = {"completion": read_completion, "repair": read_repair}
    if task not in readers:
        choices = [PREFIX + name for name in readers]
        raise DataError(f"data is '{data}', expected {expected(choices)}", did_you_mean(data, choices))
    version = f"{data} of Python {sys.version}"
    return Source(Path(sysconfig.get_path("stdlib")), split, readers[task], names, version=version)


def read_completion(source: Source) -> Iterator[RawRow]:
    """Rows {before, after}: a function up to a place in it, and the rest of that line or of the block that follows."""
    seen: set[str] = set()
    for function in functions(source.path):
        found = _gap(function, random.Random(f"{SEED} {function.place}"))
        if found and found[0] not in seen:
            seen.add(found[0])
            yield RawRow(len(seen), {"before": found[0], "after": found[1], "place": function.place})


def read_repair(source: Source) -> Iterator[RawRow]:
    """Rows {broken, fixed, tests}: a small function with one mistake in it, and as it was; `mistake` names it, and
    tests it has none."""
    n_rows = 0
    for function in functions(source.path):
        if len(function.text) > MOST_FUNCTION:
            continue
        found = _broken(function, random.Random(f"{SEED} {function.place}"))
        if found:
            n_rows += 1
            mistake, broken = found
            values = {"broken": broken, "fixed": function.text, "tests": "", "mistake": mistake}
            yield RawRow(n_rows, {**values, "place": function.place})


def functions(folder: Path) -> Iterator[Function]:
    """The different functions of every module below the folder, in a fixed order. Raises: DataError: no module."""
    files = list(_modules(folder))
    if not files:
        raise DataError(
            f"{folder} holds no Python files, expected the standard library",
            "this Python has it in an archive: use one that was installed with its files",
        )
    seen: set[str] = set()
    for path in files:
        for function in _functions_of(path, path.relative_to(folder).as_posix()):
            if function.text not in seen:
                seen.add(function.text)
                yield function


def _modules(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - LEFT_OUT)
        yield from (Path(place, name) for name in sorted(names) if name.endswith(".py"))


def _functions_of(path: Path, module: str) -> Iterator[Function]:
    if path.stat().st_size > MAX_FILE_BYTES:
        return
    try:
        with tokenize.open(path) as file:
            lines = file.read().expandtabs(4).split("\n")
        tree = tree_of("\n".join(lines))
    except (SyntaxError, UnicodeDecodeError, ValueError, RecursionError):  # templates and bad examples
        return
    for node in ast.walk(tree):
        if isinstance(node, FUNCTIONS):
            text = _text(lines, node)
            if text:
                yield Function(f"{module}:{node.name}:{node.lineno}", text, _function(text))


def _function(text: str) -> ast.FunctionDef | ast.AsyncFunctionDef:
    node = tree_of(text).body[0]
    assert isinstance(node, FUNCTIONS)
    return node


def _text(lines: list[str], node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """The function without decorators, indent and docstring; '' when it is too short or does not stand alone."""
    first, last = node.lineno, node.end_lineno or node.lineno
    kept = lines[first - 1 : last]
    if ast.get_docstring(node, clean=False) is not None:
        words = node.body[0]
        if len(node.body) == 1 or node.body[1].lineno == words.end_lineno or words.lineno == first:
            return ""
        del kept[words.lineno - first : (words.end_lineno or words.lineno) - first + 1]
    text = textwrap.dedent("\n".join(line.rstrip() for line in kept)).strip()
    if len(text) < LEAST or not text.isascii():
        return ""
    try:
        found = tree_of(text).body
    except SyntaxError:  # a text of several lines that starts left of the function
        return ""
    return text if len(found) == 1 and isinstance(found[0], FUNCTIONS) else ""


def _broken(function: Function, chance: random.Random) -> tuple[str, str] | None:
    """The name of a mistake and the function with it; None when no mistake fits in."""
    kinds = list(MISTAKES)
    chance.shuffle(kinds)
    for kind in kinds:
        choices: list[Change] = MISTAKES[kind](function.text, function.node)
        chance.shuffle(choices)
        for change in choices:
            broken = changed(function.text, change)
            if len(broken) <= MOST_FUNCTION and is_python(broken):
                return kind, broken
    return None


def _gap(function: Function, chance: random.Random) -> tuple[str, str] | None:
    """What stands before a place inside the function, and what follows it to the end of the statement or block."""
    starts = [0]
    for line in function.text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    places = []
    for node in ast.walk(function.node):
        if isinstance(node, ast.stmt) and node is not function.node:
            start, end = starts[node.lineno - 1] + node.col_offset, starts[(node.end_lineno or 0) - 1]
            places.append((_inside(function.text, node, start, chance), end + (node.end_col_offset or 0)))
    chance.shuffle(places)
    for cut, end in places:
        after = function.text[cut:end].strip()
        if 3 <= len(after) <= MOST_AFTER and cut > LEAST // 2:
            return _tail(function.text[:cut]), after
    return None


def _inside(text: str, node: ast.stmt, start: int, chance: random.Random) -> int:
    """The statement's start, or half of the time a space within its first line."""
    line = text[start:].split("\n", 1)[0]
    spaces = [place for place, character in enumerate(line) if character == " "]
    return start + chance.choice(spaces) + 1 if spaces and chance.random() < 0.5 else start


def _tail(before: str) -> str:
    """The last whole lines that are short enough."""
    lines = before.split("\n")
    while len("\n".join(lines)) > MOST_BEFORE and len(lines) > 1:
        del lines[0]
    return "\n".join(lines)[-MOST_BEFORE:].rstrip()
