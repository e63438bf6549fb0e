"""Series in three parts of time: what came last is tested, what came before that validates, all before it trains.

Each row of validation and test is a question at one origin with what came true after it; a train row holds all of a
series up to where validation begins.
Source: rolling origins, Tashman 2000, International Journal of Forecasting 16(4).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from windlass.errors import DataError
from windlass.kinds import table as kinds
from windlass.kinds.points.reading import Series, Written
from windlass.outputs.forecasts.measures import season_of
from windlass.outputs.splitting import ENOUGH_TEST, Cleaning
from windlass.sources.prepared import SPLIT
from windlass.spec import Spec

TEST_SHARE = VALIDATION_SHARE = 0.2
MOST_TEST, MOST_VALIDATION = 400, 600
"""Rows of all series together; of very many series one row each."""
MOST_POINTS = 20_000_000
"""Of the histories of all rows together: 160 MB as numbers."""
LEAST_CONTEXT, MOST_CONTEXT = 512, 4_096
LEAST_TRAIN = 2
"""Horizons that a series must have before validation to be learned from and tested."""
PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Cut:
    """Where a series is cut. origins: the first places of what is asked, of validation and of test; train_end: all
    before it trains."""

    train_end: int
    validation: tuple[int, ...] = ()
    test: tuple[int, ...] = ()


def split(rows: pl.DataFrame, spec: Spec, cleaning: Cleaning, random: np.random.Generator) -> dict[str, pl.DataFrame]:
    """Train, validation and test by time alone. Rows that hold what came true are questions already: the latest test.

    Raises: DataError: no series is long enough to be tested.
    """
    told = rows[spec.output_column] != ""
    asked = _by_time(rows.filter(told), spec, cleaning)
    if told.all() and len(rows):
        return asked
    cutter = _Cutter(spec, rows.filter(~told))
    made: dict[str, list[dict[str, Any]]] = {name: [] for name in PARTS}
    for row in rows.filter(~told).to_dicts():
        for name, question in cutter.questions(row, cleaning):
            made[name].append(question)
    if not made["test"] or not made["train"]:
        raise cutter.too_short()
    schema = {name: kind for name, kind in rows.schema.items() if name != SPLIT}
    found = {name: pl.DataFrame(each, schema=schema) for name, each in made.items()}
    if cutter.n_short:
        cleaning.warnings.append(
            f"{cutter.n_short:,} of {cutter.n_series:,} series are too short to be tested (fewer than "
            f"{cutter.least:,} points): they are learned from alone"
        )
    order = random.permutation(len(found["train"]))
    found["train"] = found["train"][order]
    return {name: pl.concat([each, asked[name]]) if len(asked[name]) else each for name, each in found.items()}


def train_validation(rows: pl.DataFrame, spec: Spec) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The same of whole series where nothing is tested. Raises: DataError: no series is long enough to learn from."""
    cutter = _Cutter(spec, rows)
    made: dict[str, list[dict[str, Any]]] = {name: [] for name in PARTS}
    for row in rows.to_dicts():
        for name, question in cutter.questions(row, Cleaning()):
            made[name].append(question)
    if not made["train"] or not made["validation"]:
        raise cutter.too_short()
    schema = {name: kind for name, kind in rows.schema.items() if name != SPLIT}
    train, validation = (pl.DataFrame(made[name], schema=schema) for name in PARTS[:2])
    return train, validation


def _by_time(rows: pl.DataFrame, spec: Spec, cleaning: Cleaning) -> dict[str, pl.DataFrame]:
    """Questions with what came true, in the order of their origins."""
    name = _points_column(spec)
    kind = kinds.reading(spec.inputs[name], kinds.ways(spec).get(name))
    bare = rows.drop(SPLIT, strict=False)
    ends = []
    for value in bare[name].to_list():
        series = kind.read(value, None)
        times = series.times()
        ends.append(str(times[-1]) if times is not None and len(times) else f"{len(series):012d}")
    order = np.argsort(np.array(ends), kind="stable")
    n_rows = len(bare)
    n_test, n_validation = round(TEST_SHARE * n_rows), round(VALIDATION_SHARE * n_rows)
    ordered = bare[order.tolist()] if n_rows else bare
    first, second = n_rows - n_test - n_validation, n_rows - n_test
    seen = set(ordered[second:].select(pl.col(list(spec.inputs)).cast(pl.String)).rows())
    parts = {"test": ordered[second:]}
    for part, frame in (("validation", ordered[first:second]), ("train", ordered[:first])):
        places = frame.select(pl.col(list(spec.inputs)).cast(pl.String)).rows()
        mask = pl.Series([place not in seen for place in places], dtype=pl.Boolean)
        parts[part] = cleaning.keep(frame, mask, f"{part} row with the inputs of a later row")
        seen |= set(places)
    return {part: parts[part] for part in PARTS}


def _points_column(spec: Spec) -> str:
    return next(name for name, kind in spec.inputs.items() if kinds.get(kind).has_points)


class _Cutter:
    """Cuts whole series into questions."""

    def __init__(self, spec: Spec, rows: pl.DataFrame) -> None:
        assert spec.series is not None
        self.spec, self.name = spec, _points_column(spec)
        self.how = kinds.ways(spec).get(self.name, {})
        self.kind = kinds.reading(spec.inputs[self.name], self.how)
        self.written = Written.of(self.how)
        self.horizon, self.n_series = spec.series.horizon, len(rows)
        self.n_short, self.longest = 0, 0

    @property
    def least(self) -> int:
        """Points that a series needs to be tested."""
        return (LEAST_TRAIN + 2) * self.horizon

    def too_short(self) -> DataError:
        return DataError(
            f"the longest series has {self.longest:,} points, too few to foresee {self.horizon:,} steps and to test "
            f"that, expected at least {self.least:,}",
            "a shorter `horizon`, or a longer history",
        )

    def questions(self, row: Mapping[str, Any], cleaning: Cleaning) -> Iterator[tuple[str, dict[str, Any]]]:
        """(part, row) of one series."""
        series = self.kind.read(row[self.name], None)
        values = series.numbers(self.written.value)
        there = np.flatnonzero(np.isfinite(values))
        end = int(there[-1]) + 1 if len(there) else 0
        self.longest = max(self.longest, end)
        cut = self.cut(end, str(row[SPLIT]))
        if not cut.test:
            self.n_short += 1
        if cut.train_end < 2:
            cleaning.removed["series with fewer than two points"] += 1
            return
        steps = min(self.horizon, cut.train_end - 1)
        origin = _asked_at(values, cut.train_end - steps)
        yield "train", self._row(row, series, origin, steps, cut.train_end)
        context = self.context(series)
        for part, origins in (("validation", cut.validation), ("test", cut.test)):
            for origin in dict.fromkeys(_asked_at(values, each) for each in origins):
                if np.isfinite(values[origin : origin + self.horizon]).any():
                    yield part, self._row(row, series, origin, self.horizon, context)

    def cut(self, end: int, given: str) -> Cut:
        """Where a series of so many points is cut; given: the first places of validation and test, as files have it,
        0 where there are none."""
        horizon = self.horizon
        if given and end > 2 * horizon:
            validation, test = (int(each) for each in given.split(","))
            test = test if 0 < test < end else end
            validation = validation if 0 < validation < test else _before(test, horizon)
        elif end < self.least:
            return Cut(end)
        else:
            span = self._span(end, TEST_SHARE)
            test = end - span
            validation = test - self._span(test, VALIDATION_SHARE * end / test)
        n_rows = max(1, MOST_TEST // max(1, self.n_series))
        tested = _origins(test, end, horizon, n_rows, horizon)
        n_rows = max(1, MOST_VALIDATION // max(1, self.n_series))
        validated = _origins(validation, test, horizon, n_rows, max(1, horizon // 4))
        return Cut(validation, validated, tested)

    def _span(self, end: int, share: float) -> int:
        """Points of a part: at least a horizon, and room for so many origins that a release can be judged by."""
        horizon = self.horizon
        wanted = max(round(share * end), horizon + max(0, -(-ENOUGH_TEST // self.n_series) - 1))
        return max(horizon, min(wanted, end - (end - horizon) // 2))

    def context(self, series: Series) -> int:
        """Points of the past that a question holds."""
        seasons = series.every.seasons if series.every is not None else ()
        longest = max([season_of(self.how, series), *seasons])
        wanted = max(LEAST_CONTEXT, 4 * self.horizon, (5 if longest <= 200 else 3) * longest)
        rows = min(MOST_TEST, 1 + MOST_TEST // max(1, self.n_series) * self.n_series)
        return int(min(MOST_CONTEXT, wanted, max(self.horizon, MOST_POINTS // rows)))

    def _row(self, row: Mapping[str, Any], series: Series, origin: int, steps: int, context: int) -> dict[str, Any]:
        """The question at one origin: the past, and of the time ahead what is known then; with what came true."""
        first, end = max(0, origin - context), origin + steps
        whole = series.part(first, end)
        n_past, ahead = origin - first, len(whole) - (origin - first)
        told = self.written.known
        columns = {name: values if name in told else [*values[:n_past], *[None] * ahead]
                   for name, values in whole.columns.items()}  # fmt: skip
        truth = whole.columns[self.written.value][n_past:]
        question = Series(columns, whole.start, whole.every, whole.is_utc)
        if not told:
            question = question.part(0, n_past)
        kept = {name: value for name, value in row.items() if name != SPLIT}
        return {**kept, self.name: question.as_text(), self.spec.output_column: json.dumps(truth)}


def _asked_at(values: np.ndarray, origin: int) -> int:
    """The place after the last known value before the origin: from there on a question is about what comes, so that a
    gap at its end is a part of what is asked; the origin itself where nothing is known."""
    there = np.flatnonzero(np.isfinite(values[:origin]))
    return int(there[-1]) + 1 if len(there) else origin


def _before(test: int, horizon: int) -> int:
    """Where validation begins, of a series of which only the test part is given."""
    return max(1, test - max(horizon, round(VALIDATION_SHARE * test)))


def _origins(first: int, end: int, horizon: int, most: int, stride: int) -> tuple[int, ...]:
    """Origins from `first` on whose whole horizon lies before `end`, the last of them as late as can be; at most so
    many, `stride` apart, or nearer where fewer than a release needs would be left."""
    last = end - horizon
    if last < first:
        return ()
    fitting = (last - first) // stride + 1
    if fitting < min(most, ENOUGH_TEST):
        fitting = min(most, ENOUGH_TEST, last - first + 1)
    return tuple(np.unique(np.linspace(first, last, min(most, fitting)).round().astype(int)).tolist())
