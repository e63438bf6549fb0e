"""Writes the sample data of the opinion-watch blueprint: news lines with sentiment and topic, and a dated stream.

Source: sentences written by hand for this project (tools/blueprint_text/opinion_watch.txt), Apache-2.0.
"""

import csv
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import message_writer as writer

SEED = 13
TARGET = Path(__file__).parents[1] / "src/windlass/blueprints/opinion-watch/data"
STREAM = "stream.jsonl"
TOPICS = ("results", "law", "deals", "people", "products", "credit")
MOODS = {"negative": 0.22, "neutral": 0.5, "positive": 0.28}
"""What the stream holds of each on a usual day."""
N_EACH = 6
TAIL_SHARE = 0.6
"""Of the lines that end with a judging clause, such as 'a heavy blow to investors'."""
CHINESE_SHARE = 0.2
FIRST, N_DAYS = date(2025, 3, 3), 54
WEEKDAY_TEXTS = (44, 48, 46, 45, 40, 12, 10)
TROUBLE = {51: 9, 52: 16, 53: 12}
"""Day of the stream -> texts about a bank in trouble; 51 is 2025-04-23."""
LOUD = {37: 14, 38: 10}
"""Day -> texts about a new van: much is said, and nothing bad."""
SILENT = 41
"""Day on which the feed was down."""
LANGUAGES = ("en", "zh")
Sections = Mapping[str, list[str]]


@dataclass(frozen=True)
class Line:
    """A hand-written line and where it stands; `name` tells lines of the data apart, so that a split keeps them."""

    text: str
    topic: str
    mood: str
    name: str


def lines(sections: Sections, of_the_stream: bool) -> list[Line]:
    """The lines for the data, or every third of a section for the stream."""
    found = []
    for topic in TOPICS:
        for mood in MOODS:
            for section in (f"{topic}.{mood}", f"{topic}.{mood}.zh"):
                found += [
                    Line(text, topic, mood, f"{section}.{number}")
                    for number, text in enumerate(sections[section], 1)
                    if (number % 3 == 0) == of_the_stream
                ]
    return found


def tell(text: str, names: Sections, rng: random.Random) -> str:
    """The line with its choices made and its slots filled; no person or place stands in it twice."""
    while True:
        amount = f"{rng.randint(12, 980) / 10:g}"
        words = {
            **names,
            "money.en": [f"EUR {amount} million", f"EUR {rng.randint(11, 79) / 10:g} billion"],
            "money.zh": [f"{amount}亿元", f"{rng.randint(100, 9_000)}万元"],
        }
        told = writer.fill(text, words, rng)
        people = [name for language in LANGUAGES for name in names[f"person.{language}"]]
        if all(told.count(name) < 2 for name in people):
            return told[0].upper() + told[1:]


def with_tail(line: Line, names: Sections, rng: random.Random) -> str:
    """The line, told, and now and then what it means for others."""
    text = tell(line.text, names, rng)
    if rng.random() > TAIL_SHARE:
        return text
    is_chinese = writer.is_chinese(line.text)
    tail = writer.fill(rng.choice(names[f"tail.{line.mood}{'.zh' if is_chinese else ''}"]), names, rng)
    return f"{text}{'，' if is_chinese else ', '}{tail}"


def sample(sections: Sections, rng: random.Random) -> list[tuple[str, str, str, str]]:
    """Each line of the data several times with other choices: text, mood, topic, and the line that it comes from."""
    rows: dict[str, tuple[str, str, str]] = {}
    for line in lines(sections, of_the_stream=False):
        told: set[str] = set()
        for _ in range(20 * N_EACH):
            if len(told) < N_EACH:
                told.add(with_tail(line, sections, rng))
        rows |= dict.fromkeys(sorted(told), (line.mood, line.topic, line.name))
    found = [(text, *rest) for text, rest in rows.items()]
    rng.shuffle(found)
    return found


def stream(sections: Sections, rng: random.Random) -> list[object]:
    """Nearly eight weeks of news: a usual mix, a loud week for one company, a bank in trouble, one day without any."""
    names = {
        **sections, **{f"company.{language}": sections[f"watched.{language}"] for language in LANGUAGES}
    }  # fmt: skip
    by_mood = {mood: [line for line in lines(sections, True) if line.mood == mood] for mood in MOODS}
    rows: list[object] = []
    for number in range(N_DAYS):
        if number == SILENT:
            continue
        day = FIRST + timedelta(days=number)
        texts = [_usual(by_mood, names, rng) for _ in range(_n_texts(day, rng))]
        texts += [tell(text, names, rng) for text in writer.dealt(sections["trouble"], TROUBLE.get(number, 0), rng)]
        texts += [tell(text, names, rng) for text in writer.dealt(sections["loud"], LOUD.get(number, 0), rng)]
        rows += _dated(texts, day, rng)
    return _with_faults(rows, rng)


def _n_texts(day: date, rng: random.Random) -> int:
    return round(rng.gauss(1, 0.12) * WEEKDAY_TEXTS[day.weekday()])


def _usual(by_mood: Mapping[str, Sequence[Line]], names: Sections, rng: random.Random) -> str:
    mood = rng.choices(list(MOODS), list(MOODS.values()))[0]
    in_chinese = rng.random() < CHINESE_SHARE
    of_language = [line for line in by_mood[mood] if writer.is_chinese(line.text) == in_chinese]
    return with_tail(rng.choice(of_language), names, rng)


def _dated(texts: list[str], day: date, rng: random.Random) -> list[object]:
    """The texts with the minutes at which they came, a few of them sent twice."""
    texts = texts + rng.sample(texts, len(texts) // 25)
    minutes = sorted(rng.randint(6 * 60, 21 * 60) for _ in texts)
    rng.shuffle(texts)
    start = datetime(day.year, day.month, day.day)
    return [
        {"published": (start + timedelta(minutes=minute)).isoformat(timespec="minutes"), "text": text}
        for minute, text in zip(minutes, texts, strict=True)
    ]


def _with_faults(rows: list[object], rng: random.Random) -> list[object]:
    """The rows with a few that real feeds have: without a time, without a text, cut off."""
    faults: list[object] = [
        {"published": "", "text": "Linden Foods opens a shop in Graz"},
        {"published": "n/a", "text": "Kestrel Air adds a flight to Riga"},
        {"published": "2025-03-19T09:12", "text": ""},
        '{"published": "2025-04-02T11:30", "text": "Vantage Telecom to hold',
    ]
    for fault in faults:
        rows.insert(rng.randrange(len(rows)), fault)
    return rows


def main(target: Path = TARGET) -> None:
    """Write the files and say what is in them."""
    rng = random.Random(SEED)
    sections = writer.read_sections("opinion_watch.txt")
    rows = sample(sections, rng)
    told = stream(sections, rng)
    target.mkdir(parents=True, exist_ok=True)
    with (target / "news.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("text", "sentiment", "topic", "line"), *rows])
    with (target.parent / STREAM).open("w", encoding="utf-8", newline="") as file:
        file.writelines(f"{row if isinstance(row, str) else json.dumps(row, ensure_ascii=False)}\n" for row in told)
    n_chinese = sum(writer.is_chinese(text) for text, *_ in rows)
    print(f"{target}: {len(rows)} lines, {n_chinese} with Chinese, of {len({row[3] for row in rows})} sentences")
    print(f"{target.parent / STREAM}: {len(told)} rows")


if __name__ == "__main__":
    main()
