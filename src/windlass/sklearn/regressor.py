"""The scikit-learn face of numbers: a regressor over tables and texts, made of the product's own parts."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from sklearn.base import RegressorMixin
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted

from windlass.errors import DataError
from windlass.outputs.numbers.measures import estimator
from windlass.outputs.numbers.split import deciles
from windlass.sklearn.estimator import ProductEstimator
from windlass.sklearn.estimator_input import ROOT, InputError, counted, numbers, read


class Regressor(RegressorMixin, ProductEstimator):
    """Tells the number that a row of `X` has, by the cheapest learner that does it best.

    X is as `Classifier` takes it: a table or texts; values may be missing.

    Args:
        learner: `"auto"`, or one of the learners: "linear", "trees", "mean" ... "auto" takes the best on rows that it
            cuts from X for validation, of equals the cheapest; with a number in `goal`, the cheapest that meets it.
        kinds: column -> kind where the guess is wrong, or one kind for all. None: guessed from the values.
        minutes: the training budget. A seed gives the same model as long as the minutes are not used up.
        goal: the metric that decides, such as "rmse" or "mae <= 3".

    Attributes:
        n_features_in_, feature_names_in_: as in scikit-learn.
        learner_: the one that was taken.
        validation_: learner -> goal metric on the validation rows, None where there were none.
        kinds_: column -> kind, of what was learnt from.
        left_out_: column -> why nothing was learnt from it.
        not_trained_: learner -> why "auto" could not try it.
        artifact_: file name -> its bytes.

    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> Regressor(learner="linear").fit(X, y).predict(X[:2]).shape
    (2,)
    """

    answers = "number"

    def __init__(
        self,
        learner: str = "auto",
        kinds: Mapping[str, str] | str | None = None,
        minutes: float = 1.0,
        seed: int = 13,
        goal: str = "rmse",
    ) -> None:
        self.learner = learner
        self.kinds = kinds
        self.minutes = minutes
        self.seed = seed
        self.goal = goal

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "Regressor":
        """Learns from n rows and their n numbers. sample_weight: (n,) how much each row counts; none given: the same.

        Raises: SpecError: a parameter is wrong. InputError, which is a ValueError: X, y or sample_weight is.
            NotReady: the learner is not installed, or the minutes are too few.
        """
        table, right = read(self, X, reset=True), numbers(y, type(self).__name__)
        check_consistent_length(next(iter(table.columns.values())), right)
        table, right, weights = counted(table, right, sample_weight)
        if len(right) < 2:
            raise InputError("X has 1 sample that counts, expected at least two to learn from")
        self._learn(table, pl.Series(getattr(y, "name", None) or "number", right), weights)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The number of each row (n,) float64. Raises: InputError: a column is missing or a value cannot be read."""
        check_is_fitted(self)
        try:
            return estimator(self._predictor()).values(self._rows(X), ROOT)
        except DataError as error:
            raise InputError(error.message, error.hint) from None

    def predict_interval(self, X: Any) -> np.ndarray:
        """(n, 2) float64: between which two the right number lies, for nine rows of ten (split conformal prediction);
        infinite where fewer than nine validation rows told how far it may lie. Raises: as `predict`."""
        check_is_fitted(self)
        rows = self._rows(X)
        try:
            found = estimator(self._predictor()).ends(rows, ROOT)
        except DataError as error:
            raise InputError(error.message, error.hint) from None
        return np.tile([-np.inf, np.inf], (len(rows), 1)) if found is None else found

    def _strata(self, rows: pl.DataFrame, output: str) -> pl.Series:
        return deciles(rows[output])
