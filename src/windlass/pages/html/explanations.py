"""The page of the stage `explain`: test rows that were answered right, wrong and without being sure, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from windlass.pages.html.explained import STYLE as MARKS
from windlass.pages.html.explained import explained
from windlass.pages.html.style import POLICY, STYLE
from windlass.pages.text.words import escaped
from windlass.records import Explanation

HEADINGS = {
    "too low": ("Too low", "Where the right number was most above the answer: what was not seen?"),
    "too high": ("Too high", "Where the right number was most below the answer: what misled it?"),
    "near": ("Nearest to the right number", "It should be so near for reasons that a person would give, too."),
    "wrong": ("Wrong answers, the surest first", "What misled it? Words that speak for them are worth a look."),
    "first": ("The first answers", "What each part of the row was worth for what was written."),
    "unsure": ("Not sure", "Two answers were about as likely."),
    "right": ("Right answers, the surest first", "It should be right for reasons that a person would give, too."),
}
CARDS = """
.card { border-top: 1px solid var(--line); padding: 18px 0; } .card:first-of-type { border-top: 0; }
.truth { margin: 10px 0 0; font-size: 14px; color: var(--quiet); }
"""


@dataclass(frozen=True)
class Explained:
    """A test row that was explained. group: a key of `HEADINGS`; truth: the right answer."""

    group: str
    truth: str
    explanation: Explanation


def explanations(product: str, candidate: str, found: Sequence[Explained], refusal: str = "") -> str:
    """The whole page as HTML text: no script, nothing loaded."""
    groups = [(group, [each for each in found if each.group == group]) for group in HEADINGS]
    links = "".join(f'<a href="#{_anchor(group)}">{HEADINGS[group][0]}</a>' for group, rows in groups if rows)
    body = "".join(_section(group, rows) for group, rows in groups if rows)
    said = f"<section><p>{escaped(refusal)}</p></section>" if refusal else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escaped(product)}: explanations</title><style>{STYLE}{MARKS}{CARDS}</style></head>"
        f'<body><main><header><p class="over">Windlass explanations</p><h1><bdi>{escaped(product)}</bdi></h1>'
        f'<p class="lead">Why <bdi>{escaped(candidate)}</bdi> answered test rows as it did: what each part of a row '
        "is worth for the answer.</p></header>"
        f"<nav>{links}</nav>{said}{body}</main></body></html>\n"
    )


def _anchor(group: str) -> str:
    return group.replace(" ", "-")


def _section(group: str, rows: Sequence[Explained]) -> str:
    title, words = HEADINGS[group]
    cards = "".join(
        f'<div class="card">{explained(each.explanation)}'
        f'<p class="truth">Right answer: <bdi>{escaped(each.truth, 200)}</bdi></p></div>'
        for each in rows
    )
    return f'<section id="{_anchor(group)}"><h2>{title}</h2><p class="quiet">{words}</p>{cards}</section>'
