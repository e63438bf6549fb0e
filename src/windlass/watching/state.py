"""What `watch` remembers between two looks: where it stopped, the window that is open, those that ended, its alarms.

One file, replaced at once: a kill leaves the state before the look, and the look is made again.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from windlass.errors import DataError, NotReady
from windlass.records import Json
from windlass.store.files import own_file
from windlass.store.json_files import read_json, write_json
from windlass.store.store import Store
from windlass.watching.alarms import Alarms
from windlass.watching.windows import Part, Window

FILE, LOCK, SILENCES = "state.json", ".lock", "silences.json"
MOST_WINDOWS, MOST_TOLD = 400, 5_000
FORMAT = 1
Told = tuple[float, str, bool, str]
"""The last word on an answer: when it was said, of which release the answer is, whether it was right, and its id ('' in
what earlier versions remembered)."""


@dataclass
class Memory:
    """until: answers up to this time were read; number: feedback up to this one. last: when the last answer was given.

    announced: alarm (name:subject) -> since when, of those that people were told of. unsent: what waits to be sent.
    before: what was answered in the window that ended last, where that was little.
    """

    until: float = 0.0
    number: int = 0
    last: float = 0.0
    window: Window | None = None
    ended: list[Json] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    alarms: Alarms = field(default_factory=Alarms)
    announced: dict[str, float] = field(default_factory=dict)
    unsent: list[Json] = field(default_factory=list)
    before: Part | None = None

    def as_json(self) -> Json:
        return {
            "format": FORMAT,
            "until": self.until,
            "number": self.number,
            "last": self.last,
            "window": None if self.window is None else self.window.as_json(),
            "ended": self.ended[-MOST_WINDOWS:],
            "told": self.told[-MOST_TOLD:],
            "alarms": self.alarms.as_json(),
            "announced": self.announced,
            "unsent": self.unsent,
            "before": None if self.before is None else self.before.as_json(),
        }


@contextmanager
def locked(store: Store) -> Iterator[None]:
    """One look at a time; others wait."""
    with own_file(store.stage("watch") / LOCK) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def load(store: Store) -> Memory:
    """What was remembered; nothing when there was no look yet. Raises: DataError: it is damaged."""
    path = store.stage("watch") / FILE
    if not path.is_file():
        return Memory()
    values: Any = read_json(path)
    try:
        if values["format"] != FORMAT:
            raise ValueError(f"format {values['format']!r}")
        return Memory(
            float(values["until"]),
            int(values["number"]),
            float(values["last"]),
            None if values["window"] is None else Window.from_json(values["window"]),
            list(values["ended"]),
            [(float(at), str(release), bool(right), "".join(id)) for at, release, right, *id in values["told"]],
            Alarms.from_json(values["alarms"]),
            {str(alarm): float(since) for alarm, since in values["announced"].items()},
            list(values["unsent"]),
            None if values.get("before") is None else Part.from_json(values["before"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"{path} is damaged ({str(error)[:100]}), expected what `watch` remembers",
            "remove it: the log is read again from its beginning",
        ) from None


def save(store: Store, memory: Memory) -> None:
    write_json(store.stage("watch") / FILE, memory.as_json())


def silences(store: Store) -> dict[str, float]:
    """Alarm -> time until which nobody is told of it. Alarm: its name, or `name:subject`."""
    try:
        values = read_json(store.folder / "watch" / SILENCES)
    except NotReady:
        return {}
    if not isinstance(values, dict) or not all(isinstance(until, int | float) for until in values.values()):
        raise DataError(f"{store.folder / 'watch' / SILENCES} is damaged, expected alarm: time", "remove it")
    return values


def silence(store: Store, alarm: str, until: float) -> None:
    """Nobody is told of this alarm until then; a time that has passed ends the silence."""
    with locked(store):
        write_json(store.stage("watch") / SILENCES, {**silences(store), alarm: until})


def is_silent(kept: dict[str, float], name: str, subject: str, now: float) -> bool:
    return any(now < kept.get(alarm, 0.0) for alarm in (name, f"{name}:{subject}"))
