"""The report: one self-contained page that says what was chosen, how good it is, and what to do next."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from windlass.brand import Rules, breaches
from windlass.metrics import Array, Threshold, answered, confusion
from windlass.pages import sections
from windlass.pages.advice import next_steps
from windlass.pages.candidates import chosen, doubtful_goal, headline_sentence
from windlass.pages.classes import ClassScore, class_scores, confidence_bins, confident_mistakes, confused_pairs
from windlass.pages.leaderboard import leaderboard
from windlass.pages.style import POLICY, STYLE
from windlass.pages.words import (
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
from windlass.text_metrics import RULES_BROKEN, token_f1

__all__ = ["Details", "leaderboard", "report"]


@dataclass(frozen=True)
class Details:
    """What the chosen candidate answered on the test rows, and what is known about the data.

    Of labels: `labels` names the k classes; `targets` (n,) int; `probabilities` (n, k) float. Of texts: `answers`, and
    `references` with the right answers of each row. `examples` has one short text a test row; `curves` has the curve
    of each candidate that kept one.
    """

    labels: list[str] = field(default_factory=list)
    targets: Array = field(default_factory=lambda: np.empty(0, int))
    probabilities: Array = field(default_factory=lambda: np.empty((0, 0)))
    examples: list[str] = field(default_factory=list)
    curves: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    prepared: Prepared | None = None
    collected: Collected | None = None
    spec_text: str = ""
    answers: Sequence[str] = ()
    references: Sequence[Sequence[str]] = ()
    rules: Rules | None = None
    threshold: Threshold | None = None

    @property
    def matrix(self) -> Array:
        """Counts (k, k): row = true class, column = answer."""
        if not len(self.targets):
            return np.zeros((len(self.labels), len(self.labels)), dtype=int)
        return confusion(self.targets, answered(self.probabilities, self.threshold), len(self.labels))


def report(board: Board, details: Details) -> str:
    """The whole page as HTML text: no script, nothing loaded, light or dark, printable."""
    matrix = details.matrix
    scores = class_scores(matrix, details.labels) if len(details.targets) else []
    parts = [
        ("leaderboard", "Leaderboard", sections.comparison(board)),
        ("learning", "Learning curves", sections.learning(details.curves, board.chosen)),
        ("confusion", "What is confused with what", sections.confusions(matrix, details.labels)),
        ("calibration", "Can the confidence be trusted?", _calibration(board, details)),
        ("mistakes", "Most confident mistakes", _mistakes(details)),
        ("rules", "Rules of the brand", _rules(board, details)),
        ("texts", "What it wrote", _texts(details)),
        ("labels", "Each label", sections.per_class(scores)),
        ("data", "Data card", sections.data(details.prepared, details.collected)),
        ("spec", "Specification", sections.specification(details.spec_text)),
    ]
    shown = [(name, title, body) for name, title, body in parts if body]
    links = "".join(f'<a href="#{name}">{title}</a>' for name, title, _ in shown)
    body = "".join(f'<section id="{name}"><h2>{title}</h2>{inside}</section>' for name, title, inside in shown)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escaped(board.product)}: report</title><style>{STYLE}</style></head>"
        f"<body><main>{_top(board, scores, matrix, details.labels)}"
        f"<nav>{links}</nav>{body}</main></body></html>\n"
    )


def _top(board: Board, scores: list[ClassScore], matrix: Array, labels: list[str]) -> str:
    best = chosen(board)
    steps = next_steps(board, scores, confused_pairs(matrix, labels, 25))
    items = "".join(f"<li>{with_code(step)}</li>" for step in steps)
    why = f'<p class="quiet" dir="auto">{escaped(board.why)}</p>' if board.why else ""
    return (
        f'<header><p class="over">Windlass report</p><h1><bdi>{escaped(board.product)}</bdi></h1>'
        f'<p class="lead">{escaped(headline_sentence(board))} {_verdict(board, best)}</p>{why}'
        f'{_facts(board, best) if best else ""}<h3>What to do next</h3><ul class="next">{items}</ul></header>'
    )


def _verdict(board: Board, best: Candidate | None) -> str:
    if best is None:
        return ""
    asked = escaped(goal_words(board.goal))
    if best.meets_goal:
        rest, end = "" if goal_value(board.goal) is None else f" ({asked})", doubtful_goal(board, best)
        if end is not None:
            rest += f", though not for certain: the 95 % interval reaches to {share(end)}"
        return f'<span class="verdict good">✓ Goal and limits are met{rest}.</span>'
    missed = escaped("; ".join(plain(miss) for miss in best.misses) or goal_words(board.goal))
    return f'<span class="verdict warn">✗ Not met: {missed}.</span>'


def _facts(board: Board, best: Candidate) -> str:
    score, goal = best.metrics.get(board.headline), goal_value(board.goal)
    range_words = interval(score).partition(" ")[2]
    found = [
        (
            metric_name(board.headline),
            share(score.value if score else None),
            f"{range_words} 95 % interval" + ("" if goal is None else f"; goal {goal:g}"),
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


def _calibration(board: Board, details: Details) -> str:
    best = chosen(board)
    if not len(details.targets):
        return ""
    bins = confidence_bins(details.targets, details.probabilities, threshold=details.threshold)
    return sections.calibration(bins, best.calibration_error if best else None)


def _mistakes(details: Details) -> str:
    if not len(details.targets):
        return ""
    found = confident_mistakes(details.targets, details.probabilities, threshold=details.threshold)
    return sections.mistakes(found, details.labels, details.examples)


def _rules(board: Board, details: Details) -> str:
    """How many texts break each rule, with the first words that do."""
    best = chosen(board)
    if best is None or details.rules is None or not details.answers:
        return ""
    found: dict[str, str] = {}
    for answer in details.answers:
        for rule, faults in breaches(answer, details.rules).items():
            found.setdefault(rule, faults[0])
    shares = {rule: best.metrics.get(f"{RULES_BROKEN}.{rule}") for rule in details.rules.in_force}
    return sections.rules({rule: (estimate, found.get(rule, "")) for rule, estimate in shares.items()})


def _texts(details: Details) -> str:
    """Answers beside the right ones, from the worst to the best."""
    if not details.answers:
        return ""
    scores = [
        max(token_f1(answer, right) for right in rights)
        for answer, rights in zip(details.answers, details.references, strict=True)
    ]
    return sections.texts(scores, details.answers, details.references, details.examples)
