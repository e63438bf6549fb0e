"""Would plain rules help the model? Words and levels that nearly always go with one label in the training rows, tried
on the validation rows: a rule speaks where its word stands, and its label takes the place of the model's."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace

from windlass.kinds import table as kinds
from windlass.metrics.measures import paired_difference
from windlass.planning.evidence.probing import Fitting, Probe
from windlass.records import Json, Row

LEAST_ROWS, LEAST_SHARE, LEAST_CHANGED = 10, 0.98, 3
MOST_RULES, MOST_WORDS = 2_000, 200
WORD, HAN = re.compile(r"[^\W\d_\u4e00-\u9fff]{3,}"), re.compile(r"(?=([\u4e00-\u9fff]{2}))")
SURE = 0.98
"""Probability that a rule gives its label."""

Sign = tuple[str, str]
"""Column, and the word in it or the level that it has."""


def tried(probe: Probe, whole: Fitting) -> Json:
    """The rules that change an answer, how often they do, how often rightly, and what the metric gains by it."""
    found = rules(probe)
    said = [_said(row, found, probe.splits.inputs) for row in probe.splits.validation.to_dicts()]
    marks = whole.labels
    names, usual = marks.labels, marks.answers
    changed = [
        (place, sign, label) for place, each in enumerate(said) if each
        for sign, label in [each] if label in names and names.index(label) != usual[place]
    ]  # fmt: skip
    if len(changed) < LEAST_CHANGED:
        return {"rules": [], "changed": len(changed), "right": 0, "gain": None}
    probabilities = marks.probabilities.copy()
    for place, _, label in changed:
        probabilities[place] = (1 - SURE) / max(len(names) - 1, 1)
        probabilities[place, names.index(label)] = SURE
    ruled = replace(marks, probabilities=probabilities)
    right = sum(marks.targets[place] == names.index(label) for place, _, label in changed)
    inputs = probe.splits.inputs
    often = Counter((sign, label) for _, sign, label in changed)
    return {
        "rules": [{"words": _words(sign, inputs), "label": label, "rows": rows}
                  for (sign, label), rows in often.most_common()],
        "changed": len(changed),
        "right": int(right),
        "gain": vars(paired_difference(whole.metric, ruled, marks, probe.seed)),
    }  # fmt: skip


def rules(probe: Probe) -> dict[Sign, str]:
    """What nearly always goes with one label in the training rows, the most frequent first."""
    splits = probe.splits
    counts: defaultdict[Sign, Counter[str]] = defaultdict(Counter)
    for row in splits.train.to_dicts():
        for sign in _signs(row, splits.inputs):
            counts[sign][str(row[splits.output_column])] += 1
    found = {}
    for sign, labels in sorted(counts.items(), key=lambda pair: -pair[1].total()):
        label, rows = labels.most_common(1)[0]
        if rows >= LEAST_ROWS and rows >= LEAST_SHARE * labels.total():
            found[sign] = label
    return dict(list(found.items())[:MOST_RULES])


def _signs(row: Row, inputs: dict[str, str]) -> Iterator[Sign]:
    """The words and levels of a row, each once."""
    for column, kind in inputs.items():
        value = row.get(column)
        if kinds.get(kind).is_named and value is not None:
            yield column, str(value)
        if kinds.get(kind).is_prose and value is not None:
            text = str(value).lower()
            yield from ((column, word) for word in {*WORD.findall(text)[:MOST_WORDS], *HAN.findall(text)[:MOST_WORDS]})


def _said(row: Row, found: dict[Sign, str], inputs: dict[str, str]) -> tuple[Sign, str] | None:
    """The rule that speaks about a row; none where two say different things."""
    speaking = sorted((sign, found[sign]) for sign in _signs(row, inputs) if sign in found)
    return speaking[0] if speaking and len({label for _, label in speaking}) == 1 else None


def _words(sign: Sign, inputs: dict[str, str]) -> str:
    column, value = sign
    return f"'{column}' is '{value}'" if kinds.get(inputs[column]).is_named else f"'{column}' contains '{value}'"
