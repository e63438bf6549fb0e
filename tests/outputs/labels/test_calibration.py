"""What validation rows say of a model: calibrated by rows that are not the ones that are scored."""

import numpy as np

from windlass.outputs.labels.calibration import calibrated, cross_calibrated, folds
from windlass.records import Column, Manifest


def test_a_calibration_does_not_make_the_rows_look_good_that_it_was_fitted_on():
    """A weak and lopsided model of 20 labels, 150 validation rows: the shift of each label is worth its accuracy on
    10,000 new rows; the rows that it was fitted on (the control) promise more, by the other folds no more."""
    output = Column("label", "category", {"labels": [str(label) for label in range(20)], "counts": [1] * 20})
    fitted, honest, new = [], [], []
    for seed in range(6):
        random = np.random.default_rng(seed)
        truth = random.integers(0, 20, 10_150)
        logits = random.standard_normal((10_150, 20)) + random.standard_normal(20)
        logits[np.arange(10_150), truth] += 1.5
        first, rest = slice(0, 150), slice(150, None)
        made = calibrated(Manifest("", "", (), output), truth[first], logits[first])
        fitted.append(right(made.calibrated(logits[first]), truth[first]))
        honest.append(right(cross_calibrated(output, truth[first], logits[first]), truth[first]))
        new.append(right(made.calibrated(logits[rest]), truth[rest]))
    error = np.sqrt(0.36 * 0.64 / 900)
    assert np.mean(fitted) > np.mean(new) + 2 * error
    assert abs(np.mean(honest) - np.mean(new)) < 2 * error


def right(logits, truth):
    return (logits.argmax(axis=1) == truth).mean()


def test_each_row_is_calibrated_by_the_other_folds_alone():
    """Another label of a row changes what is said of other folds, not of its own."""
    random = np.random.default_rng(0)
    output = Column("label", "category", {"labels": ["no", "yes"], "counts": [1, 1]})
    truth, logits = random.integers(0, 2, 50), random.standard_normal((50, 2))
    logits[7] = np.nan
    other, mine = truth.copy(), folds(50) == folds(50)[3]
    other[3] = 1 - truth[3]
    first, second = (cross_calibrated(output, each, logits) for each in (truth, other))
    assert np.array_equal(first[mine], second[mine], equal_nan=True)
    reached = ~mine & np.isfinite(logits).all(axis=1)
    assert (first[reached] != second[reached]).all()
    assert np.isnan(first[7]).all()
