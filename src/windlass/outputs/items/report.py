"""What the report says of ranked lists: how it was measured, for whom they are good, how much of the shop they show."""

import numpy as np

from windlass.metrics.measures import Marks, bootstrap, paired_difference
from windlass.metrics.recommendations import COVERAGE, EACH, FEW, GINI, HEAD, NDCG, TAIL, RankedMarks
from windlass.outputs.contract import Shown
from windlass.outputs.items.measures import LEAKS, ranked_marks
from windlass.pages.charts.axes import across_grid, down_ticks, figure, path, spanning, text
from windlass.pages.html.sections import Section, picture, table
from windlass.pages.text.words import METRIC_MEANINGS, count, escaped, interval, measure, metric_name, percent
from windlass.records import Json

FACTS = {"split": "split", "liked": "what counts as liked", "candidates": "candidates", "cold": "cold items"}
NARROW, MANY_COLD = 0.05, 0.1
N_CURVE = 60
WIDE, TOP, FOOT, LEFT = 400.0, 34.0, 292.0, 64.0


def report_sections(shown: Shown) -> list[Section]:
    """Those of the report, in its order."""
    marks = ranked_marks(shown.marks)
    if not len(marks):
        return []
    drawn = picture(
        exposure(marks), "Share of all places in lists that the most shown items have; the diagonal: alike."
    )
    return [
        Section("measures", "What was measured, and how", _facts(marks) + _measures(marks)),
        Section("users", "For whom", _by_users(marks)),
        Section("shelf", "How much of the shop is shown", _shelf(marks) + drawn),
    ]


def _facts(marks: RankedMarks) -> str:
    """Without these a figure of a recommender says nothing."""
    rows = [[escaped(FACTS[name]), escaped(said)] for name, said in marks.facts.items() if name in FACTS]
    cold = int(marks.is_cold.sum())
    rows.append(["cold users", f"{count(cold)} of {count(len(marks))} have fewer than {FEW} events"])
    return table([("measured", "text"), ("how", "text")], rows, "plain stack")


def _measures(marks: RankedMarks) -> str:
    """Each measure beside that of recommending what is popular, and the paired difference."""
    rows = []
    for name in EACH:
        beside, gain = "–", "–"
        if marks.popular is not None:
            beside = interval(bootstrap(marks.popular, name))
            gain = interval(paired_difference(name, marks, marks.popular))
        meaning = escaped(METRIC_MEANINGS.get(name, ""))
        rows.append([escaped(metric_name(name)), interval(bootstrap(marks, name)), beside, gain, meaning])
    heads = [("measure", "text"), ("value [95 % interval]", "n"), ("what is popular", "n"), ("difference", "n"),
             ("what it says", "text")]  # fmt: skip
    return table(heads, rows, "plain stack")


def bits(value: float) -> str:
    return measure(value, "bits") if value == value else "–"


def _by_users(marks: RankedMarks) -> str:
    parts = [
        (f"fewer than {FEW} events known", marks.is_cold),
        (f"{FEW} events or more", ~marks.is_cold),
        ("all that was liked is of no event before", marks.n_unseen >= np.maximum(marks.n_right, 1)),
        ("all", np.ones(len(marks), bool)),
    ]
    rows = []
    for words, chosen in parts:
        part = marks.of(chosen)
        if len(part):
            beside = interval(bootstrap(part.popular, NDCG)) if part.popular is not None else "–"
            rows.append([escaped(words), count(len(part)), interval(bootstrap(part, NDCG)), beside])
    heads = [("users", "text"), ("how many", "n"), (metric_name(NDCG), "n"), ("what is popular", "n")]
    return table(heads, rows, "plain stack")


def _shelf(marks: RankedMarks) -> str:
    popular = marks.popular
    rows = []
    for name in (COVERAGE, GINI, TAIL):
        beside = interval(bootstrap(popular, name)) if popular is not None else "–"
        rows.append([escaped(metric_name(name)), percent(marks.value(name)), beside, escaped(METRIC_MEANINGS[name])])
    beside = bits(popular.novelty) if popular is not None else "–"
    rows.append(["novelty", bits(marks.novelty), beside, "how unlikely the shown items are among all events"])
    heads = [("measure", "text"), ("value", "n"), ("what is popular", "n"), ("what it says", "text")]
    return table(heads, rows, "plain stack")


def exposure(marks: RankedMarks) -> str:
    """The Lorenz curve from above: the most shown items first."""
    counts = np.sort(marks.exposure(slice(None)))[::-1]
    if not counts.sum():
        return ""
    shares = np.concatenate([[0.0], np.cumsum(counts) / counts.sum()])
    at = np.unique(np.linspace(0, len(counts), N_CURVE).astype(int)).tolist()
    across, down = spanning([0.0, 1.0], LEFT, WIDE - 12, 0.0), spanning([0.0, 1.0], FOOT - 14, TOP, 0.0)
    body = [
        *across_grid(down, across.start, across.end, 5),
        *down_ticks(across, FOOT, 4),
        text(across.start, 16, "share of the places", "quiet"),
        text(across.end, FOOT + 36, "share of the items", "quiet", "end"),
        path("other", [(across.at(0.0), down.at(0.0)), (across.at(1.0), down.at(1.0))]),
        path("main", [(across.at(place / len(counts)), down.at(float(shares[place]))) for place in at]),
    ]
    return figure("how the shown places are spread over the items", body, (WIDE, FOOT + 42))


def details(marks: Marks) -> Json:
    """For those who compute with the board: how it was measured, and each part of the users."""
    found = ranked_marks(marks)
    cold = found.of(found.is_cold)
    warm = found.of(~found.is_cold)
    return {
        "measured": dict(found.facts),
        "users": {
            name: {"users": len(part), NDCG: part.value(NDCG) if len(part) else None}
            for name, part in (("cold", cold), ("warm", warm))
        },
        "unseen_targets": int(found.n_unseen.sum()),
        "targets": int(found.n_right.sum()),
        "novelty_bits": found.novelty,
        "head_share": HEAD,
    }


def remarks(marks: Marks, metric: str) -> list[str]:
    """How it was measured: split, threshold, candidates and cold share stand beside every figure."""
    found = ranked_marks(marks)
    cold = int(found.is_cold.sum())
    facts = found.facts
    said = []
    if facts:
        told = "; ".join(f"{FACTS[name]}: {facts[name]}" for name in FACTS if name in facts)
        said.append(f"Measured by {told}.")
        said.append(f"{cold:,} of {len(found):,} users have fewer than {FEW} events.")
    if LEAKS in facts.get("split", ""):
        said.append(
            "The split leaks time: what others did later is learned from, so that use will look worse than this; "
            "`items: {split: time}` measures as in use."
        )
    return said


def advice(marks: Marks, misses: bool) -> list[str]:
    """Whether new items are the weaker part, and whether few items are ever shown."""
    found, steps = ranked_marks(marks), []
    n_right, n_unseen = int(found.n_right.sum()), int(found.n_unseen.sum())
    if n_right and n_unseen > MANY_COLD * n_right:
        steps.append(
            f"{percent(n_unseen / n_right)} of what was liked are items without an event before: no learner of events "
            "alone can find them; `items: {catalogue: ...}` with texts and categories lets new items be recommended."
        )
    if found.value(COVERAGE) < NARROW:
        steps.append(
            f"Only {percent(found.value(COVERAGE))} of the items are ever among the first ten: popular things sell "
            "themselves; a goal of `coverage` would look for more."
        )
    return steps
