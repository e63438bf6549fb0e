"""The sections of the report, each a pure function that gives HTML, or nothing when there is nothing to say."""

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from windlass.metrics.measures import LOWER, Array
from windlass.pages.charts import charts
from windlass.pages.html.leaderboard import board_notes, board_table
from windlass.pages.text.classes import Bin, ClassScore, Mistake, confused_pairs
from windlass.pages.text.words import NOTHING, block, count, escaped, interval, number, percent, plain, share, with_code
from windlass.records import Board, Collected, Prepared

EXAMPLE_LIMIT = 240
MOST_CLASS_ROWS = 200
N_TEXTS = 5


@dataclass(frozen=True)
class Section:
    """A part of the report. name: its anchor; body: HTML, empty when there is nothing to say."""

    name: str
    title: str
    body: str


def table(heads: list[tuple[str, str]], rows: Iterable[list[str]], kind: str = "plain") -> str:
    """A table. `heads` are (words, class of the column); the cells of `rows` are HTML already.

    Args: kind: `plain`, or `plain stack` for one that shows each row as a block on a phone.
    """
    head = "".join(f'<th scope="col" class="{column}">{words}</th>' for words, column in heads)
    lines = [
        [
            f'<td class="{column}" data-head="{words}">{cell}</td>'
            for cell, (words, column) in zip(row, heads, strict=True)
        ]
        for row in rows
    ]
    body = "".join(f"<tr>{''.join(line)}</tr>" for line in lines)
    return (
        f'<div class="scroll"><table class="{kind}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def label(name: object, limit: int = 60) -> str:
    """A name from outside as HTML, isolated so that right-to-left text leaves its neighbours in place."""
    return f"<bdi>{escaped(name, limit)}</bdi>"


def picture(svg: str, caption: str = "") -> str:
    """A picture with its caption, or nothing when there is no picture."""
    said = f"<figcaption>{caption}</figcaption>" if caption else ""
    return f"<figure>{said}{svg}</figure>" if svg else ""


def comparison(board: Board) -> str:
    """The leaderboard, and quality against latency as a picture."""
    drawn = picture(
        charts.quality_and_latency(board),
        f"{'Down' if board.headline in LOWER else 'Up'} and to the left is better; in the tinted corner goal and "
        "limits are met.",
    )
    notes = board_notes(board, says_why=False)
    return f'{board_table(board)}<div class="pictures top">{drawn}<div>{notes}</div></div>'


def learning(curves: Mapping[str, list[dict[str, Any]]], first: str) -> str:
    """The learning curves of all candidates that have one, the chosen one first."""
    ordered = sorted(curves, key=lambda name: name != first)
    drawn = [(name, charts.learning_curve(name, curves[name])) for name in ordered]
    pictures = "".join(picture(svg, label(name)) for name, svg in drawn if svg)
    note = (
        '<p class="quiet">A validation loss that rises while the training loss falls means that it learns by heart.</p>'
    )
    return f'{note}<div class="pictures">{pictures}</div>' if pictures else ""


def confusions(matrix: Array, labels: list[str]) -> str:
    """The confusion matrix, and beside it the most frequent confusions in words."""
    if not matrix.sum():
        return ""
    drawn = charts.confusion_matrix(matrix, labels)
    if len(labels) > charts.MOST_CLASSES:
        return (
            picture(drawn, f"The most frequent confusions of {count(len(labels))} labels: truth → answer, test rows.")
            or "<p>No test row was answered wrongly.</p>"
        )
    pairs = confused_pairs(matrix, labels, 8)
    rows = [
        [f"{label(pair.truth, 30)}<br>→ {label(pair.answer, 30)}", f"{count(pair.count)}", percent(pair.share)]
        for pair in pairs
    ]
    listed = (
        table([("truth → answer", "name"), ("rows", "n"), ("of label", "n")], rows) if rows else "<p>No mistakes.</p>"
    )
    return (
        '<p class="quiet">Test rows by true label and answer. Blue is right; orange is wrong, and '
        "drawn stronger "
        f'than its share so that few are still seen.</p><div class="beside"><div class="scroll">'
        f"{picture(drawn)}</div><div><h3>Most frequent confusions</h3>{listed}</div></div>"
    )


def calibration(bins: list[Bin], error: float | None) -> str:
    """The reliability diagram with the sentence that says how to read it."""
    drawn = charts.reliability(bins, error)
    said = (
        "" if number(error) is None else f"The mean gap between confidence and accuracy is {share(error)} (share 0–1). "
    )
    if not drawn:
        return ""
    return (
        f'<div class="pictures top"><div>{picture(drawn)}</div><div class="aside"><p>{said}</p>'
        "<p>Of the answers given with 90 % confidence, 90 % should be right: the dotted line. Points "
        "under it are "
        "answers that are surer than they should be, points above it are better than they "
        "say.</p></div></div>"
    )


def mistakes(found: list[Mistake], labels: list[str], examples: list[str]) -> str:
    """The wrong answers that were given with the most confidence, with the row's text."""
    if not found:
        return ""
    rows = [
        [
            f'<span dir="auto">{escaped(examples[each.row], EXAMPLE_LIMIT) or NOTHING}</span>'
            if each.row < len(examples)
            else f"test row {each.row}",
            label(labels[each.truth]),
            label(labels[each.answer]),
            percent(each.confidence),
        ]
        for each in found
    ]
    heads = [("test row", "text"), ("label in the data", "name"), ("answer", "name"), ("confidence", "n")]
    return (
        "<p>Read these before changing the model: confident mistakes are often wrong labels in the data.</p>"
        '<p class="quiet">In ten well-known data sets at least 3.3 % of the test labels were wrong '
        "on average "
        f"(Northcutt et al. 2021, arXiv:2103.14749).</p>{table(heads, rows, 'plain stack')}"
    )


def texts(
    scores: Sequence[float], answers: Sequence[str], references: Sequence[Sequence[str]], examples: Sequence[str]
) -> str:
    """Texts beside the right ones: the worst, some in the middle, and the best, by the words that they share."""
    order = sorted(range(len(scores)), key=lambda row: scores[row])
    middle = len(order) // 2
    shown = dict.fromkeys([*order[:N_TEXTS], *order[middle : middle + N_TEXTS], *order[-N_TEXTS:]])
    rows = [
        [
            share(scores[row]),
            label(examples[row] if row < len(examples) else NOTHING, EXAMPLE_LIMIT),
            label(answers[row] or "(nothing)", EXAMPLE_LIMIT),
            label(references[row][0], EXAMPLE_LIMIT),
        ]
        for row in shown
    ]
    heads = [("shared words", "n"), ("asked", "text"), ("written", "text"), ("right answer", "text")]
    note = '<p class="quiet">Token F1 of each row; a text can be good and share few words with the right one.</p>'
    return f"{note}{table(heads, rows, 'plain stack')}"


def rules(found: Mapping[str, tuple[Any, str]]) -> str:
    """Each rule with the share of the texts that break it, and a text's fault as an example."""
    rows = [
        [escaped(rule), _estimate(estimate), f'<span dir="auto">{escaped(example, EXAMPLE_LIMIT) or NOTHING}</span>']
        for rule, (estimate, example) in found.items()
    ]
    heads = [("rule", "name"), ("texts that break it", "n"), ("for example, one", "text")]
    note = '<p class="quiet">Shares 0–1 of the texts for the test rows, with 95 % intervals.</p>'
    return f"{note}{table(heads, rows)}" if rows else ""


def per_class(scores: list[ClassScore]) -> str:
    """Precision, recall and F1 of each class with intervals, the weakest first."""
    if not scores:
        return ""
    ordered = sorted(scores, key=lambda score: (score.rows == 0, number(score.f1.value) or 0))
    rows = [
        [
            label(score.label),
            *(_estimate(each) for each in (score.f1, score.precision, score.recall)),
            count(score.rows),
        ]
        for score in ordered[:MOST_CLASS_ROWS]
    ]
    more = len(ordered) - MOST_CLASS_ROWS
    rest = f'<p class="quiet">and {count(more)} labels more</p>' if more > 0 else ""
    heads = [("label", "name"), ("F1", "n"), ("precision", "n"), ("recall", "n"), ("test rows", "n")]
    return (
        '<p class="quiet">Shares 0–1 on the test rows with 95 % score intervals (Wilson 1927), the '
        "weakest first. "
        "Precision: how many of these answers were right. Recall: how many of these rows were found.</p>"
        f"{table(heads, rows)}{rest}"
    )


def _estimate(estimate: Any) -> str:
    value, _, range_words = interval(estimate).partition(" ")
    return f"{value} <small>{range_words}</small>" if range_words else value


def data(prepared: Prepared | None, collected: Collected | None) -> str:
    """The data card: rows in and out with reasons, labels, columns, warnings."""
    parts = []
    if collected is not None:
        parts.append(_collected(collected))
    if prepared is not None:
        parts.append(_prepared(prepared))
    warnings = [*(collected.warnings if collected else []), *(prepared.warnings if prepared else [])]
    if warnings:
        said = [with_code(plain(warning)) for warning in dict.fromkeys(warnings)]
        items = "".join(f'<li dir="auto">{warning}</li>' for warning in said)
        parts.append(f'<h3>Warnings</h3><ul class="next">{items}</ul>')
    drawn = charts.label_bars(prepared.labels) if prepared else ""
    left = "".join(parts)
    if drawn:
        left = f'<div class="pictures top"><div>{left}</div><div><h3>Rows of each label</h3>{drawn}</div></div>'
    columns = _columns(prepared.columns) if prepared and prepared.columns else ""
    return left + columns


def _collected(collected: Collected) -> str:
    rows = [
        ["rows in", count(collected.rows_in)],
        ["accepted", count(collected.accepted)],
        ["rejected", count(collected.rejected)],
    ]
    rows += [
        [f'<span class="quiet">&emsp;{escaped(reason)}</span>', count(found)]
        for reason, found in sorted(collected.reasons.items(), key=lambda pair: -pair[1])
    ]
    sources = ", ".join(f"<code>{escaped(source, 80)}</code>" for source in collected.sources[:5])
    more = f" and {count(len(collected.sources) - 5)} more" if len(collected.sources) > 5 else ""
    return (
        '<h3>Collected</h3><p class="quiet">From '
        f"{sources or NOTHING}{more}</p>{table([('', ''), ('rows', 'n')], rows)}"
    )


def _prepared(prepared: Prepared) -> str:
    rows = [[escaped(split), count(found)] for split, found in prepared.rows.items()]
    rows += [
        [f'<span class="quiet">removed: {escaped(reason)}</span>', count(found)]
        for reason, found in sorted(prepared.removed.items(), key=lambda pair: -pair[1])
        if found
    ]
    return (
        f"<h3>Prepared</h3>{table([('split', ''), ('rows', 'n')], rows)}"
        f'<p class="quiet foot">Fingerprint <code>{escaped(prepared.fingerprint)}</code></p>'
    )


def _columns(columns: list[dict[str, Any]]) -> str:
    rows = []
    for column in columns:
        examples = ", ".join(f"“{escaped(example, 40)}”" for example in list(column.get("examples") or [])[:3])
        rows.append(
            [
                label(column.get("name", "?")),
                escaped(column.get("kind", NOTHING)),
                escaped(column.get("role", NOTHING)),
                percent(column.get("missing_share")),
                count(column.get("distinct")),
                f'<span dir="auto">{examples}</span>',
                _summary(column),
            ]
        )
    heads = [
        ("column", "name"),
        ("kind", "name"),
        ("role", "name"),
        ("missing", "n"),
        ("distinct", "n"),
        ("examples", "text"),
        ("summary", ""),
    ]
    return f"<h3>Columns</h3>{table(heads, rows)}"


def _summary(column: Mapping[str, Any]) -> str:
    summary = column.get("summary")
    if not isinstance(summary, Mapping):
        return ""
    facts = [f"{str(name).replace('_', ' ')} {_short(value)}" for name, value in summary.items()]
    return escaped(", ".join(facts), 120)


def _short(value: object) -> str:
    found = None if isinstance(value, str) else number(value)
    if found is None:
        return plain(value, 30)
    if found.is_integer() or abs(found) >= 1e4:
        return f"{found:,.0f}" if abs(found) < 1e15 else f"{found:,.4g}"
    return f"{found:,.4g}"


def specification(text: str) -> str:
    """The specification as it was run."""
    return f"<pre><code>{html.escape(block(text).strip())}</code></pre>" if text.strip() else ""
