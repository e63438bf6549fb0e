"""What `windlass trends` does: reads a feed with the champion, and writes digest, page, JSON and the answers."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from windlass.errors import DataError, NotReady, SpecError, did_you_mean, expected
from windlass.pages.text.words import metric_name, share
from windlass.records import Progress, as_json, silent
from windlass.registry import releases
from windlass.spec import load
from windlass.store.files import publish, write_text
from windlass.store.json_files import write_json
from windlass.store.store import Store
from windlass.trends.definition import Definition, load_definition
from windlass.trends.digest import digest
from windlass.trends.feed import Answerer, Counts, Reader
from windlass.trends.page import page
from windlass.trends.record import Model, Reading, Trends
from windlass.trends.report import analyse, with_texts

WORD = "trends"
ANSWERS, DIGEST, PAGE, RECORD = "answers.jsonl", "digest.md", "trends.html", "trends.json"


@dataclass(frozen=True)
class TrendsRequest:
    """What is asked for. feed: CSV or JSONL; topics: the folder of a second product, in place of that in trends.yaml;
    day: the last one that counts (empty: of the feed)."""

    feed: Path
    topics: str = ""
    day: str = ""


@dataclass(frozen=True)
class Made:
    """What was found, the folder that holds it, and the digest as text."""

    trends: Trends
    folder: Path
    digest: str


def trends(project: Path, order: TrendsRequest, progress: Progress = silent) -> Made:
    """Reads the feed and writes `.windlass/trends/`, whole or not at all.

    Raises: SpecError, DataError: trends.yaml, the day or the feed; NotReady: a product without a release.
    """
    definition = load_definition(project)
    until = _day(order.day)
    sentiment = open_answerer(project)
    _check_bad(definition, sentiment)
    about = order.topics or definition.topics
    topics = open_answerer((project / about).resolve()) if about else None
    reader = Reader(definition, sentiment, topics, until, datetime.now(UTC).date(), progress)
    folder = Store(project).folder / WORD
    made: list[Trends] = []

    def build(to: Path) -> None:
        with (to / ANSWERS).open("w", encoding="utf-8") as answers:
            counts = reader.read(order.feed, answers)
        _check_counted(counts, order)
        reading = _reading(counts, definition, order.feed, [each for each in (sentiment, topics) if each])
        found = with_texts(analyse(counts, definition, reading), definition, to / ANSWERS, order.feed)
        write_json(to / RECORD, as_json(found))
        write_text(to / DIGEST, digest(found, definition.language))
        write_text(to / PAGE, page(found, definition.language))
        made.append(found)

    publish(folder, build)
    return Made(made[0], folder, digest(made[0], definition.language))


def open_answerer(folder: Path) -> Answerer:
    """The champion of a product that names labels. Raises: SpecError: it writes texts; NotReady: it has no release."""
    spec, store = load(folder), Store(folder.resolve())
    try:
        record, predictor = releases.open_release(store, releases.champion_id(store))
    except NotReady as error:
        raise NotReady(error.message, f"`windlass run --project {folder}`") from None
    if not predictor.manifest.output.state.get("labels"):
        kind = spec.output[spec.output_column]
        raise SpecError(f"output '{spec.output_column}' of {spec.name} is {kind}, expected category")
    score = f"{metric_name(record.headline)} {share(record.score.value)}"
    bounds = f"{share(record.score.low)}–{share(record.score.high)}"
    return Answerer(spec.name, record.id, f"{score} ({bounds})", predictor)


def _check_bad(definition: Definition, sentiment: Answerer) -> None:
    for label in definition.bad:
        if label not in sentiment.labels:
            raise SpecError(
                f"trends.yaml: 'bad' has '{label}', expected answers of {sentiment.product}: "
                f"{expected(sentiment.labels)}",
                did_you_mean(label, sentiment.labels),
            )


def _day(word: str) -> date | None:
    try:
        return date.fromisoformat(word) if word else None
    except ValueError:
        raise SpecError(f"day is '{word[:40]}', expected a date such as 2025-03-31") from None


def _check_counted(counts: Counts, order: TrendsRequest) -> None:
    """Raises: DataError: no row can be counted."""
    if counts.counted:
        return
    if counts.later:
        raise DataError(f"{order.feed} has no texts until {order.day}, expected some", "is it an older feed?")
    why = "; ".join(counts.first.values()) or "it is empty"
    raise DataError(f"{order.feed} has no row that can be counted ({why}), expected texts with a time")


def _reading(counts: Counts, definition: Definition, feed: Path, answerers: list[Answerer]) -> Reading:
    return Reading(
        product=answerers[0].product,
        feed=feed.name,
        models=[Model(each.product, each.release, each.quality) for each in answerers],
        bad=definition.bad,
        window=definition.window,
        least=definition.least,
        false_alarms_a_month=definition.false_alarms_a_month,
        rows=counts.rows,
        counted=counts.counted,
        repeated=counts.repeated,
        later=counts.later,
        refused=dict(counts.refused),
        first_refused=counts.first,
    )
