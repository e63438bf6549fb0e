"""What is measured of tags, beside scikit-learn; and how tags are split, calibrated and decided."""

import math

import numpy as np
import polars as pl
import pytest
from sklearn import metrics

from windlass.metrics.measures import bootstrap
from windlass.metrics.tags import (
    HAMMING,
    MACRO_F1,
    MAP,
    MICRO_F1,
    NEARNESS,
    SUBSET_ACCURACY,
    TAG_METRICS,
    TagMarks,
    best_thresholds,
)
from windlass.outputs.splitting import Cleaning
from windlass.outputs.tags import split
from windlass.outputs.tags.calibration import calibrated, whole
from windlass.records import Column, Manifest
from windlass.spec import from_values


def marks_of(n_rows=300, n_tags=6, seed=3):
    """Probabilities with ties, of tags of which the last is in no row."""
    random = np.random.default_rng(seed)
    odds = random.normal(-1, 2, (n_rows, n_tags))
    targets = random.random(odds.shape) < 1 / (1 + np.exp(-odds))
    targets[:, -1] = False
    shares = np.round(1 / (1 + np.exp(-odds - random.normal(0, 1, odds.shape))), 2)
    return TagMarks(targets, shares, np.array([0.5, 0.3, 0.5, 0.7, 0.5, 2.0]), tuple("abcdef"))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_they_are_what_scikit_learn_gives(seed):
    """F1 and precision of tags that occur: where one neither is right nor said, scikit-learn would count a 0."""
    marks = marks_of(seed=seed)
    truth, said, shares = marks.targets, marks.answers, marks.probabilities
    seen = truth.any(axis=0) | said.any(axis=0)
    assert not seen[-1]
    assert marks.value(MICRO_F1) == pytest.approx(metrics.f1_score(truth, said, average="micro"))
    assert marks.value(MACRO_F1) == pytest.approx(metrics.f1_score(truth[:, seen], said[:, seen], average="macro"))
    there = truth.any(axis=0)
    wanted = metrics.average_precision_score(truth[:, there], shares[:, there], average="macro")
    assert marks.value(MAP) == pytest.approx(wanted)
    assert marks.value(SUBSET_ACCURACY) == pytest.approx(metrics.accuracy_score(truth, said))
    assert marks.value(HAMMING) == pytest.approx(metrics.hamming_loss(truth, said))
    assert marks.value(NEARNESS) == pytest.approx(1 - marks.value(HAMMING))


@pytest.mark.parametrize("metric", TAG_METRICS)
def test_resampled_rows_count_as_often_as_they_are_named(metric):
    marks, rows = marks_of(), np.random.default_rng(1).integers(0, 300, 300)
    again = TagMarks(marks.targets[rows], marks.probabilities[rows], marks.thresholds, marks.labels)
    assert marks.value(metric, rows) == pytest.approx(again.value(metric))
    found = bootstrap(marks, metric, n_resamples=50)
    assert found.low <= found.value <= found.high


def test_where_nothing_is_right_and_nothing_said_all_is_right():
    nothing = TagMarks(np.zeros((4, 2), bool), np.zeros((4, 2)), np.full(2, 0.5), ("a", "b"))
    assert [nothing.value(name) for name in (MICRO_F1, MACRO_F1, SUBSET_ACCURACY, HAMMING)] == [1, 1, 1, 0]
    assert math.isnan(nothing.value(MAP))
    assert nothing.row_f1.tolist() == [1, 1, 1, 1]
    assert nothing.exact(MICRO_F1).low < 0.6
    assert nothing.exact(HAMMING).high > 0.4


def test_thresholds_are_half_of_the_best_f1():
    """Lipton et al.: of calibrated probabilities the best threshold is half of the F1 that is reached with it."""
    random = np.random.default_rng(5)
    shares = random.beta(0.4, 1.6, (20_000, 2))
    targets = random.random(shares.shape) < shares
    for metric in (MICRO_F1, MACRO_F1):
        found = best_thresholds(metric, targets, shares)
        reached = TagMarks(targets, shares, found, ("a", "b")).value(metric)
        assert found == pytest.approx(reached / 2, abs=0.03)
        usual = TagMarks(targets, shares, np.full(2, 0.5), ("a", "b")).value(metric)
        assert reached > usual + 0.02
    assert best_thresholds(HAMMING, targets, shares).tolist() == [0.5, 0.5]


def test_log_odds_that_are_too_sure_are_calibrated():
    random = np.random.default_rng(7)
    odds = random.normal(-1, 2, (2_000, 3))
    targets = (random.random(odds.shape) < 1 / (1 + np.exp(-odds))).astype(np.float32)
    plain = Manifest("", "", (), Column("t", "tags", {"labels": ["a", "b", "c"]}))
    made = calibrated(plain, targets, 3 * odds + np.array([1.0, 0.0, -1.0]))
    assert made.temperature == pytest.approx(3, rel=0.1)
    assert made.shift == pytest.approx([-1 / 3, 0, 1 / 3], abs=0.15)
    shares = 1 / (1 + np.exp(-odds))
    slope, shift = whole({"labels": ["a", "b", "c"]}, targets, shares)
    assert (slope, shift) == (pytest.approx(1, abs=0.2), pytest.approx(0, abs=0.2))
    assert calibrated(plain, targets[:5], odds[:5]) == plain


def rows_of(n_rows=400, n_rare=10):
    """Two common tags, and one that is on a few rows alone."""
    kept = ['["a", "b"]', '["a"]', "[]", '["b"]']
    said = ['["a", "rare"]' if number < n_rare else kept[number % 4] for number in range(n_rows)]
    return pl.DataFrame({"x": [f"row {number}" for number in range(n_rows)], "t": said, "_split": [""] * n_rows})


SPEC = from_values({"name": "x", "data": "x.csv", "inputs": {"x": "text"}, "output": {"t": "tags"}}, "x")


def test_rare_tags_come_into_each_part():
    for seed in range(5):
        made = split.split(rows_of(), SPEC, Cleaning(), np.random.default_rng(seed))
        counts = split.counts(made, "t")
        assert [counts[name]["rare"] for name in ("train", "validation", "test")] == [6, 2, 2]
        assert sum(map(len, made.values())) == 400


def test_rare_and_unseen_tags_are_said():
    rows, cleaning = rows_of(n_rare=3), Cleaning()
    rows = rows.with_columns(pl.Series("_split", ["test" if number == 1 else "" for number in range(400)]))
    rows[1, "t"] = '["never"]'
    split.split(rows, SPEC, cleaning, np.random.default_rng(1))
    said = " ".join(cleaning.warnings)
    assert "1 tags have fewer than 5 train rows and are hardly learnt or measured: 'rare'" in said
    assert "1 tags of test rows occur in no train row, so that they are always missed: 'never'" in said
