"""Whatever a table holds, `init`, `collect` and `prepare` read it or refuse it in words."""

import importlib.util
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def _loaded():
    sys.path.insert(0, str(BENCHMARKS))
    try:
        spec = importlib.util.spec_from_file_location("fuzz_tables", BENCHMARKS / "fuzz_tables.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["fuzz_tables"] = module
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(BENCHMARKS))


fuzz = _loaded()


@settings(max_examples=100, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(fuzz.tables())
def test_no_table_ends_in_a_traceback(table):
    assert fuzz.survives(table) in ("prepared", "DataError", "SpecError", "NotReady")


def test_the_fuzz_sees_a_traceback():
    """The control: a reader that stumbles over a stray word, as `init` did."""
    rows = tuple((str(number % 23), "ab"[number % 2]) for number in range(30))
    table = fuzz.Dirty(("x", "label"), (*rows, ("unknown", "a")), "csv", False, b"")
    assert fuzz.survives(table) == "prepared"

    def stumbles(path, folder, output):
        for line in path.read_text(encoding="utf-8").splitlines()[1:]:
            float(line.partition(",")[0])

    with pytest.raises(ValueError, match="unknown"):
        fuzz.survives(table, stumbles)
