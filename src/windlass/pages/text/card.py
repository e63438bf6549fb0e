"""Model card, in English or Chinese, and data card as Markdown: what it is, how it was measured, what it is not for.

Source: Mitchell et al. 2019, Model Cards for Model Reporting, arXiv:1810.03993.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from windlass.errors import SpecError
from windlass.language.rendering import in_chinese
from windlass.metrics.numbers import COVERAGE, SHARE
from windlass.pages.text import bilingual
from windlass.pages.text.candidates import doubtful_goal, equals, goal_asked, headings, miscovered, not_trained
from windlass.pages.text.card_words import TERMS, WORDS
from windlass.pages.text.words import (
    NOTHING,
    block,
    count,
    duration,
    goal_value,
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
    """The facts of one release that its model card is written from, in 'en' or 'zh'; `created` is a date in words.

    insisted: what spoke against the release, which the user made all the same. data_licence: as the specification
    says it; is_begun: others may have made weights that it began with.
    """

    product: str
    candidate: str
    board: Board
    prepared: Prepared
    spec_text: str
    windlass_version: str
    created: str
    language: str = "en"
    insisted: tuple[str, ...] = ()
    data_licence: str = ""
    is_begun: bool = False

    def say(self, key: str, **values: object) -> str:
        if self.language == "zh":
            values = {name: in_chinese(str(value)) for name, value in values.items()}
        return bilingual.say(WORDS, self.language, key, **values)

    def term(self, english: str) -> str:
        """A word of a table or a limit in the card's language."""
        return TERMS.get(english, in_chinese(english)) if self.language == "zh" else english


def model_card(card: Card) -> str:
    """The model card as Markdown. Raises: StopIteration when the board has no such candidate."""
    candidate = card.board.candidate(card.candidate)
    sections = {
        "details": _details(card, candidate),
        "use": _use(card),
        "factors": _factors(card),
        "metrics": _metrics(card, candidate),
        "evaluation": _evaluation(card),
        "training": _training(card),
        "analyses": _analyses(card),
        "ethics": _ethics(card),
        "caveats": _caveats(card, candidate),
        "reproduce": _reproduce(card),
    }
    parts = [_front_matter(card, candidate), f"# {prose(card.product)}"]
    parts += [f"## {card.say(name)}\n\n{inside}" for name, inside in sections.items()]
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
    machine = card.say("machine", machine=prose(card.board.machine)) if card.board.machine else ""
    return _items(
        [
            card.say("answers", given=given, asked=asked) if given and asked else card.say("answers_something"),
            card.say(
                "learner", name=code(candidate.name), learner=code(candidate.learner), time=duration(candidate.seconds)
            ),
            card.say(
                "speed",
                size=measure(candidate.size_mb, "MB"),
                p50=measure(candidate.latency_p50_ms, "ms"),
                p95=measure(candidate.latency_p95_ms, "ms"),
                rate=count(candidate.answers_per_second),
                machine=machine,
            ),
            card.say("made", created=prose(card.created), version=prose(card.windlass_version)),
            card.say(
                "licence",
                weights=card.say("weights_begun" if card.is_begun else "weights_own"),
                data=prose(card.data_licence) or card.say("data_untold"),
            ),
        ]
    )


def _use(card: Card) -> str:
    totals = _totals(card.prepared)
    known = card.say("known", n=count(len(totals))) if totals else ""
    return _items(
        [card.say("primary", product=code(card.product), known=known), card.say("users"), card.say("not_for")]
    )


def _factors(card: Card) -> str:
    few = [label for label, found in card.prepared.labels.get("test", {}).items() if 0 < found < 30]
    note = card.say("few", n=count(len(few)), names=_first(card, few)) if few else ""
    return card.say("groups", few=note)


def _first(card: Card, names: list[str], most: int = 8) -> str:
    more = card.say("and_more", n=len(names) - most) if len(names) > most else ""
    return ("、" if card.language == "zh" else ", ").join(code(name) for name in names[:most]) + more


def _metrics(card: Card, candidate: Candidate) -> str:
    board = card.board
    rows = [
        [card.term(metric_name(name)), interval(score, board.units.get(name, ""))]
        for name, score in sorted(candidate.metrics.items(), key=lambda pair: pair[0] != board.headline)
    ]
    if candidate.calibration_error is not None:
        rows.append([card.say("calibration_error"), share(candidate.calibration_error)])
    rows += [[card.say("threshold", label=code(label)), f"{least:g}"] for label, least in candidate.threshold.items()]
    return (
        f"{_table([card.say('metric'), card.say('value')], rows)}\n\n{_verdict(card, candidate)}\n\n"
        f"{card.say('headline', metric=card.term(metric_name(board.headline)))}"
    )


def _verdict(card: Card, candidate: Candidate) -> str:
    """Goal and limits, and whether they are met."""
    board, limits = card.board, limit_words(card.board.limits, card.term)
    goal, end = prose(goal_words(board.goal, board.units)), doubtful_goal(board, candidate)
    met = (
        card.say("met")
        if end is None
        else card.say("met_unsure", end=f"{share(end)} {board.units.get(board.headline, '')}".rstrip())
    )
    return card.say(
        "goal" if goal_asked(board) or not candidate.meets_goal else "no_goal",
        goal=card.say("open_goal", goal=goal) if goal_value(board.goal) is None else goal,
        limits=card.say("limits", limits=prose(limits)) if limits else "",
        verdict=met if candidate.meets_goal else card.say("not_met", misses=prose("; ".join(candidate.misses))),
    )


def _evaluation(card: Card) -> str:
    return card.say("tested", n=count(card.board.n_test), fingerprint=code(card.prepared.fingerprint))


def _training(card: Card) -> str:
    removed = {reason: found for reason, found in card.prepared.removed.items() if found}
    counted = card.say("rows")
    parts = [_table([card.say("split"), counted], _counts(card.prepared.rows))]
    if removed:
        parts += [card.say("removed"), _table([card.say("reason"), counted], _counts(removed))]
    if card.prepared.labels:
        parts.append(_labels(card.prepared, card.language))
    return "\n\n".join(parts)


def _totals(prepared: Prepared) -> dict[str, int]:
    totals: dict[str, int] = {}
    for counts in prepared.labels.values():
        for label, found in counts.items():
            totals[label] = totals.get(label, 0) + found
    return dict(sorted(totals.items(), key=lambda pair: -pair[1]))


def _labels(prepared: Prepared, language: str = "en") -> str:
    totals = _totals(prepared)
    whole = sum(totals.values()) or 1
    rows = [
        [code(label), *(count(counts.get(label, 0)) for counts in prepared.labels.values()), percent(found / whole)]
        for label, found in list(totals.items())[:MOST_LABELS]
    ]
    more = len(totals) - MOST_LABELS
    first, last = (bilingual.say(WORDS, language, key) for key in ("label", "share"))
    rest = "\n\n" + bilingual.say(WORDS, language, "more_labels", n=count(more)) if more > 0 else ""
    return _table([first, *(prose(split) for split in prepared.labels), last], rows) + rest


def _analyses(card: Card) -> str:
    board = card.board
    columns = headings(board)
    named = [f"{card.term(column.name)} {card.term(column.unit)}".strip() for column in columns]
    rows = [
        [
            code(candidate.name) + (card.say("this") if candidate.name == card.candidate else ""),
            *(column.cells[place].replace("<", "&lt;") for column in columns),
        ]
        for place, candidate in enumerate(board.candidates)
    ]
    notes = [
        *([card.say("why", why=prose(board.why))] if board.why else []),
        *(card.say("as_good", name=prose(name)) for name in equals(board)),
        *(card.say("not_trained", name=code(name), reason=prose(reason)) for name, reason in not_trained(board)),
    ]
    return f"{_table([card.say('candidate'), *named], rows)}\n\n{_items(notes)}".rstrip()


def _ethics(card: Card) -> str:
    warnings = _items(prose(warning) for warning in card.prepared.warnings)
    return "\n\n".join([card.say("repeats"), *([card.say("checks"), warnings] if warnings else [])])


def _caveats(card: Card, candidate: Candidate) -> str:
    gap, n_candidates = candidate.calibration_error, len(card.board.candidates)
    covered = candidate.metrics.get(COVERAGE)
    lines = [card.say("drifts")]
    if covered is not None:
        lines.append(card.say("reaches", covered=percent(covered.value)))
        words, held = miscovered(candidate)
        if words:
            lines.append(card.say(words, promised=percent(SHARE), held=held))
    else:
        lines.append(card.say("writes") if gap is None else card.say("confidence", gap=share(gap)))
    if n_candidates > 1:
        lines.append(card.say("compared", n=count(n_candidates)))
    if card.insisted:
        lines.insert(0, card.say("insisted", against=prose("; ".join(card.insisted))))
    return _items(lines)


def _reproduce(card: Card) -> str:
    seed = _seed(card.spec_text)
    version, fingerprint = prose(card.windlass_version), code(card.prepared.fingerprint)
    said = card.say("seed", seed=seed) if seed is not None else ""
    return (
        f"{card.say('again', version=version, seed=said, fingerprint=fingerprint)}\n\n{_fenced(card.spec_text, 'yaml')}"
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
