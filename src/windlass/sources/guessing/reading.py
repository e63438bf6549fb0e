"""A table that is read as series: what comes next, or an answer told from windows of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from windlass.kinds import table as kinds
from windlass.sources.columns import Look, look
from windlass.sources.guessing.goals import GOALS
from windlass.sources.guessing.record import Guess, Reading
from windlass.sources.guessing.series import HISTORY, FoundSeries, find_series, guess_series
from windlass.sources.guessing.windows import READINGS, Asked, WindowsGuess, guess_windows

N_LOOKED_AT = 5_000


@dataclass(frozen=True)
class Table:
    """columns: of the same rows, none left out between others; looks: of those beside the output."""

    columns: Mapping[str, Sequence[Any]]
    looks: Mapping[str, Look]
    series: FoundSeries


def read_as_series(found: Guess, columns: Mapping[str, Sequence[Any]], as_kind: str) -> bool:
    """Completes the guess where the table holds series, and the output is one that can be told from them."""
    step = max(1, len(columns[found.output]) // N_LOOKED_AT)
    looks = {name: look(name, values[::step]) for name, values in columns.items() if name != found.output}
    series = find_series(columns, looks)
    if series is None:
        return False
    table = Table(columns, looks, series)
    return any(read_as(found, table, as_kind) for read_as in READ_AS.get(as_kind or found.output_kind, ()))


def _foreseeing(found: Guess, table: Table, as_kind: str) -> bool:
    """Makes a forecast of the number where the table holds series of it."""
    looks = table.looks
    made = guess_series(table.series, table.columns, looks, found.output)
    if made is None:
        return False
    name = HISTORY if HISTORY not in table.columns else f"{HISTORY}_of_{found.output}"
    found.inputs = {name: "series", **made.attributes}
    found.output_kind, found.group, found.series = "forecast", made.group, made.as_spec()
    found.goal, found.gate = "mase", "mase <= 0.9"
    written = {found.output: look(found.output, table.columns[found.output]), **looks}
    _say_formats(found, written, (found.output, *made.attributes, *made.known, *made.past))
    told = ", ".join(f"{each}: {look.kind}" for each, look in looks.items() if look.kind and each != made.time)
    found.reasons += made.reasons
    if told:
        found.reasons.append(
            f"were '{found.output}' to be told from the other columns of the same row: inputs {{{told}}}, output "
            f"{{{found.output}: number}}, and no `series`"
        )
    if made.past and not as_kind:
        words = f"'{found.output}' told from the other columns of the same row"
        found.close(Reading(found.output, "number", "what comes next", words))
    found.reasons.append("goal mase: how far forecasts are off, beside repeating the last season; below 1 is better")
    return True


def _say_formats(found: Guess, looks: Mapping[str, Look], used: Sequence[str]) -> None:
    """How the columns that are used are written, where that is not as programs write."""
    found.formats.update({name: looks[name].format for name in used if name in looks and looks[name].format})
    found.reasons += ["; ".join([f"'{name}'", *looks[name].notes]) for name in used if name in found.formats]


def _watching(found: Guess, table: Table, as_kind: str, is_watch: bool = False) -> bool:
    """Has the answer told from windows of series, where states last, or answers are rarer than points."""
    columns, looks = table.columns, table.looks
    kind = kinds.get(found.output_kind)
    asked = Asked(found.output, not kind.is_named and not kind.is_prose, bool(as_kind), is_watch)
    made = guess_windows(table.series, columns, looks, asked)
    if made is None:
        return False
    name = READINGS if READINGS not in columns else f"{READINGS}_of_{made.found.group or 'all'}"
    found.inputs = {name: "series", **made.attributes}
    found.output_kind, found.group, found.series = made.kind, made.found.group, made.as_spec()
    found.reasons += made.reasons
    _say_formats(found, looks, (*made.attributes, *made.known, *made.past))
    for each, seen in looks.items():
        if each not in (*found.inputs, made.found.time, made.found.group, *made.past, *made.known):
            found.left_out[each] = seen.why or f"{seen.kind} that changes from point to point"
    if made.is_watch:
        _of_alarms(found, made, as_kind)
        return True
    if not as_kind:
        words = f"each row answered by itself, as a {made.kind}"
        found.close(Reading(found.output, made.kind, "windows of rows", words))
    GOALS[made.kind](found, columns[found.output], ())
    return True


def _of_alarms(found: Guess, made: WindowsGuess, as_kind: str) -> None:
    found.merge = {"": "none"} if made.empty_is_sound else {}
    if len(made.causes) > 1 and not as_kind:
        words = f"which of {len(made.causes) + 1} it is, told from windows"
        found.close(Reading(found.output, "windows", "whether something is wrong", words))
    found.goal, found.gate = "found_within_a_day", "found_within_a_day >= 0.90"
    found.reasons.append(
        "goal found_within_a_day: faults that raise an alarm within a day, at one false alarm a month at most "
        "(`limits: {false_alarms_a_month: 1}`)"
    )


READ_AS: dict[str, tuple[Callable[[Guess, Table, str], bool], ...]] = {
    "number": (_watching, _foreseeing),
    "category": (_watching,),
    "text": (_watching,),
    "anomaly": (partial(_watching, is_watch=True),),
    "windows": (_watching,),
    "forecast": (_foreseeing,),
}
"""Kind of the output -> what may read the whole table in another way, and then completes the guess."""
AS_SERIES = tuple(name for name in READ_AS if name not in GOALS)
"""What `--as` may say beside the kinds of answers to a row."""
