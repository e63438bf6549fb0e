"""Is the challenger better: on rows that neither has learned, and without a loss that somebody would notice.

A verdict is a list of checks, each with its numbers and a sentence. All that guard must hold, and one must show a gain.
What an answer is worth is the sheet's affair. Source: Holm 1979 for many tests at once.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np

from windlass.improving.scoring import LABELS, Scoring
from windlass.improving.sheets import Paired, Sheet, thirds
from windlass.improving.taught import Taught
from windlass.pages.words import metric_name
from windlass.predictors.contract import Predictor
from windlass.records import Json, Row

LEVEL = 0.025
"""Chance of seeing a gain (or a loss) where there is none, of each test. A gain may show in two: on recent feedback,
and on all rows that judge."""
MOST_LOSS = 0.01
LEAST_SLICE = 20


@dataclass(frozen=True)
class Check:
    """holds: what it asks for is so. guards: without it there is no promotion; else it shows a gain."""

    name: str
    holds: bool
    guards: bool
    words: str


@dataclass(frozen=True)
class Verdict:
    """What was measured, and what follows. evidence: everything as JSON."""

    checks: tuple[Check, ...]
    evidence: Json = field(default_factory=dict)

    @property
    def losses(self) -> list[Check]:
        return [check for check in self.checks if check.guards and not check.holds]

    @property
    def gains(self) -> list[Check]:
        return [check for check in self.checks if not check.guards and check.holds]

    @property
    def is_better(self) -> bool:
        return bool(self.gains) and not self.losses

    @property
    def why(self) -> str:
        """The reasons as sentences."""
        told = self.losses or self.gains or [check for check in self.checks if not check.guards]
        return "; ".join(check.words for check in told)

    def as_json(self) -> Json:
        checks = [
            {"name": check.name, "holds": check.holds, "guards": check.guards, "words": check.words}
            for check in self.checks
        ]
        return {"checks": checks, **self.evidence}


@dataclass(frozen=True)
class Exam:
    """Rows with what is right. metric: the goal's, for the test rows; root: of files that rows name."""

    test: Sequence[tuple[Row, str]]
    recent: Sequence[Taught]
    earlier: Mapping[str, Sequence[Taught]]
    golden: Sequence[Row]
    inputs: Mapping[str, str]
    metric: str
    root: Path
    scoring: Scoring = LABELS


def judge(champion: Predictor, challenger: Predictor, exam: Exam) -> Verdict:
    """Raises: DataError: a row cannot be read."""
    asked = _Asked.of(exam)
    sheet = exam.scoring.compare((champion, challenger), asked.pairs, exam.metric, exam.root)
    frozen, *earlier, now = (sheet.paired(name, asked.of_task(number)) for number, name in enumerate(asked.names))
    old = ~asked.of_task(len(asked.names) - 1)
    names, one = sheet.parts_are
    parts = _worst_first(sheet, old, sheet.parts())
    slices = _worst_first(sheet, old, asked.slices(exam.inputs), LEAST_SLICE)
    loss, difference = _loss(sheet, exam.metric, asked.of_task(0))
    checks = [
        loss,
        *_lost_tasks(earlier),
        _none_lost(names, one, parts),
        _none_lost("slices", "slice", slices),
        _gain("recent", "recent feedback", now),
        _gain("all", "all rows that judge", sheet.paired("all rows", np.ones(len(asked.pairs), bool))),
    ]
    evidence = {
        "metric": exam.metric,
        "difference": difference,
        "test": frozen.as_json(),
        "recent": now.as_json(),
        "tasks": [task.as_json() for task in [frozen, *earlier, now]],
        names: [each.as_json() for each in parts],
        "slices": [each.as_json() for each in slices],
        "golden": _changed(champion, challenger, exam),
        **sheet.evidence(),
    }
    return Verdict(tuple(checks), evidence)


@dataclass(frozen=True)
class _Asked:
    """All rows that judge, in one list: the test rows, the earlier batches, recent feedback. task: (n,) of each row."""

    names: tuple[str, ...]
    pairs: list[tuple[Row, str]]
    task: np.ndarray

    @classmethod
    def of(cls, exam: Exam) -> "_Asked":
        tasks = {"test rows": evenly(exam.test, exam.scoring.most_tested)}
        tasks |= {f"batch {id}": _pairs(rows) for id, rows in exam.earlier.items() if rows}
        tasks["recent feedback"] = _pairs(exam.recent)
        sizes = [len(pairs) for pairs in tasks.values()]
        pairs = [pair for pairs in tasks.values() for pair in pairs]
        return cls(tuple(tasks), pairs, np.repeat(np.arange(len(sizes)), sizes))

    def of_task(self, number: int) -> np.ndarray:
        """(n,) bool."""
        return self.task == number

    def slices(self, inputs: Mapping[str, str]) -> list[tuple[str, np.ndarray]]:
        """Of what is told from the inputs: short and long texts, low and high numbers, the values of categories."""
        columns = {name: [row.get(name) for row, _ in self.pairs] for name in inputs}
        return [part for name, kind in inputs.items() for part in _parts(name, kind, columns[name])]


def _pairs(rows: Sequence[Taught]) -> list[tuple[Row, str]]:
    return [(row.values, row.label) for row in rows]


def evenly(pairs: Sequence[tuple[Row, str]], most: int | None) -> list[tuple[Row, str]]:
    """At most so many of them, evenly spread."""
    return list(pairs[:: math.ceil(len(pairs) / most)] if most and pairs else pairs)


def _worst_first(
    sheet: Sheet, among: np.ndarray, parts: Sequence[tuple[str, np.ndarray]], least: int = 1
) -> list[Paired]:
    """Each part of these rows that has so many of them."""
    found = [sheet.paired(name, rows & among) for name, rows in parts if (rows & among).sum() >= least]
    return sorted(found, key=lambda each: each.p_loss)


def _loss(sheet: Sheet, metric: str, test: np.ndarray) -> tuple[Check, Json]:
    """The goal's metric may not fall by more than a point on the test rows."""
    before, after, difference = sheet.goal(metric, test)
    holds = bool(difference.value >= -MOST_LOSS)
    words = (
        f"{metric_name(metric)} on the test rows {before:.3f} -> {after:.3f}, "
        f"{100 * difference.value:+.1f} points [{100 * difference.low:+.1f}, {100 * difference.high:+.1f}]"
        + ("" if holds else ", expected to lose at most 1 point")
    )
    numbers = {"before": before, "after": after, "value": difference.value}
    return Check("loss", holds, True, words), {**numbers, "low": difference.low, "high": difference.high}


def _changed(champion: Predictor, challenger: Predictor, exam: Exam) -> Json:
    """How many of the champion's golden rows the challenger answers otherwise."""
    if not exam.golden:
        return {"rows": 0, "changed": 0}
    pairs = zip(champion.answer(exam.golden, exam.root), challenger.answer(exam.golden, exam.root), strict=True)
    return {"rows": len(exam.golden), "changed": sum(one.value != other.value for one, other in pairs)}


def _parts(name: str, kind: str, values: Sequence[Any]) -> list[tuple[str, np.ndarray]]:
    """Words and mask (n,) of each simple slice of a column."""
    if kind in ("text", "chat"):
        return thirds(name, [len(str(value or "")) for value in values], ("short", "long"))
    if kind == "number":
        return thirds(name, values, ("low", "high"))
    if kind == "category":
        names = np.array([str(value or "") for value in values], object)
        return [(f"{name}: {level or 'missing'}", names == level) for level in sorted(set(names))]
    return []


def _lost_tasks(tasks: Sequence[Paired]) -> list[Check]:
    """What earlier batches taught is not forgotten."""
    return [_none_lost("earlier", "earlier batch", sorted(tasks, key=lambda task: task.p_loss))] if tasks else []


def _none_lost(name: str, one: str, parts: Sequence[Paired]) -> Check:
    """No part is lost beyond chance; all of them together may err with a chance of `LEVEL`."""
    steps = [part.loses(LEVEL / (len(parts) - place)) for place, part in enumerate(parts)]
    lost = [part for part, _ in takewhile(lambda step: step[1], zip(parts, steps, strict=True))]
    if lost:
        return Check(name, False, True, f"{one} '{lost[0].name}' is lost: {lost[0]}, p {lost[0].p_loss:.2g}")
    worst = f", the nearest to it '{parts[0].name}': {parts[0]}" if parts and parts[0].lost else ""
    return Check(name, True, True, f"none of {len(parts)} {name} is lost{worst}")


def _gain(name: str, where: str, pair: Paired) -> Check:
    holds = pair.gains(LEVEL)
    verb = "better" if holds else "not better beyond chance"
    return Check(name, holds, False, f"{verb} on {where}: {pair}, p {pair.p_gain:.2g}")
