"""What the scikit-learn faces share: columns are looked at, candidates trained on one split, the best one kept as data.

Source: the estimator contract, https://scikit-learn.org/stable/developers/develop.html
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

import numpy as np
import polars as pl
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from windlass.errors import DataError, NotReady, SpecError, did_you_mean, expected
from windlass.goals import Goal
from windlass.kinds import table as kinds
from windlass.learners.table import LEARNERS
from windlass.metrics.measures import LOWER, is_better
from windlass.outputs import table as outputs
from windlass.outputs.contract import Why
from windlass.outputs.splitting import STRATUM, cut_validation
from windlass.pages.html.notebook import Explanation
from windlass.pages.html.notebook_progress import here
from windlass.predictors.artifact import MANIFEST
from windlass.predictors.contract import Predictor
from windlass.predictors.table import load, replay
from windlass.records import Prepared, Row, Run, Splits, as_json
from windlass.sklearn.estimator_input import ROOT, InputError, Table, free_name, read, series
from windlass.sources.columns import Look, look
from windlass.sources.guess import N_SAMPLE
from windlass.spec import Spec, from_values
from windlass.stages.train import train
from windlass.store.files import publish
from windlass.store.json_files import write_json
from windlass.store.store import Store

AUTO_MINUTES = {
    **dict.fromkeys(("majority", "mean", "median", "linear", "trees"), 0),
    **dict.fromkeys(("naive", "seasonal-naive", "drift", "nlinear", "lag-trees"), 0),
    "chain": 1,
    "frozen": 2,
    "pretrained": 10,
}
"""What `learner="auto"` tries, and from how many minutes on."""
BASELINES = frozenset({"majority", "mean", "median", "naive", "seasonal-naive", "drift"})
WEIGHT = "\x00weight"


class ProductEstimator(BaseEstimator):
    """An estimator that is made of the product's learners and predictors. answers: the kind of its output."""

    answers: ClassVar[str]
    learner: str
    kinds: Mapping[str, str] | str | None
    minutes: float
    seed: int
    goal: str

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

    def explain(self, X: Any, label: Any = None) -> list[Explanation]:
        """Why each row of X is answered so; shows itself in Jupyter and as text. label: explain this one instead.

        Raises: InputError: a column is missing or a value cannot be read; or an unknown label.
        """
        check_is_fitted(self)
        return _explained(self._predictor(), self._rows(X), self._label_named(label))

    def _label_named(self, label: Any) -> str:
        """What the artifact calls this label; '' = the one that is answered."""
        return "" if label is None else str(label)

    def __sklearn_tags__(self) -> Any:
        """Missing values are allowed. Strings are too, but the tag `string` means any object."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _learn(self, table: Table, right: pl.Series, weights: np.ndarray | None) -> None:
        """Trains on the columns and what is right, whose name is the output's. weights: as `weights_of` gives them."""
        chosen, self.left_out_ = self._kinds(table)
        self.kinds_ = {name: each.kind for name, each in chosen.items()}
        output = free_name(right.name, self.kinds_)
        spec = self._spec(output, {name: each.format for name, each in chosen.items() if each.format}, weights)
        ways = kinds.ways(spec)
        inputs = [
            series(name, kinds.reading(kind, ways.get(name)), table.columns[name]) for name, kind in self.kinds_.items()
        ]
        rows = pl.DataFrame([*inputs, right.alias(output)])
        if weights is not None:
            rows = rows.with_columns(pl.Series(WEIGHT, weights))
        self._learn_rows(spec, rows)

    def _learn_rows(self, spec: Spec, rows: pl.DataFrame) -> None:
        with tempfile.TemporaryDirectory(prefix="windlass-") as folder:
            self._train(spec, rows, Store(Path(folder)))

    def _rows(self, X: Any) -> list[Row]:
        """X as rows of what was learnt from. Raises: InputError: a column is missing."""
        columns = read(self, X, reset=False).columns
        for name in self.kinds_:
            if name not in columns:
                raise InputError(
                    f"X has no column '{name}', expected it; it has {expected(columns)}", did_you_mean(name, columns)
                )
        return [
            dict(zip(self.kinds_, values, strict=True))
            for values in zip(*(columns[name] for name in self.kinds_), strict=True)
        ]

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

    def _spec(self, output: str, formats: Mapping[str, str], weights: np.ndarray | None) -> Spec:
        """The parameters as a `windlass.yaml` would say them. Raises: SpecError."""
        plain = {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in self.get_params(deep=False).items()
        }
        given = {name: plain[name] for name in ("minutes", "seed")}
        spec = from_values(
            {
                "name": type(self).__name__.lower(),
                "data": "X",
                "inputs": self.kinds_,
                "formats": dict(formats),
                "output": {output: self._output_kind},
                "learners": self._learners(plain["learner"], plain["minutes"], weights is not None),
                **given,
                "goal": self._goal,
            },
            type(self).__name__,
        )
        self._check_goal(outputs.goal(spec))
        return spec

    def _check_goal(self, goal: Goal) -> None:
        """Raises: SpecError: what is learned cannot be measured so."""

    def _learners(self, wanted: Any, minutes: float, is_weighted: bool) -> list[str]:
        """The learner that is wanted, or with "auto" those that the minutes allow. Raises: SpecError: no such one."""
        fitting = {
            name: each for name, each in LEARNERS.items() if not each.of_runs and self._output_kind in each.output
        }
        allowed = ["auto", *fitting]
        if wanted not in allowed:
            raise SpecError(f"learner is {wanted!r}, expected {expected(allowed)}", did_you_mean(str(wanted), allowed))
        weighing = [name for name, each in fitting.items() if each.weighs]
        if is_weighted and wanted not in ("auto", *weighing):
            raise SpecError(f"learner '{wanted}' takes no sample_weight, expected {expected(['auto', *weighing])}")
        if wanted != "auto":
            return [wanted]
        return [
            name
            for name, each in fitting.items()
            if each.reads(self.kinds_, self._output_kind)
            and AUTO_MINUTES.get(name, np.inf) <= minutes
            and not each.missing()
            and (each.weighs or not is_weighted)
        ]

    @property
    def _output_kind(self) -> str:
        """The kind of what is answered, once y is known."""
        return self.answers

    @property
    def _goal(self) -> str:
        """What decides, as a specification says it."""
        return self.get_params(deep=False)["goal"]

    def _strata(self, rows: pl.DataFrame, output: str) -> pl.Series:
        """What each part of the rows has in proportion, (n,)."""
        return rows[output]

    def _parts(self, spec: Spec, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Rows to train on, and rows that choose."""
        random, output = np.random.default_rng(spec.seed), spec.output_column
        cut = rows.with_columns(self._strata(rows, output).alias(STRATUM))
        known, validation = cut_validation(cut, list(spec.inputs), STRATUM, random)
        return known.drop(STRATUM), validation.drop(STRATUM)

    def _train(self, spec: Spec, rows: pl.DataFrame, store: Store) -> None:
        """Trains the candidates on one split and keeps the artifact of the one that is taken."""
        known, validation = self._parts(spec, rows)
        write_json(store.record("prepare"), as_json(Prepared("", {}, {}, {}, [], [])))
        ways, weight = kinds.ways(spec), WEIGHT if WEIGHT in rows.columns else ""
        splits = Splits(spec.inputs, spec.output, known, validation, rows.head(0), ROOT, written=ways, weight=weight)
        runs = train(spec, store, splits, here())
        chosen = _choose(runs, outputs.goal(spec))
        folder = store.run_folder(chosen.name) / "artifact"
        self.learner_ = chosen.learner
        self.validation_ = {run.learner: run.validation for run in runs if run.status == "done"}
        self.not_trained_ = {run.learner: f"{run.status}: {run.reason}" for run in runs if run.status != "done"}
        self.artifact_ = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        _OPEN[self] = load(folder)
        replay(_OPEN[self], folder)

    def _predictor(self) -> Predictor:
        """The predictor of the artifact, opened once for each estimator in each process."""
        if self not in _OPEN:
            with tempfile.TemporaryDirectory(prefix="windlass-") as folder:
                self._unpack(Path(folder))
                _OPEN[self] = load(Path(folder))
        return _OPEN[self]

    def _unpack(self, folder: Path) -> None:
        for name, content in self.artifact_.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)


_OPEN: WeakKeyDictionary[ProductEstimator, Predictor] = WeakKeyDictionary()
"""Kept out of the estimators, which thus hold data alone: they pickle, and predicting does not change them."""


def _explained(predictor: Predictor, rows: list[Row], label: str) -> list[Explanation]:
    try:
        return [Explanation(**vars(each)) for each in outputs.explain(predictor, rows, Why(ROOT, label))]
    except DataError as error:
        raise InputError(error.message, error.hint) from None


def _choose(runs: Sequence[Run], goal: Goal) -> Run:
    """The best run by validation, the cheapest of equals; with a number in the goal, the cheapest that gives it.

    Without validation rows the first after the baselines. Raises: InputError or NotReady: no run is done.
    """
    done = [run for run in runs if run.status == "done"]
    learnt = [run for run in done if run.learner not in BASELINES or len(runs) == 1]
    if not learnt:
        words = "; ".join(f"learner '{run.learner}', {run.status}: {run.reason}" for run in runs if run not in done)
        failed = any(run.status == "failed" for run in runs)
        raise InputError(f"X and y cannot be learnt from: {words}") if failed else NotReady(words)
    measured = {run.name: run.validation for run in done if run.validation is not None}
    if not measured:
        return learnt[0]
    bound = goal.bound
    for run in done if bound is not None else ():
        value = measured.get(run.name)
        if value is not None and bound is not None and (value == bound or is_better(goal.metric, value, bound)):
            return run
    sign = -1 if goal.metric in LOWER else 1
    return max((run for run in done if run.name in measured), key=lambda run: sign * measured[run.name])
