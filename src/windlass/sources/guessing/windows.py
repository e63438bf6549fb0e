"""Whether an answer is told from windows of series: states that last, an answer a window, or whether all is well."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from windlass.durations import DAY_S
from windlass.kinds.anomaly import SOUND
from windlass.kinds.contract import is_missing
from windlass.sources.answers import MOST_LABELS
from windlass.sources.columns import Look, is_quantity, readable, word_of
from windlass.sources.guessing.series import FoundSeries, is_covariate, is_fixed, is_named, listed

READINGS = "readings"
LEAST_ANSWERS = 20
"""Answers of a column that holds few of them, and of one whose states last."""
SPARSE = 0.5
"""Share of the points, at most, that have an answer where one is given for a window."""
LASTING = 0.2
"""States last where they change at most so many times as often as they would in a random order."""
MOSTLY = 0.5
"""Share of the points at which nothing is wrong."""
MOST_CAUSES = 50
FEWEST, MOST = 8, 336
"""Points of a window that is guessed from the step: a week, within these bounds."""
FAULT = re.compile(
    r"anomal|fault|fail|alarm|alert|defect|broken|breakdown|outage|异常|故障|报警|告警|失效", re.IGNORECASE
)
"""Names of columns that say what is wrong, and are empty where nothing is."""
STATE = re.compile(r"cause|condition|health|state|status|原因|状态|状况", re.IGNORECASE)
"""Names of columns that say so in words, and hold other things as well."""
EXPLAINS = re.compile(
    r"(^|_)(load|speed|rpm|setpoint|set_point|mode|duty|throttle|shift|recipe)(_|$)|负载|负荷|转速|工况|设定|班次",
    re.IGNORECASE,
)
"""Names of what explains readings, and is not itself watched."""


@dataclass(frozen=True)
class Asked:
    """What is to be told. is_number: its values say how much; is_said: a person said that windows tell it; is_watch:
    and that it is whether something is wrong."""

    output: str
    is_number: bool = False
    is_said: bool = False
    is_watch: bool = False


@dataclass
class WindowsGuess:
    """How the table is read. kind: of the output. is_watch: it is whether something is wrong. empty_is_sound: no
    cell says that all is well, empty ones do.

    window, stride, rest: in points; 0 = not said. attributes: columns that do not change within a series -> kind.
    causes: names of what was wrong.
    """

    found: FoundSeries
    kind: str
    why: str
    window: int
    stride: int = 0
    rest: int = 0
    known: list[str] = field(default_factory=list)
    past: list[str] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    empty_is_sound: bool = False
    causes: list[str] = field(default_factory=list)
    is_watch: bool = False

    def as_spec(self) -> dict[str, Any]:
        """The section `series` of windlass.yaml."""
        values = {"time": self.found.time, "window": self.window, "stride": self.stride, "rest": self.rest,
                  "past": self.past, "known": self.known}  # fmt: skip
        return {name: value for name, value in values.items() if value}

    @property
    def reasons(self) -> list[str]:
        found = self.found
        parts = f", one for each '{found.group}'" if found.group else ""
        said = [
            f"'{found.time}' goes on in steps of {found.step}: {found.n_series:,} series{parts}, the longest with "
            f"{found.longest:,} points; {self.why}",
            f"an answer is told from the last {self.window:,} points (`window`) of {listed(self.past)}"
            + (f", explained by {listed(self.known)}; move to `past` what is to be watched itself" * bool(self.known)),
        ]
        if self.empty_is_sound:
            said.append("an empty cell is taken as 'nothing is wrong': `labels: {merge: {'': none}}` says so")
        return said


def may_be_watched(name: str, values: Sequence[Any]) -> bool:
    """True for a column that says what is wrong where something is, and mostly says that nothing is."""
    return bool(FAULT.search(name) or STATE.search(name)) and _mostly_sound(name, values) and not is_quantity(values)


def _mostly_sound(name: str, values: Sequence[Any]) -> bool:
    words = readable(values)
    if len(set(words)) > MOST_CAUSES:
        return False
    sound = sum(word.casefold() in SOUND for word in words)
    if sound:
        is_told = any(not word.strip().isdigit() for word in words) or FAULT.search(name)
        return bool(is_told) and sound >= MOSTLY * len(values)
    return FAULT.search(name) is not None and len(words) < (1 - MOSTLY) * len(values)


def guess_windows(
    found: FoundSeries, columns: Mapping[str, Sequence[Any]], looks: Mapping[str, Look], asked: Asked
) -> WindowsGuess | None:
    """How the output is told from windows; None: each row is answered by itself.

    Args: columns: all of the same rows; looks: of those beside the output.
    """
    made = _answers_of(found, columns, asked)
    if made is None:
        return None
    _sort_columns(made, columns, looks, asked.output)
    return made if made.past else None


def _answers_of(found: FoundSeries, columns: Mapping[str, Sequence[Any]], asked: Asked) -> WindowsGuess | None:
    output, is_number = asked.output, asked.is_number
    values = columns[output]
    words = np.array(["" if is_missing(value) else word_of(value).strip() for value in values])
    answered = int((words != "").sum())
    is_watched = _mostly_sound(output, values) and not is_number
    is_told = FAULT.search(output) or STATE.search(output)
    if asked.is_watch or (not asked.is_said and is_watched and (is_told or _last(found, words))):
        return _watching(found, words)
    if len(set(readable(values))) < 2 or (not is_number and len(set(readable(values))) > MOST_LABELS):
        return None
    kind = "number" if is_number else "category"
    if found.group and found.n_series > 1 and is_fixed(values, columns[found.group]):
        shortest = int(np.quantile(np.unique(found.names, return_counts=True)[1], 0.1, method="lower"))
        return WindowsGuess(found, kind, f"each has one '{output}'", shortest, shortest)
    if LEAST_ANSWERS <= answered <= SPARSE * len(values):
        return _a_window_each(found, words, kind, output)
    if not is_number and (asked.is_said or _last(found, words)):
        window = max(FEWEST, min(MOST, _usual_run(found, words) // 2))
        return WindowsGuess(found, kind, f"each '{output}' lasts for many of them", window)
    return None


def _watching(found: FoundSeries, words: np.ndarray) -> WindowsGuess:
    """A week is a window where the step lets it, and a machine is judged at least four times a day."""
    day = DAY_S / found.step.usual_seconds
    window = max(FEWEST, min(MOST, max(28, round(7 * day)), found.longest // 12))
    rest = max(1, round(day))
    causes = sorted({str(word) for word in words if word and word.casefold() not in SOUND})
    sound = sum(word.casefold() in SOUND for word in words.tolist())
    why = "mostly nothing is wrong, so it is learned from good readings what is usual, and told when something is not"
    return WindowsGuess(
        found, "anomaly", why, window, max(1, min(window // 4, round(day / 4))), rest if rest < window else 0,
        empty_is_sound=not sound, causes=causes, is_watch=True,
    )  # fmt: skip


def _a_window_each(found: FoundSeries, words: np.ndarray, kind: str, output: str) -> WindowsGuess:
    """The points from one answer to the next are a window."""
    places = np.flatnonzero(words[found.order] != "")
    same = found.names[found.order][places][1:] == found.names[found.order][places][:-1]
    gaps = np.diff(places)[same]
    window = int(np.median(gaps)) if len(gaps) else found.longest // 4
    why = f"few of them have a '{output}', which is told of the points up to it"
    return WindowsGuess(found, kind, why, max(2, window), 1)


def _changes(found: FoundSeries, words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(m,) the answers by series and moment, and (m - 1,) whether the next one of the series is another one."""
    given = words[found.order] != ""
    ordered, names = words[found.order][given], found.names[found.order][given]
    return ordered, (ordered[1:] != ordered[:-1]) & (names[1:] == names[:-1])


def _last(found: FoundSeries, words: np.ndarray) -> bool:
    """States go on for a while: they change far more rarely than they would in a random order."""
    ordered, changes = _changes(found, words)
    if len(ordered) < LEAST_ANSWERS or len(set(ordered.tolist())) < 2 or not changes.any():
        return False
    shares = np.array(list(Counter(ordered.tolist()).values())) / len(ordered)
    return bool(changes.sum() <= LASTING * (1 - (shares**2).sum()) * len(changes))


def _usual_run(found: FoundSeries, words: np.ndarray) -> int:
    """Points for which a state lasts, in the middle."""
    _, changes = _changes(found, words)
    return int(np.median(np.diff(np.flatnonzero(np.concatenate([[True], changes, [True]])))))


def _sort_columns(
    made: WindowsGuess, columns: Mapping[str, Sequence[Any]], looks: Mapping[str, Look], output: str
) -> None:
    """What is watched, what explains it, and what does not change within a series. The series' own name is an input
    where a state comes again in each, or alarms are counted by it: then nothing else stands beside the readings."""
    group = made.found.group
    for name, each in looks.items():
        if name in (made.found.time, group, output):
            continue
        if group and each.kind and is_fixed(columns[name], columns[group]):
            made.attributes[name] = each.kind
        elif is_covariate(each, columns[name]) and not is_named(each):
            (made.known if EXPLAINS.search(name) else made.past).append(name)
    if not made.past:
        made.past, made.known = made.known, []
    if made.is_watch:
        made.attributes = {}
    if group and (made.is_watch or (is_named(looks[group]) and made.stride != made.window)):
        made.attributes = {group: "category", **made.attributes}
