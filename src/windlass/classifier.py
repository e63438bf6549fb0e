"""The scikit-learn face: a classifier over tables and texts, made of the product's learners and predictors.

Source: the estimator contract, https://scikit-learn.org/stable/developers/develop.html
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import polars as pl
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted

from windlass.errors import DataError, NotReady, SpecError, did_you_mean, expected
from windlass.estimator_input import ROOT, InputError, Table, free_name, names_of, read, series, targets
from windlass.kinds import category
from windlass.kinds import table as kinds
from windlass.learners.table import LEARNERS
from windlass.metrics import BINARY_ONLY, METRICS, answered
from windlass.outputs import table as outputs
from windlass.outputs.splitting import cut_validation
from windlass.predictors.artifact import MANIFEST
from windlass.predictors.contract import Labeller
from windlass.predictors.table import load_labeller, replay
from windlass.records import Prepared, Run, Splits, as_json
from windlass.sources.columns import Look, look
from windlass.sources.guess import N_SAMPLE
from windlass.spec import Spec, from_values, parse_goal
from windlass.stages.train import train
from windlass.store import Store, publish, write_json

AUTO_MINUTES = {"majority": 0, "linear": 0, "trees": 0, "frozen": 2, "pretrained": 10}
"""What `learner="auto"` tries, and from how many minutes on."""
BASELINE = "majority"


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
        table = read(self, X, reset=True)
        labels = targets(y, type(self).__name__)
        check_consistent_length(next(iter(table.columns.values())), labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise InputError(f"y has one class, {self.classes_.tolist()[0]!r}, expected at least two to tell apart")
        names = names_of(self.classes_)
        chosen, self.left_out_ = self._kinds(table)
        self.kinds_ = {name: each.kind for name, each in chosen.items()}
        output = free_name(getattr(y, "name", None), self.kinds_)
        spec = self._spec(output, {name: each.format for name, each in chosen.items() if each.format})
        ways = kinds.ways(spec)
        inputs = [
            series(name, kinds.reading(kind, ways.get(name)), table.columns[name])
            for name, kind in self.kinds_.items()
        ]
        rows = pl.DataFrame([*inputs, pl.Series(output, [names[code] for code in codes], dtype=pl.String)])
        with tempfile.TemporaryDirectory(prefix="windlass-") as folder:
            self._train(spec, rows, Store(Path(folder)))
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Calibrated probabilities (n, k), rows summing to one, columns in the order of `classes_`.

        Raises: InputError: a column is missing or a value cannot be read.
        """
        check_is_fitted(self)
        columns = read(self, X, reset=False).columns
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
        order = [labels.index(name) for name in names_of(self.classes_)]
        try:
            return predictor.probabilities(rows, ROOT)[:, order]
        except DataError as error:
            raise InputError(error.message, error.hint) from None

    def predict(self, X: Any) -> np.ndarray:
        """The likeliest of `classes_` for each row (n,), or of two what the goal is best with, see `goal`.

        Raises: as `predict_proba`.
        """
        check_is_fitted(self)
        predictor = self._predictor()
        found = category.threshold(predictor.manifest.output.state)
        if found is not None:
            found = replace(found, place=names_of(self.classes_).index(predictor.labels[found.place]))
        return self.classes_[answered(self.predict_proba(X), found)]

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

    def _kinds(self, table: Table) -> tuple[dict[str, Look], dict[str, str]]:
        """Column -> kind and form of what can be learnt from, and column -> why not for the others."""
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
        looks = {}
        for name, values in table.columns.items():
            told = given.get(name) or table.kinds.get(name)
            looks[name] = Look(told) if told else look(name, values[:: max(1, len(values) // N_SAMPLE)])
        chosen = {name: each for name, each in looks.items() if each.kind}
        left_out = {name: each.why for name, each in looks.items() if not each.kind}
        if not chosen:
            reasons = ", ".join(f"'{name}': {why}" for name, why in list(left_out.items())[:5])
            raise InputError(
                f"X has no column to learn from ({reasons}), expected at least one",
                "`kinds={column: kind}` takes a column in",
            )
        return chosen, left_out

    def _spec(self, output: str, formats: Mapping[str, str]) -> Spec:
        """The parameters as a `windlass.yaml` would say them. Raises: SpecError."""
        plain = {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in self.get_params(deep=False).items()
        }
        given = {name: plain[name] for name in ("minutes", "seed", "goal")}
        spec = from_values(
            {
                "name": "classifier",
                "data": "X",
                "inputs": self.kinds_,
                "formats": dict(formats),
                "output": {output: "category"},
                "learners": self._learners(plain["learner"], plain["minutes"]),
                **given,
            },
            "Classifier",
        )
        if outputs.goal(spec).metric in BINARY_ONLY and len(self.classes_) > 2:
            raise SpecError(
                f"goal is '{self.goal}' with {len(self.classes_)} classes, "
                f"expected {expected(name for name in METRICS if name not in BINARY_ONLY)}"
            )
        return spec

    def _learners(self, wanted: Any, minutes: float) -> list[str]:
        """The learner that is wanted, or with "auto" those that the minutes allow. Raises: SpecError: no such one."""
        allowed = ["auto", *(name for name, learner in LEARNERS.items() if not learner.of_runs)]
        if wanted not in allowed:
            raise SpecError(f"learner is {wanted!r}, expected {expected(allowed)}", did_you_mean(str(wanted), allowed))
        if wanted != "auto":
            return [wanted]
        return [
            name
            for name, learner in LEARNERS.items()
            if learner.reads(self.kinds_, "category")
            and AUTO_MINUTES.get(name, np.inf) <= minutes
            and not learner.missing()
        ]

    def _train(self, spec: Spec, rows: pl.DataFrame, store: Store) -> None:
        """Trains the candidates on one split and keeps the artifact of the one that is taken."""
        random = np.random.default_rng(spec.seed)
        known, validation = cut_validation(rows, list(spec.inputs), spec.output_column, random)
        write_json(store.record("prepare"), as_json(Prepared("", {}, {}, {}, [], [])))
        nothing, ways = rows.head(0), kinds.ways(spec)
        runs = train(spec, store, Splits(spec.inputs, spec.output, known, validation, nothing, ROOT, written=ways))
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
