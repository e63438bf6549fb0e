"""A window that ended becomes a summary for people and pages, and is heard by the alarms."""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from windlass.durations import DAY_S
from windlass.metrics.measures import Estimate
from windlass.pages.text.alarm_words import sentence
from windlass.records import Alarm, Health, Json, as_json
from windlass.registry.reference import Reference
from windlass.spec import Spec
from windlass.watching import concept, documents
from windlass.watching.alarms import Key, Level, level, levels
from windlass.watching.evidence import (
    LEAST,
    LEAST_TOLD_BEFORE,
    Finding,
    Told,
    against_test,
    estimated,
    findings,
    measured,
)
from windlass.watching.state import Memory
from windlass.watching.windows import Window, seconds

OF_A_RELEASE = ("drift", "data", "quality", "concept", "refusals")
"""Alarms that end when another release answers."""
MOST_SHOWN = 12
FEW = 2 * LEAST
"""Answers of a window below which it is judged together with the next one, too."""
BASE_WINDOWS, LEAST_BASE = 20, 5
SLOW, SLOW_MS = (1.5, 3.0), (5.0, 20.0)
"""Times the usual p95 and milliseconds more that make a latency weak and strong evidence, where there is no limit."""
OVER_LIMIT = (1.0, 2.0)
FAILED, REFUSED = (0.01, 0.05), (0.05, 0.2)
"""Shares of the requests, above the usual one, that are weak and strong evidence."""
CONCEPT_OVER = 0.02
YEAR_S, SEASON_S = 365.25 * DAY_S, 30 * DAY_S
"""Feedback so near to the same day of years before is of the same season."""


def judge_window(kept: Memory, window: Window, reference: Reference | None, spec: Spec) -> None:
    """Judges the window against its release's reference and its own past; `kept` remembers both."""
    before = kept.ended[-1]["release"] if kept.ended else window.release
    if before != window.release:
        kept.alarms.forget(OF_A_RELEASE)
        kept.before = None
    found = _findings(kept, window, reference, spec)
    spend = levels(spec.watch.false_alarms, seconds(spec.watch.window), window.until - window.since)
    made = summary(kept, window, reference, found)
    for key, together in _by_key(found).items():
        said = level(together, spend)
        worst = min(together, key=lambda finding: (not finding.is_large, finding.p))
        if said == "clear" and worst.is_large and window.main.n < FEW:
            said = "none"  # few rows that are far off prove nothing, and do not end an alarm either
        _hear(kept, key, said, window, worst)
    _hear_latency(kept, window, spec)
    _hear_errors(kept, window)
    _hear_concept(kept, window)
    kept.ended.append(made)
    kept.before = window.main if window.main.n < FEW else None


def peek(kept: Memory, window: Window, reference: Reference | None, spec: Spec) -> None:
    """Strong evidence in a window that goes on since it has few answers: nobody waits for its end then."""
    look_s = seconds(spec.watch.window)
    spend = levels(spec.watch.false_alarms, look_s, look_s)
    for key, together in _by_key(_findings(kept, window, reference, spec)).items():
        if level(together, spend) == "strong":
            _hear(kept, key, "strong", window, min(together, key=lambda finding: (not finding.is_large, finding.p)))


def _findings(kept: Memory, window: Window, reference: Reference | None, spec: Spec) -> list[Finding]:
    if reference is None:
        return []
    told = _told(kept, window.release, window.since, window.until)
    parts = [window.main]
    if kept.before is not None and kept.ended[-1]["release"] == window.release:
        parts.append(window.main.after(kept.before))
    before = _same_season(kept, window)
    if before.n < LEAST_TOLD_BEFORE:
        before = _told(kept, window.release, 0.0, window.since)
    return findings(parts, reference, spec.output_column, told, before)


def _told(kept: Memory, release: str, since: float, until: float) -> Told:
    """What feedback of that time says of a release."""
    return Told.of([right for at, of, right, _ in kept.told if of == release and since <= at < until])


def _same_season(kept: Memory, window: Window) -> Told:
    """Feedback on the window's release in years before, of the same time of the year: what is hard every winter."""
    middle = (window.since + window.until) / 2
    near = max(SEASON_S, (window.until - window.since) / 2)
    found = []
    for at, of, right, _ in kept.told:
        if of == window.release and middle - at > YEAR_S - near:
            past = (middle - at) % YEAR_S
            if min(past, YEAR_S - past) <= near:
                found.append(right)
    return Told.of(found)


def _by_key(found: Iterable[Finding]) -> dict[Key, list[Finding]]:
    keys: dict[Key, list[Finding]] = {}
    for finding in found:
        keys.setdefault((finding.name, finding.subject), []).append(finding)
    return keys


def _hear(kept: Memory, key: Key, said: Level, window: Window, worst: Finding) -> None:
    evidence = {**worst.as_json(), "window": [window.since, window.until], "release": window.release}
    kept.alarms.hear(key, said, window.until, sentence(evidence), evidence)


def _hear_latency(kept: Memory, window: Window, spec: Spec) -> None:
    p95 = window.main.latency_ms(0.95)
    past = [each["latency_p95_ms"] for each in kept.ended[-BASE_WINDOWS:] if each["latency_p95_ms"]]
    limit = spec.limits.latency_p95_ms
    if p95 is None or (limit is None and len(past) < LEAST_BASE):
        return
    usual = limit if limit is not None else median(past)
    bounds = [usual * times + more for times, more in zip(SLOW, SLOW_MS, strict=True)]
    if limit is not None:
        bounds = [limit * times for times in OVER_LIMIT]
    said: Level = "strong" if p95 > bounds[1] else "weak" if p95 > bounds[0] else "clear"
    worst = Finding("latency", "", "p95", p95 / usual - 1, bounds[0] / usual - 1, 0.0, usual, p95, "ms")
    _hear(kept, ("latency", ""), said, window, worst)


def _hear_errors(kept: Memory, window: Window) -> None:
    """Requests that failed by the server's fault, and those that it refused: rows that it cannot read among them."""
    asked = sum(window.requests)
    if asked < LEAST:
        return
    past = [each["requests"] for each in kept.ended[-BASE_WINDOWS:] if sum(each["requests"]) >= LEAST]
    for place, key, bounds in ((2, ("errors", ""), FAILED), (1, ("data", ""), REFUSED)):
        share = window.requests[place] / asked
        usual = median(each[place] / sum(each) for each in past) if past else 0.0
        more = share - usual
        said: Level = "strong" if more > bounds[1] else "weak" if more > bounds[0] else "clear"
        trait = "failed requests" if key[0] == "errors" else "refused requests"
        _hear(kept, key, said, window, Finding(*key, trait, more, bounds[0], 0.0, usual, share))


def judge_feedback(kept: Memory, release: str, reference: Reference | None, spec: Spec, now: float) -> None:
    """All feedback on a release against what it was tested with, at every look: nobody waits for a window's end."""
    if reference is None:
        return
    parts = [] if kept.window is None else [part.n for of, part in kept.window.parts.items() if of == release]
    answers = sum(parts) + sum(each["of_release"] for each in kept.ended if each["release"] == release)
    told = _told(kept, release, 0.0, now)
    worst = against_test(told.right, told.wrong, answers, reference)
    if worst is not None:
        look_s = seconds(spec.watch.window)
        said = level([worst], levels(spec.watch.false_alarms, look_s, look_s))
        since = min(at for at, of, *_ in kept.told if of == release)
        evidence = {**worst.as_json(), "window": [since, now], "release": release}
        kept.alarms.hear((worst.name, worst.subject), said, now, sentence(evidence), evidence)


def judge_traffic(kept: Memory, now: float, look_s: float) -> None:
    """Nobody asks any more, though many would have by now, as often as they did."""
    past = [each["answers"] / (each["until"] - each["since"]) for each in kept.ended[-BASE_WINDOWS:]]
    if len(past) < LEAST_BASE:
        return
    gap_s, usual = now - kept.last, median(past)
    said: Level = "strong" if gap_s > 2 * look_s and gap_s * usual > LEAST else "clear"
    if said == "clear" and ("traffic", "") not in kept.alarms.traces:
        return
    worst = Finding("traffic", "", "answers a day", 1.0, 0.0, 0.0, usual * DAY_S, 0.0, "count")
    _hear(kept, ("traffic", ""), said, Window(kept.last, now), worst)


def judge_documents(kept: Memory, found: Json, now: float) -> None:
    """Documents that are past their date, or not what was read: that is seen, and no matter of chance."""
    key, is_stale = (documents.NAME, ""), bool(found.get("stale"))
    if is_stale or key in kept.alarms.traces:
        evidence = documents.evidence_of(found)
        kept.alarms.hear(key, "strong" if is_stale else "clear", now, sentence(evidence), evidence)


def _hear_concept(kept: Memory, window: Window) -> None:
    """A detector that spoke on feedback of this window is strong evidence; right as often as before is clear."""
    heard = [(at, right) for at, of, right, _ in kept.told if of == window.release and at < window.until]
    if not heard or heard[-1][0] < window.since:
        return
    usual = _same_season(kept, window)
    falls = concept.falls([right for _, right in heard])
    changes = [change for change in falls if heard[change.place][0] >= window.since]
    if usual.n >= LEAST_TOLD_BEFORE:
        changes = [change for change in changes if change.now < usual.right / usual.n - CONCEPT_OVER]
    key = ("concept", "")
    if changes:
        change = changes[-1]
        drop = change.before - change.now
        worst = Finding("concept", "", change.detector, drop, 0.0, 0.0, change.before, change.now)
        _hear(kept, key, "strong", window, worst)
        return
    trace = kept.alarms.traces.get(key)
    if trace is not None:
        now = [right for at, right in heard if at >= window.since]
        over = bool(now) and sum(now) / len(now) >= float(trace.evidence.get("before") or 0.0) - CONCEPT_OVER
        trace.hear("clear" if over else "none", window.until)


def summary(kept: Memory, window: Window, reference: Reference | None, found: Sequence[Finding]) -> Json:
    """What pages and people see of a window."""
    part = window.main
    told = _told(kept, window.release, window.since, window.until)
    right, wrong = told.right, told.wrong
    total, known = part.confidence
    sure = estimated(part, reference)
    by_feedback = measured(right, wrong)
    return {
        "since": window.since,
        "until": window.until,
        "release": window.release,
        "answers": window.n,
        "of_release": part.n,
        "profiled": part.profiled,
        "latency_p50_ms": part.latency_ms(0.5),
        "latency_p95_ms": part.latency_ms(0.95),
        "confidence": round(total / known, 4) if known else None,
        "handed_over": round(part.low / part.n, 4) if part.n else None,
        "estimated": None if sure is None else as_json(sure),
        "measured": None if by_feedback is None else as_json(by_feedback),
        "feedback": right + wrong,
        "requests": list(window.requests),
        "mix": {label: round(count / max(1, part.n), 4) for label, count in part.mix.most_common(MOST_SHOWN)},
        "drift": [finding.as_json() for finding in found],
        "open": False,
    }


def health(product: str, windows: list[Json], shown: Json | None, alarms: list[Alarm], warnings: list[str]) -> Health:
    """The record of a look. shown: the window that is told of; None: nothing was answered yet."""
    told: Json = shown or {}
    return Health(
        product=product,
        release=told.get("release", ""),
        since=told.get("since", 0.0),
        until=told.get("until", 0.0),
        answers=told.get("answers", 0),
        latency_p50_ms=told.get("latency_p50_ms"),
        latency_p95_ms=told.get("latency_p95_ms"),
        confidence=told.get("confidence"),
        handed_over=told.get("handed_over"),
        estimated=_estimate(told.get("estimated")),
        measured=_estimate(told.get("measured")),
        feedback=told.get("feedback", 0),
        mix=told.get("mix", {}),
        drift=told.get("drift", []),
        alarms=alarms,
        windows=windows,
        warnings=warnings,
    )


def _estimate(values: Any) -> Estimate | None:
    return None if values is None else Estimate(**values)
