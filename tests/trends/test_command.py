"""A feed through two small products: what is counted and refused, which alarm is given, and what the reader gets."""

import json
import random
import shutil
from dataclasses import replace
from datetime import date, timedelta

import pytest
from typer.testing import CliRunner

import windlass
from windlass.cli import app
from windlass.errors import DataError, NotReady, SpecError
from windlass.trends import feed as feeds
from windlass.trends.command import TrendsRequest, trends

WORDS = {
    "negative": ("fined for fraud", "misses payments", "warns of a heavy loss", "halts trading after a default"),
    "positive": ("beats every forecast", "raises its dividend", "wins a large order", "reports record profit"),
    "neutral": ("will publish figures on Friday", "moves to a new office", "renames a fund", "holds its meeting"),
}
TOPICS = {"fraud": "law", "payments": "credit", "loss": "results", "trading": "law", "forecast": "results",
          "dividend": "results", "order": "business", "profit": "results", "figures": "results", "office": "business",
          "fund": "business", "meeting": "business"}  # fmt: skip
NAMES = ("Harbour Bank", "Kestrel Air", "Linden Foods")
FIRST = date(2025, 3, 3)
TRENDS = """
time: at
text: headline
bad: [negative]
entities: {Harbour Bank: [HBK, 海港银行], Kestrel Air: [], Linden Foods: [Linden]}
topics: topics
"""


def topic_of(text):
    return next(topic for word, topic in TOPICS.items() if word in text)


def headline(label, name, rng):
    return f"{name} {rng.choice(WORDS[label])}, {rng.choice(('sources', 'traders', 'filings'))} say"


def product(folder, name, column, rows):
    folder.mkdir(exist_ok=True)
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "windlass.yaml").write_text(
        f"name: {name}\ndata: rows.jsonl\ninputs: {{text: text}}\noutput: {{{column}: category}}\n"
        "learners: [linear]\nminutes: 0.2\n",
        encoding="utf-8",
    )
    windlass.Project(folder).release()


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """Sentiment with a second product for topics inside, both released."""
    folder, rng = tmp_path_factory.mktemp("desk"), random.Random(1)
    texts = {headline(label, name, rng): label for label in WORDS for name in (*NAMES, "Oak") for _ in range(40)}
    product(folder, "desk", "mood", [{"text": text, "mood": label} for text, label in texts.items()])
    product(folder / "topics", "desk-topics", "topic", [{"text": text, "topic": topic_of(text)} for text in texts])
    (folder / "trends.yaml").write_text(TRENDS, encoding="utf-8")
    return folder


def day_of_news(number, rng):
    """Twelve headlines a day, five of them in the week-end; Harbour Bank is in trouble from day 40 on."""
    day = FIRST + timedelta(days=number)
    labels = rng.choices(("neutral", "positive", "negative"), (4, 4, 2), k=12 if day.weekday() < 5 else 5)
    told = [headline(label, rng.choice(NAMES), rng) for label in labels]
    if number >= 40:
        told += [headline("negative", rng.choice(("Harbour Bank", "HBK", "海港银行")), rng) for _ in range(9)]
    return [
        {"at": f"{day}T{rng.randint(6, 20):02}:30:00", "headline": f"{text} ({number}-{place})"}
        for place, text in enumerate(told)
    ]


def write(path, rows):
    path.write_text(
        "".join((row if isinstance(row, str) else json.dumps(row, ensure_ascii=False)) + "\n" for row in rows),
        encoding="utf-8",
    )
    return path


@pytest.fixture(scope="module")
def stream(desk):
    rng = random.Random(7)
    rows = [row for number in range(42) for row in day_of_news(number, rng)]
    rng.shuffle(rows)
    faults = [
        '{"at": "2025-03-04", "headl',
        {"at": "soon", "headline": "Linden Foods renames a fund"},
        {"at": None, "headline": "Linden Foods renames a fund"},
        {"at": "2925-03-04", "headline": "Linden Foods renames a fund"},
        {"at": "2025-03-04", "headline": "  "},
        rows[0],
    ]
    return write(desk / "stream.jsonl", [*rows, *faults])


@pytest.fixture(scope="module")
def made(desk, stream, tmp_path_factory):
    """What was found, with its files kept where the next call does not replace them."""
    found = trends(desk, TrendsRequest(stream))
    kept = tmp_path_factory.mktemp("kept") / "trends"
    shutil.copytree(found.folder, kept)
    return replace(found, folder=kept)


def test_each_row_is_counted_or_refused_for_a_reason(made, stream):
    read = made.trends.reading
    assert read.rows == len(stream.read_text(encoding="utf-8").splitlines())
    assert read.rows == read.counted + read.repeated + read.later + sum(read.refused.values())
    assert read.refused == {"unreadable": 1, "no time": 2, "future": 1, "no text": 1}
    assert read.repeated == 1
    assert "'soon'" in read.first_refused["no time"]
    assert len((made.folder / "answers.jsonl").read_text(encoding="utf-8").splitlines()) == read.counted


def test_the_alarm_names_who_when_and_the_texts(made):
    assert [(event.entity, event.first, event.is_open) for event in made.trends.open_events if event.entity] == [
        ("Harbour Bank", "2025-04-12", True)
    ]
    event = next(event for event in made.trends.open_events if event.entity)
    assert event.bad >= 9
    assert event.why == "both"
    assert len(event.texts) == 8
    assert all(text.answer == "negative" and "Harbour Bank" in text.entities for text in event.texts)
    assert len(event.rows) == event.bad
    assert event.needed <= event.bad


def test_only_whom_it_concerns_has_an_alarm(made):
    assert {event.entity for event in made.trends.events} <= {"Harbour Bank", ""}


def test_a_day_is_told_as_it_was_known_on_that_day(desk, stream, made):
    """What came later changes nothing of it, and is counted as left out."""
    then = trends(desk, TrendsRequest(stream, day="2025-04-11")).trends
    assert then.day == "2025-04-11"
    assert then.reading.later > 0
    assert not then.open_events
    n_days = len(then.days)
    assert then.everything.series.bad == made.trends.everything.series.bad[:n_days]
    assert then.everything.series.usual == made.trends.everything.series.usual[:n_days]


def test_digest_and_page_say_the_same_in_both_languages(made):
    digest = (made.folder / "digest.md").read_text(encoding="utf-8")
    page = (made.folder / "trends.html").read_text(encoding="utf-8")
    event = next(event for event in made.trends.open_events if event.entity)
    title = f"Harbour Bank: {event.bad} negative texts"
    assert f"### {title}" in digest
    assert title in page
    assert f"Harbour Bank：{event.bad} 条负面文本" in page
    assert event.texts[0].text in digest
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert json.loads((made.folder / "trends.json").read_text(encoding="utf-8"))["events"][0]["chance"] < 0.01


def test_texts_of_the_feed_cannot_act_on_the_page(desk, tmp_path):
    rows = [
        {"at": f"2025-03-{day:02}", "headline": f"Linden <img src=x> fined for fraud [a](javascript:b) {day}"}
        for day in range(1, 20)
    ]
    found = trends(desk, TrendsRequest(write(tmp_path / "feed.jsonl", rows)))
    assert "<img" not in (found.folder / "trends.html").read_text(encoding="utf-8")
    assert "<img" not in found.digest
    assert "[a](" not in found.digest


def test_the_day_begins_in_the_time_zone_asked_for():
    assert feeds.day_of("2025-03-31T20:00:00+00:00", "Asia/Shanghai") == date(2025, 4, 1)
    assert feeds.day_of("2025-03-31T20:00:00+00:00", "") == date(2025, 3, 31)
    assert feeds.day_of("2025-03-31T20:00:00", "Asia/Shanghai") == date(2025, 3, 31)
    assert feeds.day_of("2025年3月31日", "") == date(2025, 3, 31)
    assert feeds.day_of("yesterday", "") is None
    assert feeds.day_of(None, "") is None


@pytest.mark.parametrize(
    ("order", "error", "message"),
    [
        (TrendsRequest("feed.txt"), SpecError, "ends in '.txt', expected one of '.csv'"),
        (TrendsRequest("none.jsonl"), DataError, "none.jsonl does not exist"),
        (TrendsRequest("other.jsonl"), DataError, "has no column 'at', expected it; it has"),
        (TrendsRequest("broken.jsonl"), DataError, "no row that can be counted"),
        (TrendsRequest("stream.jsonl", day="soon"), SpecError, "day is 'soon', expected a date"),
        (TrendsRequest("stream.jsonl", day="1999-01-01"), DataError, "no texts until 1999-01-01"),
        (TrendsRequest("stream.jsonl", topics="nowhere"), NotReady, "nowhere has no windlass.yaml"),
    ],
)
def test_what_cannot_be_done_is_said(desk, stream, order, error, message):
    write(desk / "other.jsonl", [{"when": "2025-03-01", "headline": "x"}])
    write(desk / "broken.jsonl", [{"at": "", "headline": "x"}])
    with pytest.raises(error, match=message):
        trends(desk, TrendsRequest(desk / order.feed, order.topics, order.day))


def test_a_label_that_the_product_does_not_give_is_no_bad_one(desk, stream, tmp_path):
    whole = (desk / "trends.yaml").read_text(encoding="utf-8")
    try:
        (desk / "trends.yaml").write_text(whole.replace("[negative]", "[negativ]"), encoding="utf-8")
        with pytest.raises(SpecError, match=r"(?s)'bad' has 'negativ'.*did you mean 'negative'"):
            trends(desk, TrendsRequest(stream))
    finally:
        (desk / "trends.yaml").write_text(whole, encoding="utf-8")


def test_the_command_prints_the_digest_or_json(desk, stream):
    command = ["trends", str(stream), "--project", str(desk)]
    shown = CliRunner().invoke(app, command)
    assert shown.stdout.startswith("# desk: daily digest, 2025-04-13, Sunday")
    assert "trends.html" in shown.stderr
    as_json = CliRunner().invoke(app, [*command, "--json"])
    assert json.loads(as_json.stdout)["day"] == "2025-04-13"
