"""A day, with or without a time: the trend and the cycles in it."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from windlass.durations import DAY_S
from windlass.errors import DataError
from windlass.kinds.contract import Kind, is_missing, shown
from windlass.kinds.formats import date_format
from windlass.kinds.number import MISSING_WORDS
from windlass.kinds.sketch import MISSING, NO_SEASON, Profile, Sketch, Trait
from windlass.records import Json

MOST_CHARACTERS = 100
DAYS_PER_YEAR = 365.2425
WEEK = "week"
"""Where the state of a sketch says that profiles know the week of the year."""


def parse(value: Any) -> datetime | None:
    """The moment, without its time zone; None when missing. Raises: ValueError."""
    return _parsed(value, date_format.known)


def _parsed(value: Any, of_word: Callable[[str], datetime]) -> datetime | None:
    if is_missing(value) or (isinstance(value, str) and value.strip().lower() in MISSING_WORDS):
        return None
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if not isinstance(value, str):
        raise ValueError(type(value).__name__)
    word = value.strip()
    if len(word) > MOST_CHARACTERS:
        raise ValueError("too long")
    return of_word(word)


def check(value: Any) -> str | None:
    try:
        parse(value)
    except ValueError:
        return f"is {shown(value)}, expected a day that exists, such as 2026-03-31 or 2026/03/31"
    return None


def read(value: Any, root: Path | None) -> datetime | None:
    fault = check(value)
    if fault:
        raise DataError(f"date {fault}", _form_of(value))
    return parse(value)


def _form_of(value: Any) -> str:
    """The forms that a value seems to be written in, as a hint; '' where it seems to be no day."""
    examples = date_format.guesses([value.strip()], 1.0) if isinstance(value, str) else []
    shown = " or ".join(map(repr, examples))
    return f"`formats:` in windlass.yaml says how days are written: {shown}" if examples else ""


def as_written(how: Json) -> Kind:
    """Days that a column writes as the example `how["format"]` does. Raises: SpecError: it is no example."""
    example = date_format.check(str(how["format"]))

    def parse_it(value: Any) -> datetime | None:
        if example == date_format.COMPACT and isinstance(value, int | float | np.number) and not is_missing(value):
            value = f"{value:.0f}" if float(value).is_integer() else value
        return _parsed(value, lambda word: date_format.written(word, example))

    def check_it(value: Any) -> str | None:
        try:
            parse_it(value)
        except (ValueError, OverflowError):
            return f"is {shown(value)}, expected a day that exists, written like {example} or 2026-12-31"
        return None

    def read_it(value: Any, root: Path | None) -> datetime | None:
        fault = check_it(value)
        if fault:
            raise DataError(f"date {fault}", _form_of(value))
        return parse_it(value)

    def clean_it(value: Any, root: Path | None) -> str | None:
        return _iso(read_it(value, root))

    return replace(KIND, check=check_it, read=read_it, clean=clean_it, portable=clean_it)


def _years(moment: datetime) -> float:
    return (moment - datetime(2000, 1, 1)).total_seconds() / DAY_S / DAYS_PER_YEAR


def fit(values: Iterable[datetime | None], form: str, options: Json) -> Json:
    years = np.array([_years(value) for value in values if value is not None])
    deviation = float(years.std()) if len(years) else 1.0
    return {"form": "calendar", "mean": float(years.mean()) if len(years) else 0.0, "deviation": deviation or 1.0}


def encode(values: Sequence[datetime | None], state: Json) -> np.ndarray:
    """(n, 8): scaled time, is missing, and sine and cosine of the place in year, week and day."""
    batch = np.zeros((len(values), 8), np.float32)
    mean, deviation = float(state["mean"]), float(state["deviation"])
    for number, value in enumerate(values):
        if value is None:
            batch[number, 1] = 1
            continue
        batch[number, 0] = np.clip((_years(value) - mean) / deviation, -8, 8)
        places = (value.timetuple().tm_yday / DAYS_PER_YEAR, value.weekday() / 7, (value.hour + value.minute / 60) / 24)
        for cycle, place in enumerate(places):
            batch[number, 2 + 2 * cycle] = math.sin(2 * math.pi * place)
            batch[number, 3 + 2 * cycle] = math.cos(2 * math.pi * place)
    return batch


def clean(value: Any, root: Path | None) -> str | None:
    return _iso(read(value, root))


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def background(state: Json) -> list[tuple[datetime, float]]:
    """The mean day, and two thirds of a year around it: cycles of the year are averaged out."""
    middle = datetime(2000, 1, 1) + timedelta(days=float(state["mean"]) * DAYS_PER_YEAR)
    return [(middle + timedelta(days=shift), 1 / 3) for shift in (-122, 0, 122)]


def describe(value: datetime | None, state: Json) -> str:
    """`is 2026-03-31, later than most training rows`."""
    if value is None:
        return "is missing"
    place = (_years(value) - float(state["mean"])) / float(state["deviation"])
    word = "earlier" if place < -1 else "later" if place > 1 else ""
    return f"is {value.date()}" + (f", {word} than most training rows" if word else "")


def learn(values: Iterable[datetime | None]) -> Json:
    """The first and the last day of training, in years since 2000."""
    years = [_years(value) for value in values if value is not None]
    return {"first": min(years, default=0.0), "last": max(years, default=0.0), WEEK: True}


def profile(value: datetime | None, state: Json) -> Profile:
    """The day of the week (0: missing), whether it is earlier than all of training (1), within (2) or later (3), and
    the week of the year."""
    n_weeks = 1 if state.get(WEEK) else 0
    if value is None:
        return [MISSING] * (2 + n_weeks)
    place = _years(value)
    when = 1 if place < state["first"] else 3 if place > state["last"] else 2
    return [1 + value.weekday(), when, *[1 + (value.timetuple().tm_yday - 1) // 7] * n_weeks]


def season(state: Json) -> int:
    """Where a profile has the week of the year; releases of before knew none."""
    return 2 if state.get(WEEK) else NO_SEASON


def traits(state: Json) -> tuple[Trait, ...]:
    """That dates are later than training is no drift: time goes on."""
    return (
        Trait("missing", "rate", 0, 8, (MISSING,)),
        Trait("weekday", "names", 0, 8),
        Trait("earlier", "rate", 1, 4, (1,)),
    )


KIND = Kind(
    name="date",
    is_moment=True,
    forms=("calendar",),
    check=check,
    read=read,
    fit=fit,
    encode=encode,
    clean=clean,
    portable=clean,
    background=background,
    describe=describe,
    sketch=Sketch(learn, profile, traits, season),
    as_written=as_written,
)
