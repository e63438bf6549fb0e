import json

import numpy as np
import pytest

from tests.learners.series import weeks
from windlass.errors import DataError
from windlass.learners.contract import Budget, Options
from windlass.learners.series import lag_trees
from windlass.learners.series import questions as rows
from windlass.learners.series.effects import with_effects
from windlass.predictors.series.lag_features import LOG, Recipe
from windlass.predictors.table import load, replay


def quiet(*told):
    return None


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trees")
    splits = weeks.splits(folder)
    found = lag_trees.fit(splits, Options(folder, "wql"), Budget(9, steps=30), quiet)
    return splits, found, load(found.artifact)


def test_what_comes_is_foreseen_within_its_noise(fitted):
    splits, _, predictor = fitted
    told = splits.test.to_dicts()
    marks = predictor.marks(told, [row["sales"] for row in told])
    assert (np.abs(marks.residuals) / marks.targets).mean() < 0.03


def test_a_promotion_raises_what_is_foreseen_by_what_it_does(fitted):
    splits, _, predictor = fitted
    told = splits.test.to_dicts()
    means = [predictor.outlook([with_promo(row, value) for row in told]).points.mean() for value in (0, 1)]
    assert means[1] / means[0] == pytest.approx(weeks.PROMOTION, rel=0.03)


def with_promo(row, value):
    history = json.loads(row["history"])
    history["columns"]["promo"][-weeks.HORIZON :] = [value] * weeks.HORIZON
    return {**row, "history": json.dumps(history)}


def test_series_whose_effects_multiply_are_looked_at_as_logarithms(fitted):
    _, found, predictor = fitted
    assert predictor.manifest.settings["recipe"]["mode"] == LOG
    assert 0 < found.validation < 0.02


def test_what_is_served_is_what_was_trained(fitted):
    _, found, predictor = fitted
    assert replay(predictor, found.artifact) < 1e-6


def test_the_same_seed_gives_the_same_model(fitted, tmp_path):
    splits, found, _ = fitted
    again = lag_trees.fit(splits, Options(tmp_path, "wql"), Budget(9, steps=30), quiet)
    for name in ("model.txt", "manifest.json"):
        first, second = found.artifact / name, again.artifact / name
        assert first.exists() == second.exists()
        assert not first.exists() or first.read_text() == second.read_text()


def test_values_below_zero_are_looked_at_as_they_are(tmp_path):
    found = lag_trees.fit(weeks.splits(tmp_path, least=60), Options(tmp_path, "mse"), Budget(9, steps=30), quiet)
    predictor = load(found.artifact)
    assert predictor.manifest.settings["recipe"]["mode"] == "plain"
    assert predictor.outlook(weeks.splits(tmp_path, least=60).test.to_dicts()).points.min() < 0


def test_effects_are_those_of_the_law(tmp_path):
    """ln 1.5 = .405, whatever the week is like and however seldom a promotion is."""
    questions = rows.read(weeks.splits(tmp_path))
    recipe = Recipe(7, 7, (7,), (), mode=LOG)
    found = with_effects(recipe, questions.train, 3, 7)
    assert found.effects[0] == pytest.approx(np.log(1.5), abs=0.02)
    assert found.logged == (False,)


def test_a_damaged_recipe_is_refused(fitted, tmp_path):
    _, found, _ = fitted
    manifest = json.loads((found.artifact / "manifest.json").read_text())
    manifest["settings"]["recipe"]["base"]["level"] = 0
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="recipe"):
        load(tmp_path)


def test_other_covariates_than_the_effects_are_refused(fitted, tmp_path):
    _, found, _ = fitted
    text = (found.artifact / "manifest.json").read_text()
    (tmp_path / "manifest.json").write_text(json.dumps(json.loads(text)).replace('"known": ["promo"]', '"known": []'))
    with pytest.raises(DataError, match="1 effects"):
        load(tmp_path)


def test_a_series_without_a_past_gets_the_usual_level(fitted):
    _, _, predictor = fitted
    answer = predictor.answer([{"history": None, "shop": "a"}])[0]
    assert [step["value"] for step in answer.value] == pytest.approx([predictor.manifest.output.state["level"]] * 7)
