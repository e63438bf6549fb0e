import numpy as np
import pytest

from tests.learners.series import weeks
from windlass.errors import DataError, NotReady
from windlass.learners.contract import Budget, Options
from windlass.learners.series import average, naive, nlinear
from windlass.learners.series import questions as rows
from windlass.predictors.artifact import LOGITS, keep_validation, read_validation
from windlass.predictors.table import load, replay

BUDGET = Budget(20)


def quiet(*told):
    return None


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two candidates whose mistakes cancel: one foresees as much too high as the other is too low."""
    folder = tmp_path_factory.mktemp("runs")
    splits = weeks.splits(folder)
    found = {"high": folder / "high", "low": folder / "low"}
    questions = rows.read(splits)
    wave = 5 * np.sign(np.sin(np.arange(questions.truth.size))).reshape(questions.truth.shape)
    for name, path in found.items():
        naive.fit_seasonal(splits, Options(path, "mae"), BUDGET, quiet)
        keep_validation(path, **{LOGITS: questions.truth + (wave if name == "high" else -wave)})
    return splits, found


def test_mistakes_that_cancel_are_averaged_out(runs, tmp_path):
    splits, found = runs
    made = average.fit(splits, Options(tmp_path, "mae", runs=found), BUDGET, quiet)
    assert made.validation == pytest.approx(0, abs=1e-4)
    assert load(made.artifact).manifest.settings == {"weights": [0.5, 0.5], "members": ["high", "low"]}


def test_it_answers_with_the_mean_of_its_parts(runs, tmp_path):
    splits, found = runs
    nlinear.fit(splits, Options(tmp_path / "other", "mae"), BUDGET, quiet)
    other = tmp_path / "other"
    keep_validation(other, **{LOGITS: read_validation(found["low"])[LOGITS]})
    both = {"high": found["high"], "other": other}
    made = average.fit(splits, Options(tmp_path, "mae", runs=both), BUDGET, quiet)
    predictor, told = load(made.artifact), splits.test.to_dicts()
    parts = [load(folder / "artifact").outlook(told).points for folder in both.values()]
    assert predictor.outlook(told).points == pytest.approx((parts[0] + parts[1]) / 2)
    assert replay(predictor, made.artifact) < 1e-6


def test_one_that_is_no_better_than_its_best_member_is_not_made(runs, tmp_path):
    splits, found = runs
    with pytest.raises(NotReady, match="no average is better"):
        average.fit(splits, Options(tmp_path, "mae", runs={"a": found["high"], "b": found["high"]}), BUDGET, quiet)
    with pytest.raises(NotReady, match="two trained candidates"):
        average.fit(splits, Options(tmp_path, "mae", runs={"a": found["high"]}), BUDGET, quiet)


def test_weights_are_picked_by_what_each_adds(runs):
    """Right less 1 and right plus 3: three parts of the one and one of the other."""
    questions = rows.read(runs[0])
    points = {"near": questions.truth - 1, "far": questions.truth + 3, "wild": questions.truth + 90}
    found = average.picked(questions, points, "mae")
    assert found == {"near": 0.75, "far": 0.25}


def test_a_part_that_is_asked_in_another_way_is_refused(runs, tmp_path):
    splits, found = runs
    made = average.fit(splits, Options(tmp_path, "mae", runs=found), BUDGET, quiet)
    part = made.artifact / "part-1" / "manifest.json"
    part.write_text(part.read_text().replace('"promo"', '"price"'))
    with pytest.raises(DataError, match="another way"):
        load(made.artifact)
