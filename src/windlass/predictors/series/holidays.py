"""Public holidays as a covariate in words whose future is known: from a table of days that the artifact keeps.

The table is made when the model is trained (learners/series/holidays.py), ten years ahead: who serves needs no
package, and no later version of one, which may have moved a day, makes serving differ from training.
"""

import re
from collections.abc import Mapping

import numpy as np

from windlass.errors import DataError
from windlass.records import Json

HOLIDAY = "public holiday"
"""What the covariate is called."""
MOST_DAYS = 50_000
DAY = re.compile(r"\d{4}-\d\d-\d\d")


def names_of(times: np.ndarray | None, table: Mapping[str, str], count: int) -> np.ndarray:
    """(count,) the name of the first holiday from each moment to before the next, '' where there is none.

    Args: times: (count,) datetime64[s], ascending; None: points are only counted. table: day -> name.
    """
    found = np.full(count, "", object)
    if times is None or not table or not count:
        return found
    known = np.array(sorted(table), "datetime64[D]")
    names = np.array([table[str(day)] for day in known], object)
    days = times.astype("datetime64[D]")
    spans = np.diff(days).astype(np.int64)
    ends = days + np.maximum(np.append(spans, spans[-1:] if count > 1 else [1]), 1)
    places = np.searchsorted(known, days)
    hit = places < len(known)
    hit[hit] = known[places[hit]] < ends[hit]
    found[hit] = names[places[hit]]
    return found


def kept(state: Json) -> dict[str, str]:
    """The table of a column's state; empty where it has none. Raises: DataError: it is damaged."""
    table, levels = state.get("holidays", {}), state.get("levels", {})
    sound = isinstance(table, dict) and len(table) <= MOST_DAYS
    sound = sound and all(isinstance(name, str) and DAY.fullmatch(day) for day, name in table.items())
    try:
        days = np.array(list(table) if sound else [], "datetime64[D]")
    except ValueError:  # such as 2026-02-30
        days = np.zeros(0)
    if not sound or len(days) < len(table) or (table and not isinstance(levels.get(HOLIDAY), list)):
        raise DataError("the table of public holidays is damaged, expected names of days")
    return table


def late(times: np.ndarray | None, table: Mapping[str, str]) -> str:
    """What a person should know where the table ends before the time ahead does; '' = nothing."""
    if times is None or not table or not len(times):
        return ""
    last = max(table)[:4]
    return f"public holidays are known until {last}: retrain for later ones" if str(times[-1])[:4] > last else ""
