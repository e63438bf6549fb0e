"""What the owner of a product sees: one bar over all of their pages, an overview, the releases and the reports.

English and Chinese; no script. The bar is put into pages that stages wrote before anybody served them, too.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from windlass.pages.html.health import moment
from windlass.pages.html.style import POLICY, STYLE
from windlass.pages.text import bilingual
from windlass.pages.text.bilingual import both
from windlass.pages.text.roadmap_text import gain_and_money, takes
from windlass.pages.text.words import count, escaped, interval, metric_name
from windlass.records import Health, Json, Roadmap

MOST_LINES = 200
"""Of the audit log that the page shows."""
PAGES = {"ask": "/", "health": "/watch", "releases": "/releases", "roadmap": "/roadmap", "reports": "/reports"}
WORDS = {
    "ask": ("Ask", "提问"),
    "health": ("Health", "运行状况"),
    "releases": ("Releases", "版本"),
    "roadmap": ("Roadmap", "路线图"),
    "reports": ("Reports", "报告"),
    "owner": ("For the owner", "管理"),
    "noAlarms": ("No alarms", "没有警报"),
    "alarms": ("Alarms", "警报"),
    "neverWatched": ("Nobody has looked yet: windlass watch", "尚未检查：windlass watch"),
    "answers": ("answers", "次回答"),
    "right": ("right, estimated", "估计正确率"),
    "serves": ("Serves now", "正在服务"),
    "since": ("since", "自"),
    "next": ("What to do next", "下一步"),
    "brings": ("Brings", "收益"),
    "takes": ("Takes", "投入"),
    "noRoadmap": ("There is no roadmap yet: windlass plan", "还没有路线图：windlass plan"),
    "nothingNext": ("Nothing on the roadmap is worth its cost.", "路线图上没有值得投入的事项。"),
    "allReleases": ("All releases", "全部版本"),
    "release": ("release", "版本"),
    "candidate": ("candidate", "候选模型"),
    "score": ("score, 95 % interval", "得分（95% 区间）"),
    "size": ("size", "大小"),
    "created": ("made", "生成时间"),
    "champion": ("serves", "在用"),
    "trail": ("Audit log", "审计日志"),
    "trailNote": (
        "Every change of which release answers, who made it and why; lines are added, never changed.",
        "每一次更换应答版本的记录：由谁更换、原因为何；只增不改。",
    ),
    "noTrail": ("Nothing was released here.", "这里还没有发布过版本。"),
    "when": ("when", "时间"),
    "what": ("what", "事件"),
    "from": ("from", "原版本"),
    "to": ("to", "新版本"),
    "who": ("who", "操作者"),
    "why": ("why", "原因"),
    "report": ("Report of the last comparison", "最近一次比较的报告"),
    "reportNote": ("what was chosen, how good it is, what to do next", "选择了哪个候选模型、效果如何、下一步做什么"),
    "data": ("Data report", "数据报告"),
    "dataNote": ("what was read, what was left out and why", "读取了什么、剔除了什么、原因为何"),
    "explanations": ("Explained answers", "回答的解释"),
    "explanationsNote": ("why a few test rows were answered so", "若干测试数据为何得到这样的回答"),
    "improvements": ("Improvements", "改进记录"),
    "improvementsNote": ("each attempt at a better release, and what it was judged by", "每一次改进尝试及其评判依据"),
    "loop": ("The demo", "演示"),
    "loopNote": ("weeks of use, played", "模拟若干周的使用过程"),
    "board": ("Leaderboard", "排行榜"),
    "answersTable": ("Answers and feedback", "回答与反馈"),
    "noReports": ("No report was made here: windlass run", "这里还没有报告：windlass run"),
    "print": ("Reports print well, to PDF too (Ctrl + P).", "报告适合打印，也可另存为 PDF（Ctrl + P）。"),
    "tables": ("Tables to take along", "导出表格"),
    "promote": ("became the one that serves", "开始服务"),
    "rollback": ("gone back to", "退回到"),
    "destroyed": ("destroyed", "已销毁"),
}  # fmt: skip
"""Each word in English and Chinese."""
BAR_STYLE = """
.owner-bar { display: flex; flex-wrap: wrap; align-items: center; gap: 0 18px; margin: 0 0 24px; padding: 0;
  border-bottom: 1px solid var(--line); font-size: 15px; }
.owner-bar a { padding: 8px 0 9px; margin-bottom: -1px; border-bottom: 2px solid transparent; color: var(--quiet);
  text-decoration: none; } .owner-bar a:hover { color: var(--ink); text-decoration: none; }
.owner-bar a[aria-current] { color: var(--ink); font-weight: 600; border-color: var(--accent); }
@media (max-width: 560px) { .owner-bar { gap: 0 14px; font-size: 14px; } }
@media print { .owner-bar, .flip { display: none; } }
"""
OVERVIEW_STYLE = """
.overview { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 260px), 1fr)); gap: 16px;
  margin: 0 0 24px; } .overview h2 { font-size: 14px; font-weight: 500; color: var(--quiet); }
.overview .big { font-size: 19px; font-weight: 600; margin: 0 0 4px; line-height: 1.35; }
.overview p { margin: 0 0 4px; font-size: 14px; }
.overview .good { color: var(--good); } .overview .warn { color: var(--warn); }
"""
OWN_STYLE = """
.lines { list-style: none; padding: 0; margin: 12px 0 0; } .lines li { padding: 10px 0; border-top: 1px solid
  var(--line); } .lines small { display: block; color: var(--quiet); font-size: 14px; } .lines .push { float: right; }
.rows .on-phone { display: none; color: var(--quiet); } .rows td { min-width: 5em; } .rows code { white-space: nowrap; }
@media (max-width: 760px) { .rows thead { display: none; } .rows tr { display: block; padding: 10px 0;
  border-bottom: 1px solid var(--line); } .rows td { display: block; border: 0 !important; padding: 1px 0 !important; }
  .rows td:last-child:empty { display: none; } .rows .on-phone { display: inline; }
  .rows code { white-space: normal; } }
.rows .id { white-space: nowrap; } table.plain .mark { color: var(--good); font-weight: 650; }
"""
PAGE_STYLE = STYLE + bilingual.STYLE + OWN_STYLE + BAR_STYLE


class Around(NamedTuple):
    """What stands around a page. shown: names of `PAGES` that its reader may see. look: CSS of the product's colours.

    name: what people call the product.
    """

    shown: Sequence[str] = ()
    look: str = ""
    name: str = ""
    language: str = "en"


def say(name: str) -> str:
    """A word in both languages, of which the page shows one."""
    return both(*WORDS[name])


COMMA = '<span class="en" lang="en">, </span><span class="zh" lang="zh">，</span>'
COLON = '<span class="en" lang="en">:&nbsp;</span><span class="zh" lang="zh">：</span>'


def _said(name: str, words: str) -> str:
    """A word and what it is, as each language parts them."""
    return f"{say(name)}{COLON}{words}"


def bar(here: str, shown: Sequence[str]) -> str:
    """The links between the owner's pages, for those that may be seen."""
    current = {here: ' aria-current="page"'}
    links = "".join(f'<a href="{PAGES[name]}"{current.get(name, "")}>{say(name)}</a>' for name in shown)
    return f'<nav class="owner-bar">{links}</nav>'


def framed(document: str, here: str, around: Around) -> str:
    """A whole page of ours with the bar on top and in the product's colours. A page without a language to choose is
    given the bar in the reader's."""
    is_bilingual = 'id="zh"' in document
    other = "" if is_bilingual else bilingual.STYLE + (CHINESE_BAR if around.language == "zh" else "")
    styled = document.replace("</style>", f"{other}{BAR_STYLE}{around.look}</style>", 1)
    whole = styled.replace("<main>", f"<main>{bar(here, around.shown)}", 1)
    return bilingual.served(whole, around.language)


CHINESE_BAR = ".owner-bar .en { display: none; } .owner-bar .zh { display: inline; }"


def overview(health: Health, served: Json, roadmap: Roadmap | None, may: Callable[[str], bool]) -> str:
    """How it does, what serves, what is next: a card each, for who may see it. served: the release, as it is listed."""
    cards = [
        _card("health", _health(health)) if may("read") else "",
        _card("releases", _served(served)) if may("admin") else "",
        _card("roadmap", _next(roadmap)) if may("admin") else "",
    ]
    return f'<section class="overview" aria-label="Overview">{"".join(cards)}</section>' if any(cards) else ""


def _card(name: str, inside: str) -> str:
    return f'<article class="card"><h2><a href="{PAGES[name]}">{say(name)}</a></h2>{inside}</article>'


def _health(health: Health) -> str:
    if not health.windows:
        return f'<p class="big">{say("neverWatched")}</p>'
    alarms = (
        f'<p class="big warn">{_said("alarms", count(len(health.alarms)))}</p>'
        + "".join(f'<p dir="auto">{escaped(alarm.words)}</p>' for alarm in health.alarms[:2])
        if health.alarms
        else f'<p class="big good">{say("noAlarms")}</p>'
    )
    right = f"<p>{_said('right', escaped(interval(health.estimated)))}</p>" if health.estimated else ""
    when = f"{moment(health.since)} – {moment(health.until)}"
    return f"{alarms}<p>{count(health.answers)} {say('answers')}{COMMA}{when}</p>{right}"


def _served(served: Json) -> str:
    score = f"{metric_name(served['headline'])} {interval_of(served['score'])}"
    return (
        f'<p class="big"><bdi>{escaped(served["candidate"], 40)}</bdi></p><p>{escaped(score)}</p>'
        f"<p>{say('since')} {escaped(served['created'][:10])} · {escaped(served['id'])}</p>"
    )


def interval_of(score: Json) -> str:
    """A score of a record as JSON: `0.910 [0.880, 0.940]`."""
    from windlass.metrics.measures import Estimate

    return interval(Estimate(score["value"], score["low"], score["high"]))


def _next(roadmap: Roadmap | None) -> str:
    if roadmap is None:
        return f'<p class="big">{say("noRoadmap")}</p>'
    if not roadmap.chosen:
        return f'<p class="big">{say("nothingNext")}</p>'
    item = roadmap.chosen[0]
    return (
        f'<p class="big" dir="auto">{escaped(item.what, 160)}</p>'
        f"<p>{_said('brings', escaped(gain_and_money(item, roadmap.currency)))}</p>"
        f"<p>{_said('takes', escaped(takes(item, roadmap.currency)))}</p>"
    )


def releases_page(releases: Sequence[Json], trail: Sequence[Json], around: Around) -> str:
    """The releases, newest first, and the audit log, newest first."""
    rows = "".join(_release(each) for each in releases)
    heads = ("release", "candidate", "score", "size", "created", "champion")
    listed = f'<div class="scroll"><table class="plain rows">{_heads(heads)}<tbody>{rows}</tbody></table></div>'
    lines = "".join(_change(each) for each in trail[:MOST_LINES])
    changes = ("when", "what", "from", "to", "who", "why")
    log = f'<div class="scroll"><table class="plain rows">{_heads(changes)}<tbody>{lines}</tbody></table></div>'
    body = (
        f"<section><h2>{say('allReleases')}</h2>{listed if releases else _nothing('noTrail')}</section>"
        f'<section><h2>{say("trail")}</h2><p class="quiet">{say("trailNote")}</p>'
        f"{log if trail else _nothing('noTrail')}</section>"
    )
    return _page("releases", body, around)


def _heads(names: Sequence[str]) -> str:
    return f"<thead><tr>{''.join(f'<th scope=col>{say(name)}</th>' for name in names)}</tr></thead>"


def _cells(*cells: tuple[str, str]) -> str:
    return (
        "<tr>"
        + "".join(f"<td><span class='on-phone'>{_said(name, '')}</span>{cell}</td>" for name, cell in cells)
        + "</tr>"
    )


def _release(each: Json) -> str:
    mark = '<span class="mark">✓</span>' if each["champion"] else "–"
    return _cells(
        ("release", f'<span class="id">{escaped(each["id"])}</span>'),
        ("candidate", f"<bdi>{escaped(each['candidate'], 40)}</bdi>"),
        ("score", escaped(f"{metric_name(each['headline'])} {interval_of(each['score'])}")),
        ("size", f"{each['size_mb']:.1f} MB"),
        ("created", escaped(each["created"][:16].replace("T", " "))),
        ("champion", mark),
    )


def _change(entry: Json) -> str:
    event = entry["event"]
    return _cells(
        ("when", escaped(entry["at"][:16].replace("T", " "))),
        ("what", say(event) if event in ("promote", "rollback", "destroyed") else escaped(event)),
        ("from", f'<span class="id">{escaped(entry["from"] or "–")}</span>'),
        ("to", f'<span class="id">{escaped(entry["to"])}</span>'),
        ("who", f"<bdi>{escaped(entry['user'])}</bdi>: <code>{escaped(entry['command'], 80)}</code>"),
        ("why", f'<span dir="auto">{escaped(entry["reason"], 200)}</span>'),
    )


def reports_page(reports: Sequence[tuple[str, str]], tables: Sequence[tuple[str, str]], around: Around) -> str:
    """The reports that were made, each (name, when), and tables to take along, each (name, path without its ending)."""
    lines = "".join(
        f'<li><span class="push quiet">{escaped(made)}</span><a href="/reports/{name}">{say(name)}</a>'
        f"<small>{say(f'{name}Note')}</small></li>"
        for name, made in reports
    )
    taken = "".join(
        f'<li><span class="push"><a href="{path}.csv" download>CSV</a> · <a href="{path}.xlsx" download>XLSX</a></span>'
        f"{say(name)}</li>"
        for name, path in tables
    )
    listed = f'<ul class="lines">{lines}</ul><p class="quiet">{say("print")}</p>' if lines else _nothing("noReports")
    body = f"<section><h2>{say('reports')}</h2>{listed}</section>"
    if taken:
        body += f'<section><h2>{say("tables")}</h2><ul class="lines">{taken}</ul></section>'
    return _page("reports", body, around)


def empty_roadmap(around: Around) -> str:
    """In place of a roadmap that was never made."""
    return _page("roadmap", f"<section>{_nothing('noRoadmap')}</section>", around)


def _nothing(name: str) -> str:
    return f"<p>{say(name)}</p>"


def _page(here: str, body: str, around: Around) -> str:
    head = f'<header><p class="over">{say(here)}</p><h1><bdi>{escaped(around.name)}</bdi></h1></header>'
    inside = bar(here, around.shown) + head + body
    whole = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{escaped(around.name)}</title><style>{PAGE_STYLE}{around.look}</style></head>\n"
        f"<body>{bilingual.main(inside)}</body></html>\n"
    )
    return bilingual.served(whole, around.language)
