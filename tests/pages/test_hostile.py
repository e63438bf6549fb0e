"""Text from outside is text on every page: with a hostile word in every name, label and note, the page has the same
elements and attributes, in the same order, as with a harmless word of the same length."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import windlass
from windlass.brand import Rules
from windlass.metrics.measures import Estimate, LabelMarks
from windlass.metrics.numbers import NumberMarks
from windlass.metrics.texts import TextMarks
from windlass.outputs.contract import Shown
from windlass.outputs.numbers import report as numbers_report
from windlass.outputs.texts import report as texts_report
from windlass.pages.html import notebook, owner
from windlass.pages.html.data_report import data_report
from windlass.pages.html.explained import explanation_html
from windlass.pages.html.explanations import Explained, explanations
from windlass.pages.html.health_page import health_page
from windlass.pages.html.improvements import improvements_page
from windlass.pages.html.leaderboard import leaderboard
from windlass.pages.html.loop import Week, loop_page
from windlass.pages.html.report import Details, report
from windlass.pages.html.roadmap import roadmap_page
from windlass.pages.html.tutor_page import class_page, learner_page
from windlass.pages.text.card import Card, data_card, model_card
from windlass.pages.text.doubling import doubled, in_both
from windlass.predictors.writer import Writer
from windlass.records import (
    Alarm,
    Collected,
    Column,
    Explanation,
    Health,
    Improvement,
    Item,
    Manifest,
    Part,
    Prepared,
    Release,
    Risk,
    Roadmap,
)
from windlass.records.tutoring import ClassState, LearnerState, Replay, SkillState, Suggestion, Wording
from windlass.registry.model_cards import ModelCards
from windlass.serving.contract.page_look import PageLook
from windlass.serving.ui.ask_board import cards_html
from windlass.serving.ui.ask_page import OwnerPart, ask_page
from windlass.serving.ui.chat_page import chat_page
from windlass.serving.ui.learn_page import learn_page
from windlass.serving.ui.owner_pages import SIGN_OUT, sign_in
from windlass.trends.page import page as trends_page
from windlass.trends.record import EntityStatus, Event, Model, Reading, Series, Text, Topic, Trends

from .conftest import MADE, detailed, made_candidate

HOSTILE = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onmouseover='alert(1)", '" style="color:red',
    "</style><b>", "</title><b>", "</script><b>", "</textarea><b>", "</svg><b>", "{{7*7}}", "{x}{0}%s", "]]><b>",
    "<!--", "--><b>", "&lt;b&gt;&#60;b>", "javascript:alert(1)",
]  # fmt: skip
KEPT = frozenset({"class", "style", "href", "src", "id", "type", "content", "http-equiv"})
"""Attributes that act: not even their values may change."""
DAY = 86_400.0
SURE = Estimate(0.9, 0.85, 0.95)


CHINESE_MAY_HOLD = frozenset({"b", "i", "em", "strong", "code", "small", "br", "bdi"})


class Shape(HTMLParser):
    """What a browser makes of a page: its elements with their attributes, what acts, and what is read.

    Which texts have a Chinese twin depends on their words, so the spans of both languages are no part of it, nor is
    what the Chinese holds: that is held to bare inner tags.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[Any] = []
        self.acts: list[str] = []
        self.words: list[str] = []
        self.spans: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in ("span", "tspan"):
            self.spans.append(dict(attributes).get("class") or "")
            if self.spans[-1] in ("en", "zh"):
                return
        if "zh" in self.spans:
            assert tag in CHINESE_MAY_HOLD, tag
            assert not attributes, attributes
            return
        self.elements.append((tag, tuple(name for name, _ in attributes)))
        self.acts += [f"{tag} {name}={value}" for name, value in attributes if name in KEPT]
        self.words += [value or "" for _, value in attributes]

    def handle_endtag(self, tag: str) -> None:
        is_turned = tag in ("span", "tspan") and bool(self.spans) and self.spans.pop() in ("en", "zh")
        if is_turned or "zh" in self.spans:
            return
        self.elements.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        (self.acts if self.cdata_elem in ("script", "style") else self.words).append(data)

    def handle_comment(self, data: str) -> None:
        self.elements.append("comment")

    def handle_decl(self, decl: str) -> None:
        self.elements.append(decl)

    def unknown_decl(self, data: str) -> None:
        self.elements.append("declaration")


def board(word: str) -> notebook.Board:
    candidates = [replace(made_candidate(row), name=f"{word}{row[0]}", misses=[word]) for row in MADE[:3]]
    not_trained = [{"name": word, "learner": word, "status": word, "reason": word}]
    return notebook.Board(
        word, "macro_f1", word, {word: 3, "size_mb": 60}, candidates[0].name, word, candidates, not_trained, 60, word
    )


def prepared(word: str, kind: str = "text") -> Prepared:
    column = {"name": word, "kind": kind, "role": kind, "missing_share": 0.1, "distinct": 3, "examples": [word, word]}
    counts = {split: {word: 3, f"{word}2": 4} for split in ("train", "validation", "test")}
    columns = [{**column, "summary": {word: word, "mean": 2.0}}, column]
    return Prepared(word, {word: 3}, {word: 1}, counts, columns, [word])


def collected(word: str) -> Collected:
    return Collected(3, 2, 1, {word: 1}, [word], {word: 2}, [word])


def report_of_labels(word: str) -> str:
    random = np.random.default_rng(1)
    labels = (word, f"{word}2", f"{word}3")
    marks = LabelMarks(random.integers(0, 3, 60), random.dirichlet(np.ones(3), 60), 1, labels)
    curves = {name.name: [{"step": 10, "score": 0.5}, {"step": 20, "score": 0.6}] for name in board(word).candidates}
    facts = {"prepared": prepared(word, word), "collected": collected(word), "spec_text": word, "curves": curves}
    return report(board(word), detailed(board(word), marks, [word] * 60, **facts))


def report_of_numbers(word: str) -> str:
    marks = NumberMarks(np.arange(60.0), np.arange(60.0) + np.tile([1.0, -2.0, 3.0], 20), 2.0)
    sections = numbers_report.report_sections(Shown(board(word), marks, [word] * 60))
    return report(board(word), Details(sections, lambda misses: [word]))


def report_of_texts(word: str) -> str:
    rules = Rules.model_validate({"never": [word], "required": [{"text": word, "when": [word]}]})
    marks = TextMarks([word] * 20, [(word,)] * 20)
    sections = texts_report.report_sections(Shown(board(word), marks, [word] * 20, rules))
    return report(board(word), Details(sections))


def explanation(word: str) -> Explanation:
    whole, photo = Part(word, word, -0.5), Part("photo", "", 1.5, box=(0, 0, 1, 1))
    parts = (Part(word, word, 1.0, span=(0, len(word))), whole, photo)
    pictures = {"photo": "data:image/png;base64,AA=="}
    return Explanation(word, 0.9, word, word, -1.0, 2.0, False, 5, parts, {word: word}, pictures, (word, word))


def health(word: str) -> str:
    finding = {
        "name": "drift", "subject": word, "trait": word, "effect": 0.4, "limit": 0.1, "p": 1e-7, "before": 0.1,
        "now": 0.4, "unit": word, "large": True,
    }  # fmt: skip
    window = {
        "release": word, "answers": 300, "latency_p50_ms": 2.0, "latency_p95_ms": 5.0, "confidence": 0.8,
        "requests": [300, 3, 1], "drift": [finding], "estimated": vars(SURE), "measured": vars(SURE),
        "mix": {word: 0.6, f"{word}2": 0.4},
    }  # fmt: skip
    windows = [{**window, "since": day * DAY, "until": (day + 1) * DAY} for day in (20_000, 20_001)]
    alarms = [Alarm(word, word, 20_000 * DAY, word, finding)]
    mix = {word: 0.6, f"{word}2": 0.4}
    return health_page(
        Health(word, word, 0.0, DAY, 300, 2.0, 5.0, 0.8, 0.1, SURE, SURE, 4, mix, [finding], alarms, windows, [word])
    )


def item(word: str, **changes: Any) -> Item:
    values = dict.fromkeys(("id", "what", "why", "evidence", "method", "acceptance", "measure", "benefit", "how"), word)
    figures = {"gain": SURE, "money": SURE, "chance": 0.8, "cost": 10.0, "hours": 3.0, "days": 40.0, "bound": 1.0}
    dates = {"starts": "2026-11-22", "finishes": "2027-01-10", "critical": True, "after": (word,), "monthly": 2.0}
    return Item(**{**values, **figures, **dates, "sure": word, "left_out": word, **changes})


def roadmap(word: str) -> Roadmap:
    span = {"value": 2.0, "low": 1.0, "high": 3.0}
    names = ("own", "machines", "upkeep", "user_month", "month", "own_thousand", "machine_thousand", "busy_thousand")
    money = {**dict.fromkeys(names, 5.0), **dict.fromkeys(("api_thousand", "api", "even", "even_machines"), span)}
    service = dict.fromkeys(
        ("answers_a_second", "request_s", "cores", "peak", "machines", "used", "training_seconds_double",
         "training_cost_double"), 1.0,
    )  # fmt: skip
    came = {"id": word, "at": word, "what": word, "came": 0.1, "promised": 0.2, "beside": [word], "inside": True}
    return Roadmap(
        product=word, made="2026-11-22", currency=word, headline="macro_f1", today=SURE, goal=0.95, candidate=word,
        summary=[word],
        gaps=[{"name": word, "today": word, "goal": word, "state": "missed"}],
        items=[item(word), item(word, starts="", finishes="")],
        milestones=[{"date": "2027-01-10", "words": word, "score": 0.9, "least": 0.8}],
        risks=[Risk(word, "high", word, word)],
        curve={"metric": "macro_f1", "points": [{"rows": 10, "scores": [0.5]}], "today": 20, "goal": 0.9,
               "band": [{"rows": rows, "value": 0.6, "low": 0.5, "high": 0.7} for rows in (10, 100, 1000)]},
        handover={"points": [{"answered": part, "right": 0.9, "above": 0.5} for part in (0.5, 1.0)], "handed": 0.1},
        service={**service, "measured": True}, money={**money, "runway_months": 3.0, "left": 4.0},
        assumptions=[{"name": word, "value": word, "source": word, "meaning": word}],
        missing=[{"what": word, "command": word}],
        promises={"came": [came], "open": [], "count": 1, "bias": 0.1, "error": 0.1, "inside": 1},
        what_if=word, changes=[word], warnings=[word],
    )  # fmt: skip


def improvement(word: str, id: str) -> Improvement:
    checks = [{"words": word, "guards": True, "holds": True}, {"words": word, "guards": False, "holds": False}]
    tasks = [{"name": name, "before": 0.8, "after": 0.9} for name in (word, "recent feedback")]
    labels = [{"name": word, "rows": 9, "won": 3, "lost": 1, "before": 0.5, "after": 0.7}]
    callers = {word: {"learned": 1}}
    rows = {"given": 4, "learned": 2, "set aside": {word: 1}, "waiting": {word: 1}, "callers": callers, "unread": 2}
    evidence = {"checks": checks, "tasks": tasks, "labels": labels, "metric": "macro_f1", "difference": {"value": 0.1}}
    return Improvement(id, word, word, word, word, "promoted", word, rows, evidence)


def improvements(word: str) -> str:
    refused = replace(improvement(word, "0003"), verdict=word, challenger="")
    found = [improvement(word, "0001"), improvement(word, "0002"), refused]
    return improvements_page(word, found, [{"id": word, "reason": word, "answered": word, "caller": word}])


def loop(word: str) -> str:
    alarms = [Alarm("drift", word, 0.0, word)]
    weeks = [Week(number, 10, 0.9, 0.8, 0.7, alarms, 0, improvement(word, "0001")) for number in (1, 2)]
    return loop_page(weeks, [word], [word])


def trends(word: str) -> str:
    text = Text(1, word, word, word, 0.9, word, [word])
    topics = [Topic(word, 3, 0.1)]
    series = Series([5] * 20, [1] * 20, [1.0] * 20, [3] * 20, [False] * 19 + [True])
    days = [f"2025-03-{day:02}" for day in range(1, 21)]
    events = [
        Event(entity, "2025-03-20", "2025-03-20", is_open, "2025-03-20", 5, 5, 1.0, 3, 0.001, 4, 5, 4.0, SURE, SURE,
              "both", topics, {word: 2}, [1], [text])
        for entity, is_open in ((word, True), ("", False))
    ]  # fmt: skip
    standings = [EntityStatus(entity, 5, 1, SURE, 30, SURE, SURE, SURE, topics, series) for entity in ("", word)]
    refused, first = {"no text": 5}, {"no text": word}
    reading = Reading(word, word, [Model(word, word, word)], [word], 14, 3, 0.1, 90, 80, 3, 2, refused, first)
    found = Trends(reading, "2025-03-20", days, ["2025-02-28"], True, standings[0], standings[1:], events, [text])
    return trends_page(found, "en")


def card(word: str) -> ModelCards:
    told = Card(word, board(word).chosen, board(word), prepared(word), word, "0.1.0", "2026-11-22")
    chinese = replace(told, language="zh")
    return ModelCards(model_card(told), model_card(chinese), board(word))


def release(word: str) -> Release:
    return Release(word, word, word, "macro_f1", SURE, word, word, {}, 1.0)


def page_of_a_release(word: str) -> str:
    levels = {"levels": [word, f"{word}2"]}
    many = {"levels": [f"{word}{number}" for number in range(70)]}
    inputs = (
        Column(f"{word}a", "text"), Column(f"{word}b", "category", levels), Column(f"{word}c", "category", many),
        Column(f"{word}d", "image"), Column(f"{word}e", "number", {"quantiles": [0, 1, 2]}), Column(f"{word}f", "date"),
    )  # fmt: skip
    manifest = Manifest("linear", word, inputs, Column(word, "category", {"labels": [word]}))
    return ask_page(release(word), manifest, card(word), has_chat=True).decode()


def look(word: str) -> PageLook:
    return PageLook(word, word, word, "data:image/png;base64,AA==")


def listed(word: str) -> dict[str, Any]:
    score = {"value": 0.9, "low": 0.8, "high": 1.0}
    return {"id": word, "candidate": word, "headline": word, "score": score, "created": word, "size_mb": 1.0,
            "champion": True}  # fmt: skip


def change(word: str) -> dict[str, Any]:
    return dict.fromkeys(("at", "event", "from", "to", "user", "command", "reason"), word)


def around(word: str) -> owner.Around:
    return owner.Around(list(owner.PAGES), "", word, "zh")


def page_of_an_owner(word: str) -> str:
    window = {"release": word, "answers": 3}
    seen = Health(word, word, 0.0, DAY, 3, 2.0, 5.0, 0.8, 0.1, SURE, SURE, 4, {}, [], [Alarm(word, word, 0.0, word)],
                  [window])  # fmt: skip
    overview = owner.overview(seen, listed(word), roadmap(word), lambda scope: True)
    shown = OwnerPart(owner.bar("ask", list(owner.PAGES)), overview, SIGN_OUT)
    manifest = Manifest("linear", word, (Column(f"{word}a", "text"),), Column(word, "category", {"labels": [word]}))
    return ask_page(release(word), manifest, card(word), look=look(word), owner=shown).decode()


def page_to_talk(word: str) -> str:
    manifest = Manifest("language", word, (Column(word, "text"),), Column(word, "text"))
    engine: Any = None
    return chat_page(release(word), Writer(manifest, engine)).decode()


LINKS = ("learner-001.html",)
REPLAYED = (Replay(True, 3, 0.5, 0.6, 0.55), Replay(False, 4, 0.5, 0.6, 0.55))


def learner(word: str) -> LearnerState:
    told = Wording(word, word)
    skill = SkillState(word, told, 0.5, 0.3, 0.7, 2, 1.0, (word,), True)
    tried = Suggestion(word, word, 0.7, 0.1, told, word, told, told)
    return LearnerState(word, 2, 0.5, (skill,), (tried, tried))


PAGES: dict[str, Callable[[str], str]] = {
    "pages/html/report.py labels": report_of_labels,
    "pages/html/report.py numbers": report_of_numbers,
    "pages/html/report.py texts": report_of_texts,
    "pages/html/explanations.py": lambda word: explanations(
        word, word, [Explained("wrong", word, explanation(word))], word
    ),
    "pages/html/health_page.py": health,
    "pages/html/roadmap.py": lambda word: roadmap_page(roadmap(word)),
    "pages/html/improvements.py": improvements,
    "pages/html/loop.py": loop,
    "pages/html/data_report.py": lambda word: data_report(word, prepared(word), collected(word), []),
    "pages/html/tutor_page.py learner": lambda word: learner_page(learner(word)),
    "pages/html/tutor_page.py class": lambda word: class_page(
        ClassState(word, (learner(word),), REPLAYED, ("learner-001.html",))
    ),
    "trends/page.py": trends,
    "serving/ui/page.py release": page_of_a_release,
    "serving/ui/page.py owner": page_of_an_owner,
    "serving/ui/page.py sign in": lambda word: sign_in(look(word), word)[0].decode(),
    "pages/html/owner.py releases": lambda word: owner.releases_page([listed(word)], [change(word)], around(word)),
    "pages/html/owner.py reports": lambda word: owner.reports_page(
        [("report", word)], [("board", "/v1/board")], around(word)
    ),
    "pages/html/owner.py roadmap": lambda word: (
        owner.framed(roadmap_page(roadmap(word)), "roadmap", around(word)) + owner.empty_roadmap(around(word))
    ),
    "pages/html/owner.py health": lambda word: owner.framed(health(word), "health", around(word)),
    "serving/ui/page.py chat": page_to_talk,
    "serving/ui/page.py learn": lambda word: learn_page(release(word), look(word)).decode(),
}
"""The file that writes the document, and what it says of a word from outside."""
FRAGMENTS: dict[str, Callable[[str], str]] = {
    "board in Jupyter": lambda word: board(word)._repr_html_(),
    "leaderboard": lambda word: leaderboard(board(word)),
    "explanation in Jupyter": lambda word: explanation_html(explanation(word)),
    "roadmap in Jupyter": lambda word: notebook.Roadmap(**vars(roadmap(word)))._repr_html_(),
    "report in both languages": lambda word: in_both(report_of_labels(word)),
    "roadmap in both languages": lambda word: doubled(roadmap_page(roadmap(word))),
    "model card": lambda word: cards_html(card(word).card, card(word).card_zh),
    "data card": lambda word: cards_html(data_card(prepared(word), collected(word)), ""),
}


def harmless(word: str) -> str:
    return re.sub(r"\S", "x", word)


def same(make: Callable[[str], str], word: str) -> bool:
    """Whether the hostile word leaves the page's elements, attributes and all that acts as a harmless one does."""
    found, wanted = Shape(make(word)), Shape(make(harmless(word)))
    return (found.elements, found.acts) == (wanted.elements, wanted.acts)


@pytest.mark.parametrize("name", [*PAGES, *FRAGMENTS])
def test_text_from_outside_stays_text(name: str) -> None:
    """And it is shown, as it is."""
    make = (PAGES | FRAGMENTS)[name]
    assert [word for word in HOSTILE if not same(make, word)] == []
    assert [word for word in HOSTILE if word not in " ".join(Shape(make(word)).words)] == []


@pytest.mark.parametrize("word", HOSTILE)
def test_what_the_script_of_a_page_reads_is_what_was_said(word: str) -> None:
    (facts,) = re.findall(r'data-facts="([^"]*)"', page_of_a_release(word))
    told = json.loads(Shape(f'<p title="{facts}">').words[0])
    assert (told["product"], told["labels"]) == (word, [word])


@pytest.mark.parametrize("word", HOSTILE[:-1])
def test_the_check_sees_a_word_that_is_not_escaped(word: str) -> None:
    """Control: in a text, in an attribute of either quote, in a style, and in braces that are filled in."""
    ways: list[Callable[[str], str]] = [
        lambda said: f"<p>{said}</p><p></p>",
        lambda said: f'<p title="{said}"></p>',
        lambda said: f"<p title='{said}'></p>",
        lambda said: f"<style>{said}</style>",
        lambda said: f"<script>{said}</script>",
    ]
    assert not all(same(way, word) for way in ways)


def test_no_page_is_left_out() -> None:
    """Each file that writes a document; the page of pairs gets its texts as JSON and has none of its own."""
    root = Path(windlass.__file__).parent
    writing = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if "<!doctype html" in path.read_text(encoding="utf-8").lower()
    }
    assert writing == {name.partition(" ")[0] for name in PAGES}
