"""Explanations are faithful: the benchmark's own figures, on fewer rows; on a blueprint's data in every run."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from windlass.blueprints import catalogue
from windlass.outputs.contract import Why
from windlass.outputs.table import explain

ROOT = Path(__file__).resolve().parent.parent
DESK = catalogue.HOME / "support-desk" / "data"
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


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("explained")


@pytest.mark.slow
@pytest.mark.parametrize("is_opaque", [False, True], ids=["exact", "occlusion"])
def test_parts_that_weigh_more_matter_more(benchmark, work, is_opaque):
    """By three standard errors, against random weights of the same row."""
    found = benchmark.measured(benchmark.Case("tickets.csv", "linear", is_opaque), DESK, work, 20)
    assert (found["method"] == "occlusion") is is_opaque
    assert found["deletion"]["gain_in_standard_errors"] >= 3
    assert found["insertion"]["gain_in_standard_errors"] >= 3


@pytest.mark.slow
def test_weights_of_the_wrong_sign_are_worse_than_random_ones(benchmark, work):
    """Control: the curves tell faithful weights from others."""
    predictor, test = benchmark.trained(benchmark.Case("tickets.csv", "linear"), DESK, work)
    chance, gains = np.random.default_rng(13), []
    for row in test.head(20).to_dicts():
        found = explain(predictor, [row], Why(Path("/")))[0]
        weights = np.array([part.weight for part in found.parts])
        (wrong, _), (usual, _) = (
            benchmark.curves(predictor, row, found, each) for each in (-weights, chance.normal(size=len(weights)))
        )
        gains.append(usual - wrong)
    assert np.mean(gains) < 0


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
