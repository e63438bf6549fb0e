"""Model card and data card as Markdown: what it is, how it was measured, and what it must not be used for.

Source: Mitchell et al. 2019, Model Cards for Model Reporting, arXiv:1810.03993.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from windlass.errors import SpecError
from windlass.pages.candidates import as_good, headings, not_trained
from windlass.pages.words import (
    NOTHING,
    block,
    count,
    duration,
    goal_words,
    interval,
    limit_words,
    measure,
    metric_name,
    number,
    percent,
    plain,
    share,
)
from windlass.records import Board, Candidate, Collected, Prepared
from windlass.spec import parse

MOST_LABELS = 60


@dataclass(frozen=True)
class Card:
    """The facts of one release that its model card is written from; `created` is a date in words."""

    product: str
    candidate: str
    board: Board
    prepared: Prepared
    spec_text: str
    windlass_version: str
    created: str


def model_card(card: Card) -> str:
    """The model card as Markdown. Raises: StopIteration when the board has no such candidate."""
    candidate = card.board.candidate(card.candidate)
    parts = [
        _front_matter(card, candidate),
        f"# {prose(card.product)}",
        f"## Model details\n\n{_details(card, candidate)}",
        f"## Intended use\n\n{_use(card)}",
        f"## Factors\n\n{_factors(card)}",
        f"## Metrics\n\n{_metrics(card, candidate)}",
        f"## Evaluation data\n\n{_evaluation(card)}",
        f"## Training data\n\n{_training(card)}",
        f"## Quantitative analyses\n\n{_analyses(card)}",
        f"## Ethical considerations\n\n{_ethics(card)}",
        f"## Caveats and recommendations\n\n{_caveats(card, candidate)}",
        f"## How to reproduce\n\n{_reproduce(card)}",
    ]
    return "\n\n".join(parts) + "\n"


def data_card(prepared: Prepared, collected: Collected | None = None) -> str:
    """The data card as Markdown: rows in and out with reasons, splits, labels, columns, warnings."""
    parts = ["# Data card", f"Fingerprint: {code(prepared.fingerprint)}"]
    if collected is not None:
        parts.append(f"## Collected\n\n{_collected(collected)}")
    parts.append(f"## Prepared\n\n{_table(['split', 'rows'], _counts(prepared.rows))}")
    if prepared.groups:
        found = ", ".join(f"{split} {count(n_groups)}" for split, n_groups in prepared.groups.items())
        parts.append(f"Rows that belong together stay together, so that no group is in two splits. Groups: {found}.")
    removed = {reason: found for reason, found in prepared.removed.items() if found}
    if removed:
        parts.append(f"### Removed\n\n{_table(['reason', 'rows'], _counts(removed))}")
    if prepared.labels:
        parts.append(f"## Labels\n\n{_labels(prepared)}")
    if prepared.columns:
        parts.append(f"## Columns\n\n{_columns(prepared)}")
    warnings = [*(collected.warnings if collected else []), *prepared.warnings]
    if warnings:
        parts.append(f"## Warnings\n\n{_items(prose(warning) for warning in dict.fromkeys(warnings))}")
    return "\n\n".join(parts) + "\n"


def prose(value: object, limit: int = 0) -> str:
    """Text from outside on one line, with what Markdown and HTML would act on made plain."""
    text = re.sub(r"([\\`*\[\]|~]|\b_|_\b|(?<!\w)_)", r"\\\1", plain(value, limit))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def code(value: object, limit: int = 80) -> str:
    """Text from outside as a code span, safe in a table too."""
    text = plain(value, limit).replace("|", "\\|")
    if not text:
        return NOTHING
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _fenced(text: str, language: str) -> str:
    inside = block(text).strip()
    fence = "`" * max(3, max(map(len, re.findall("`+", inside)), default=0) + 1)
    return f"{fence}{language}\n{inside}\n{fence}"


def _table(heads: list[str], rows: Iterable[list[str]]) -> str:
    given = list(rows)
    columns = [all(row[place][:1] in "0123456789&<–✓✗" for row in given) for place in range(len(heads))]
    rule = "|".join("---:" if is_number else "---" for is_number in columns)
    lines = [f"| {' | '.join(row)} |" for row in given]
    return "\n".join([f"| {' | '.join(heads)} |", f"|{rule}|", *lines])


def _items(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _counts(counts: dict[str, int]) -> list[list[str]]:
    return [[code(name), count(found)] for name, found in counts.items()]


def _front_matter(card: Card, candidate: Candidate) -> str:
    """YAML whose strings are JSON strings, which YAML reads as they are."""
    lines = [
        "---",
        "library_name: windlass",
        f"model_name: {json.dumps(plain(card.product), ensure_ascii=False)}",
        "tags:",
        "- windlass",
        f"- {json.dumps(plain(candidate.learner), ensure_ascii=False)}",
    ]
    metrics = [name for name, score in candidate.metrics.items() if number(score.value) is not None]
    if metrics:
        lines += ["metrics:", *(f"- {json.dumps(plain(name))}" for name in metrics)]
    return "\n".join([*lines, "---"])


def _names(card: Card, role: str) -> str:
    found = [
        f"{code(column.get('name', '?'))} ({plain(column.get('kind', NOTHING))})"
        for column in card.prepared.columns
        if column.get("role") == role
    ]
    return ", ".join(found)


def _details(card: Card, candidate: Candidate) -> str:
    given, asked = _names(card, "input"), _names(card, "output")
    what = f"From {given} it answers {asked}." if given and asked else "It answers the output column from the inputs."
    return _items(
        [
            what,
            f"Candidate {code(candidate.name)}, trained by the learner {code(candidate.learner)} "
            f"in {duration(candidate.seconds)}.",
            f"Size {measure(candidate.size_mb, 'MB')}; one answer takes "
            f"{measure(candidate.latency_p50_ms, 'ms')} (median), "
            f"{measure(candidate.latency_p95_ms, 'ms')} (95th percentile), "
            f"{count(candidate.answers_per_second)} answers/s"
            f"{f' on {prose(card.board.machine)}' if card.board.machine else ''}.",
            f"Made {prose(card.created)} with Windlass {prose(card.windlass_version)}.",
            "Licence: not stated by the specification; state it before passing the model on.",
        ]
    )


def _use(card: Card) -> str:
    totals = _totals(card.prepared)
    known = f" It knows {count(len(totals))} labels and answers one of them, always." if totals else ""
    return _items(
        [
            f"Primary use: rows like those of its training data, in the product {code(card.product)}.{known}",
            "Users: those who run this product and know its data.",
            "It must not be used for other data, languages or populations than those below without "
            "measuring it there, nor "
            "as the only ground of a decision that weighs heavily on a person (credit, work, health, "
            "law, safety).",
        ]
    )


def _factors(card: Card) -> str:
    languages = (
        "Quality by group, language or source of the rows was not measured in this card; it may differ from the "
    )
    few = [label for label, found in card.prepared.labels.get("test", {}).items() if 0 < found < 30]
    note = f" {count(len(few))} labels have fewer than 30 test rows: {_first(few)}." if few else ""
    return f"{languages}overall score.{note}"


def _first(names: list[str], most: int = 8) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(code(name) for name in names[:most]) + more


def _metrics(card: Card, candidate: Candidate) -> str:
    board = card.board
    rows = [
        [metric_name(name), interval(score)]
        for name, score in sorted(candidate.metrics.items(), key=lambda pair: pair[0] != board.headline)
    ]
    if candidate.calibration_error is not None:
        rows.append(["calibration error", share(candidate.calibration_error)])
    limits = limit_words(board.limits)
    verdict = "met" if candidate.meets_goal else f"**not met**: {prose('; '.join(candidate.misses))}"
    return (
        f"{_table(['metric (share 0–1)', 'value [95 % interval]'], rows)}\n\n"
        f"Goal: {prose(goal_words(board.goal))}{f'; limits: {prose(limits)}' if limits else ''}. "
        f"Goal and limits are {verdict}.\n\nThe headline is {metric_name(board.headline)}. Intervals "
        "are bootstrap "
        "percentiles over the test rows. The calibration error is the mean gap between confidence "
        "and accuracy "
        "(Guo et al. 2017)."
    )


def _evaluation(card: Card) -> str:
    return (
        f"{count(card.board.n_test)} test rows that training did not see, answered by the artifact "
        "that is served, "
        f"through the code that serves it. Data fingerprint: {code(card.prepared.fingerprint)}."
    )


def _training(card: Card) -> str:
    removed = {reason: found for reason, found in card.prepared.removed.items() if found}
    taken = f"\n\nRemoved before:\n\n{_table(['reason', 'rows'], _counts(removed))}" if removed else ""
    labels = f"\n\n{_labels(card.prepared)}" if card.prepared.labels else ""
    return f"{_table(['split', 'rows'], _counts(card.prepared.rows))}{taken}{labels}"


def _totals(prepared: Prepared) -> dict[str, int]:
    totals: dict[str, int] = {}
    for counts in prepared.labels.values():
        for label, found in counts.items():
            totals[label] = totals.get(label, 0) + found
    return dict(sorted(totals.items(), key=lambda pair: -pair[1]))


def _labels(prepared: Prepared) -> str:
    totals = _totals(prepared)
    whole = sum(totals.values()) or 1
    rows = [
        [code(label), *(count(counts.get(label, 0)) for counts in prepared.labels.values()), percent(found / whole)]
        for label, found in list(totals.items())[:MOST_LABELS]
    ]
    more = len(totals) - MOST_LABELS
    rest = f"\n\nand {count(more)} labels more" if more > 0 else ""
    return _table(["label", *(prose(split) for split in prepared.labels), "share"], rows) + rest


def _analyses(card: Card) -> str:
    board = card.board
    columns = headings(board)
    heads = ["candidate", *(f"{column.name} {column.unit}".strip() for column in columns)]
    rows = [
        [
            code(candidate.name) + (" (this)" if candidate.name == card.candidate else ""),
            *(column.cells[place].replace("<", "&lt;") for column in columns),
        ]
        for place, candidate in enumerate(board.candidates)
    ]
    notes = [
        *([prose(board.why)] if board.why else []),
        *(prose(note) + "." for note in as_good(board)),
        *(f"Not trained: {code(name)} ({prose(reason)})" for name, reason in not_trained(board)),
    ]
    return f"{_table(heads, rows)}\n\n{_items(notes)}".rstrip()


def _ethics(card: Card) -> str:
    warnings = _items(prose(warning) for warning in card.prepared.warnings)
    found = f"\n\nWhat the checks of the data found:\n\n{warnings}" if warnings else ""
    return (
        "It repeats what its data holds, wrong labels and one-sided samples among it. Fairness "
        "between groups of "
        f"people is not shown by the scores above.{found}"
    )


def _caveats(card: Card, candidate: Candidate) -> str:
    others = len(card.board.candidates)
    lines = [
        "The scores hold for rows like the test rows; when the data drifts, measure again.",
    ]
    if candidate.calibration_error is None:
        lines.append("It writes texts that can be wrong and sound right; nothing it says was checked.")
    else:
        lines.append(
            f"Of answers given with confidence 0.9, 0.9 should be right; the mean gap on the test rows is "
            f"{share(candidate.calibration_error)}. Send answers with little confidence to a person."
        )
    if others > 1:
        lines.append(
            f"{count(others)} candidates were compared on these test rows, which can make the score of the "
            "chosen one slightly optimistic."
        )
    return _items(lines)


def _reproduce(card: Card) -> str:
    seed = _seed(card.spec_text)
    said = f", seed {seed}" if seed is not None else ""
    return (
        f"Windlass {prose(card.windlass_version)}{said}, data with the fingerprint "
        f"{code(card.prepared.fingerprint)}, and this `windlass.yaml`; then `windlass run`.\n\n"
        f"{_fenced(card.spec_text, 'yaml')}"
    )


def _seed(spec_text: str) -> int | None:
    try:
        return parse(spec_text).seed
    except SpecError:
        return None


def _collected(collected: Collected) -> str:
    rows = [
        ["rows in", count(collected.rows_in)],
        ["accepted", count(collected.accepted)],
        ["rejected", count(collected.rejected)],
    ]
    rows += [[f"rejected: {prose(reason)}", count(found)] for reason, found in collected.reasons.items()]
    sources = ", ".join(code(source) for source in collected.sources) or NOTHING
    return f"From {sources}\n\n{_table(['', 'rows'], rows)}"


def _columns(prepared: Prepared) -> str:
    rows = [
        [
            code(column.get("name", "?")),
            prose(column.get("kind", NOTHING)),
            prose(column.get("role", NOTHING)),
            percent(column.get("missing_share")),
            count(column.get("distinct")),
            _examples(column),
        ]
        for column in prepared.columns
    ]
    return _table(["column", "kind", "role", "missing", "distinct", "examples"], rows)


def _examples(column: dict[str, Any]) -> str:
    return ", ".join(code(example, 40) for example in list(column.get("examples") or [])[:3]) or NOTHING
