"""One look at the service: what is new in the log is read once, what ended is judged, alarms are raised or ended."""

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from windlass.database.backend import Database
from windlass.database.connection import read
from windlass.database.request_log import TABLES
from windlass.errors import WindlassError
from windlass.outputs import table as outputs
from windlass.records import Alarm, Health, Json, as_json
from windlass.registry import reference, releases
from windlass.registry.reference import Reference
from windlass.spec import Spec
from windlass.store.json_files import write_json
from windlass.store.store import Store
from windlass.watching import concept, documents, state
from windlass.watching.judgement import (
    health,
    judge_documents,
    judge_feedback,
    judge_traffic,
    judge_window,
    peek,
    summary,
)
from windlass.watching.notifications import channels
from windlass.watching.state import Memory
from windlass.watching.windows import Requests, Window, begin, seconds

logger = logging.getLogger("windlass.watching")
GRACE_S = 5.0
"""Answers are in the log this soon after they were given; younger ones are left for the next look."""
MOST_JOINED = 30
"""Lengths that a window with few answers may grow to before it is judged as it is."""
ANSWERS = (
    "select id, at, release, value, confidence, latency_ms, profile from answers where at > ? and at <= ? order by at"
)
REQUESTS = "select answered, refused, failed from requests where at > ? and at <= ?"
FEEDBACK = (
    "select f.number, f.id, f.at, a.release, a.value, f.correct from feedback f join answers a on a.id = f.id "
    "where f.number > ? order by f.number"
)


class Watcher:
    """Looks at one product's log."""

    def __init__(self, spec: Spec, store: Store, place: Database, now: float | None = None) -> None:
        self.spec, self.store, self.place = spec, store, place
        self.now = time.time() if now is None else now
        self.length_s = seconds(spec.watch.window)
        self.output = outputs.of(spec)
        self._references: dict[str, Reference | None] = {}
        self.warnings: list[str] = []

    def look(self) -> Health:
        """Reads what is new, judges what ended, writes `watch.json`. Raises: DataError: the log cannot be read."""
        with state.locked(self.store):
            kept = state.load(self.store)
            self._read_feedback(kept)
            self._read_answers(kept)
            if release := _newest(kept):
                judge_feedback(kept, release, self.reference(release), self.spec, self.now)
            found = documents.look(self.spec, self.store, self.place, self.output, self.now)
            judge_documents(kept, found, self.now)
            health = replace(self._health(kept), documents=found)
            self._announce(kept, health)
            state.save(self.store, kept)
            write_json(self.store.record("watch"), as_json(health))
        return health

    def _announce(self, kept: Memory, health: Health) -> None:
        """Has people told of what is raised and was not told, but for what is silenced; and of what has ended."""
        quiet = state.silences(self.store)
        raised = {f"{alarm.name}:{alarm.subject}": alarm for alarm in health.alarms}
        for key, alarm in raised.items():
            is_known = kept.announced.get(key) == alarm.since
            if not is_known and not state.is_silent(quiet, alarm.name, alarm.subject, self.now):
                kept.announced[key] = alarm.since
                self._queue(kept, "raised", alarm)
        for key in [key for key in kept.announced if key not in raised]:
            name, _, subject = key.partition(":")
            self._queue(kept, "ended", Alarm(name, subject, kept.announced.pop(key), "it is over"))

    def _queue(self, kept: Memory, event: str, alarm: Alarm) -> None:
        message = {"event": event, "product": self.spec.name, "at": self.now, **as_json(alarm)}
        kept.unsent += [{"channel": channel, "message": message, "tries": 0} for channel in channels(self.spec.watch)]

    def reference(self, release: str) -> Reference | None:
        """What the rows of the release were like; None where it has none, or is gone."""
        if release not in self._references:
            try:
                self._references[release] = reference.opened(releases.folder(self.store, release), self.warnings.append)
            except WindlassError:
                logger.warning("release '%s' has no reference: its rows are not watched", release, exc_info=True)
                self._references[release] = None
        return self._references[release]

    def _read_feedback(self, kept: Memory) -> None:
        """Of two on one answer the later one counts."""
        told = {id or place: (at, of, right, id) for place, (at, of, right, id) in enumerate(kept.told)}
        for row in self._rows(FEEDBACK, (kept.number,)):
            kept.number = row["number"]
            known = self.reference(row["release"])
            right = self._is_right(row["value"], row["correct"], known.answers if known else {})
            told.pop(row["id"], None)
            told[row["id"]] = (row["at"], row["release"], right, row["id"])
            if len(told) > 2 * state.MOST_TOLD:
                told = dict(list(told.items())[-state.MOST_TOLD :])
        kept.told = list(told.values())[-state.MOST_TOLD :]

    def _is_right(self, value: str, correct: str, answers: Json) -> bool:
        """What is said of an answer; `correct` is empty where it was wrong in a way that is not known."""
        if value == correct or not correct:
            return value == correct
        return self.output.is_right(self.output.value_of(value), self.output.value_of(correct), answers)

    def _read_answers(self, kept: Memory) -> None:
        horizon = self.now - GRACE_S
        low_below = self.spec.watch.hand_over_below or 0.0
        for row in self._rows(ANSWERS, (kept.until, horizon)):
            kept.window = self._window_at(kept, row["at"])
            kept.window.add(row, self.output.named(row["value"]), low_below)
            kept.last = row["at"]
        if kept.window is not None:
            self._end(kept, kept.window, horizon)
        kept.until = max(kept.until, horizon)
        judge_traffic(kept, horizon, self.length_s)

    def _requests(self, window: Window) -> Requests:
        """What the service counts once a minute."""
        counts = [0, 0, 0]
        for row in self._rows(REQUESTS, (window.since, window.until)):
            counts = [count + row[name] for count, name in zip(counts, ("answered", "refused", "failed"), strict=True)]
        return Requests(*counts)

    def _rows(self, query: str, values: tuple[Any, ...]) -> Iterator[Mapping[str, Any]]:
        return read(self.place, TABLES, query, values)

    def _window_at(self, kept: Memory, at: float) -> Window:
        """The window that an answer of this time belongs to; windows that ended before it are judged."""
        if kept.window is None:
            return begin(at, self.length_s)
        return self._end(kept, kept.window, at) or begin(at, self.length_s)

    def _end(self, kept: Memory, window: Window, at: float) -> Window | None:
        """The window while it goes on at this time; None when it has ended and was judged."""
        while window.until <= at:
            grown = (window.until - window.since) / self.length_s
            if window.n >= self.spec.watch.rows or grown >= MOST_JOINED:
                window.requests = self._requests(window)
                judge_window(kept, window, self.reference(window.release), self.spec)
                kept.window = None
                return None
            peek(kept, window, self.reference(window.release), self.spec)
            window.until += self.length_s
        return window

    def _health(self, kept: Memory) -> Health:
        """Of the last window that ended, or of the open one before there is any."""
        windows = list(kept.ended[-state.MOST_WINDOWS :])
        if kept.window is not None and kept.window.n:
            windows.append({**summary(kept, kept.window, self.reference(kept.window.release), []), "open": True})
        ended = [each for each in windows if not each["open"]]
        shown = next(iter((ended or windows)[-1:]), None)
        return health(self.spec.name, windows, shown, kept.alarms.raised(), self._warnings(kept))

    def _warnings(self, kept: Memory) -> list[str]:
        """What is not watched, and why."""
        found = [*dict.fromkeys(self.warnings)]
        release = _newest(kept)
        if release and self.reference(release) is None:
            found.append(
                f"release '{release}' has no {reference.FILE}: drift of inputs and the estimated quality are not "
                "watched; `windlass release` makes one that has"
            )
        if kept.told and concept.missing():
            found.append(concept.missing())
        return found


def _newest(kept: Memory) -> str:
    """The release that gives most of the answers now; empty where nothing was answered."""
    return kept.window.release if kept.window is not None else kept.ended[-1]["release"] if kept.ended else ""
