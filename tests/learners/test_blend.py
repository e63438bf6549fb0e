"""The blend of trained candidates: chosen on validation rows, answered through one artifact, proven like any other."""

import json
import shutil
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from windlass.errors import NotReady
from windlass.learners.classic import blend, linear
from windlass.learners.contract import Budget, Options
from windlass.learners.rows import targets
from windlass.metrics.measures import accuracy, log_loss, macro_f1, softmax
from windlass.outputs.labels.calibration import calibrated, cross_calibrated, folds, held_out
from windlass.outputs.labels.measures import fit_output
from windlass.predictors import table as predictors
from windlass.predictors.artifact import keep_validation
from windlass.records import Column, Manifest, Splits, silent


def noisy(n_rows, seed):
    """Rows of 20 weak words each, of which most hint at the label."""
    random = np.random.default_rng(seed)
    labels = random.choice(["a", "b", "c"], n_rows)
    texts = [" ".join(f"{random.choice([label, *'abc'])}{random.integers(40)}" for _ in range(6)) for label in labels]
    return pl.DataFrame({"text": texts, "label": labels})


@pytest.fixture
def splits(tmp_path):
    rows = noisy(2_600, 0)
    return Splits({"text": "text"}, {"label": "category"}, rows[:1_600], rows[1_600:2_000], rows[2_000:], tmp_path)


def run(splits, folder, rows):
    folder.mkdir()
    linear.fit(replace(splits, train=rows), Options(folder), Budget(60), silent)
    return folder


def fitted(splits, tmp_path, runs):
    (tmp_path / "blend").mkdir()
    return blend.fit(splits, Options(tmp_path / "blend", runs=runs), Budget(60), silent)


def test_two_that_err_differently_are_better_together_and_answer_as_they_were_measured(splits, tmp_path):
    runs = {
        "first": run(splits, tmp_path / "first", splits.train[:800]),
        "second": run(splits, tmp_path / "second", splits.train[800:]),
    }
    result = fitted(splits, tmp_path, runs)
    together = predictors.load(result.artifact)
    assert predictors.replay(together, result.artifact) < 1e-5
    rows, truth = splits.test.to_dicts(), targets(fit_output(splits), splits.test)
    alone = [log_loss(truth, predictors.load(folder / "artifact").probabilities(rows)) for folder in runs.values()]
    assert log_loss(truth, together.probabilities(rows)) < min(alone)
    weights = together.manifest.settings["weights"]
    assert sum(weights) == pytest.approx(1)


def test_rows_that_a_member_did_not_reach_in_time_judge_nothing(splits, tmp_path):
    """A member that answered 390 of 400 validation rows: whatever the other says of the last ten changes nothing."""
    runs = {
        "first": run(splits, tmp_path / "first", splits.train[:800]),
        "second": run(splits, tmp_path / "second", splits.train[800:]),
    }
    judged = {name: held_out(folder, splits) for name, folder in runs.items()}
    judged["second"][390:] = np.nan
    found = []
    for last in (judged["first"][390:], np.full((10, 3), 9.0)):
        judged["first"][390:] = last
        for name, folder in runs.items():
            keep_validation(folder, calibrated=judged[name])
        shutil.rmtree(tmp_path / "blend", ignore_errors=True)
        result = fitted(splits, tmp_path, runs)
        weights = predictors.load(result.artifact).manifest.settings["weights"]
        found.append([result.validation, weights, held_out(tmp_path / "blend", splits).tobytes()])
    assert found[0] == found[1]
    kept = held_out(tmp_path / "blend", splits)
    assert np.isnan(kept[390:]).all()
    assert np.isfinite(kept[:390]).all()


def test_a_twin_adds_nothing_and_no_blend_is_made(splits, tmp_path):
    only = run(splits, tmp_path / "only", splits.train)
    with pytest.raises(NotReady, match="no blend is better"):
        fitted(splits, tmp_path, {"one": only, "twin": only})


def test_one_candidate_is_not_enough(splits, tmp_path):
    with pytest.raises(NotReady, match="two trained candidates"):
        fitted(splits, tmp_path, {"one": run(splits, tmp_path / "one", splits.train)})


def test_few_validation_rows_make_no_blend(splits, tmp_path):
    few = replace(splits, validation=splits.validation[:9])
    runs = {name: run(few, tmp_path / name, few.train[:200]) for name in ("one", "other")}
    with pytest.raises(NotReady, match="10 validation rows"):
        fitted(few, tmp_path, runs)


NOISE = Column("label", "category", {"labels": ["no", "yes"], "counts": [1, 1]})


def in_sample(truth, logits):
    """Probabilities calibrated on the very rows that they are of."""
    return softmax(calibrated(Manifest("", "", (), NOISE), truth, logits).calibrated(logits))


def is_worth_it(truth, blended, shares):
    return log_loss(truth, blended) < min(log_loss(truth, share) for share in shares.values()) * (1 - blend.LEAST_GAIN)


def test_a_blend_of_pure_noise_does_not_look_better_than_its_members():
    """Eight candidates that guess on 60 rows, ten times. Scored on the rows that it was picked on, as it used to be
    (the control), their blend nearly always gains the one per cent that it takes; fold by fold it rarely does."""
    before, now, scores = 0, 0, []
    for seed in range(10):
        random = np.random.default_rng(seed)
        truth, fold_of = random.integers(0, 2, 60), folds(60)
        logits = {f"guess {number}": random.standard_normal((60, 2)) for number in range(8)}
        shares = {name: in_sample(truth, each) for name, each in logits.items()}
        looked = in_sample(truth, np.log(blend._mean(shares, blend.picked(shares, truth))))
        before += is_worth_it(truth, looked, shares)
        shares = {name: softmax(cross_calibrated(NOISE, truth, each)) for name, each in logits.items()}
        judged = softmax(blend.cross_fitted(shares, truth, fold_of, NOISE))
        now += is_worth_it(truth, judged, shares)
        scores.append([accuracy(truth, looked), accuracy(truth, judged)])
    assert before >= 7
    assert now <= 1
    fitted, honest = np.mean(scores, axis=0)
    assert fitted > 0.55  # the control: a guess is right in half of all rows
    assert abs(honest - 0.5) < 0.062  # three standard errors of 600 rows


def test_the_score_of_a_blend_is_that_of_its_folds_and_is_not_calibrated_twice(splits, tmp_path):
    runs = {
        "first": run(splits, tmp_path / "first", splits.train[:800]),
        "second": run(splits, tmp_path / "second", splits.train[800:]),
    }
    result = fitted(splits, tmp_path, runs)
    truth, folder = targets(fit_output(splits), splits.validation), tmp_path / "blend"
    shares = {name: softmax(held_out(each, splits)) for name, each in runs.items()}
    judged = blend.cross_fitted(shares, truth, folds(len(truth)), fit_output(splits))
    assert held_out(folder, splits) == pytest.approx(judged, abs=1e-4)
    assert result.validation == macro_f1(truth, softmax(judged))


def measured(n_rows, seed):
    """Twenty numbers a row, of which some tell each of three tags."""
    random = np.random.default_rng(seed)
    numbers = random.standard_normal((n_rows, 20))
    held = numbers @ random.standard_normal((20, 3)) + 2 * random.standard_normal((n_rows, 3)) > 0
    tags = [json.dumps([tag for tag, is_held in zip("abc", row, strict=True) if is_held]) for row in held]
    return pl.DataFrame({**{f"n{place}": numbers[:, place] for place in range(20)}, "tags": tags})


@pytest.fixture
def tagged(tmp_path):
    rows, inputs = measured(620, 0), {f"n{place}": "number" for place in range(20)}
    return Splits(inputs, {"tags": "tags"}, rows[:120], rows[120:320], rows[320:], tmp_path)


def test_tags_are_blended_by_the_mean_of_their_probabilities(tagged, tmp_path):
    """The right value is reckoned here: the mean of what both say of each tag, through the calibration that is kept."""
    runs = {
        "first": run(tagged, tmp_path / "first", tagged.train[:60]),
        "second": run(tagged, tmp_path / "second", tagged.train[60:]),
    }
    (tmp_path / "blend").mkdir()
    result = blend.fit_any(tagged, Options(tmp_path / "blend", "micro_f1", runs=runs), Budget(60), silent)
    together, rows = predictors.load(result.artifact), tagged.test.to_dicts()
    assert predictors.replay(together, result.artifact) < 1e-5
    weights = together.manifest.settings["weights"]
    members = together.manifest.settings["members"]
    alone = {name: predictors.load(folder / "artifact").probabilities(rows) for name, folder in runs.items()}
    mean = sum(weight * alone[name] for weight, name in zip(weights, members, strict=True))
    odds = np.log(mean / (1 - mean)) / together.manifest.temperature + np.array(together.manifest.shift)
    assert together.probabilities(rows) == pytest.approx(1 / (1 + np.exp(-odds)), abs=1e-6)
