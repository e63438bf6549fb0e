"""What was promised against what came, and the estimators' error from it."""

import math
from collections.abc import Sequence

import numpy as np

from windlass.kinds.category import slips, variants
from windlass.metrics.measures import confusion
from windlass.pages.text.classes import class_scores
from windlass.planning.context import Setting
from windlass.planning.items.answers import complaint_gap
from windlass.planning.items.documents import n_refused
from windlass.planning.items.lists import cold_share
from windlass.records import Item, Json, as_json

HALF = 0.5
"""An item whose measure has come half of its way is judged, against that part of what was promised."""


def measure(setting: Setting, name: str) -> float | None:
    """What a measure that an item names is now; None where it is not known."""
    evidence = setting.evidence
    word, _, subject = name.partition(":")
    labels = evidence.prepared.labels.get("train", {})
    found: dict[str, float | None] = {
        "learn_rows": float(evidence.n_rows),
        "test_rows": float(evidence.board.n_test),
        "doubted_labels": float(evidence.doubts["count"]) if "count" in evidence.doubts else None,
        "label_variants": float(len({**slips(labels), **variants(labels)})),
        "inputs": float(len(evidence.spec.inputs)),
        "feedback": float(evidence.feedback["count"]),
        "improvements": float(len(evidence.improvements)),
        "new_labels": float(evidence.spec.improve.new_labels),
        "alarms": float(len(evidence.health.alarms)) if evidence.health else None,
        "handed_over": evidence.health.handed_over if evidence.health else None,
        "champion": float(evidence.released is not None and evidence.released.candidate == subject),
        "least_rows": float(min((labels.get(label, 0) for label in subject.split("|")), default=0)),
        "gap": setting.gap_of(subject),
        "machines": float(setting.product.machines),
        "workers": float(setting.product.workers),
        "cores": float(setting.cores_in_use),
        "size_mb": evidence.best.size_mb,
        "watched": float(evidence.health is not None),
        "keep_days": float(evidence.spec.keep_days is not None),
        "unequal": next((each.gap.value for each in setting.unequal if each.column == subject), 0.0),
        "complaints": gap.value if (gap := complaint_gap(evidence.feedback.get("by_answer", {}), subject)) else None,
        "rule_gain": evidence.rules["gain"]["value"] if evidence.rules.get("gain") else 0.0,
        "rules_broken": broken.value if (broken := evidence.best.metrics.get("rules_broken")) else None,
        "p95_ms": evidence.best.latency_p95_ms,
        "recall": _recall(setting, subject),
        "refused_questions": n_refused(setting, subject),
        "unseen_share": _part(evidence.board.details, "unseen_targets", "targets"),
        "explores": float(evidence.spec.items is not None and bool(evidence.spec.items.explore)),
        "cold_share": cold_share(evidence.board.details.get("users", {})),
    }
    return found.get(word)


def _part(details: Json, part: str, whole: str) -> float | None:
    return float(details[part] / details[whole]) if details.get(whole) else None


def _recall(setting: Setting, label: str) -> float | None:
    marks = setting.evidence.marks
    if marks is None or label not in marks.labels:
        return None
    table = confusion(marks.targets, marks.answers, len(marks.labels))
    return class_scores(table, list(marks.labels))[marks.labels.index(label)].recall.value


def open_promises(entries: Sequence[Json]) -> dict[str, Json]:
    """Promises whose outcome has not been seen, by id: the first word counts, not what later plans made of it."""
    found: dict[str, Json] = {}
    for entry in entries:
        if entry["event"] == "promised":
            found.setdefault(entry["id"], entry)
        else:
            found.pop(entry["id"], None)
    return found


def promise(setting: Setting, item: Item, made: str) -> Json:
    """The line that keeps what an item promises."""
    today = setting.evidence.today
    return {
        "event": "promised",
        "id": item.id,
        "at": made,
        "what": item.what,
        "method": item.method,
        "metric": setting.evidence.metric,
        "before": today.value if today else None,
        "gain": as_json(item.gain) if item.gain else None,
        "state": setting.evidence.state,
        "measure": item.measure,
        "measured": measure(setting, item.measure),
        "bound": item.bound,
        "at_most": item.at_most,
        "by": item.finishes,
    }


def progress_of(setting: Setting, entry: Json) -> float:
    """How much of its way the measure of a promise has come, 0-1; rows by their logarithm, as gains go with them."""
    now, before, bound = measure(setting, entry["measure"]), entry["measured"], entry["bound"]
    if now is None:
        return 0.0
    if before is None:
        return float(now <= bound if entry["at_most"] else now >= bound)
    if entry["measure"].endswith("rows") and 0 < before < bound:
        return min(1.0, math.log(max(now, before) / before) / math.log(bound / before))
    return min(1.0, max(0.0, (now - before) / (bound - before))) if bound != before else 1.0


def outcomes(setting: Setting, entries: Sequence[Json], made: str) -> list[Json]:
    """A line for each open promise whose measure has come (half of) its way, with the gain that came of it.

    Several at once share what came in proportion to what each promised.
    """
    today = setting.evidence.today
    # 1. Only what was done is judged: a promise whose measure has not come half of its way is open, not broken.
    due = [(entry, progress_of(setting, entry)) for entry in open_promises(entries).values()]
    due = [(entry, part) for entry, part in due if part >= HALF and _can_tell(setting, entry)]
    # 2. What came is one number for all that was done: it is shared out, since nobody can tell whose it is.
    promised = {entry["id"]: entry["gain"]["value"] * part for entry, part in due if entry["gain"]}
    whole = sum(abs(gain) for gain in promised.values())
    found = []
    for entry, part in due:
        came = error = None
        if entry["id"] in promised and today is not None and entry["before"] is not None:
            share = abs(promised[entry["id"]]) / whole if whole else 1 / len(promised)
            came = (today.value - entry["before"]) * share
            error = promised[entry["id"]] - came
        gain = entry["gain"]
        found.append(
            {
                "event": "came",
                "id": entry["id"],
                "at": made,
                "what": entry["what"],
                "method": entry["method"],
                "part": round(part, 3),
                "promised": promised.get(entry["id"]),
                "came": came,
                "error": error,
                "inside": None if came is None else gain["low"] * part <= came <= gain["high"] * part,
                "beside": [other["id"] for other, _ in due if other["id"] != entry["id"]],
            }
        )
    return found


def _can_tell(setting: Setting, entry: Json) -> bool:
    """A gain shows in the same metric, once the leaderboard or the champion is another."""
    is_new = entry.get("state") != setting.evidence.state
    return not entry["gain"] or (is_new and entry["metric"] == setting.evidence.metric)


def told(entries: Sequence[Json]) -> Json:
    """What the roadmap shows: each outcome, and the mean error and bias of what was promised.

    bias: mean of promised less came (above 0: too much was promised); error: mean of its size.
    """
    came = [entry for entry in entries if entry["event"] == "came"]
    errors = [entry["error"] for entry in came if entry["error"] is not None]
    return {
        "open": [
            {"id": entry["id"], "at": entry["at"], "by": entry["by"]} for entry in open_promises(entries).values()
        ],
        "came": came,
        "count": len(errors),
        "bias": float(np.mean(errors)) if errors else None,
        "error": float(np.mean(np.abs(errors))) if errors else None,
        "inside": sum(bool(entry["inside"]) for entry in came if entry["inside"] is not None),
    }
