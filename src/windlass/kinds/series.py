"""The kind of a series: points in the order of time; `points/` reads them, sums them up and remembers them."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from windlass.kinds.contract import Kind, is_missing
from windlass.kinds.points.encoding import RAW, STEPS, encode, fit, unknown
from windlass.kinds.points.memory import known_points, latest_points, learn, profile, season, traits
from windlass.kinds.points.reading import EMPTY, PLAIN, Series, Written, check, read
from windlass.kinds.sketch import Sketch
from windlass.records import Json


def describe(value: Series, state: Json) -> str:
    """`has 730 points, the latest about 41.2`."""
    level, _ = latest_points(value)
    return f"has {len(value):,} points" + (f", the latest about {level:.4g}" if level == level else "")


def brief(value: Any) -> str:
    """`730 points, 2024-01-01 to 2025-12-30, the latest about 41.2`."""
    series = read(value, None)
    known = known_points(series)
    times = series.times(len(series)) if len(series) else None
    when = "" if times is None else f", {str(times[0])[:16]} to {str(times[-1])[:16]}".replace("T00:00", "")
    return f"{len(series):,} points{when}" + (f", the latest about {known[-1]:.4g}" if len(known) else "")


def effort(value: Any) -> int:
    """A number is about eight characters; points are counted with their names."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(8 * len(each) for each in value.values() if isinstance(each, list)) + sum(
            8 * len(each) for each in _inner(value) if isinstance(each, list)
        )
    if not isinstance(value, list):
        return 0
    return sum(30 * len(each) if isinstance(each, dict) else 8 for each in value)


def _inner(value: Json) -> list[Any]:
    inside = value.get("columns")
    return list(inside.values()) if isinstance(inside, dict) else []


def claims(values: Sequence[Any]) -> bool:
    """Lists of at least three numbers, or texts of them."""
    if not values:
        return False
    sample = values[:50]
    return all(isinstance(each, list | tuple | str) and check(each) is None for each in sample) and all(
        len(read(each, None)) >= 3 for each in sample
    )


def _portable(value: Any, root: Path | None, how: Written = PLAIN) -> Json | None:
    return None if is_missing(value) else read(value, root, how).as_json()


def _clean(value: Any, root: Path | None, how: Written = PLAIN) -> str:
    return "" if is_missing(value) else read(value, root, how).as_text()


def _kind(how: Written) -> Kind:
    return Kind(
        name="series",
        forms=("features", STEPS, RAW),
        check=partial(check, how=how),
        read=partial(read, how=how),
        fit=fit,
        encode=encode,
        clean=partial(_clean, how=how),
        portable=partial(_portable, how=how),
        has_points=True,
        background=lambda state: [(EMPTY, 1.0)],
        brief=brief,
        describe=describe,
        unknown=unknown,
        sketch=Sketch(learn, profile, traits, season),
        claims=claims,
        as_written=lambda said: _kind(Written.of(said)),
        effort=effort,
    )


KIND = _kind(PLAIN)
