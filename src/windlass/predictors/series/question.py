"""A question to a series as numbers: what was, what is known of the time ahead, and what does not change.

`points_state` is fitted on the training rows and kept in the artifact, so that training and serving read alike.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from windlass.errors import listed
from windlass.kinds.points.reading import Series, Written
from windlass.metrics.forecasts import seasonal_scale
from windlass.predictors.series.holidays import HOLIDAY, kept, late, names_of
from windlass.records import Json

POINTS = "points"
"""The form of a series that is foreseen."""
MOST_LEVELS = 50
"""Of a covariate that is told in words; rarer ones count as none."""
ROOM = 0.5
"""Share of the largest point by which others may lie outside where those of training hardly differ."""
NOTHING: np.ndarray = np.zeros(0)


@dataclass(frozen=True)
class Question:
    """history: (n,) float64, NaN in gaps; its last value is known, unless none is. known: (n + h, k) covariates whose
    future is known; past: (n, p) those known afterwards; NaN where nothing is told. times: (n + h,) datetime64[s];
    None: points are only counted. attributes: (d,) float32, what does not change. scale: above 0, see `asked`.
    notes: what a person should know of how it was read. is_utc: times are told in UTC.
    """

    history: np.ndarray
    known: np.ndarray
    past: np.ndarray
    times: np.ndarray | None
    attributes: np.ndarray
    scale: float
    notes: tuple[str, ...] = ()
    is_utc: bool = False

    @property
    def horizon(self) -> int:
        return len(self.known) - len(self.history)

    @property
    def level(self) -> float:
        """The last known value; 0 where none is."""
        there = np.isfinite(self.history)
        return float(self.history[there][-1]) if there.any() else 0.0


@dataclass(frozen=True)
class Asking:
    """How series of a product are asked: the names of their columns, and what training knew of them.

    levels: covariate in words -> its words, a column each. usual: covariate in numbers -> its median. scale: of series
    with too short a history to have one of their own. holidays: day -> name, of a covariate that nobody tells.
    """

    written: Written
    horizon: int
    season: int
    levels: dict[str, list[str]]
    usual: dict[str, float]
    scale: float
    has_future: bool = False
    holidays: Mapping[str, str] = field(default_factory=dict)
    ends: tuple[float, float] | None = None

    def columns(self, names: Sequence[str]) -> list[str]:
        """What each column of `covariates` is called."""
        return [label for name in names for label in
                ([f"{name}={word}" for word in self.levels[name]] if name in self.levels else [name])]  # fmt: skip

    def covariates(self, series: Series, names: Sequence[str]) -> np.ndarray:
        """(n, k) float64, NaN where nothing is told; a word is a column of its own, 0 or 1."""
        parts = []
        for name in names:
            if name not in self.levels:
                parts.append(series.numbers(name)[:, None])
                continue
            values = np.array([_word(each) for each in series.columns.get(name, [None] * len(series))], object)
            parts.append((values[:, None] == np.array(self.levels[name], object)[None, :]).astype(np.float64))
        return np.concatenate(parts, axis=1) if parts else np.zeros((len(series), 0))

    def asked(self, series: Series, attributes: np.ndarray = NOTHING, horizon: int | None = None) -> Question:
        """The question that a series asks: what comes after its last known value.

        Points after it have covariates alone. Its scale is what repeating the last season is off by in its history,
        else that of the training series.
        """
        horizon = self.horizon if horizon is None else horizon
        values = series.numbers(self.written.value)
        there = np.flatnonzero(np.isfinite(values))
        n_points = int(there[-1]) + 1 if len(there) else 0
        notes = self._unread(series)
        ahead = len(values) - n_points
        told = [name for name in self.written.known if not (self.holidays and name == HOLIDAY)]
        if ahead and not told and n_points:
            notes.append(f"the last {ahead:,} points have no value: what comes after the last known one is told")
        if not n_points:
            notes.append(f"no point of '{self.written.value}' is known: what is usual in training is told")
        known = self.covariates(series, self.written.known)
        notes += self._untold(series, told, n_points, horizon)
        ends = np.full((max(0, n_points + horizon - len(known)), known.shape[1]), np.nan)
        known = self._filled(np.concatenate([known, ends])[: n_points + horizon])
        times = series.times(n_points + horizon)
        if self.holidays:
            known = self._with_holidays(known, times)
            notes += filter(None, [late(times, self.holidays)])
        history = values[:n_points]
        notes += filter(None, [self._foreign(history)])
        own = seasonal_scale(history, self.season)
        scale = own if own > 0 else self.scale
        return Question(
            history,
            known,
            self.covariates(series, self.written.past)[:n_points],
            times,
            attributes,
            scale,
            tuple(notes),
            series.is_utc,
        )

    def _unread(self, series: Series) -> list[str]:
        """Columns that the product does not know, such as a covariate that is misspelt."""
        known = [name for name in (self.written.time, *self.written.columns) if name]
        other = [name for name in (*series.unread, *series.columns) if name not in known]
        return [f"{listed(other)} is not read, as it is none of {listed(known)}"] if other else []

    def _foreign(self, history: np.ndarray) -> str:
        """What a person should know where points of the latest season are unlike all of training: below nothing where
        none was, or farther out than the whole of what it saw is wide, which growth is not. '' where they are not."""
        if self.ends is None:
            return ""
        low, high = self.ends
        room = max(high - low, ROOM * max(abs(low), abs(high)))
        latest = history[-max(1, self.season) :]
        latest = latest[np.isfinite(latest)]
        is_out = (latest < (0.0 if low >= 0 else low - room)) | (latest > high + room)
        if not is_out.any():
            return ""
        return (
            f"{int(is_out.sum()):,} of the latest {len(latest):,} points are unlike training, such as "
            f"{latest[is_out][-1]:,.6g} where it saw {low:,.6g} to {high:,.6g}: what is foreseen of them is a guess"
        )

    def _untold(self, series: Series, names: Sequence[str], n_points: int, horizon: int) -> list[str]:
        """Which covariates of the time ahead are not told, or are told as what they were not in training. A word that
        is left out says that there is none."""
        counts: dict[int, list[str]] = {}
        for name in names:
            ahead = series.columns.get(name, [])[n_points : n_points + horizon]
            is_told = [name in self.levels or isinstance(each, float) for each in ahead]
            counts.setdefault(sum(is_told), []).append(name)
        return [
            f"{', '.join(map(repr, found))} of the next {horizon:,} steps is told for {count:,} of them: the others "
            "are taken as usual"
            for count, found in sorted(counts.items())
            if count < horizon
        ]

    def _with_holidays(self, known: np.ndarray, times: np.ndarray | None) -> np.ndarray:
        """With the last of the covariates as the table of days has it, for the time ahead too."""
        levels = np.array(self.levels[HOLIDAY], object)
        found = names_of(times, self.holidays, len(known))[:, None] == levels[None, :]
        return np.concatenate([known[:, : known.shape[1] - len(levels)], found.astype(np.float64)], axis=1)

    def _filled(self, known: np.ndarray) -> np.ndarray:
        """With what is usual where a covariate is not told."""
        usual = np.array([self.usual.get(name, 0.0) for name in self.columns(self.written.known)])
        return np.where(np.isfinite(known), known, usual[None, :]) if known.size else known


def _word(value: float | str | None) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else value


def fit_levels(series: Sequence[Series], written: Written) -> dict[str, list[str]]:
    """Covariates that hold words, each with its commonest ones."""
    found: dict[str, list[str]] = {}
    for name in (*written.known, *written.past):
        values = (value for each in series for value in each.columns.get(name, []))
        words = Counter(value for value in values if isinstance(value, str))
        if words:
            found[name] = sorted(sorted(words, key=lambda word: (-words[word], word))[:MOST_LEVELS])
    return found


def usual_values(questions: Sequence[Question], labels: Sequence[str]) -> dict[str, float]:
    """The median of each covariate over all points; 0 of one that is never told."""
    if not questions or not labels:
        return {}
    every = np.concatenate([each.known for each in questions])
    return {name: float(np.nanmedian(column)) if np.isfinite(column).any() else 0.0
            for name, column in zip(labels, every.T, strict=True)}  # fmt: skip


def joined(question: Question, truth: np.ndarray) -> Question:
    """The question with what came true as part of its history; nothing is asked any more. truth: (h,)."""
    history = np.concatenate([question.history, truth])
    unknown = np.full((len(truth), question.past.shape[1]), np.nan)
    return replace(question, history=history, past=np.concatenate([question.past, unknown]))


def asking_of(state: Json, output: Json) -> Asking:
    """As the states of the two columns say it."""
    written, holidays = Written.of(state.get("written", {})), kept(state)
    return Asking(
        with_holidays(written) if holidays else written,
        output["horizon"],
        output["season"],
        state.get("levels", {}),
        state.get("usual", {}),
        output["scale"],
        holidays=holidays,
        ends=(output["least"], output["most"]) if "most" in output else None,
    )


def with_holidays(written: Written) -> Written:
    """With public holidays as the last covariate whose future is known."""
    return replace(written, known=(*written.known, HOLIDAY))


def filled(history: np.ndarray, season: int) -> np.ndarray:
    """Points (n,) without gaps: what stood there a season before, else a line between neighbours; 0 of no points."""
    there = np.isfinite(history)
    if there.all() or not there.any():
        return np.where(there, history, 0.0)
    found = history.copy()
    for place in np.flatnonzero(~there):
        if place >= season and np.isfinite(found[place - season]):
            found[place] = found[place - season]
    still = np.isfinite(found)
    return np.where(still, found, np.interp(np.arange(len(found)), np.flatnonzero(still), found[still]))
