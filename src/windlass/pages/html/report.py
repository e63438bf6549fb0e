"""The report: one self-contained page that says what was chosen, how good it is, and what to do next."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from windlass.pages.html import sections
from windlass.pages.html.leaderboard import leaderboard
from windlass.pages.html.sections import Section
from windlass.pages.html.style import POLICY, STYLE
from windlass.pages.text.advice import next_steps
from windlass.pages.text.candidates import chosen, doubtful_goal, goal_asked, headline_sentence
from windlass.pages.text.words import (
    escaped,
    goal_value,
    goal_words,
    interval,
    measure,
    metric_name,
    number,
    plain,
    share,
    with_code,
)
from windlass.records import Board, Candidate, Collected, Prepared

__all__ = ["Details", "leaderboard", "report"]


@dataclass(frozen=True)
class Details:
    """What is known beside the leaderboard. answers: what the output says of the chosen candidate's answers; advice:
    what it says one should do next, the goal missed or not. curves: of each candidate that kept one."""

    answers: Sequence[Section] = ()
    advice: Callable[[bool], list[str]] = lambda misses: []
    curves: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    prepared: Prepared | None = None
    collected: Collected | None = None
    spec_text: str = ""


def report(board: Board, details: Details) -> str:
    """The whole page as HTML text: no script, nothing loaded, light or dark, printable."""
    parts = [
        Section("leaderboard", "Leaderboard", sections.comparison(board)),
        Section("learning", "Learning curves", sections.learning(details.curves, board.chosen)),
        *details.answers,
        Section("data", "Data card", sections.data(details.prepared, details.collected)),
        Section("spec", "Specification", sections.specification(details.spec_text)),
    ]
    shown = [part for part in parts if part.body]
    links = "".join(f'<a href="#{part.name}">{part.title}</a>' for part in shown)
    body = "".join(f'<section id="{part.name}"><h2>{part.title}</h2>{part.body}</section>' for part in shown)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escaped(board.product)}: report</title><style>{STYLE}</style></head>"
        f"<body><main>{_top(board, details)}<nav>{links}</nav>{body}</main></body></html>\n"
    )


def _top(board: Board, details: Details) -> str:
    best = chosen(board)
    items = "".join(f"<li>{with_code(step)}</li>" for step in next_steps(board, details.advice))
    why = f'<p class="quiet" dir="auto">{escaped(board.why)}</p>' if board.why else ""
    return (
        f'<header><p class="over">Windlass report</p><h1><bdi>{escaped(board.product)}</bdi></h1>'
        f'<p class="lead">{escaped(headline_sentence(board))} {_verdict(board, best)}</p>{why}'
        f'{_facts(board, best) if best else ""}<h3>What to do next</h3><ul class="next">{items}</ul></header>'
    )


def _verdict(board: Board, best: Candidate | None) -> str:
    if best is None:
        return ""
    asked = escaped(goal_words(board.goal, board.units))
    if best.meets_goal:
        held_to = goal_asked(board)
        if not held_to:
            return '<span class="verdict">No goal was given: a number in `goal` would make it a gate.</span>'
        rest, end = "" if goal_value(board.goal) is None else f" ({asked})", doubtful_goal(board, best)
        if end is not None:
            rest += f", though not for certain: the 95 % interval reaches to {share(end)}"
        return f'<span class="verdict good">✓ {held_to} met{rest}.</span>'
    missed = escaped("; ".join(plain(miss) for miss in best.misses) or goal_words(board.goal, board.units))
    return f'<span class="verdict warn">✗ Not met: {missed}.</span>'


def _facts(board: Board, best: Candidate) -> str:
    score, goal = best.metrics.get(board.headline), goal_value(board.goal)
    unit = plain(board.units.get(board.headline, ""))
    range_words = interval(score).partition(" ")[2]
    found = [
        (
            metric_name(board.headline),
            " ".join(filter(None, (share(score.value if score else None), unit))),
            f"{range_words} 95 % interval" + ("" if goal is None else f"; goal {goal:g} {unit}".rstrip()),
        ),
        (
            "slow answers (p95)",
            measure(best.latency_p95_ms, "ms"),
            _limit(board, "latency_p95_ms", "ms") or f"median {measure(best.latency_p50_ms, 'ms')}",
        ),
        ("size", measure(best.size_mb, "MB"), _limit(board, "size_mb", "MB") or "on disk"),
    ]
    if best.calibration_error is not None:
        found.append(("calibration error", share(best.calibration_error), "mean gap of confidence and accuracy"))
    items = "".join(
        f"<div><dt>{escaped(name)}</dt><dd>{escaped(value)}<small>{escaped(note)}</small></dd></div>"
        for name, value, note in found
    )
    return f'<dl class="facts">{items}</dl>'


def _limit(board: Board, key: str, unit: str) -> str:
    limit = number(board.limits.get(key))
    return "" if limit is None else f"limit {limit:g} {unit}"
