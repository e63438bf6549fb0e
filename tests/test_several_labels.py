"""The scikit-learn face where rows have several labels: answers come in the form of y."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import f1_score

from windlass import Classifier
from windlass.errors import SpecError
from windlass.sklearn.estimator_input import InputError


def rows_of(n_rows=240, seed=5):
    """(n, 3) numbers, and three labels that each follow from them."""
    X = np.random.default_rng(seed).normal(size=(n_rows, 3))
    return X, np.stack([X[:, 0] > 0, X[:, 1] > 0.5, X[:, 0] + X[:, 2] > 1], axis=1).astype(int)


def test_an_indicator_matrix_is_answered_with_one():
    X, y = rows_of()
    found = Classifier(learner="linear").fit(X[:200], y[:200])
    said, shares = found.predict(X[200:]), found.predict_proba(X[200:])
    assert said.shape == shares.shape == (40, 3)
    assert said.dtype == np.int64
    assert f1_score(y[200:], said, average="micro") > 0.85
    assert found.classes_.tolist() == ["0", "1", "2"]
    assert (
        np.abs(
            Classifier(learner="linear").fit(X[:200], sparse.csr_matrix(y[:200])).predict(X) - found.predict(X)
        ).sum()
        == 0
    )


def test_lists_of_labels_are_answered_with_lists():
    X, y = rows_of()
    names = np.array(["a", "b", "c"])
    found = Classifier(learner="linear", goal="map").fit(X[:200], [names[row > 0].tolist() for row in y[:200]])
    said = found.predict(X[200:])
    assert isinstance(said, list)
    assert {label for row in said for label in row} <= {"a", "b", "c"}
    right = np.array([[name in row for name in names] for row in said])
    assert f1_score(y[200:], right, average="micro") > 0.85


def test_a_column_that_no_row_has_is_never_said():
    X, y = rows_of()
    found = Classifier(learner="linear").fit(X, np.concatenate([y, np.zeros((len(y), 1), int)], axis=1))
    assert found.predict(X).shape == (240, 4)
    assert found.predict_proba(X)[:, 3].max() == 0


def test_what_is_no_set_of_labels_is_refused():
    X, y = rows_of(40)
    with pytest.raises(InputError, match="other numbers than 0 and 1"):
        Classifier().fit(X, y * 2)
    with pytest.raises(InputError, match="no label in any row"):
        Classifier().fit(X, [[]] * 40)
    with pytest.raises(SpecError, match="roc_auc"):
        Classifier(goal="roc_auc").fit(X, y)
