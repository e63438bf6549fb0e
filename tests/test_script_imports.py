"""What benchmarks and tools import of the package is there, and what programs in strings do: they run seldom."""

import ast
import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = sorted([*(ROOT / "benchmarks").rglob("*.py"), *(ROOT / "tools").rglob("*.py")])
CONTROLS = frozenset({"test_architecture.py", "test_patches.py", "test_snapshot.py", "test_script_imports.py"})
"""Their strings name what is not there on purpose."""
TESTS = sorted(path for path in (ROOT / "tests").rglob("*.py") if path.name not in CONTROLS)
IMPORT = re.compile(r"(?:^|[\n;]) *(from windlass[\w.]* import \w+(?:, \w+)*)")


def missing(text: str) -> list[str]:
    """Names that a script takes from the package and that are not there."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "windlass":
            module = import_module(str(node.module))
            for name in (alias.name for alias in node.names):
                is_package = hasattr(module, "__path__")
                is_there = hasattr(module, name) or (is_package and find_spec(f"{node.module}.{name}") is not None)
                found += [] if is_there else [f"{node.module}: {name}"]
    return found


def written(text: str) -> list[str]:
    """The imports from the package in the strings of a script."""
    strings = [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)]
    return [line for value in strings if isinstance(value, str) for line in IMPORT.findall(value)]


def test_what_programs_in_strings_import_is_there() -> None:
    lines = {line for path in [*TESTS, *SCRIPTS] for line in written(path.read_text(encoding="utf-8"))}
    assert len(lines) > 10
    assert [fault for line in sorted(lines) for fault in missing(line)] == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_what_a_script_imports_is_there(script: Path) -> None:
    assert missing(script.read_text(encoding="utf-8")) == []


def test_control_a_name_that_is_gone_is_found() -> None:
    assert missing("from windlass.store.store import Store, Cupboard\n") == ["windlass.store.store: Cupboard"]
    assert written("run('import sys; from windlass import diagnostics\\n')\n") == ["from windlass import diagnostics"]
    assert missing("from windlass import diagnostics\n") == ["windlass: diagnostics"]
