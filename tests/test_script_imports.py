"""What benchmarks and tools import of the package is there: they run seldom, and the package's names move."""

import ast
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = sorted([*(ROOT / "benchmarks").rglob("*.py"), *(ROOT / "tools").rglob("*.py")])


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


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_what_a_script_imports_is_there(script: Path) -> None:
    assert missing(script.read_text(encoding="utf-8")) == []


def test_control_a_name_that_is_gone_is_found() -> None:
    assert missing("from windlass.store.store import Store, Cupboard\n") == ["windlass.store.store: Cupboard"]
