"""The roadmap as one self-contained page: no script, nothing loaded; English and Chinese."""

from collections.abc import Sequence

from windlass.pages.charts.roadmap_pictures import gantt, more_rows, risk_coverage_chart
from windlass.pages.html.style import POLICY, STYLE
from windlass.pages.text import bilingual
from windlass.pages.text.bilingual import both
from windlass.pages.text.roadmap_text import (
    STATES,
    gain_and_money,
    is_long,
    milestone_words,
    promise_lines,
    service_lines,
    sure_words,
    takes,
)
from windlass.pages.text.words import escaped, plain, with_code
from windlass.records import Item, Roadmap

WORDS = {
    "title": ("Roadmap", "路线图"),
    "gaps": ("From today to the goal", "现状与目标"),
    "items": ("What to do, in this order", "要做的事（按顺序）"),
    "time": ("Timeline", "时间表"),
    "milestones": ("Milestones", "里程碑"),
    "evidence": ("What it is based on", "依据"),
    "left": ("Left out, and why", "未列入的事项及原因"),
    "risks": ("Risks", "风险"),
    "running": ("Running it: machines and money", "运行：机器与费用"),
    "promises": ("Promised, and what came", "承诺与结果"),
    "missing": ("Not known", "尚未测量"),
    "rests": ("What this rests on", "计划的假设"),
    "if": ("What if", "假如"),
    "why": ("Why", "为什么"),
    "brings": ("Brings", "收益"),
    "sure": ("How sure", "把握"),
    "takes": ("Takes", "投入"),
    "when": ("When", "时间"),
    "how": ("How", "做法"),
    "done": ("Done when", "验收"),
    "today": ("today", "现状"),
    "wanted": ("wanted", "目标"),
    "state": ("state", "状态"),
    "by": ("by", "截止"),
    "what": ("what has to be there", "应达到"),
    "risk": ("risk", "风险"),
    "bad": ("how bad", "程度"),
    "proof": ("evidence", "依据"),
    "answer": ("what to do", "对策"),
    "figure": ("figure", "数值名称"),
    "value": ("value", "数值"),
    "from": ("from", "来源"),
    "meaning": ("meaning", "含义"),
}
"""Each label in English and Chinese."""
LOOK = """
.item { border-top: 1px solid var(--line); padding: 18px 0 6px; } .item:first-of-type { border-top: 0; }
.item h3 { margin: 0 0 8px; font-size: 17px; } .item dl { margin: 0; display: grid; grid-template-columns: 92px 1fr;
  gap: 4px 14px; } .item dt { color: var(--quiet); font-size: 14px; } .item dd { margin: 0; max-width: 80ch; }
.item .strong { font-weight: 650; } svg.chart.wide { max-width: none; min-width: 640px; } svg .band { fill:
var(--accent);
  fill-opacity: 0.13; } .state { white-space: nowrap; } .state-met { color: var(--good); } .state-missed, .state-high
  { color: var(--warn);
  font-weight: 650; }
.summary li { margin-bottom: 4px; } .summary { padding-left: 20px; font-size: 17px; max-width: 75ch; }
@media (max-width: 760px) { .item dl { grid-template-columns: 1fr; } .item dd { margin-bottom: 6px; } }
"""


def label(name: str) -> str:
    """A label in both languages, of which one is shown."""
    return both(*WORDS[name])


def roadmap_page(roadmap: Roadmap) -> str:
    """The whole page as HTML text."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escaped(roadmap.product)}: roadmap</title><style>{STYLE}{bilingual.STYLE}{LOOK}</style></head>"
        f"<body>{bilingual.main(roadmap_body(roadmap))}</body></html>\n"
    )


def roadmap_body(roadmap: Roadmap) -> str:
    """What stands on the page, for Jupyter too."""
    parts = [
        ("if", _changes(roadmap)),
        ("gaps", _gaps(roadmap)),
        ("items", _items(roadmap)),
        ("time", f'<div class="scroll">{gantt(roadmap)}</div>' if roadmap.chosen else ""),
        ("milestones", _milestones(roadmap)),
        ("evidence", _pictures(roadmap)),
        ("left", _left_out(roadmap)),
        ("risks", _risks(roadmap)),
        ("running", _listed(service_lines(roadmap))),
        ("promises", _listed(promise_lines(roadmap))),
        ("missing", _listed([f"{plain(each['what'])}: {plain(each['command'])}" for each in roadmap.missing])),
        ("rests", _assumptions(roadmap)),
    ]
    body = "".join(f"<section id='{name}'><h2>{label(name)}</h2>{inside}</section>" for name, inside in parts if inside)
    lines = "".join(f"<li>{with_code(plain(line))}</li>" for line in roadmap.summary)
    return (
        f'<header><p class="over">Windlass · {label("title")} · {escaped(roadmap.made)}</p>'
        f'<h1><bdi>{escaped(roadmap.product)}</bdi></h1><ul class="summary">{lines}</ul></header>{body}'
    )


def _changes(roadmap: Roadmap) -> str:
    if not roadmap.what_if:
        return ""
    return f'<p class="verdict">{escaped(roadmap.what_if)}</p>{_listed(roadmap.changes)}'


def _listed(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{with_code(plain(line))}</li>' for line in lines)}</ul>" if lines else ""


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are HTML already; on a phone each row stands as a block under its heads."""
    if not rows:
        return ""
    top = "".join(f'<th scope="col">{label(head) if head else ""}</th>' for head in heads)
    body = "".join(
        "<tr>"
        + "".join(
            f'<td data-head="{escaped(WORDS[head][0]) if head else ""}"{"" if place else " class=text"}>{cell}</td>'
            for place, (head, cell) in enumerate(zip(heads, row, strict=True))
        )
        + "</tr>"
        for row in rows
    )
    table = f'<table class="plain stack"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>'
    return f'<div class="scroll">{table}</div>'


def _gaps(roadmap: Roadmap) -> str:
    rows = [
        (
            *[with_code(plain(gap[key])) for key in ("name", "today", "goal")],
            f'<span class="state state-{escaped(gap["state"])}">{escaped(STATES[gap["state"]])}</span>',
        )
        for gap in roadmap.gaps
    ]
    return _table(("", "today", "wanted", "state"), rows)


def _items(roadmap: Roadmap) -> str:
    if not roadmap.chosen:
        return "<p>Nothing is worth its cost at present.</p>"
    return "".join(_item(number, item, roadmap) for number, item in enumerate(roadmap.chosen, 1))


def _item(number: int, item: Item, roadmap: Roadmap) -> str:
    names = {other.id: place for place, other in enumerate(roadmap.chosen, 1)}
    after = [f"after {names[name]}" for name in item.after if name in names]
    critical = ["the end of the plan depends on it"] if is_long(item) else []
    when = f"{item.starts} – {item.finishes}" + "".join(f"; {words}" for words in [*after, *critical])
    facts = [
        ("why", f"{item.why}."),
        ("brings", f"{gain_and_money(item, roadmap.currency)}"),
        ("sure", f"{sure_words(item)}. Method: {item.method}. Evidence: {item.evidence}."),
        ("takes", takes(item, roadmap.currency)),
        ("when", when),
        *([("how", f"{item.how}.")] if item.how else []),
        ("done", item.acceptance),
    ]
    told = "".join(
        f"<dt>{label(name)}</dt><dd{' class=strong' if name == 'gain_and_money' else ''}>{with_code(plain(words))}</dd>"
        for name, words in facts
    )
    return f'<div class="item"><h3>{number}. {with_code(plain(item.what))}</h3><dl>{told}</dl></div>'


def _milestones(roadmap: Roadmap) -> str:
    rows = [
        (escaped(each["date"]), with_code(plain(milestone_words(each, roadmap.headline))))
        for each in roadmap.milestones
    ]
    return _table(("by", "what"), rows)


def _pictures(roadmap: Roadmap) -> str:
    found = [picture for picture in (more_rows(roadmap.curve), risk_coverage_chart(roadmap.handover)) if picture]
    return f'<div class="pictures top">{"".join(f"<figure>{each}</figure>" for each in found)}</div>' if found else ""


def _left_out(roadmap: Roadmap) -> str:
    left = [item for item in roadmap.items if not item.starts]
    return _listed(
        [f"{plain(item.what)} ({gain_and_money(item, roadmap.currency)}): {plain(item.left_out)}." for item in left]
    )


def _risks(roadmap: Roadmap) -> str:
    rows = [
        (
            escaped(risk.name),
            f'<span class="state state-{escaped(risk.severity)}">{escaped(risk.severity)}</span>',
            with_code(plain(risk.evidence)),
            with_code(plain(risk.answer)),
        )
        for risk in roadmap.risks
    ]
    return _table(("risk", "bad", "proof", "answer"), rows)


def _assumptions(roadmap: Roadmap) -> str:
    rows = [
        (*[escaped(each[key]) for key in ("meaning", "value", "source")], f"<code>{escaped(each['name'])}</code>")
        for each in roadmap.assumptions
    ]
    return (
        "<p class='quiet'>Assumed figures are guesses: <code>windlass plan --ask</code> asks for yours, or write "
        f"them into product.yaml.</p>{_table(('meaning', 'value', 'from', 'figure'), rows)}"
    )
