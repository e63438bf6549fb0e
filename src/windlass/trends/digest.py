"""The daily digest as Markdown: what happened, to whom, how sure, and which texts say so."""

from windlass.pages.text.card import prose
from windlass.pages.text.words import count, percent
from windlass.trends.record import EntityStatus, Event, Text, Trends
from windlass.trends.sentences import (
    bad_words,
    day_sentence,
    direction_words,
    event_facts,
    event_title,
    feed_sentences,
    headline,
    name_of,
    range_words,
    say,
    with_weekday,
)

MOST_ENTITIES = 40
LONGEST_TEXT = 400


def digest(trends: Trends, language: str) -> str:
    """The digest of the last day, in 'en' or 'zh'."""
    bad = bad_words(trends, language)
    parts = [
        f"# {prose(trends.reading.product)}: {say(language, 'title', day=with_weekday(trends.day, language))}",
        f"**{prose(headline(trends, language))}** {prose(day_sentence(trends, language))}",
    ]
    if trends.open_events:
        parts += [f"## {say(language, 'events')}", *(_event(event, trends, language) for event in trends.open_events)]
    parts += [f"## {say(language, 'entities')}", _entities(trends, language)]
    older = [event for event in trends.events if not event.is_open]
    if older:
        parts += [f"## {say(language, 'past_events')}", _older(older, trends, language)]
    if trends.texts:
        parts += [f"## {say(language, 'other_texts', bad=prose(bad))}", _texts(trends.texts, language)]
    parts += [f"## {say(language, 'feed')}", "\n".join(f"- {prose(line)}" for line in feed_sentences(trends, language))]
    return "\n\n".join(parts) + "\n"


def _event(event: Event, trends: Trends, language: str) -> str:
    mark = "：" if language == "zh" else ": "
    facts = "\n".join(
        f"- **{name}**{mark}{prose(fact)}{'。' if language == 'zh' else '.'}"
        for name, fact in event_facts(event, trends, language)
    )
    return f"### {prose(event_title(event, trends, language))}\n\n{facts}\n\n{_texts(event.texts, language)}".rstrip()


def _texts(texts: list[Text], language: str) -> str:
    lines = []
    for number, text in enumerate(texts, 1):
        facts = [f"{say(language, 'row')} {text.row}", prose(text.time, 40)]
        facts += [prose(text.topic, 40)] if text.topic else []
        if text.confidence is not None:
            facts.append(say(language, "sure_of", share=percent(text.confidence)))
        lines.append(f"{number}. {prose(text.text, LONGEST_TEXT)} ({', '.join(facts)})")
    return "\n".join(lines)


def _entities(trends: Trends, language: str) -> str:
    bad = prose(bad_words(trends, language))
    heads = ("entity", "texts_day", "bad_day", "texts_week", "share_week", "before", "direction", "mostly")
    shown = [standing for standing in trends.entities if standing.week_texts][:MOST_ENTITIES]
    rows = [_cells(standing, language) for standing in shown]
    lines = [[say(language, key, bad=bad) for key in heads], ["---", "---:", "---:", "---:", *["---"] * 4], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cells(standing: EntityStatus, language: str) -> list[str]:
    return [
        prose(name_of(standing.entity, language)),
        count(standing.day_texts),
        count(standing.day_bad),
        count(standing.week_texts),
        range_words(standing.week),
        percent(standing.before.value),
        direction_words(standing, language),
        ", ".join(f"{prose(topic.name, 40)} {topic.texts}" for topic in standing.topics[:2]),
    ]


def _older(events: list[Event], trends: Trends, language: str) -> str:
    return "\n".join(
        f"- {event.first}{'' if event.first == event.last else f'–{event.last}'}: "
        f"{prose(event_title(event, trends, language))}; {say(language, event.why)}"
        for event in events
    )
