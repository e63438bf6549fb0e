"""What completes a guess once the output is known: its goal, and how its answers are written."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds import table as kinds
from windlass.kinds.category import variants
from windlass.metrics.measures import told
from windlass.sources.answers import tags_form
from windlass.sources.columns import look, numbers_of, readable
from windlass.sources.guessing.record import MOST_NAMED, Guess
from windlass.sources.units import unit_of

NO_TAG = re.compile(r"^\W*(none|no|nothing|n/a|without)\b|^\W*(无|没有)", re.IGNORECASE)
"""Names of tags that say that a row has none."""
RARE = 0.05
BALANCED = 0.5


def _of_texts(found: Guess, values: Sequence[Any], elsewhere: Sequence[Any]) -> None:
    found.goal = "chrf"
    found.reasons.append("goal chrf: the share of character n-grams that answer and right answer have in common")


def _of_labels(found: Guess, values: Sequence[Any], elsewhere: Sequence[Any]) -> None:
    labels = Counter(readable(values))
    _merge(labels, Counter(readable(elsewhere)), found)
    found.goal = goal_of_labels(found, labels)


def _of_numbers(found: Guess, values: Sequence[Any], elsewhere: Sequence[Any]) -> None:
    numbers = np.array(numbers_of(values), np.float64)
    seen = look(found.output, values)
    found.formats.update({found.output: seen.format} if seen.format else {})
    found.reasons += ["; ".join([f"output '{found.output}': number", *seen.notes])] if seen.notes else []
    usual = float(np.median(numbers))
    off = float(np.abs(numbers - usual).mean())
    found.unit, why = unit_of(found.output, seen.format)
    unit = f" {found.unit}" if found.unit else ""
    if found.unit:
        found.reasons.append(f"unit{unit}: {why}; goals, board, report and page tell it")
    found.goal, found.gate = "mae", f"mae <= {float(f'{off / 2:.1g}'):.10g}{unit}"
    found.reasons.append(
        f"goal mae: how far an answer is off on average, in the unit of '{found.output}'; always answering the median, "
        f"{usual:,.6g}, is off by {told(off)}{unit}"
    )


def _of_tags(found: Guess, values: Sequence[Any], elsewhere: Sequence[Any]) -> None:
    form = tags_form(values) or ""
    found.formats.update({found.output: form} if form else {})
    kind = kinds.reading("tags", {"format": form} if form else None)
    rows, others = (
        [kind.read(value, None) or [] for value in each if kind.check(value) is None] for each in (values, elsewhere)
    )
    counts, more = (Counter(tag for tags in each for tag in tags) for each in (rows, others))
    written = f", written like '{form}'" if form else ", written as lists"
    each_row = counts.total() / max(1, len(rows))
    found.reasons.append(
        f"output '{found.output}': tags{written}: {len(counts)} different ones, {each_row:.1f} a row; were each "
        f"combination a label of its own, `output: {{{found.output}: category}}` would say so"
    )
    _merge(counts, more, found)
    for tag in [tag for tag in counts if NO_TAG.search(tag) and all(len(row) == 1 for row in rows if tag in row)]:
        found.merge[tag] = ""
        found.reasons.append(f"tag '{tag}' stands alone and says that there is none: `labels` makes it an empty list")
    found.goal, found.gate = "micro_f1", "micro_f1 >= 0.80"
    found.reasons.append(
        "goal micro_f1: yes and no of all tags together; macro_f1 counts each tag alike, rare ones too"
    )


def _of_boxes(found: Guess, values: Sequence[Any], elsewhere: Sequence[Any]) -> None:
    kind = kinds.get("boxes")
    read = [things for value in values if kind.check(value) is None and (things := kind.read(value, None)) is not None]
    counts = Counter(thing["label"] for things in read for thing in things)
    if not counts:
        raise DataError(f"'{found.output}' has no box, expected some to learn from")
    shown = ", ".join(f"{count:,} '{label}'" for label, count in counts.most_common(MOST_NAMED))
    n_empty = sum(not things for things in read)
    found.reasons.append(f"output '{found.output}': boxes: {shown}; {n_empty:,} pictures hold nothing")
    found.goal, found.gate = "map50", "map50 >= 0.80"
    found.reasons.append("goal map50: COCO's average precision at an overlap of a half, mean of the classes")


def _of_masks(found: Guess, values: Sequence[Any], elsewhere: Sequence[Any]) -> None:
    kind = kinds.get("masks")
    read = [things for value in values if kind.check(value) is None and (things := kind.read(value, None)) is not None]
    state = kind.fit(read, "", {})
    if not state["classes"]:
        raise DataError(f"'{found.output}' has no mask, expected some to learn from")
    n_empty, classes = sum(not things for things in read), ", ".join(f"'{n}'" for n in state["classes"][:MOST_NAMED])
    told = "things are told apart" if state["apart"] else "each pixel has a class"
    found.reasons.append(f"output '{found.output}': masks of {classes}; {told}; {n_empty:,} pictures hold nothing")
    found.goal, found.gate = "mask_dice", "mask_dice >= 0.80"
    found.reasons.append("goal mask_dice: how well pixels agree; instance_ap asks for things that are told apart")


GOALS: dict[str, Callable[[Guess, Sequence[Any], Sequence[Any]], None]] = {
    "text": _of_texts,
    "category": _of_labels,
    "number": _of_numbers,
    "tags": _of_tags,
    "boxes": _of_boxes,
    "masks": _of_masks,
}
"""Kind of the output -> what completes the guess: goal, and how answers are written; elsewhere: of other splits."""


def _merge(labels: Counter[str], elsewhere: Counter[str], found: Guess) -> None:
    """Makes one of labels that differ in their form alone, and says so. elsewhere: of validation and test rows."""
    found.merge = variants({name: 1_000_000 * labels[name] + elsewhere[name] for name in labels | elsewhere})
    by_name: dict[str, list[str]] = {}
    for name, into in found.merge.items():
        labels[into] += labels.pop(name, 0)
        by_name.setdefault(into, []).append(f"'{name}'")
    for into, names in list(by_name.items())[:MOST_NAMED]:
        found.reasons.append(f"label '{into}' is also written {', '.join(names)}: `labels` makes them one")


def is_rich(kind: str) -> bool:
    return kinds.get(kind).is_prose or kinds.get(kind).is_picture


def goal_of_labels(found: Guess, labels: Counter[str]) -> str:
    """The metric that fits the shape of the labels."""
    if len(labels) < 2:
        only = f"the one label '{next(iter(labels))}'" if labels else "no labels"
        raise DataError(f"column '{found.output}' has {only}, expected at least two to tell apart")
    smallest, total = min(labels.values()), sum(labels.values())
    shares = smallest / total
    is_table = not any(map(is_rich, found.inputs.values()))
    if len(labels) == 2 and is_table:
        metric = "pr_auc" if shares < RARE else "roc_auc"
        found.reasons.append(f"goal {metric}: two labels over a table, the rarer on {100 * shares:.1f} % of rows")
        return metric
    if shares * len(labels) >= BALANCED:
        found.reasons.append(f"goal accuracy: {len(labels)} labels of similar size")
        return "accuracy"
    found.reasons.append(f"goal macro_f1: {len(labels)} labels of different size count alike")
    return "macro_f1"
