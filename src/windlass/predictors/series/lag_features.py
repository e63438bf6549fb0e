"""What trees see of a question to a series: its past against its own level, the same phase of earlier seasons, the
calendar of the time ahead and what is known of it; made by the same code in training and in service.

A series is first freed of what its covariates did to it, by effects that were fitted for all series together, so that a
promotion last week is not taken for demand. What is left has a level and a shape of its season: the base. Trees say
how far the base is off.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property

import numpy as np

from windlass.kinds.points import time_step
from windlass.predictors.series.question import Asking, Question
from windlass.records import Json

PLAIN, LOG = "plain", "log"
N_SEASONS = 4
"""Seasons back from which the value of the same phase is looked at one by one."""
PHASES = (1, 2, 4, 8, 16, 52)
"""Seasons that the shape of a season is the mean of."""
WINDOWS = (0.25, 0.5, 1, 2, 4, 8, 16)
"""Lengths of the windows before the origin, in seasons."""
N_LATEST, N_CALENDAR = 6, 5
DAY_S, HOUR_S = 86_400, 3_600
TINY = 1e-9


@dataclass(frozen=True)
class Base:
    """Level: the mean of so many points. shape: the season whose phases are told apart (0: none), the mean of so many
    seasons. drift: share of how a long season went on a season ago that is taken over."""

    level: int
    season: int = 0
    seasons: int = 1
    drift: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """How questions become numbers; kept in the artifact.

    unit: points of the shortest season. seasons: those that it is a part of, itself among them. long: other ones.
    mode: a series is looked at in units of its scale, or as logarithms of (value + shift). effects: of each column of
    the known covariates, on that; logged: those that act by their logarithm.
    """

    horizon: int
    unit: int
    seasons: tuple[int, ...]
    long: tuple[int, ...]
    mode: str = PLAIN
    shift: float = 0.0
    effects: tuple[float, ...] = ()
    logged: tuple[bool, ...] = ()
    base: Base = field(default_factory=lambda: Base(1))

    @classmethod
    def of(cls, asking: Asking) -> "Recipe":
        every = asking.written.every
        given = time_step.parse(every).seasons if every else ()
        unit = max(1, asking.season)
        seasons = tuple(sorted({unit, *(each for each in given if each % unit == 0)}))
        return cls(asking.horizon, unit, seasons, tuple(each for each in given if each % unit))

    @classmethod
    def from_json(cls, said: Json) -> "Recipe":
        """Raises: TypeError, KeyError, ValueError: it is not one."""
        lists = {name: tuple(said[name]) for name in ("seasons", "long", "effects", "logged")}
        made = cls(**{**said, **lists, "base": Base(**said["base"])})
        whole = (made.horizon, made.unit, *made.seasons, *made.long, made.base.level)
        if not all(isinstance(each, int) and each > 0 for each in whole) or made.mode not in (PLAIN, LOG):
            raise ValueError("lengths that are no numbers of points")
        if len(made.effects) != len(made.logged) or made.base.season not in (0, *made.seasons):
            raise ValueError("effects or a season that are not there")
        return made

    def as_json(self) -> Json:
        return asdict(self)

    @property
    def windows(self) -> tuple[int, ...]:
        return tuple(sorted({max(1, int(self.unit * each)) for each in WINDOWS}))

    def told(self, values: np.ndarray, scale: float) -> np.ndarray:
        """Values in the unit that is looked at."""
        if self.mode == PLAIN:
            return values / scale
        with np.errstate(invalid="ignore", divide="ignore"):
            found = np.log(values + self.shift)
        return np.where(np.isfinite(found), found, np.nan)

    def untold(self, found: np.ndarray, scale: float | np.ndarray) -> np.ndarray:
        """Back in the unit of the series."""
        return found * scale if self.mode == PLAIN else np.exp(np.minimum(found, 700.0)) - self.shift

    def acting(self, known: np.ndarray) -> np.ndarray:
        """Covariates (n, k) as they act."""
        logged = np.array(self.logged, bool)
        if not logged.any():
            return known
        return np.where(logged[None, :], np.log(np.maximum(known, TINY)), known)

    def effect(self, known: np.ndarray) -> np.ndarray:
        """(n,) what the covariates do to the series."""
        if not self.effects:
            return np.zeros(len(known))
        return np.asarray(self.acting(known) @ np.array(self.effects))


@dataclass(frozen=True)
class Track:
    """A series as the recipe sees it, to be asked at any origin up to its end."""

    question: Question
    recipe: Recipe

    @cached_property
    def effect(self) -> np.ndarray:
        """(n + what is known ahead,)."""
        return self.recipe.effect(self.question.known)

    @cached_property
    def values(self) -> np.ndarray:
        """(n,) without the effects of covariates; NaN in gaps."""
        history = self.question.history
        return self.recipe.told(history, self.question.scale) - self.effect[: len(history)]

    @cached_property
    def _sums(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(n + 1,) sums of values, of their squares, and how many are known, before each place."""
        there = np.isfinite(self.values)
        values = np.where(there, self.values, 0.0)
        return tuple(np.concatenate([[0.0], np.cumsum(each)]) for each in (values, values**2, there))  # type: ignore

    def mean(self, ends: np.ndarray, length: int) -> np.ndarray:
        """The mean of the known among so many values before each of the ends; NaN where none is."""
        return self._window(self._sums[0], ends, length)

    def _window(self, sums: np.ndarray, ends: np.ndarray, length: int) -> np.ndarray:
        last = np.clip(ends, 0, len(self.values))
        first = np.clip(ends - length, 0, len(self.values))
        counts = self._sums[2][last] - self._sums[2][first]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(counts > 0, (sums[last] - sums[first]) / counts, np.nan)

    def deviation(self, ends: np.ndarray, length: int) -> np.ndarray:
        """The standard deviation of the same."""
        mean = self.mean(ends, length)
        return np.sqrt(np.maximum(self._window(self._sums[1], ends, length) - mean**2, 0.0))

    def at(self, places: np.ndarray) -> np.ndarray:
        """The values there; NaN before the beginning."""
        return _at(self.values, places)

    def shape(self, origins: np.ndarray, season: int, seasons: int) -> np.ndarray:
        """(o, h) how far the phase of each step is from the mean of its season, over so many seasons; NaN: unknown."""
        places = self._phase(origins, season)
        rows = -(-len(self.values) // season)
        padded = np.full(rows * season, np.nan)
        padded[: len(self.values)] = self.values
        table = padded.reshape(rows, season)
        there = np.isfinite(table)
        sums = _before(np.where(there, table, 0.0))
        counts = _before(there.astype(np.float64))
        row, phase = places // season, places % season
        last, first = np.clip(row + 1, 0, rows), np.clip(row + 1 - seasons, 0, rows)
        known = counts[last, phase] - counts[first, phase]
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(known > 0, (sums[last, phase] - sums[first, phase]) / known, np.nan)
        return mean - self.mean(origins, season * seasons)[:, None]

    def _phase(self, origins: np.ndarray, season: int, back: int = 1) -> np.ndarray:
        """(o, h) the place of the same phase as each step, the `back`-th before the origin."""
        steps = np.arange(self.recipe.horizon)
        return np.asarray(origins[:, None] + (steps - season * (steps // season + back))[None, :])

    def drift(self, origins: np.ndarray, season: int) -> np.ndarray:
        """(o, h) how far the level of each step was from that of the origin a long season ago; NaN: not known."""
        unit, steps = self.recipe.unit, np.arange(self.recipe.horizon)
        reach = 2 * unit + 1 if unit > 1 else 3
        then = np.minimum(origins[:, None] + steps[None, :] - season + reach // 2 + 1, origins[:, None])
        return self.mean(then, reach) - self.mean(origins - season, reach + unit)[:, None]

    def level(self, origins: np.ndarray, length: int) -> np.ndarray:
        """(o,) the mean of the latest points; where none of them is known, of more; NaN: nothing is known."""
        found = self.mean(origins, length)
        for longer in (4 * length, 16 * length, len(self.values)):
            found = np.where(np.isfinite(found), found, self.mean(origins, longer))
        return found

    def base(self, origins: np.ndarray, base: Base) -> np.ndarray:
        """(o, h) what is foreseen before trees; without the effects of covariates."""
        found = np.repeat(self.level(origins, base.level)[:, None], self.recipe.horizon, axis=1)
        if base.season:
            found = found + np.nan_to_num(self.shape(origins, base.season, base.seasons))
        for season in self.recipe.long if base.drift else ():
            found = found + base.drift * np.nan_to_num(self.drift(origins, season))
        return found

    def ahead(self, origins: np.ndarray) -> np.ndarray:
        """(o, h) the effects of what is known of the time ahead."""
        return _at(self.effect, origins[:, None] + np.arange(self.recipe.horizon)[None, :])

    def features(self, origins: np.ndarray) -> np.ndarray:
        """(o, h, d) float32."""
        columns = [*self._of_origins(origins), *self._of_steps(origins)]
        shape = (len(origins), self.recipe.horizon)
        return np.stack([np.broadcast_to(each, shape) for each in columns], axis=2).astype(np.float32)

    def _of_origins(self, origins: np.ndarray) -> list[np.ndarray]:
        """What is the same for all steps, (o, 1) each."""
        recipe, question = self.recipe, self.question
        level = self.level(origins, recipe.base.level)
        found = [level if recipe.mode == LOG else level * question.scale, np.log1p(origins.astype(np.float64))]
        found += [self.at(origins - back) - level for back in range(1, N_LATEST + 1)]
        for length in recipe.windows:
            found.append(self.mean(origins, length) - level)
        for length in recipe.windows[2:5]:
            found.append(self.deviation(origins, length))
            found.append(self.mean(origins, length) - self.mean(origins - length, length))
        found.append(level - self.level(origins - 4 * recipe.unit, recipe.base.level))
        for column in question.past.T:
            found += [_at(column, origins - 1), _at(column, origins - 1 - recipe.unit)]
        found += [np.full(len(origins), each) for each in question.attributes]
        return [each[:, None] for each in found]

    def _of_steps(self, origins: np.ndarray) -> list[np.ndarray]:
        """What differs from step to step, (o, h) each."""
        recipe, question = self.recipe, self.question
        steps = np.arange(recipe.horizon)[None, :]
        ahead = origins[:, None] + steps
        base = self.base(origins, recipe.base)
        found = [np.broadcast_to(steps, base.shape), self.ahead(origins)]
        for season in recipe.seasons if recipe.unit > 1 else ():
            found += [self.at(self._phase(origins, season, back)) - base for back in range(1, N_SEASONS + 1)]
            found += [self.shape(origins, season, seasons) for seasons in PHASES[2::2]]
            found.append(_at(self.effect, self._phase(origins, season)))
        for season in recipe.long:
            found += [self.drift(origins, season), self.at(ahead - season) - base]
        found += [_at(column, ahead) for column in question.known.T]
        return [*found, *self._calendar(ahead)]

    def _calendar(self, places: np.ndarray) -> list[np.ndarray]:
        times = self.question.times
        if times is None:
            return [np.full(places.shape, np.nan)] * N_CALENDAR
        moments = times[np.minimum(places, len(times) - 1)]
        days, months = moments.astype("datetime64[D]"), moments.astype("datetime64[M]")
        return [
            (moments - days).astype(np.int64) // HOUR_S,
            (days.astype(np.int64) + 3) % 7,
            (days - months).astype(np.int64),
            months.astype(np.int64) % 12,
            (days - moments.astype("datetime64[Y]")).astype(np.int64),
        ]


def _at(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    inside = (places >= 0) & (places < len(values))
    if not len(values):
        return np.full(places.shape, np.nan)
    return np.where(inside, values[np.clip(places, 0, len(values) - 1)], np.nan)


def _before(table: np.ndarray) -> np.ndarray:
    """(rows + 1, season) sums of the rows before each."""
    return np.concatenate([np.zeros((1, table.shape[1])), np.cumsum(table, axis=0)])


def asked(questions: Sequence[Question], recipe: Recipe) -> tuple[np.ndarray, np.ndarray]:
    """(n, h) base with the effects of what is known ahead, and (n, h, d) features, of questions at their ends."""
    bases, tables = [], []
    for question in questions:
        track, end = Track(question, recipe), np.array([len(question.history)])
        bases.append(track.base(end, recipe.base)[0] + track.ahead(end)[0])
        tables.append(track.features(end)[0])
    return np.array(bases), np.array(tables)
