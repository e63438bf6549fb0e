"""How a service does, for the terminal: the last window, alarms, and what moved most."""

from collections.abc import Sequence
from datetime import UTC, datetime

from windlass.pages.text.alarm_words import sentence
from windlass.pages.text.listing import table
from windlass.pages.text.words import NOTHING, count, interval, measure, number, percent, plain
from windlass.records import Health, Json

MOST_MOVED, MOST_ANSWERS = 6, 6
WHY = {
    "past": "was valid until",
    "changed": "changed since it was read",
    "removed": "is gone",
    "new": "was not read yet",
}
"""Why a document is stale."""


RIGHT = "right, by feedback"
INSIDE = "inside its 90 % interval, by feedback"
"""What feedback measures of answers that are numbers with an interval."""


def right_is(has_intervals: bool) -> str:
    """What is measured by feedback."""
    return INSIDE if has_intervals else RIGHT


def health_text(health: Health, has_intervals: bool = False) -> str:
    """What a person reads after `windlass watch`. has_intervals: of answers, as `Output` says."""
    if not health.windows:
        lines = [f"{plain(health.product)}: nothing was answered yet", *_documents(health.documents), *_notes(health)]
        return "\n".join(lines)
    lines = [
        f"{plain(health.product)}, release {health.release}, {moment(health.since)} to {moment(health.until)} UTC",
        "",
        table(_facts(health, has_intervals), ["", ""]).lstrip("\n"),
        "",
        *_alarms(health),
        *_moved(health.drift),
        *_documents(health.documents),
        *_notes(health),
    ]
    return "\n".join(lines).rstrip()


def moment(at: float) -> str:
    """`2026-11-22 09:00`, UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}"


def _facts(health: Health, has_intervals: bool) -> list[list[str]]:
    told = f"{interval(health.measured)} ({count(health.feedback)} told)" if health.measured else NOTHING
    mix = ", ".join(f"{plain(label, 24)} {percent(share)}" for label, share in [*health.mix.items()][:MOST_ANSWERS])
    p50, p95 = (measure(value, "ms") for value in (health.latency_p50_ms, health.latency_p95_ms))
    return [
        ["answers", count(health.answers)],
        ["latency p50, p95", f"{p50}, {p95}"],
        ["confidence, mean", percent(health.confidence)],
        ["less sure than asked for", percent(health.handed_over)],
        ["right, estimated from confidence", interval(health.estimated)],
        [right_is(has_intervals), told],
        ["answers given", mix or NOTHING],
    ]


def _alarms(health: Health) -> list[str]:
    if not health.alarms:
        return ["no alarms"]
    found = [f"  since {moment(alarm.since)}  {alarm.name:<8} {plain(alarm.words)}" for alarm in health.alarms]
    return [f"{len(found)} alarm{'s' if len(found) > 1 else ''}", *found]


def _moved(drift: Sequence[Json]) -> list[str]:
    """What lies furthest beyond, or next to, its limit; nothing when nothing moved."""
    ordered = sorted(drift, key=lambda each: -strength(each))[:MOST_MOVED]
    found = [f"  {times(strength(each)):>5} its limit  {plain(sentence(each))}" for each in ordered]
    return ["", "what moved most", *found] if found else []


def _documents(found: Json) -> list[str]:
    """What is refused, by what it asks for, and documents that are no longer what was read."""
    if not found:
        return []
    share = percent(found["refused"] / max(1, found["answers"]))
    said = f"refused in {found['days']:.0f} days: {count(found['refused'])} of {count(found['answers'])} ({share}), "
    lines = ["", f"{said}{count(found['waiting'])} wait for a person"]
    if found["dropped"]:
        lines.append(f"sentences left out, as nothing supports them: {count(found['dropped'])}")
    about = [f"  {count(each['times']):>5} x  {plain(each['name'])}" for each in found["groups"][:MOST_MOVED]]
    stale = [
        f"  {plain(each['document'], 60)}: {WHY[each['reason']]} {each['until']}".rstrip() for each in found["stale"]
    ]
    lines += ["refused questions, by what they are about", *about] if about else []
    return [*lines, *(["stale documents", *stale[:MOST_MOVED]] if stale else [])]


def strength(finding: Json) -> float:
    """The effect as a share of its limit, 0 where chance alone brings it often."""
    limit, p = number(finding.get("limit")) or 1.0, number(finding.get("p"))
    return 0.0 if p is None or p > 0.5 else max(0.0, (number(finding.get("effect")) or 0.0) / limit)


def times(strength: float) -> str:
    """`0.3x`, `12x`, at most `>99x`."""
    return ">99x" if strength > 99 else f"{strength:.0f}x" if strength >= 10 else f"{strength:.1f}x"


def _notes(health: Health) -> list[str]:
    return ["", *(f"note: {plain(warning)}" for warning in health.warnings)] if health.warnings else []
