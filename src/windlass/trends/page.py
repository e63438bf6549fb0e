"""The page of a feed's trends: one self-contained file without script, in English and Chinese, that works offline."""

from collections.abc import Callable

from windlass.pages.html.style import POLICY, STYLE
from windlass.pages.text import bilingual
from windlass.pages.text.bilingual import LANGUAGES
from windlass.pages.text.words import count, escaped, percent
from windlass.trends.picture import days_chart, small_chart
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

MOST_ENTITIES, MOST_EVENTS, LONGEST_TEXT = 200, 20, 600
OWN_STYLE = """
dl.told { display: grid; grid-template-columns: 5.5rem minmax(0, 1fr); gap: 4px 16px; margin: 12px 0; }
dl.told dt { color: var(--quiet); } dl.told dd { margin: 0; max-width: 92ch; }
.event + .event { margin-top: 36px; } .event h3 { font-size: 17px; margin-top: 12px; color: var(--warn); }
ol.said { margin: 12px 0 0; padding-left: 1.4rem; } ol.said li { margin-bottom: 8px; max-width: 85ch; }
ol.said small { display: block; color: var(--quiet); }
svg.chart.wide { max-width: none; min-width: 640px; } figure { overflow-x: auto; }
svg .alarm { fill: var(--warn); } svg .usual { fill: none; stroke: var(--ink); stroke-width: 1.4; }
svg .high { fill: none; stroke: var(--quiet); stroke-width: 1.2; stroke-dasharray: 2 3; }
svg.small { width: 150px; min-width: 110px; }
"""
Speak = Callable[[str], str]
"""Words in the language that it is asked for."""


def page(trends: Trends, language: str) -> str:
    """The page as HTML, opened in 'en' or 'zh'; a reader can change it."""
    open_, older = trends.open_events, [event for event in trends.events if not event.is_open]
    sections = [
        _section("events", [_event(event, trends) for event in open_]),
        _section("entities", [*([] if _is_shown("", open_) else [_everything(trends)]), _entities(trends)]),
        _section("past_events", [_event(event, trends) for event in older[:MOST_EVENTS]]),
        _section("other_texts", [_texts(trends.texts)] if trends.texts else [], trends),
        _section("feed", [_feed(trends)]),
    ]
    title = f"{escaped(trends.reading.product)}: {trends.day}"
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}{bilingual.STYLE}{OWN_STYLE}</style></head>"
        f"<body>{bilingual.main(_top(trends) + ''.join(sections), language)}</body></html>\n"
    )


def _is_shown(entity: str, events: list[Event]) -> bool:
    return any(event.entity == entity for event in events)


def both(speak: Speak) -> str:
    """The words in both languages as HTML, of which one is shown."""
    english, chinese = map(speak, LANGUAGES)
    return bilingual.both(english, chinese)


def said(key: str, trends: Trends | None = None) -> str:
    """A sentence of ours in both languages."""
    return both(lambda language: say(language, key, bad=bad_words(trends, language) if trends else ""))


def _top(trends: Trends) -> str:
    kind = "warn" if trends.open_events else "good" if trends.has_past else ""
    return (
        f'<header><p class="over">Windlass trends</p><h1><bdi>{escaped(trends.reading.product)}</bdi>: '
        f"{both(lambda language: say(language, 'title', day=with_weekday(trends.day, language)))}</h1>"
        f'<p class="lead"><span class="verdict {kind}">{both(lambda language: headline(trends, language))}</span> '
        f"{both(lambda language: day_sentence(trends, language))}</p></header>"
    )


def _section(key: str, parts: list[str], trends: Trends | None = None) -> str:
    inside = "".join(parts)
    return f'<section id="{key}"><h2>{said(key, trends)}</h2>{inside}</section>' if inside else ""


def _event(event: Event, trends: Trends) -> str:
    """One alarm: what, when, how sure, its days as a picture, and its texts."""
    pairs = [event_facts(event, trends, language) for language in LANGUAGES]
    facts = "".join(
        f"<dt>{bilingual.both(english[0], chinese[0])}</dt><dd>{bilingual.both(english[1], chinese[1])}</dd>"
        for english, chinese in zip(*pairs, strict=True)
    )
    chart = days_chart(_standing(event.entity, trends), trends)
    return (
        f'<div class="event"><h3>{both(lambda language: event_title(event, trends, language))}</h3>'
        f'<dl class="told">{facts}</dl><figure><figcaption>{said("chart", trends)}</figcaption>{chart}</figure>'
        f"{_texts(event.texts)}</div>"
    )


def _standing(entity: str, trends: Trends) -> EntityStatus:
    return next(each for each in (trends.everything, *trends.entities) if each.entity == entity)


def _texts(texts: list[Text]) -> str:
    return f'<ol class="said">{"".join(_text(text) for text in texts)}</ol>'


def _text(text: Text) -> str:
    facts = [f"{said('row')} {text.row}", escaped(text.time, 40), *([escaped(text.topic, 40)] if text.topic else [])]
    if text.confidence is not None:
        sure = percent(text.confidence)
        facts.append(both(lambda language: say(language, "sure_of", share=sure)))
    return f"<li><bdi>{escaped(text.text, LONGEST_TEXT)}</bdi><small>{' · '.join(facts)}</small></li>"


def _everything(trends: Trends) -> str:
    caption = f"{both(lambda language: name_of('', language))}. {said('chart', trends)}"
    return f"<figure><figcaption>{caption}</figcaption>{days_chart(trends.everything, trends)}</figure>"


def _entities(trends: Trends) -> str:
    heads = [
        ("entity", "name"),
        ("texts_day", "n"),
        ("bad_day", "n"),
        ("texts_week", "n"),
        ("share_week", "n"),
        ("before", "n"),
        ("direction", "name"),
        ("mostly", ""),
        ("curve", ""),
    ]
    shown = [standing for standing in trends.entities if sum(standing.series.texts)][:MOST_ENTITIES]
    rows = [_cells(standing, trends) for standing in shown]
    return _table([(said(key, trends), kind) for key, kind in heads], rows) if rows else ""


def _table(heads: list[tuple[str, str]], rows: list[list[str]]) -> str:
    """heads: HTML in both languages, and the class of the column."""
    head = "".join(f'<th scope="col" class="{kind}">{words}</th>' for words, kind in heads)
    lines = [[f'<td class="{kind}">{cell}</td>' for cell, (_, kind) in zip(row, heads, strict=True)] for row in rows]
    body = "".join(f"<tr>{''.join(line)}</tr>" for line in lines)
    return f'<div class="scroll"><table class="plain"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cells(standing: EntityStatus, trends: Trends) -> list[str]:
    kind = {1: "warn", -1: "good", 0: "quiet"}[standing.direction]
    return [
        f"<bdi>{escaped(standing.entity, 40)}</bdi>",
        count(standing.day_texts),
        count(standing.day_bad),
        count(standing.week_texts),
        range_words(standing.week),
        percent(standing.before.value),
        f'<span class="{kind}">{both(lambda language: direction_words(standing, language))}</span>',
        ", ".join(f"{escaped(topic.name, 30)} {topic.texts}" for topic in standing.topics[:2]),
        small_chart(standing, trends),
    ]


def _feed(trends: Trends) -> str:
    pairs = zip(*(feed_sentences(trends, language) for language in LANGUAGES), strict=True)
    lines = "".join(f"<li>{bilingual.both(english, chinese)}</li>" for english, chinese in pairs)
    return f'<ul class="next">{lines}</ul>'
