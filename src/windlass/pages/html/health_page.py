"""How a service does, as a page: alarms, what is known now, how it came to be so; English and Chinese, no script."""

import html
from collections.abc import Callable, Sequence

from windlass.metrics.measures import Estimate
from windlass.pages.charts.timeline import Line, Measured, stacked, timeline
from windlass.pages.html.health import INSIDE, moment, right_is, strength, times
from windlass.pages.html.style import STYLE
from windlass.pages.text import bilingual
from windlass.pages.text.alarm_words import p_words, sentence
from windlass.pages.text.bilingual import both
from windlass.pages.text.words import NOTHING, count, escaped, interval, measure, number, percent
from windlass.records import Alarm, Health, Json

MOST_FINDINGS, MOST_STACKED = 24, 5
OWN_STYLE = """
.state { display: inline-block; padding: 3px 12px; border-radius: 999px; font-weight: 650; border: 1px solid; }
ul.alarms { list-style: none; padding: 0; margin: 16px 0 0; } ul.alarms li { padding: 12px 0; border-top: 1px solid
  var(--line); } ul.alarms b { color: var(--warn); margin-right: 8px; }
.meter { display: inline-block; width: 90px; height: 8px; border-radius: 4px; background: var(--wash);
  vertical-align: middle; margin-right: 8px; } .over td:first-child { font-weight: 650; }
"""
PAGE_STYLE = STYLE + bilingual.STYLE + OWN_STYLE
ZH = {
    "Health": "运行状况", "No alarms": "没有警报", "Alarms": "警报", "alarm": "个警报", "alarms": "个警报",
    "since": "自", "release": "版本", "to": "至", "What is known now": "当前状况",
    "answers": "回答数", "median latency": "中位延迟", "95th percentile": "95 百分位延迟",
    "mean confidence": "平均置信度",
    "to a person": "转人工", "right, estimated": "正确率（估计）", "right, by feedback": "正确率（反馈）",
    INSIDE: "正确值落在其 90% 区间内（反馈）",
    "Share inside the interval": "落在区间内的比例",
    "from the confidence of answers": "由回答的置信度估计", "of those that people spoke of": "有人评价过的回答",
    "less sure than asked for": "置信度低于设定值", "Over time": "随时间的变化",
    "Answers of a window": "每个时段的回答数",
    "Latency, ms": "延迟（毫秒）", "Share of right answers": "正确率", "Confidence": "置信度",
    "What was answered": "回答的构成", "Requests that failed or were refused": "失败或被拒绝的请求",
    "Distance from the reference": "与参照的距离",
    "as a share of the limit; above 1 it is large": "占阈值的比例，大于 1 表示明显",
    "What was compared": "比较的内容", "column": "列", "what": "指标", "now": "现在", "of its limit": "占阈值",
    "by chance": "偶然的可能", "What is not watched": "未监测的内容", "Nothing was answered yet.": "还没有回答。",
    "How to read this page": "如何阅读本页",
    "Documents": "文档", "refused": "未回答", "of the last 30 days": "最近 30 天", "wait for a person": "等待人工处理",
    "sentences left out": "被略去的句子", "as nothing supports them": "没有依据支持",
    "Refused questions, by what they are about": "未回答的问题（按内容分组）",
    "about": "关于", "different questions": "不同的问题数",
    "asked": "被问次数", "Stale documents": "过期或已变化的文档", "document": "文档", "why": "原因",
    "past": "已过有效期", "changed": "读取之后有改动", "removed": "文件已不存在", "new": "尚未读取的新文件",
}  # fmt: skip
EXPLAINED = (
    "Rows are compared with rows that the release was not trained on, through profiles that hold no text of a user. "
    "An alarm needs a difference that is both large and beyond chance, adjusted for all that was compared: strong "
    "evidence in one window or some in two of three. It ends after two clear windows. The estimate from confidence "
    "assumes that unsure answers are wrong as often as they were in testing. Feedback comes from those who speak up."
)
EXPLAINED_ZH = (
    "本页把近期请求与该版本未用于训练的数据作比较，只用不含用户原文的摘要。差异既明显又超出偶然（已对所有比较作校正）时"
    "才发出警报：一个时段证据充分，或三个时段中有两个给出证据；连续两个时段恢复正常后警报结束。由置信度得到的估计假定："
    "不确定的回答出错的比例与测试时相同。反馈只来自愿意发言的人。"
)
NAMES_ZH = {
    "errors": "错误", "latency": "延迟", "drift": "漂移", "concept": "概念变化", "quality": "质量", "data": "数据",
    "traffic": "流量", "refusals": "拒答", "documents": "文档",
}  # fmt: skip


def health_page(health: Health, has_intervals: bool = False) -> str:
    """The page as one HTML document without anything from elsewhere. has_intervals: of answers, as `Output` says."""
    body = (
        _body(health, has_intervals)
        if health.windows
        else f"<section><p>{_say('Nothing was answered yet.')}</p></section>" + _documents(health.documents)
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{escaped(health.product)}</title><style>{PAGE_STYLE}</style></head>\n"
        f"<body>{bilingual.main(_head(health) + body + _foot(health))}</body></html>\n"
    )


def _say(words: str) -> str:
    return both(words, ZH[words])


def _head(health: Health) -> str:
    n = len(health.alarms)
    state = _say("No alarms") if not n else f"{n} {_say('alarm' if n == 1 else 'alarms')}"
    when = f"{moment(health.since)} {_say('to')} {moment(health.until)} UTC" if health.windows else ""
    return (
        f'<header><p class="over">{_say("Health")}</p><h1>{escaped(health.product)}</h1>'
        f'<p class="lead"><span class="state {"warn" if n else "good"}">{state}</span></p>'
        f'<p class="quiet">{_say("release")} {escaped(health.release)} &middot; {when}</p></header>'
    )


def _body(health: Health, has_intervals: bool) -> str:
    return "".join(
        part
        for part in (
            _alarms(health.alarms),
            f"<section><h2>{_say('What is known now')}</h2>{_facts(health, has_intervals)}</section>",
            f"<section><h2>{_say('Over time')}</h2>"
            f'<div class="pictures">{_pictures(health, has_intervals)}</div></section>',
            _documents(health.documents),
            _findings(health.drift),
        )
    )


def _alarms(alarms: Sequence[Alarm]) -> str:
    if not alarms:
        return ""
    rows = "".join(
        f"<li><b>{both(alarm.name, NAMES_ZH.get(alarm.name, alarm.name))}</b><bdi>{escaped(alarm.words)}</bdi> "
        f'<span class="quiet">{_say("since")} {moment(alarm.since)}</span></li>'
        for alarm in alarms
    )
    return f'<section><h2>{_say("Alarms")}</h2><ul class="alarms">{rows}</ul></section>'


def _facts(health: Health, has_intervals: bool) -> str:
    facts = [
        ("answers", count(health.answers), ""),
        ("median latency", measure(health.latency_p50_ms, "ms"), ""),
        ("95th percentile", measure(health.latency_p95_ms, "ms"), ""),
        ("mean confidence", percent(health.confidence), ""),
        ("to a person", percent(health.handed_over), f"<small>{_say('less sure than asked for')}</small>"),
        ("right, estimated", *_interval(health.estimated, "from the confidence of answers")),
        (right_is(has_intervals), *_interval(health.measured, "of those that people spoke of")),
    ]
    shown = "".join(
        f"<div><dt>{_say(name)}</dt><dd>{html.escape(value)}{note}</dd></div>"
        for name, value, note in facts
        if value != NOTHING
    )
    return f'<dl class="facts">{shown}</dl>'


def _interval(estimate: Estimate | None, note: str) -> tuple[str, str]:
    value, _, bounds = interval(estimate).partition(" ")
    return value, f"<small>{html.escape(bounds)} {_say(note)}</small>"


def _pictures(health: Health, has_intervals: bool) -> str:
    windows = health.windows
    drawn = [
        ("Answers of a window", timeline("answers", [_line("", windows, "answers")], floor=0.0), ""),
        ("Share inside the interval" if has_intervals else "Share of right answers", _quality(windows), ""),
        ("Distance from the reference", _distance(windows), "as a share of the limit; above 1 it is large"),
        ("What was answered", _mix(windows), ""),
        ("Requests that failed or were refused", _errors(windows), ""),
        ("Confidence", timeline("mean confidence", [_line("", windows, "confidence")], most=1.0), ""),
        (
            "Latency, ms",
            timeline(
                "latency",
                [_line("p95", windows, "latency_p95_ms"), _line("p50", windows, "latency_p50_ms", "other")],
                floor=0.0,
            ),
            "",
        ),
    ]
    return "".join(
        f"<figure><figcaption>{_say(title)}{f' ({_say(note)})' if note else ''}</figcaption>{picture}</figure>"
        for title, picture, note in drawn
        if picture
    )


def _points(windows: Sequence[Json], value: Callable[[Json], object]) -> list[Measured]:
    found = [((each["since"] + each["until"]) / 2, number(value(each))) for each in windows]
    return [Measured(at, known) for at, known in found if known is not None]


def _line(name: str, windows: Sequence[Json], key: str, kind: str = "main") -> Line:
    return Line(name, kind, _points(windows, lambda each: each.get(key)))


def _quality(windows: Sequence[Json]) -> str:
    lines = []
    for name, key, kind in (("estimated", "estimated", "main"), ("by feedback", "measured", "other")):
        known = [(each, each[key]) for each in windows if each.get(key)]
        points = [
            Measured((each["since"] + each["until"]) / 2, said["value"], said["low"], said["high"])
            for each, said in known
        ]
        lines.append(Line(name, kind, points, is_dotted=key == "measured"))
    return timeline("share of right answers", lines, most=1.0)


def _distance(windows: Sequence[Json]) -> str:
    """Of each window the largest effect, as a share of its limit, of inputs; and of answers."""

    def largest(each: Json) -> float | None:
        found = [strength(finding) for finding in each.get("drift", [])]
        return min(max(found), 20.0) if found else None

    return timeline("distance from the reference", [Line("", "main", _points(windows, largest))], 1.0, 0.0)


def _errors(windows: Sequence[Json]) -> str:
    """Shares of the requests, where the service counted them."""

    def of(place: int) -> Callable[[Json], float | None]:
        return lambda each: each["requests"][place] / sum(each["requests"]) if sum(each["requests"]) else None

    lines = [Line("failed", "main", _points(windows, of(2))), Line("refused", "other", _points(windows, of(1)))]
    return timeline("failed and refused requests", lines, floor=0.0, most=1.0)


def _mix(windows: Sequence[Json]) -> str:
    totals: dict[str, float] = {}
    for each in windows:
        for label, share in each["mix"].items():
            totals[label] = totals.get(label, 0.0) + share
    labels = sorted(totals, key=lambda label: -totals[label])[:MOST_STACKED]
    shares = {label: [float(each["mix"].get(label, 0.0)) for each in windows] for label in labels}
    return stacked("what was answered", [(each["since"], each["until"]) for each in windows], shares)


def _documents(found: Json) -> str:
    """What is refused, by what it asks for, and documents that are no longer what was read."""
    if not found:
        return ""
    share = f"{count(found['refused'])} ({percent(found['refused'] / max(1, found['answers']))})"
    facts = [("refused", share, "of the last 30 days"), ("wait for a person", count(found["waiting"]), "")]
    facts += [("sentences left out", count(found["dropped"]), "as nothing supports them")] * bool(found["dropped"])
    shown = "".join(
        f"<div><dt>{_say(name)}</dt><dd>{value}{f'<small>{_say(note)}</small>' if note else ''}</dd></div>"
        for name, value, note in facts
    )
    groups = [[f"<bdi>{escaped(each['name'])}</bdi>", count(each["questions"]), count(each["times"])]
              for each in found["groups"]]  # fmt: skip
    stale = [[f"<bdi>{escaped(each['document'])}</bdi>", f"{_say(each['reason'])} {escaped(each['until'])}"]
             for each in found["stale"]]  # fmt: skip
    return (
        f'<section><h2>{_say("Documents")}</h2><dl class="facts">{shown}</dl>'
        + _told("Refused questions, by what they are about", ("about", "different questions", "asked"), groups)
        + _told("Stale documents", ("document", "why"), stale)
        + "</section>"
    )


def _told(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{_say(name)}</th>" for name in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<h3>{_say(title)}</h3><div class="scroll">{table}</div>'


def _findings(drift: Sequence[Json]) -> str:
    if not drift:
        return ""
    ordered = sorted(drift, key=lambda each: -strength(each))[:MOST_FINDINGS]
    heads = "".join(f"<th>{_say(name)}</th>" for name in ("column", "what", "now", "of its limit", "by chance"))
    return (
        f'<section><h2>{_say("What was compared")}</h2><div class="scroll"><table class="plain"><thead><tr>{heads}</tr>'
        f"</thead><tbody>{''.join(map(_finding, ordered))}</tbody></table></div></section>"
    )


def _finding(finding: Json) -> str:
    share = strength(finding)
    now = sentence({**finding, "p": None}).partition(": ")[2]
    return (
        f"<tr{' class=over' if finding.get('large') and share >= 1 else ''}><td><bdi>{escaped(finding['subject'], 30)}"
        f'</bdi></td><td>{escaped(finding["trait"])}</td><td>{escaped(now)}</td><td class="name">'
        f'<svg class="meter" viewBox="0 0 90 8" role="presentation"><rect class="wash" width="90" height="8"/>'
        f'<rect class="{"wrong" if share >= 1 else "bar"}" width="{90 * min(share, 1):.0f}" height="8"/></svg>'
        f"{times(share)}</td><td>{escaped(p_words(float(finding['p'])))}</td></tr>"
    )


def _foot(health: Health) -> str:
    warnings = "".join(f"<li>{escaped(warning)}</li>" for warning in health.warnings)
    told = f"<h3>{_say('What is not watched')}</h3><ul>{warnings}</ul>" if warnings else ""
    return (
        f"<section><h2>{_say('How to read this page')}</h2>{told}"
        f'<p class="quiet">{both(EXPLAINED, EXPLAINED_ZH)}</p></section>'
    )
