"""`improve` that runs by itself: by a schedule, or when `watch` raises an alarm; beside a service, out of its way."""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from math import inf

from windlass.durations import read_duration
from windlass.errors import WindlassError
from windlass.improving.attempts import WORD
from windlass.records import Improvement, Json, as_json
from windlass.store.json_files import reading
from windlass.store.store import Store

logger = logging.getLogger("windlass.improving")

LOOK_S = 60.0
WORTH = frozenset({"drift", "concept", "quality", "documents"})
"""Alarms that say that the world, or what was read of it, is another one: learning does not mend errors and latency."""


def read_period(text: str) -> float:
    """Seconds, at least a minute, from `90m`, `6h`, `1d` or `2w`. Raises: SpecError."""
    return read_duration(text, "'--every'", "'90m', '6h', '1d' or '2w'", least_s=LOOK_S, most_s=inf)


@dataclass(frozen=True)
class Turn:
    """What came of a look: an attempt, or why there was none."""

    improvement: Improvement | None
    words: str

    def as_json(self) -> Json:
        return {"words": self.words, "improvement": None if self.improvement is None else as_json(self.improvement)}


@dataclass
class RetrainSchedule:
    """Looks again and again whether it is time.

    once(trigger) -> an attempt; guard() -> why the champion was rolled back, empty when it was not. every_s: seconds
    between attempts; 0: only on alarms. wait(seconds) -> True to end. now() -> seconds since 1970.
    """

    store: Store
    once: Callable[[str], Improvement]
    guard: Callable[[], str]
    every_s: float = 0.0
    on_alarm: bool = False
    wait: Callable[[float], bool] = threading.Event().wait
    now: Callable[[], float] = time.time

    def turns(self) -> Iterator[Turn]:
        """Never ends by itself; what fails is told, and tried again at the next look."""
        while True:
            try:
                yield from self._look()
            except WindlassError as error:
                yield Turn(None, str(error))
            if self.wait(self._pause()):
                return

    def _look(self) -> Iterator[Turn]:
        back = self.guard()
        if back:
            yield Turn(None, back)
        trigger = self._due()
        if trigger:
            made = self.once(trigger)
            yield Turn(made, f"{made.at} {made.verdict}: {made.why}")

    def _due(self) -> str:
        """What asks for an attempt now; empty when nothing does."""
        since = self._last()
        alarms = [alarm for alarm in self._alarms() if alarm["since"] > since]
        if alarms:
            return f"alarm: {alarms[0]['words']}"
        if self.every_s and self.now() - since >= self.every_s:
            return "windlass improve --every"
        return ""

    def _pause(self) -> float:
        if self.on_alarm or not self.every_s:
            return LOOK_S
        return min(LOOK_S, max(1.0, self._last() + self.every_s - self.now()))

    def _last(self) -> float:
        """When the last attempt was made, in seconds since 1970; 0: never."""
        path = self.store.record(WORD)
        if not path.is_file():
            return 0.0
        with reading(path, "when the last attempt was made", "remove it"):
            return datetime.fromisoformat(self.store.read_record(WORD)["at"]).timestamp()

    def _alarms(self) -> list[Json]:
        """What `watch` has found, where it has looked."""
        path = self.store.record("watch")
        if not self.on_alarm or not path.is_file():
            return []
        try:
            found = self.store.read_record("watch").get("alarms", [])
        except (WindlassError, json.JSONDecodeError):
            logger.warning("%s cannot be read: its alarms are not seen", path, exc_info=True)
            return []
        return [alarm for alarm in found if isinstance(alarm, dict) and alarm.get("name") in WORTH]
