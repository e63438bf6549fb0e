"""The scikit-learn face: a classifier over tables and texts, made of the product's learners and predictors.

Source: the estimator contract, https://scikit-learn.org/stable/developers/develop.html
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import polars as pl
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import assert_all_finite, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from windlass.errors import DataError, NotReady, SpecError, did_you_mean, expected
from windlass.kinds import category
from windlass.kinds import table as kinds
from windlass.learners.table import LEARNERS
from windlass.metrics import BINARY_ONLY, METRICS
from windlass.predictors.artifact import MANIFEST
from windlass.predictors.contract import Labeller
from windlass.predictors.table import load_labeller, replay
from windlass.records import Run, Splits
from windlass.sources.guess import N_SAMPLE, Guess, kind_of
from windlass.spec import Spec, from_values, parse_goal
from windlass.stages.prepare import cut_validation
from windlass.stages.train import train
from windlass.store import Store, publish, write_json

AUTO_MINUTES = {"majority": 0, "linear": 0, "trees": 0, "frozen": 2, "pretrained": 10}
"""What `learner="auto"` tries, and from how many minutes on."""
BASELINE = "majority"
TEXT = "text"
ROOT = Path()


class InputError(DataError, ValueError):
    """X or y cannot be used; a ValueError too, which is what callers of scikit-learn expect."""


@dataclass(frozen=True)
class Table:
    """X as Python values: column -> n values, missing ones None or NaN; and the kinds that X's type tells."""

    columns: dict[str, list[Any]]
    kinds: dict[str, str]


class Classifier(ClassifierMixin, BaseEstimator):
    """Tells which of the labels of `y` a row of `X` has, by the cheapest learner that does it best.

    X is a table (2-D array, pandas or polars frame; columns by name, in any order) or texts (a list, 1-D
    array or series of strings). Numbers, categories, dates and text may stand side by side.
    Values may be missing.

    Args:
        learner: `"auto"`, or one of the learners: "linear", "trees", "cnn" ... "auto" takes the best on rows that it
            cuts from X for validation, of equals the cheapest; with a number in `goal`, the cheapest that meets it.
        kinds: column -> kind where the guess is wrong, or one kind for all. None: guessed from the values.
        minutes: the training budget. A seed gives the same model as long as the minutes are not used up.
        goal: the metric that decides, such as "macro_f1" or "accuracy >= 0.9".

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

    def fit(self, X: Any, y: Any) -> "Classifier":
        """Learns from n rows and their n labels.

        Raises: SpecError: a parameter is wrong. InputError, which is a ValueError: X or y is.
            NotReady: the learner is not installed, or the minutes are too few.
        """
        table = self._read(X, reset=True)
        targets = _targets(y, type(self).__name__)
        check_consistent_length(next(iter(table.columns.values())), targets)
        self.classes_, codes = np.unique(targets, return_inverse=True)
        if len(self.classes_) < 2:
            raise InputError(f"y has one class, {self.classes_.tolist()[0]!r}, expected at least two to tell apart")
        names = _names(self.classes_)
        self.kinds_, self.left_out_ = self._kinds(table)
        output = _free_name(getattr(y, "name", None), self.kinds_)
        spec = self._spec(output)
        inputs = [_series(name, kind, table.columns[name]) for name, kind in self.kinds_.items()]
        rows = pl.DataFrame([*inputs, pl.Series(output, [names[code] for code in codes], dtype=pl.String)])
        with tempfile.TemporaryDirectory(prefix="windlass-") as folder:
            self._train(spec, rows, Store(Path(folder)))
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Calibrated probabilities (n, k), rows summing to one, columns in the order of `classes_`.

        Raises: InputError: a column is missing or a value cannot be read.
        """
        check_is_fitted(self)
        columns = self._read(X, reset=False).columns
        for name in self.kinds_:
            if name not in columns:
                raise InputError(
                    f"X has no column '{name}', expected it; it has {expected(columns)}", did_you_mean(name, columns)
                )
        rows = [
            dict(zip(self.kinds_, values, strict=True))
            for values in zip(*(columns[name] for name in self.kinds_), strict=True)
        ]
        predictor = self._predictor()
        labels = predictor.manifest.output.state["labels"]
        order = [labels.index(name) for name in _names(self.classes_)]
        try:
            return predictor.probabilities(rows, ROOT)[:, order]
        except DataError as error:
            raise InputError(error.message, error.hint) from None

    def predict(self, X: Any) -> np.ndarray:
        """The likeliest of `classes_` for each row (n,). Raises: as `predict_proba`."""
        check_is_fitted(self)
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def save(self, folder: str | Path) -> Path:
        """Writes the artifact, which `windlass.load(folder)` opens; an artifact that is there is replaced.

        Raises: SpecError: the folder holds something else.
        """
        check_is_fitted(self)
        target = Path(folder)
        is_free = not target.exists() or (target.is_dir() and not any(target.iterdir()))
        if not is_free and not (target / MANIFEST).is_file():
            raise SpecError(f"{target} holds something else, expected a new or empty folder, or an artifact")
        publish(target, self._unpack)
        return target

    def __sklearn_tags__(self) -> Any:
        """Missing values are allowed. Strings are too, but the tag `string` means any object."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _read(self, X: Any, reset: bool) -> Table:
        """X as columns; sets `n_features_in_` and `feature_names_in_` with `reset`, else X must fit them."""
        texts = _texts(X)
        if texts is not None:
            if reset:
                self.n_features_in_ = 1
                self.__dict__.pop("feature_names_in_", None)
            return Table({TEXT: texts}, {TEXT: TEXT})
        if isinstance(X, pl.DataFrame) or (hasattr(X, "iloc") and getattr(X, "ndim", 0) == 2):
            return self._read_frame(X, reset)
        worded = _has_words(X)
        array = validate_data(
            self,
            X,
            reset=reset,
            dtype=None if worded else "numeric",
            ensure_all_finite=False if worded else "allow-nan",
        )
        names = getattr(self, "feature_names_in_", [f"x{place}" for place in range(array.shape[1])])
        columns = {str(name): _plain(array[:, place]) for place, name in enumerate(names)}
        return Table(columns, {} if worded else dict.fromkeys(columns, "number"))

    def _read_frame(self, X: Any, reset: bool) -> Table:
        labels = list(X.columns)
        if not all(X.shape) or len(set(labels)) < len(labels):
            raise InputError(
                f"X has shape {tuple(X.shape)} and columns {expected(labels)}, "
                "expected at least one row and one column, and each name once"
            )
        worded = all(isinstance(label, str) for label in labels)
        if reset or not (worded and hasattr(self, "feature_names_in_")):
            validate_data(self, X, reset=reset, skip_check_array=True)
            names = getattr(self, "feature_names_in_", [f"x{place}" for place in range(len(labels))])
        else:
            names = labels
        columns, told = {}, {}
        for place, name in enumerate(map(str, names)):
            column = X.to_series(place) if isinstance(X, pl.DataFrame) else X.iloc[:, place]
            columns[name] = _plain(column)
            if str(column.dtype).lower().startswith(("categor", "enum")):
                told[name] = "category"
        return Table(columns, told)

    def _kinds(self, table: Table) -> tuple[dict[str, str], dict[str, str]]:
        """Column -> kind of what can be learnt from, and column -> why not for the others."""
        given: Mapping[str, str] = self.kinds if isinstance(self.kinds, Mapping) else {}
        if isinstance(self.kinds, str):
            given = dict.fromkeys(table.columns, self.kinds)
        for name, kind in given.items():
            kinds.get(kind)
            if name not in table.columns:
                raise SpecError(
                    f"kinds names column '{name}', expected {expected(table.columns)}",
                    did_you_mean(str(name), table.columns),
                )
        guess, found = Guess("X", "X"), {}
        for name, values in table.columns.items():
            found[name] = (
                given.get(name)
                or table.kinds.get(name)
                or kind_of(name, values[:: max(1, len(values) // N_SAMPLE)], guess)
            )
        chosen = {name: kind for name, kind in found.items() if kind}
        if not chosen:
            reasons = ", ".join(f"'{name}': {why}" for name, why in list(guess.left_out.items())[:5])
            raise InputError(
                f"X has no column to learn from ({reasons}), expected at least one",
                "`kinds={column: kind}` takes a column in",
            )
        return chosen, guess.left_out

    def _spec(self, output: str) -> Spec:
        """The parameters as a `windlass.yaml` would say them. Raises: SpecError."""
        plain = {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in self.get_params(deep=False).items()
        }
        allowed = ["auto", *(name for name, learner in LEARNERS.items() if not learner.of_runs)]
        if plain["learner"] not in allowed:
            raise SpecError(
                f"learner is {plain['learner']!r}, expected {expected(allowed)}",
                did_you_mean(str(plain["learner"]), allowed),
            )
        learners = [plain["learner"]]
        if plain["learner"] == "auto":
            learners = [
                name
                for name, learner in LEARNERS.items()
                if learner.reads(self.kinds_, "category")
                and AUTO_MINUTES.get(name, np.inf) <= plain["minutes"]
                and not learner.missing()
            ]
        given = {name: plain[name] for name in ("minutes", "seed", "goal")}
        spec = from_values(
            {
                "name": "classifier",
                "data": "X",
                "inputs": self.kinds_,
                "output": {output: "category"},
                "learners": learners,
                **given,
            },
            "Classifier",
        )
        if kinds.goal(spec).metric in BINARY_ONLY and len(self.classes_) > 2:
            raise SpecError(
                f"goal is '{self.goal}' with {len(self.classes_)} classes, "
                f"expected {expected(name for name in METRICS if name not in BINARY_ONLY)}"
            )
        return spec

    def _train(self, spec: Spec, rows: pl.DataFrame, store: Store) -> None:
        """Trains the candidates on one split and keeps the artifact of the one that is taken."""
        random = np.random.default_rng(spec.seed)
        known, validation = cut_validation(rows, list(spec.inputs), spec.output_column, random)
        write_json(store.record("prepare"), {"fingerprint": ""})
        runs = train(spec, store, Splits(spec.inputs, spec.output, known, validation, rows.head(0), ROOT))
        chosen = _choose(runs, parse_goal(spec.goal).bound)
        folder = store.run_folder(chosen.name) / "artifact"
        self.learner_ = chosen.learner
        self.validation_ = {run.learner: run.validation for run in runs if run.status == "done"}
        self.not_trained_ = {run.learner: f"{run.status}: {run.reason}" for run in runs if run.status != "done"}
        self.artifact_ = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        _OPEN[self] = load_labeller(folder)
        replay(_OPEN[self], folder)

    def _predictor(self) -> Labeller:
        """The predictor of the artifact, opened once for each estimator in each process."""
        if self not in _OPEN:
            with tempfile.TemporaryDirectory(prefix="windlass-") as folder:
                self._unpack(Path(folder))
                _OPEN[self] = load_labeller(Path(folder))
        return _OPEN[self]

    def _unpack(self, folder: Path) -> None:
        for name, content in self.artifact_.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)


_OPEN: WeakKeyDictionary[Classifier, Labeller] = WeakKeyDictionary()
"""Kept out of the estimators, which thus hold data alone: they pickle, and predicting does not change them."""


def _texts(values: Any) -> list[Any] | None:
    """The texts of a one-dimensional X; None when it is something else."""
    shape = np.shape(values) if isinstance(values, np.ndarray) else getattr(values, "shape", ())
    if not isinstance(values, list | tuple) and (len(shape) != 1 or not hasattr(values, "dtype")):
        return None
    texts = list(values) if isinstance(values, list | tuple) else _plain(values)
    return texts if any(isinstance(text, str) for text in texts) else None


def _has_words(values: Any) -> bool:
    """True for an array or list of rows with a string in it."""
    array = np.array(values, dtype=object) if isinstance(values, list | tuple) else values
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "OUT":
        return False
    return array.dtype.kind != "O" or any(isinstance(value, str) for value in array.flat)


def _plain(column: Any) -> list[Any]:
    """A column of pandas, polars or NumPy as Python values: moments as ISO text, missing ones None or NaN."""
    if hasattr(column, "isna"):  # pandas: NaT and NA would pass for values
        column = column.astype(object).where(~column.isna(), None)
    values = column.to_list() if hasattr(column, "to_list") else column.tolist()
    return [value.isoformat() if isinstance(value, date) else value for value in values]


def _targets(y: Any, name: str) -> np.ndarray:
    """The labels (n,). Raises: ValueError, in scikit-learn's words."""
    if y is None:
        raise ValueError(f"This {name} estimator requires y to be passed, but the target y is None.")
    targets = column_or_1d(y, warn=True)
    assert_all_finite(targets, input_name="y")
    check_classification_targets(targets)
    return targets


def _names(classes: np.ndarray) -> list[str]:
    """What artifact and answers call each class: its own name, made different where two read the same."""
    names: dict[str, None] = {}
    for value in classes.tolist():
        try:
            name = category.read(value, None) or "(empty)"
        except DataError as error:
            raise InputError(f"y: {error.message}", error.hint) from None
        while name in names:
            name += "'"
        names[name] = None
    return list(names)


def _free_name(wanted: Any, taken: Mapping[str, str]) -> str:
    """A name for the output that no input has."""
    name = wanted if isinstance(wanted, str) and wanted else "label"
    while name in taken:
        name += "_"
    return name


def _series(name: str, kind: str, values: Sequence[Any]) -> pl.Series:
    """A column as `collect` would keep it. Raises: InputError that names the row."""
    clean = kinds.get(kind).clean or kinds.get(kind).read
    cleaned = []
    for number, value in enumerate(values):
        try:
            cleaned.append(clean(value, ROOT))
        except DataError as error:
            raise InputError(
                f"row {number}, column '{name}': {error.message}",
                error.hint or f"is it another kind? `kinds={{'{name}': ...}}`",
            ) from None
    return pl.Series(name, cleaned, dtype=pl.Float64 if kinds.get(kind).stored_as is float else pl.String)


def _choose(runs: Sequence[Run], at_least: float | None) -> Run:
    """The best run by validation, the cheapest of equals; with `at_least`, the cheapest that gives it.

    Without validation rows the first after the baseline. Raises: InputError or NotReady: no run is done.
    """
    done = [run for run in runs if run.status == "done"]
    learnt = [run for run in done if run.learner != BASELINE or len(runs) == 1]
    if not learnt:
        words = "; ".join(f"learner '{run.learner}', {run.status}: {run.reason}" for run in runs if run not in done)
        failed = any(run.status == "failed" for run in runs)
        raise InputError(f"X and y cannot be learnt from: {words}") if failed else NotReady(words)
    measured = {run.name: run.validation for run in done if run.validation is not None}
    if not measured:
        return learnt[0]
    enough = [run for run in done if at_least is not None and measured.get(run.name, -1.0) >= at_least]
    return enough[0] if enough else max(done, key=lambda run: measured.get(run.name, -1.0))
