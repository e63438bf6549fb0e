"""The scikit-learn face: a classifier over tables and texts, made of the product's learners and predictors.

Source: the estimator contract, https://scikit-learn.org/stable/developers/develop.html
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from sklearn.base import ClassifierMixin
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted

from windlass.errors import DataError, SpecError, did_you_mean, expected
from windlass.goals import Goal
from windlass.kinds import category, tags
from windlass.metrics.measures import BINARY_ONLY, METRICS, answered
from windlass.metrics.tags import MICRO_F1
from windlass.outputs.labels.measures import labeller
from windlass.outputs.tags.measures import tagger
from windlass.sklearn.estimator import ProductEstimator
from windlass.sklearn.estimator_input import ROOT, InputError, Table, counted, names_of, read, targets
from windlass.sklearn.several_labels import SeveralLabels, as_given, several_labels, strata


class Classifier(ClassifierMixin, ProductEstimator):
    """Tells which of the labels of `y` a row of `X` has, by the cheapest learner that does it best.

    X is a table (2-D array, pandas or polars frame; columns by name, in any order) or texts (a list, 1-D
    array or series of strings). Numbers, categories, dates and text may stand side by side.
    Values may be missing.

    Args:
        learner: `"auto"`, or one of the learners: "linear", "trees", "cnn" ... "auto" takes the best on rows that it
            cuts from X for validation, of equals the cheapest; with a number in `goal`, the cheapest that meets it.
        kinds: column -> kind where the guess is wrong, or one kind for all. None: guessed from the values.
        minutes: the training budget. A seed gives the same model as long as the minutes are not used up.
        goal: the metric that decides, such as "macro_f1" or "accuracy >= 0.9"; of several labels a row such as
            "macro_f1" or "map", where "accuracy" stands for micro_f1.

    Attributes:
        classes_, n_features_in_, feature_names_in_: as in scikit-learn.
        learner_: the one that was taken.
        validation_: learner -> goal metric on the validation rows, None where there were none.
        kinds_: column -> kind, of what was learnt from.
        left_out_: column -> why nothing was learnt from it.
        not_trained_: learner -> why "auto" could not try it.
        artifact_: file name -> its bytes.

    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> Classifier(learner="linear").fit(X, y).predict(X[:2])
    array([0, 0])
    """

    answers = "category"
    many = "tags"

    def __init__(
        self,
        learner: str = "auto",
        kinds: Mapping[str, str] | str | None = None,
        minutes: float = 1.0,
        seed: int = 13,
        goal: str = "accuracy",
    ) -> None:
        self.learner = learner
        self.kinds = kinds
        self.minutes = minutes
        self.seed = seed
        self.goal = goal

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "Classifier":
        """Learns from n rows and their labels: one each, or several as a matrix (n, k) of 0 and 1, or a list of lists.

        Answers have the same form, and probabilities (n, k), each label for itself. sample_weight: (n,) how much each
        row counts; none given: the same.

        Raises: SpecError: a parameter is wrong. InputError, which is a ValueError: X, y or sample_weight is.
            NotReady: the learner is not installed, or the minutes are too few.
        """
        several = several_labels(y)
        if several is not None:
            return self._fit_several(read(self, X, reset=True), several, sample_weight)
        self.__dict__.pop("is_matrix_", None)
        table, labels = read(self, X, reset=True), targets(y, type(self).__name__)
        check_consistent_length(next(iter(table.columns.values())), labels)
        table, labels, weights = counted(table, labels, sample_weight)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise InputError(f"y has one class, {self.classes_.tolist()[0]!r}, expected at least two to tell apart")
        names = names_of(self.classes_)
        right = pl.Series(getattr(y, "name", None) or "label", [names[code] for code in codes], dtype=pl.String)
        self._learn(table, right, weights)
        return self

    def _fit_several(self, table: Table, several: SeveralLabels, sample_weight: Any) -> "Classifier":
        check_consistent_length(next(iter(table.columns.values())), several.rows)
        table, places, weights = counted(table, np.arange(len(several.rows)), sample_weight)
        self.classes_, self.is_matrix_ = several.classes, several.is_matrix
        self._learn(table, replace(several, rows=several.rows[places]).as_column("labels"), weights)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Calibrated probabilities (n, k), columns in the order of `classes_`, rows summing to one; of several labels a
        row each for itself, and 0 for one that no row had.

        Raises: InputError: a column is missing or a value cannot be read.
        """
        check_is_fitted(self)
        if self._has_several:
            return self._several(X)[0]
        predictor = labeller(self._predictor())
        labels = predictor.manifest.output.state["labels"]
        order = [labels.index(name) for name in names_of(self.classes_)]
        try:
            return predictor.probabilities(self._rows(X), ROOT)[:, order]
        except DataError as error:
            raise InputError(error.message, error.hint) from None

    def _several(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities, and what is said, (n, k) each."""
        predictor, names = tagger(self._predictor()), names_of(self.classes_)
        place = {label: number for number, label in enumerate(predictor.labels)}
        known = np.array([name in place for name in names])
        columns = [place.get(name, 0) for name in names]
        try:
            found = predictor.probabilities(self._rows(X), ROOT)[:, columns] * known
        except DataError as error:
            raise InputError(error.message, error.hint) from None
        said = (found >= tags.thresholds(predictor.manifest.output.state)[columns]) & known
        return found, said

    def _label_named(self, label: Any) -> str:
        known = self.classes_.tolist()
        if label is not None and label not in known:
            raise InputError(
                f"label is {label!r}, expected {expected(known)}", did_you_mean(str(label), map(str, known))
            )
        return "" if label is None else names_of(self.classes_)[known.index(label)]

    @property
    def _has_several(self) -> bool:
        return hasattr(self, "is_matrix_")

    @property
    def _output_kind(self) -> str:
        return self.many if self._has_several else self.answers

    @property
    def _goal(self) -> str:
        return MICRO_F1 if self._has_several and self.goal == "accuracy" else self.goal

    def _strata(self, rows: pl.DataFrame, output: str) -> pl.Series:
        return strata(rows[output].to_list()) if self._has_several else super()._strata(rows, output)

    def predict(self, X: Any) -> Any:
        """The likeliest of `classes_` for each row (n,), or of two what the goal is best with, see `goal`; of several
        labels a row those that are said, in the form of y.

        Raises: as `predict_proba`.
        """
        check_is_fitted(self)
        if self._has_several:
            return as_given(self._several(X)[1], self.classes_, self.is_matrix_)
        predictor = labeller(self._predictor())
        found = category.threshold(predictor.manifest.output.state)
        if found is not None:
            found = replace(found, place=names_of(self.classes_).index(predictor.labels[found.place]))
        return self.classes_[answered(self.predict_proba(X), found)]

    def _check_goal(self, goal: Goal) -> None:
        if goal.metric in BINARY_ONLY and len(self.classes_) > 2:
            raise SpecError(
                f"goal is '{self.goal}' with {len(self.classes_)} classes, "
                f"expected {expected(name for name in METRICS if name not in BINARY_ONLY)}"
            )
