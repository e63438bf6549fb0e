"""What users said of answers, counted: how many they judged, how many of these were wrong, and of which answer."""

from collections import Counter, defaultdict

from windlass.outputs.contract import Output
from windlass.planning.snapshot import Snapshot
from windlass.records import Json


def counted(found: Snapshot) -> Json:
    """Of all answers that people judged, and of those that were not used yet, how many were wrong; of each answer by
    itself, where answers are few; and of the champion's alone."""
    output, remembered = found.output, found.champion.remembered if found.champion is not None else {}
    wrong = [row for row in found.judged if not _is_right(output, remembered, row)]
    unused = [row for row in found.judged if row["id"] not in found.used]
    return {
        "count": len(found.judged),
        "wrong": len(wrong),
        "unused": len(unused),
        "unused_wrong": sum(row["id"] not in found.used for row in wrong),
        "by_answer": _by_answer([row for row in unused if output.named(output.value_of(row["value"]))]),
        **_live(found),
    }


def _is_right(output: Output, remembered: Json, row: Json) -> bool:
    if row["value"] == row["correct"] or not row["correct"]:
        return bool(row["value"] == row["correct"])
    return output.is_right(output.value_of(row["value"]), output.value_of(row["correct"]), remembered)


def _live(found: Snapshot) -> Json:
    """What users said of the champion's answers: right, wrong, and how often labels that training does not know."""
    champion = found.champion.release.id if found.champion is not None else ""
    labels = found.prepared.labels.get("train", {})
    own = [row for row in found.judged if row["release"] == champion]
    right = sum(row["correct"] == row["value"] for row in own)
    new = Counter(row["correct"] for row in own if row["correct"] and row["correct"] not in labels)
    return {"live_right": right, "live_wrong": len(own) - right, "new": dict(new.most_common()) if labels else {}}


def _by_answer(rows: list[Json]) -> Json:
    """Of each answer how often it was judged and called wrong, and what was said instead, the most frequent first."""
    judged = Counter(row["value"] for row in rows)
    wrong = [row for row in rows if row["correct"] != row["value"]]
    n_wrong = Counter(row["value"] for row in wrong)
    instead: dict[str, Counter[str]] = defaultdict(Counter)
    for row in wrong:
        instead[row["value"]].update([row["correct"]] if row["correct"] else [])
    return {
        name: {"count": number, "wrong": n_wrong[name], "instead": dict(instead[name].most_common())}
        for name, number in judged.items()
    }
