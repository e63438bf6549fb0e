"""On real data, explanations are faithful: the benchmark's own figures, on fewer rows. What it committed is checked."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"
CASES = [
    "phrasebank, linear, exact",
    "phrasebank, linear, occlusion",
    "shopping (Chinese), linear, exact",
    "shopping (Chinese), linear, occlusion",
    "mnist, linear, exact",
    "mnist, linear, occlusion",
    "german credit, linear, exact",
    "german credit, trees, TreeSHAP",
    "german credit, trees, occlusion",
]


@pytest.fixture(scope="module")
def benchmark():
    path = ROOT / "benchmarks" / "explaining.py"
    spec = importlib.util.spec_from_file_location("explaining", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["explaining"] = module  # its records look themselves up
    spec.loader.exec_module(module)
    return module


def test_every_committed_figure_beats_random_weights_by_three_standard_errors():
    found = json.loads((ROOT / "benchmarks" / "results" / "explaining.json").read_text(encoding="utf-8"))
    assert set(CASES) <= set(found)
    for name, figures in found.items():
        for curve in ("deletion", "insertion"):
            assert figures[curve]["gain_in_standard_errors"] >= 3, (name, curve)


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="the real data sets are not beside the project")
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.soak] if name.startswith("mnist") else []) for name in CASES]
)
def test_parts_that_weigh_more_matter_more_on_real_data(name, benchmark, tmp_path_factory):
    work = tmp_path_factory.getbasetemp() / "explained"
    found = benchmark.measured(benchmark.CASES[name], DATA, work, 20)
    assert found["deletion"]["gain_in_standard_errors"] >= 3
    assert found["insertion"]["gain_in_standard_errors"] >= 3
