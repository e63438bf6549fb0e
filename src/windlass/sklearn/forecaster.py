"""The face of forecasts in the habits of sktime: a series in, what comes next out, made of the product's own parts."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import polars as pl
from sklearn.utils.validation import check_is_fitted

from windlass.errors import DataError, expected
from windlass.frames import plain
from windlass.kinds.forecast import LEVELS
from windlass.kinds.points.reading import Series, Values, together
from windlass.kinds.points.time_step import found_in
from windlass.outputs.forecasts.measures import forecaster
from windlass.outputs.forecasts.split import train_validation
from windlass.predictors.series.forecaster import Outlook
from windlass.sklearn.estimator import ProductEstimator
from windlass.sklearn.estimator_input import InputError
from windlass.sources.prepared import SPLIT
from windlass.spec import Spec, from_values

HISTORY, VALUE = "history", "y"
COVERAGE = 0.9
LEAST_STEPPED = 3
"""Moments from which on there must be one step from each to the next."""
Horizon = int | Iterable[int]


class Forecaster(ProductEstimator):
    """Foresees a series, by the cheapest learner that does it best.

    y is one series in the order of time: a pandas Series (its DatetimeIndex or PeriodIndex tells the moments, by which
    it is sorted, and answers are pandas too), a polars Series, an array or a list; NaN where nothing is known. X holds
    what is known of each point, in the future too: a frame with a row a point.

    Args:
        learner: `"auto"`, or one of the learners: "seasonal-naive", "nlinear" ... "auto" takes the best on the latest
            points of y, of equals the cheapest.
        season: points of the shortest cycle. None: as the step has it (days: 7), 1 where there are no moments.
        minutes: the training budget.
        goal: the metric that decides, such as "mase", "wql" or "mse".

    Attributes:
        learner_, validation_, not_trained_, artifact_: as of `Regressor`.
        fh_: (h,) int, the steps that `fit` was asked for.

    >>> y = np.tile([3.0, 1.0, 2.0, 5.0], 30)
    >>> Forecaster(season=4).fit(y, fh=4).predict().round(1).tolist()
    [3.0, 1.0, 2.0, 5.0]
    """

    answers = "forecast"

    def __init__(
        self, learner: str = "auto", season: int | None = None, minutes: float = 1.0, seed: int = 13, goal: str = "mase"
    ) -> None:
        self.learner = learner
        self.season = season
        self.minutes = minutes
        self.seed = seed
        self.goal = goal

    def fit(self, y: Any, X: Any = None, fh: Horizon = 1) -> "Forecaster":
        """Learns from n points. fh: how many steps ahead, or which ones, from 1.

        Raises: SpecError: a parameter is wrong. InputError, which is a ValueError: y, X or fh is.
            NotReady: the learner is not installed.
        """
        self.fh_ = _steps(fh)
        self._history = _Past.of(y, X)
        self.kinds_ = {HISTORY: "series"}
        spec = self._spec_of(int(self.fh_.max()))
        end = len(self._history.values)
        horizon = int(self.fh_.max())
        first = max(1, end - max(horizon, round(0.2 * end)))
        row = {HISTORY: self._history.series().as_text(), VALUE: "", SPLIT: f"{first},0"}
        self._learn_rows(spec, pl.DataFrame([row]))
        return self

    def update(self, y: Any, X: Any = None) -> "Forecaster":
        """Goes on from newer points, which follow those that are known, without learning again. Raises: InputError."""
        check_is_fitted(self, "artifact_")
        self._history = self._history.followed_by(_Past.of(y, X))
        return self

    def predict(self, fh: Horizon | None = None, X: Any = None) -> Any:
        """What comes at each step of fh: (h,) float64, or a pandas Series where y was one.

        Args:   X: what is known of the steps 1 to the last one of fh, where `fit` had an X.
        Raises: InputError: fh goes farther than `fit` was asked for, or X is missing.
        """
        steps, seen = self._seen(fh, X)
        return self._history.told(seen.points[0][steps - 1], steps)

    def predict_interval(self, fh: Horizon | None = None, X: Any = None, coverage: float = COVERAGE) -> Any:
        """(h, 2) float64, or a pandas frame: between which two each step lies, for this share of all.

        Raises: InputError: another share than .9, .8, .6, .4 or .2, or as `predict`.
        """
        tail = (1 - coverage) / 2
        return self.predict_quantiles(fh, X, [tail, 1 - tail])

    def predict_quantiles(
        self, fh: Horizon | None = None, X: Any = None, alpha: Sequence[float] = (0.1, 0.5, 0.9)
    ) -> Any:
        """(h, quantiles) float64, or a pandas frame.

        Raises: InputError: another quantile than .05, .1, .2 ... .95, none are known of so short a series, or as
            `predict`.
        """
        places = []
        for level in alpha:
            near = [place for place, each in enumerate(LEVELS) if abs(each - level) < 1e-9]
            if not near:
                raise InputError(f"alpha holds {level:g}, expected {expected(f'{each:g}' for each in LEVELS)}")
            places += near
        steps, seen = self._seen(fh, X)
        if seen.bands is None:
            raise InputError("quantiles are not known: too few points followed what was learned from")
        found = seen.bands[0][places][:, steps - 1].T
        return self._history.told(found, steps, [f"{level:g}" for level in alpha])

    def _seen(self, fh: Horizon | None, X: Any) -> tuple[np.ndarray, Outlook]:
        check_is_fitted(self, "artifact_")
        steps = self.fh_ if fh is None else _steps(fh)
        horizon = int(self.fh_.max())
        if steps.max() > horizon:
            raise InputError(f"fh goes to step {steps.max():,}, expected at most {horizon:,}", "fit with a longer `fh`")
        series = self._history.series(_table(X), horizon)
        try:
            return steps, forecaster(self._predictor()).outlook([{HISTORY: series}])
        except DataError as error:
            raise InputError(error.message, error.hint) from None

    def _spec_of(self, horizon: int) -> Spec:
        past, plainly = self._history, self.get_params(deep=False)
        shape: dict[str, Any] = {"horizon": horizon, "known": list(past.known)}
        if plainly["season"] is not None:
            shape["season"] = int(plainly["season"])
        if past.moments is not None:
            shape |= {"time": "time", "every": str(found_in(past.moments) or "")}
        return from_values(
            {
                "name": type(self).__name__.lower(),
                "data": "y",
                "inputs": self.kinds_,
                "output": {VALUE: self.answers},
                "series": shape,
                "learners": self._learners(plainly["learner"], plainly["minutes"], False),
                **{name: plainly[name] for name in ("minutes", "seed", "goal")},
            },
            type(self).__name__,
        )

    def _parts(self, spec: Spec, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        try:
            return train_validation(rows, spec)
        except DataError as error:
            raise InputError(error.message, error.hint) from None


class _Past:
    """The points that are known. values: (n,); known: column -> (n,); moments: (n,) datetime64[s] or None; index: of
    pandas, or None."""

    def __init__(self, values: np.ndarray, known: dict[str, list[Any]], moments: np.ndarray | None, index: Any) -> None:
        self.values, self.known, self.moments, self.index = values, known, moments, index

    @classmethod
    def of(cls, y: Any, X: Any) -> "_Past":
        """Raises: InputError: y is no series of numbers, or X has other rows."""
        index = getattr(y, "index", None) if hasattr(y, "iloc") else None
        found = np.asarray(plain(y) if hasattr(y, "to_list") or hasattr(y, "tolist") else y, dtype=object)
        if found.ndim != 1 or len(found) < 2:
            raise InputError(f"y has the shape {found.shape}, expected one series of at least two numbers")
        try:
            values = np.array([np.nan if each is None else each for each in found], np.float64)
        except (TypeError, ValueError):
            raise InputError("y holds what is no number, expected numbers, NaN where nothing is known") from None
        known = _table(_beside(X, index))
        if known and len(next(iter(known.values()))) != len(values):
            raise InputError(
                f"X has {len(next(iter(known.values()))):,} rows, expected one for each of {len(values):,} points"
            )
        return cls(values, known, _moments(index), index)._on_grid()

    def _on_grid(self) -> "_Past":
        """By time, where moments are known, one point a step, NaN in gaps. Raises: InputError: one is missing, there
        twice, or between two steps."""
        if self.moments is None:
            return self
        order = np.argsort(self.moments, kind="stable")
        moments = self.moments[order]
        if np.isnat(moments).any():
            raise InputError("y has a point without its moment, expected one in each")
        twice = np.flatnonzero(np.diff(moments) == np.timedelta64(0))
        if len(twice):
            raise InputError(f"y has the moment {moments[twice[0]]} twice, expected one point each")
        step = found_in(moments)
        places = np.arange(len(order)) if step is None else step.places(moments[0], moments)
        is_grid = step is not None and (places >= 0).all() and (np.diff(places) > 0).all()
        if len(order) >= LEAST_STEPPED and not (step is not None and is_grid and together(moments, step).all()):
            raise InputError("y has irregular moments, expected one step from each to the next", "`y.asfreq(...)`")
        size = int(places[-1]) + 1
        values = np.full(size, np.nan)
        values[places] = self.values[order]
        known = {name: [None] * size for name in self.known}
        for place, source in zip(places.tolist(), order.tolist(), strict=True):
            for name, told in self.known.items():
                known[name][place] = told[source]
        moments = moments if step is None else np.asarray(step.after(moments[0], np.arange(size)))
        return _Past(values, known, moments, self.index[order])

    def followed_by(self, other: "_Past") -> "_Past":
        if set(other.known) != set(self.known):
            raise InputError(f"X has {expected(other.known)}, expected {expected(self.known)}")
        known = {name: [*values, *other.known[name]] for name, values in self.known.items()}
        if self.moments is not None and other.moments is not None and other.moments[0] <= self.moments[-1]:
            raise InputError(f"y begins at {other.moments[0]}, expected points after {self.moments[-1]}, the last one")
        both = self.moments is not None and other.moments is not None
        moments = np.concatenate([self.moments, other.moments]) if both else None
        index = self.index.append(other.index) if self.index is not None and other.index is not None else None
        return _Past(np.concatenate([self.values, other.values]), known, moments, index)._on_grid()

    def series(self, ahead: dict[str, list[Any]] | None = None, horizon: int = 0) -> Series:
        """With what is known of the steps ahead. Raises: InputError: a column is missing."""
        missing = [name for name in self.known if ahead is not None and name not in ahead]
        if missing:
            raise InputError(f"X has no column '{missing[0]}', expected it for the {horizon:,} steps ahead")
        told = {name: (ahead or {}).get(name, [])[:horizon] for name in self.known}
        more = max(map(len, told.values()), default=0)
        columns: dict[str, Values] = {
            VALUE: [*(None if each != each else float(each) for each in self.values), *[None] * more]
        }
        columns |= {name: [*map(_plainly, values), *map(_plainly, told[name]), *[None] * (more - len(told[name]))]
                    for name, values in self.known.items()}  # fmt: skip
        step = None if self.moments is None else found_in(self.moments)
        if step is None or self.moments is None:
            return Series(columns)
        return Series(columns, self.moments[0], step)

    def told(self, values: np.ndarray, steps: np.ndarray, names: Sequence[str] = ()) -> Any:
        """As y was given: with the moments ahead where it was of pandas."""
        if self.index is None:
            return values
        import pandas as pd

        step = None if self.moments is None else found_in(self.moments)
        ahead: Any = len(self.values) - 1 + steps
        if step is not None and self.moments is not None:
            ahead = pd.DatetimeIndex(step.after(self.moments[-1], steps))
            ahead = ahead.to_period(self.index.freq) if isinstance(self.index, pd.PeriodIndex) else ahead
        return pd.DataFrame(values, ahead, list(names)) if names else pd.Series(values, ahead)


def _beside(X: Any, index: Any) -> Any:
    """X in the order of y, where it is of pandas and has the same moments in another one."""
    own: Any = getattr(X, "index", None)
    if index is None or not hasattr(X, "iloc") or own.equals(index) or not own.is_unique or not index.is_unique:
        return X
    return X.loc[index] if len(own) == len(index) and index.isin(own).all() else X


def _plainly(value: Any) -> Any:
    if value is None or value != value:
        return None
    return float(value) if isinstance(value, int | float | np.number | bool) else str(value)


def _table(X: Any) -> dict[str, list[Any]]:
    """Column -> values of X. Raises: InputError: X is no table."""
    if X is None:
        return {}
    if hasattr(X, "columns"):
        return {str(name): plain(X[name]) for name in X.columns}
    found = np.asarray(X, dtype=object)
    if found.ndim != 2:
        raise InputError(f"X has the shape {found.shape}, expected a row a point")
    return {f"x{place}": found[:, place].tolist() for place in range(found.shape[1])}


def _moments(index: Any) -> np.ndarray | None:
    """Of a pandas index of moments or periods; None: it counts."""
    found = index.to_timestamp() if hasattr(index, "to_timestamp") else index
    if found is None or not str(getattr(found, "dtype", "")).startswith("datetime64"):
        return None
    plainly = found.tz_convert("UTC").tz_localize(None) if getattr(found, "tz", None) is not None else found
    return np.asarray(plainly.to_numpy(), "datetime64[s]")


def _steps(fh: Any) -> np.ndarray:
    """(h,) int from 1, rising. Raises: InputError."""
    found = np.arange(1, fh + 1) if isinstance(fh, int | np.integer) else np.asarray(list(fh))
    if found.ndim != 1 or not len(found) or not np.issubdtype(found.dtype, np.integer) or found.min() < 1:
        raise InputError(f"fh is {fh!r}, expected how many steps ahead, or which ones, from 1")
    return np.unique(found)
