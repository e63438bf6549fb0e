"""From counts to what a person reads: standings of the entities, alarms, and the texts that caused them."""

import heapq
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

from windlass.metrics.measures import Array, wilson
from windlass.metrics.proportions import Proportion
from windlass.records import Json
from windlass.trends.alarms import LEAST_PAST, Surprises, episodes, surprises
from windlass.trends.definition import Definition
from windlass.trends.feed import ALL, Counts, find_rows
from windlass.trends.record import EntityStatus, Event, Reading, Series, Text, Topic, Trends
from windlass.trends.surprise import share_difference

WEEK = 7
SURE = 0.01
"""Chance below which a volume is told as unusual."""
N_TEXTS, N_DAY_TEXTS, N_TOPICS, MOST_ROWS, LONGEST_TEXT = 8, 5, 4, 1_000, 600


@dataclass(frozen=True)
class Table:
    """The counts as arrays (n, d): n entities, the first of them all texts, on the d days that had texts."""

    names: list[str]
    days: list[date]
    texts: Array
    bad: Array
    about: dict[tuple[str, date], Counter[str]]

    @classmethod
    def of(cls, counts: Counts, definition: Definition) -> "Table":
        names = [ALL, *definition.entities]
        days = sorted({day for entity, day, _, _ in counts.texts if entity == ALL})
        rows, columns = ({key: place for place, key in enumerate(keys)} for keys in (names, days))
        texts, bad = np.zeros((2, len(names), len(days)), int)
        about: dict[tuple[str, date], Counter[str]] = {}
        for (entity, day, label, topic), n in counts.texts.items():
            texts[rows[entity], columns[day]] += n
            if label in definition.bad:
                bad[rows[entity], columns[day]] += n
                about.setdefault((entity, day), Counter())[topic] += n
        return cls(names, days, texts, bad, about)

    def topics(self, entity: str, days: Iterable[date]) -> Counter[str]:
        """What the bad texts of these days were about."""
        found: Counter[str] = Counter()
        for day in days:
            found.update(self.about.get((entity, day), {}))
        found.pop("", None)
        return found


def analyse(counts: Counts, definition: Definition, reading: Reading) -> Trends:
    """Standings and alarms; without texts, which `with_texts` finds. There must be a text that was counted."""
    table = Table.of(counts, definition)
    weekdays = np.array([day.weekday() for day in table.days], int)
    volumes = table.texts[0]
    bad = surprises(table.bad, volumes, weekdays, definition.rule)
    usual = surprises(table.texts, volumes, weekdays, definition.rule)
    standings = [_standing(table, place, bad, definition.window) for place in range(len(table.names))]
    events = [
        _event(table, place, Episode(*run), Found(bad, usual), definition.window)
        for place in range(len(table.names))
        for run in episodes(bad.is_alarm[place])
    ]
    return Trends(
        reading,
        day=table.days[-1].isoformat(),
        days=[day.isoformat() for day in table.days],
        silent=_silent(table.days, definition.window),
        has_past=len(table.days) > min(LEAST_PAST, definition.window),
        everything=standings[0],
        entities=sorted(standings[1:], key=lambda each: (-each.direction, -each.week_texts, each.entity)),
        events=sorted(events, key=lambda event: (event.last, -event.chance), reverse=True),
    )


def _silent(days: Sequence[date], window: int) -> list[str]:
    """The days of the last window on which the feed had no text at all."""
    known, first = set(days), max(days[0], days[-1] - timedelta(days=window))
    return [
        day.isoformat()
        for number in range((days[-1] - first).days)
        if (day := first + timedelta(days=number)) not in known
    ]


def _standing(table: Table, place: int, found: Surprises, window: int) -> EntityStatus:
    name, n_days = table.names[place], len(table.days)
    week, before = slice(max(n_days - WEEK, 0), n_days), slice(max(n_days - WEEK - window, 0), max(n_days - WEEK, 0))
    texts, bad = table.texts[place], table.bad[place]
    now, then = (Proportion(bad[days].sum(), texts[days].sum()) for days in (week, before))
    among_all = NormalDist().inv_cdf(1 - 0.025 / len(table.names))
    return EntityStatus(
        entity=name,
        day_texts=int(texts[-1]),
        day_bad=int(bad[-1]),
        day_share=wilson(bad[-1], texts[-1]),
        week_texts=int(texts[week].sum()),
        week=wilson(*now),
        before=wilson(*then),
        change=share_difference(now, then, among_all),
        topics=_topics(table, name, table.days[week], table.days[before]),
        series=Series(
            texts.tolist(), bad.tolist(), _numbers(found.mean[place]), _numbers(found.high[place]),
            found.is_alarm[place].tolist(),
        ),
    )  # fmt: skip


def _numbers(values: Array) -> list[Any]:
    return [None if np.isnan(value) else round(float(value), 2) for value in values]


def _topics(table: Table, name: str, now: Sequence[date], before: Sequence[date]) -> list[Topic]:
    known = table.topics(name, before)
    whole = sum(known.values())
    return [
        Topic(topic, n, known[topic] / whole if whole else None)
        for topic, n in table.topics(name, now).most_common(N_TOPICS)
    ]


class Episode(NamedTuple):
    """The numbers of the first and the last day of an alarm."""

    first: int
    last: int


class Found(NamedTuple):
    """What surprises in the bad texts, and in all of them."""

    bad: Surprises
    all: Surprises


def _event(table: Table, place: int, run: Episode, found: Found, window: int) -> Event:
    """What is known of an alarm; its figures are of the most surprising day of the run."""
    bad, usual = found
    first, last = run
    peak = first + int(np.argmin(bad.chance[place, first : last + 1]))
    before = slice(max(first - window, 0), first)
    name, texts = table.names[place], table.texts[place]
    now = Proportion(table.bad[place, peak], texts[peak])
    then = Proportion(table.bad[place, before].sum(), texts[before].sum())
    return Event(
        entity=name,
        first=table.days[first].isoformat(),
        last=table.days[last].isoformat(),
        is_open=last == len(table.days) - 1,
        peak=table.days[peak].isoformat(),
        bad=int(now.hits),
        bad_in_all=int(table.bad[place, first : last + 1].sum()),
        usual=float(bad.mean[place, peak]),
        high=int(bad.high[place, peak]),
        chance=float(bad.chance[place, peak]),
        needed=int(bad.needed[place, peak]),
        all_texts=int(texts[peak]),
        usual_texts=float(usual.mean[place, peak]),
        share=wilson(*now),
        share_before=wilson(*then),
        why=_why(bool(usual.chance[place, peak] < SURE), now, then),
        topics=_topics(table, name, [table.days[peak]], table.days[before]),
        whom=_whom(table, peak) if name == ALL else {},
    )


def _whom(table: Table, day: int) -> dict[str, int]:
    """The entities that most of the bad texts of the day name."""
    most = np.argsort(-table.bad[1:, day], kind="stable")[:N_TOPICS] + 1
    return {table.names[place]: int(table.bad[place, day]) for place in most if table.bad[place, day]}


def _why(is_loud: bool, now: Proportion, then: Proportion) -> str:
    """Of an entity that nobody wrote about before, both."""
    is_worse = not then.n or share_difference(now, then).low > 0
    return "both" if is_loud and is_worse else "volume" if is_loud else "tone"


def with_texts(trends: Trends, definition: Definition, answers: Path, feed: Path) -> Trends:
    """Adds the texts that caused each alarm, and other bad ones of the last day. answers: as `Reader` wrote them.

    No text stands twice: an alarm of all texts together repeats none of an entity's, and leaves no others.
    """
    alarmed = {event.entity for event in trends.open_events}
    piles = {(event.entity, event.peak): _Pile(N_TEXTS) for event in trends.events}
    rest = _Pile(N_DAY_TEXTS)
    for line in _bad_answers(answers, definition):
        for entity in (ALL, *line["entities"]):
            if (entity, line["day"]) in piles:
                piles[entity, line["day"]].add(line)
        if line["day"] == trends.day and not alarmed & {ALL, *line["entities"]}:
            rest.add(line)
    told = {line["row"]: line for pile in (*piles.values(), rest) for line in pile.surest}
    texts = _texts(told, definition, feed)
    named = {line["row"] for key, pile in piles.items() if key[0] != ALL for line in pile.surest}
    events = []
    for event in trends.events:
        pile = piles[event.entity, event.peak]
        shown = [line["row"] for line in pile.surest if event.entity != ALL or line["row"] not in named]
        events.append(replace(event, rows=pile.rows, texts=[texts[row] for row in shown]))
    return replace(trends, events=events, texts=[texts[line["row"]] for line in rest.surest])


class _Pile:
    """The rows of a day and an entity, and the n of them that the model is surest of."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.rows: list[int] = []
        self._heap: list[tuple[float, int, Json]] = []

    def add(self, line: Json) -> None:
        if len(self.rows) < MOST_ROWS:
            self.rows.append(line["row"])
        heapq.heappush(self._heap, (line["confidence"] or 0.0, -line["row"], line))
        if len(self._heap) > self.n:
            heapq.heappop(self._heap)

    @property
    def surest(self) -> list[Json]:
        return [line for _, _, line in sorted(self._heap, key=lambda each: each[:2], reverse=True)]


def _bad_answers(answers: Path, definition: Definition) -> Iterable[Json]:
    with answers.open(encoding="utf-8") as file:
        for line in file:
            values = json.loads(line)
            if values["answer"] in definition.bad:
                yield values


def _texts(told: dict[int, Json], definition: Definition, feed: Path) -> dict[int, Text]:
    return {
        raw.number: Text(
            row=raw.number,
            time=str(raw.values[definition.time]),
            text=str(raw.values[definition.text])[:LONGEST_TEXT],
            answer=told[raw.number]["answer"],
            confidence=told[raw.number]["confidence"],
            topic=told[raw.number]["topic"],
            entities=told[raw.number]["entities"],
        )
        for raw in find_rows(feed, told.__contains__)
        if raw.values is not None
    }
