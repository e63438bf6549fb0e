"""Reads a feed a chunk at a time: answers its rows, finds who they are about, and counts; memory grows with entities
and days, never with rows."""

import json
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TextIO
from zoneinfo import ZoneInfo

from windlass.errors import DataError, expected
from windlass.kinds.date import parse
from windlass.predictors.contract import Predictor
from windlass.records import Progress, silent
from windlass.sources.contract import RawRow
from windlass.sources.places import table
from windlass.trends.definition import Definition
from windlass.trends.entities import Finder

CHUNK = 512
ALL = ""
"""The name under which every text is counted, whoever it is about."""
REMEMBERED = 200_000
"""Texts that a repetition is known among."""
Label = tuple[str, float | None]
"""A label and how sure the model is of it."""


@dataclass(frozen=True)
class Answerer:
    """A product that labels texts: the release that answers, and the row that it is asked with."""

    product: str
    release: str
    quality: str
    predictor: Predictor

    def row(self, values: dict[str, Any], text: str) -> dict[str, Any]:
        """A product with one input is given the text under its own name; one with several takes the feed's columns."""
        inputs = self.predictor.manifest.inputs
        return {inputs[0].name: text} if len(inputs) == 1 else values

    @property
    def labels(self) -> list[str]:
        return list(self.predictor.manifest.output.state["labels"])


@dataclass(frozen=True)
class FeedRow:
    """A row that can be counted."""

    number: int
    day: date
    text: str
    values: dict[str, Any]


@dataclass
class Counts:
    """What a feed held. texts: (entity, day, label, topic) -> texts; refused: reason -> rows; first: reason -> the
    first row that was refused for it, in words. rows = counted + repeated + later + refused, always."""

    rows: int = 0
    counted: int = 0
    repeated: int = 0
    later: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)
    texts: Counter[tuple[str, date, str, str]] = field(default_factory=Counter)

    def refuse(self, reason: str, words: str) -> None:
        self.refused[reason] += 1
        self.first.setdefault(reason, words)


class _Repeats:
    """Knows the last texts of the feed, so that what an agency spreads over fifty sites counts once a day."""

    def __init__(self) -> None:
        self._seen: OrderedDict[bytes, None] = OrderedDict()

    def is_new(self, told: FeedRow) -> bool:
        key = blake2b(f"{told.day} {' '.join(told.text.casefold().split())}".encode(), digest_size=12).digest()
        if key in self._seen:
            return False
        self._seen[key] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return True


@dataclass(frozen=True)
class Reader:
    """How a feed is read. until: rows of later days are left out; today: a time after it is a fault of the row."""

    definition: Definition
    sentiment: Answerer
    topics: Answerer | None
    until: date | None
    today: date
    progress: Progress = silent

    def read(self, path: Path, answers: TextIO) -> Counts:
        """Counts the feed, and writes a line of JSON for each counted row: whom, what, how sure, without its text.

        Raises: DataError: as `open_feed`, or the first rows have no such column.
        """
        counts, repeats, finder = Counts(), _Repeats(), Finder(self.definition.entities, self.definition.ignore)
        rows = open_feed(path)
        while chunk := list(islice(rows, CHUNK)):
            if not counts.rows:
                self._check_columns(chunk, path)
            counts.rows += len(chunk)
            told = [each for raw in chunk if (each := self._told(raw, counts, repeats)) is not None]
            self._count(told, counts, finder, answers)
            self.progress("trends", counts.rows, 0, f"{counts.rows:,} rows")
        self.progress("trends", counts.rows, counts.rows, f"{counts.rows:,} rows")
        return counts

    def _check_columns(self, chunk: Sequence[RawRow], path: Path) -> None:
        columns = {name for raw in chunk if raw.values is not None for name in raw.values}
        for name in (self.definition.time, self.definition.text):
            if columns and name not in columns:
                raise DataError(
                    f"{path} has no column '{name}', expected it; it has {expected(sorted(columns))}",
                    "`time:` and `text:` of trends.yaml name the columns",
                )

    def _told(self, raw: RawRow, counts: Counts, repeats: _Repeats) -> FeedRow | None:
        """The row when it can be counted; else it is counted as refused, later or repeated."""
        if raw.values is None:
            counts.refuse("unreadable", f"row {raw.number} {raw.fault}")
            return None
        moment = raw.values.get(self.definition.time)
        day = day_of(moment, self.definition.timezone)
        if day is None:
            counts.refuse("no time", f"row {raw.number}: '{self.definition.time}' is {_shown(moment)}")
            return None
        if (day - self.today).days > 1:
            counts.refuse("future", f"row {raw.number}: '{self.definition.time}' is {_shown(moment)}")
            return None
        text = raw.values.get(self.definition.text)
        if not isinstance(text, str) or not text.strip():
            counts.refuse("no text", f"row {raw.number}: '{self.definition.text}' is {_shown(text)}")
            return None
        told = FeedRow(raw.number, day, text, raw.values)
        if self.until is not None and day > self.until:
            counts.later += 1
        elif repeats.is_new(told):
            return told
        else:
            counts.repeated += 1
        return None

    def _count(self, told: Sequence[FeedRow], counts: Counts, finder: Finder, answers: TextIO) -> None:
        moods = _labels(self.sentiment, told)
        about: list[Label | str] = _labels(self.topics, told) if self.topics else [("", None)] * len(told)
        for row, mood, topic in zip(told, moods, about, strict=True):
            if isinstance(mood, str) or isinstance(topic, str):
                counts.refuse("no answer", f"row {row.number}: {mood if isinstance(mood, str) else topic}")
                continue
            entities = finder.find(row.text)
            counts.counted += 1
            for entity in (ALL, *entities):
                counts.texts[entity, row.day, mood[0], topic[0]] += 1
            line = {
                "row": row.number, "day": row.day.isoformat(), "entities": entities, "answer": mood[0],
                "confidence": mood[1], "topic": topic[0],
            }  # fmt: skip
            answers.write(json.dumps(line, ensure_ascii=False) + "\n")


def open_feed(path: Path) -> Iterator[RawRow]:
    """The rows of a table. Raises: SpecError: another ending. DataError: no such file, or none that can be read."""
    with TemporaryDirectory(prefix="windlass-") as folder:
        yield from table(path, Path(folder)).rows()


def day_of(value: Any, timezone: str) -> date | None:
    """The day that a time lies in, in the time zone where it has an offset; None when it is no time."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value.strip())
        except ValueError:
            pass
        else:
            return (moment.astimezone(ZoneInfo(timezone)) if timezone and moment.tzinfo else moment).date()
    try:
        found = parse(value)
    except ValueError:
        return None
    return None if found is None else found.date()


def find_rows(path: Path, wanted: Callable[[int], bool]) -> Iterator[RawRow]:
    """The rows of the feed whose number is wanted."""
    return (raw for raw in open_feed(path) if raw.values is not None and wanted(raw.number))


def _labels(answerer: Answerer, told: Sequence[FeedRow]) -> list[Label | str]:
    """Label and confidence of each row, or why there is none: all at once, one by one when one of them is bad."""
    rows = [answerer.row(each.values, each.text) for each in told]
    try:
        return [(answer.value, _rounded(answer.confidence)) for answer in answerer.predictor.answer(rows)]
    except DataError:
        return [_label(answerer, row) for row in rows]


def _label(answerer: Answerer, row: dict[str, Any]) -> Label | str:
    try:
        answer = answerer.predictor.answer([row])[0]
    except DataError as error:
        return error.message.removeprefix("row 0, ")
    return answer.value, _rounded(answer.confidence)


def _rounded(confidence: float | None) -> float | None:
    return None if confidence is None else round(confidence, 4)


def _shown(value: Any) -> str:
    return "missing" if value is None else repr(value)[:60]
