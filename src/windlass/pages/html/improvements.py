"""What `improve` did, for a terminal and as a page: what changed, why, who decided, and what was forgotten."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from windlass.metrics.costs import COST
from windlass.metrics.measures import is_better, told
from windlass.metrics.numbers import NUMBER_METRICS
from windlass.pages.html.sections import label, table
from windlass.pages.html.style import PLAIN_POLICY, STYLE
from windlass.pages.text.listing import table as text_table
from windlass.pages.text.words import count, escaped, metric_name, number, percent, plain
from windlass.records import Improvement, Json

MOST_LABELS = 12
VERDICTS = {
    "promoted": ("good", "promoted"),
    "canary": ("good", "on trial"),
    "refused": ("warn", "refused"),
    "waiting": ("quiet", "waiting"),
    "rolled back": ("warn", "rolled back"),
}
UNREAD = "feedback that is older than what one attempt reads; it stays in the log"
CELLS = """
td .up { color: var(--good); } td .down { color: var(--warn); } .checks { list-style: none; padding: 0; margin: 8px 0; }
.checks li { padding: 2px 0; }
"""


def improvement_text(found: Improvement) -> str:
    """One attempt for a terminal."""
    rows = found.rows
    heading = f"improvement {found.id}: {found.verdict}" if found.id else f"improve: {found.verdict}"
    lines = [heading, *(f"  {plain(part)}" for part in found.why.split("; "))]
    if found.verdict in ("promoted", "canary"):
        place = "is the champion" if found.verdict == "promoted" else "is on trial"
        lines.insert(1, f"  release {found.challenger} {place}, before it {found.champion}")
    lines.append(
        f"rows  {count(rows.get('given', 0))} given: {count(rows.get('learned', 0))} learned, "
        f"{count(rows.get('judging', 0))} kept to judge by, {count(total(rows, 'set aside'))} set aside, "
        f"{count(total(rows, 'waiting'))} waiting"
    )
    for fate in ("set aside", "waiting"):
        lines += [f"  {fate:<9}  {count(n):>6}  {plain(reason)}" for reason, n in rows.get(fate, {}).items()]
    if rows.get("unread"):
        lines.append(f"  not read   {count(rows['unread']):>6}  {UNREAD}")
    checks = found.evidence.get("checks", [])
    if checks:
        lines += ["checks", *(f"  {_mark(check):<5}  {plain(check['words'])}" for check in checks)]
    return "\n".join(lines)


def total(rows: Json, fate: str) -> int:
    """Rows of a fate over all reasons."""
    return sum(rows.get(fate, {}).values())


def _mark(check: Json) -> str:
    if check["guards"]:
        return "ok" if check["holds"] else "lost"
    return "gain" if check["holds"] else "none"


def doubts_text(aside: Sequence[Mapping[str, str]], accepted: Sequence[str], refused: Sequence[str]) -> str:
    """The feedback that is set aside, for a terminal, and what was decided about it just now."""
    told = [f"{count(len(ids))} {word}" for ids, word in ((accepted, "accepted"), (refused, "refused")) if ids]
    if told:
        return f"{', '.join(told)}: the next `windlass improve` goes by it"
    if not aside:
        return "no feedback is set aside"
    known = ("id", "answered", "caller", "reason")
    inputs = [name for name in aside[0] if name not in known]
    rows = [
        [
            row["id"],
            *(plain(row[name] or "", 40) for name in inputs),
            plain(row["answered"] or "", 24),
            plain(row["caller"] or "", 16),
            plain(row["reason"], 60),
        ]
        for row in aside
    ]
    return (
        f"{text_table(rows, ['id', *inputs, 'answered', 'by', 'set aside, since'])}\n"
        "next: `windlass improve --accept ID`, `--refuse ID`"
    )


def _aside_words(aside: Sequence[Mapping[str, str]]) -> list[tuple[str, int]]:
    """Why rows are set aside now, and how many."""
    return Counter(row["reason"] for row in aside).most_common()


def history_text(found: Sequence[Improvement], aside: Sequence[Mapping[str, str]] = ()) -> str:
    """All attempts, oldest first, and what is set aside now."""
    if not found:
        return "nothing was improved yet: `windlass improve` learns from feedback"
    rest = [f"set aside now: {count(len(aside))} (`windlass improve --doubts` lists them)"] if aside else []
    rest += [f"  {count(n):>6}  {plain(reason)}" for reason, n in _aside_words(aside)]
    return "\n".join([_history(found), *rest])


def _history(found: Sequence[Improvement]) -> str:
    return text_table(
        [
            [
                each.id,
                each.at,
                each.verdict,
                f"{count(each.rows.get('learned', 0))} learned, {count(total(each.rows, 'set aside'))} set aside, "
                f"{count(total(each.rows, 'waiting'))} waiting",
                _change(each.evidence.get("recent")),
                _change(each.evidence.get("test")),
                plain(each.trigger, 30),
                plain(each.why, 90),
            ]
            for each in found
        ],
        ["", "when", "verdict", "rows", "recent feedback", "test rows", "by", "why"],
    )


def _change(pair: Json | None) -> str:
    if not pair or not pair["rows"]:
        return "–"
    return f"{_said(pair['before'], pair.get('metric'))} -> {_said(pair['after'], pair.get('metric'))}"


def _said(value: float, metric: object) -> str:
    """A share of right rows, or of texts their score, as a percentage; an error in its unit."""
    return told(value) if metric in (*NUMBER_METRICS, COST) else percent(value)


def improvements_page(product: str, found: Sequence[Improvement], aside: Sequence[Mapping[str, str]] = ()) -> str:
    """The whole page as HTML text: no script, nothing loaded. aside: rows that are set aside now."""
    newest = list(reversed(found))
    promoted = [each for each in found if each.verdict == "promoted"]
    lead = (
        f"Attempts at a better champion: {count(len(found))}, of them promoted: {count(len(promoted))}. "
        "Nothing is promoted without evidence, and every row that somebody labelled has its place."
    )
    body = _aside(aside) + _matrix(found) + "".join(_attempt(each) for each in newest)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{PLAIN_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escaped(product)}: improvements</title><style>{STYLE}{CELLS}</style></head>"
        f'<body><main><header><p class="over">Windlass improvements</p><h1><bdi>{escaped(product)}</bdi></h1>'
        f'<p class="lead">{lead}</p></header>{body}</main></body></html>\n'
    )


def _aside(aside: Sequence[Mapping[str, str]]) -> str:
    if not aside:
        return ""
    rows = [[escaped(reason), count(n)] for reason, n in _aside_words(aside)]
    return (
        f"<section><h2>{count(len(aside))} rows are set aside</h2>"
        '<p class="quiet">They teach nothing until they are believed: each attempt looks at them anew, and a person '
        "may decide. <code>windlass improve --doubts</code> lists them, <code>--accept ID</code> and "
        f"<code>--refuse ID</code> decide.</p>{table([('why', 'name'), ('rows', 'n')], rows)}</section>"
    )


def forgetting(found: Sequence[Improvement]) -> tuple[list[str], list[tuple[str, list[float | None]]]]:
    """The forgetting matrix. Gives the names of the steps (the first: before any), and of each task its values.

    A task is what a batch left to judge by, or the test rows. Source: Lopez-Paz & Ranzato 2017, arXiv:1706.08840.
    """
    steps = [each for each in found if each.verdict == "promoted"]
    names = list(dict.fromkeys(_task(each, task) for each in steps for task in each.evidence.get("tasks", [])))
    rows: list[tuple[str, list[float | None]]] = []
    for name in names:
        values: list[float | None] = []
        for each in steps:
            task = next((one for one in each.evidence.get("tasks", []) if _task(each, one) == name), None)
            if not values:
                values.append(None if task is None else task["before"])
            elif values[-1] is None and task is not None:
                values[-1] = task["before"]
            values.append(None if task is None else task["after"])
        rows.append((name, values))
    return ["before", *(each.id for each in steps)], rows


def _task(improvement: Improvement, task: Json) -> str:
    """What the rows that judge a batch are called in that batch, and ever after."""
    return f"batch {improvement.id}" if task["name"] == "recent feedback" else str(task["name"])


def _matrix(found: Sequence[Improvement]) -> str:
    steps, tasks = forgetting(found)
    if len(steps) < 2:
        return ""
    metric = next((each.evidence["metric"] for each in found if "metric" in each.evidence), "")
    rows = [[label(name), *(_cell(values, place, metric) for place in range(len(values)))] for name, values in tasks]
    heads = [("rows that judge", "name"), *((escaped(step), "n") for step in steps)]
    return (
        "<section><h2>What was learned, and what was forgotten</h2>"
        '<p class="quiet">Share of rows right, of texts their score, of numbers their error, after each '
        "promotion. Rows that judge are never "
        f"learned: the test rows, and a part of each batch.</p>{table(heads, rows)}</section>"
    )


def _cell(values: Sequence[float | None], place: int, metric: str) -> str:
    value, before = values[place], values[place - 1] if place else None
    if value is None:
        return ""
    if before is None or value == before:
        return _said(value, metric)
    is_up = is_better(metric, value, before)
    return f'<span class="{"up" if is_up else "down"}">{_said(value, metric)}</span>'


def _attempt(each: Improvement) -> str:
    kind, words = VERDICTS.get(each.verdict, ("quiet", escaped(each.verdict)))
    checks = "".join(
        f'<li><span class="{"good" if check["holds"] else "warn" if check["guards"] else "quiet"}">{_mark(check)}'
        f"</span> {escaped(check['words'])}</li>"
        for check in each.evidence.get("checks", [])
    )
    changed = f"<code>{escaped(each.champion)}</code> → <code>{escaped(each.challenger or 'no challenger')}</code>"
    return (
        f'<section id="i{escaped(each.id)}"><h2>{escaped(each.id)} <span class="{kind}">{words}</span></h2>'
        f'<p class="quiet">{escaped(each.at)}, by {escaped(each.trigger)}; {changed}</p>'
        f'<p>{escaped(each.why)}</p><ul class="checks">{checks}</ul>'
        f"{_rows(each.rows)}{_labels(each.evidence)}</section>"
    )


def _rows(rows: Json) -> str:
    fates = [["learned", count(rows.get("learned", 0)), ""], ["kept to judge by", count(rows.get("judging", 0)), ""]]
    for fate in ("set aside", "waiting"):
        fates += [[fate, count(n), escaped(reason)] for reason, n in rows.get(fate, {}).items()]
    if rows.get("unread"):
        fates.append(["not read", count(rows["unread"]), UNREAD])
    callers = [
        [label(who), *(count(found.get(fate, 0)) for fate in ("learned", "judging", "set aside", "waiting"))]
        for who, found in rows.get("callers", {}).items()
    ]
    heads = [("source", "name"), ("learned", "n"), ("judging", "n"), ("set aside", "n"), ("waiting", "n")]
    return (
        f"<h3>{count(rows.get('given', 0))} rows that somebody labelled</h3>"
        f"{table([('', 'name'), ('rows', 'n'), ('why', '')], fates)}"
        f"{table(heads, callers) if callers else ''}"
    )


def _labels(evidence: Json) -> str:
    """The labels that changed most."""
    labels = [each for each in evidence.get("labels", []) if each["won"] or each["lost"]]
    labels.sort(key=lambda each: -abs(each["won"] - each["lost"]))
    rows = [
        [label(each["name"]), *(count(each[key]) for key in ("rows", "won", "lost")), _pair(each)]
        for each in labels[:MOST_LABELS]
    ]
    heads = [("label", "name"), ("rows", "n"), ("won", "n"), ("lost", "n"), ("right", "n")]
    if not rows:
        return ""
    said = metric_name(str(evidence.get("metric", "")))
    difference: Any = evidence.get("difference", {})
    points = number(difference.get("value"))
    note = "" if points is None else f"{said} on the test rows {100 * points:+.1f} points; "
    return f'<h3>Labels</h3><p class="quiet">{note}the labels that changed most.</p>{table(heads, rows)}'


def _pair(each: Json) -> str:
    return f"{_said(each['before'], each.get('metric'))} → {_said(each['after'], each.get('metric'))}"
