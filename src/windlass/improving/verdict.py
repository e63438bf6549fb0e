"""Is the challenger better: on rows that neither has learned, and without a loss that somebody would notice.

A verdict is a list of checks, each with its numbers and a sentence. All that guard must hold, and one must show a gain.
Source: McNemar 1947, exact form (binomial over the rows that the two answer differently); Holm 1979 for many at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest

from windlass.improving.taught import Taught
from windlass.metrics import LabelMarks, paired_difference
from windlass.pages.words import metric_name, percent
from windlass.predictors.contract import Labeller
from windlass.records import Json, Row

LEVEL = 0.025
"""Chance of seeing a gain (or a loss) where there is none, of each test. A gain may show in two: on recent feedback,
and on all rows that judge."""
MOST_LOSS = 0.01
LEAST_SLICE = 20
SHORT, LONG = 1 / 3, 2 / 3


@dataclass(frozen=True)
class Paired:
    """Rows that both answered. won, lost: how many only the challenger, only the champion, had right."""

    name: str
    rows: int
    before: float
    after: float
    won: int
    lost: int

    @property
    def p_gain(self) -> float:
        """Chance of so many won rows if both were as good."""
        return _p(self.won, self.lost)

    @property
    def p_loss(self) -> float:
        return _p(self.lost, self.won)

    def as_json(self) -> Json:
        return {
            "name": self.name,
            "rows": self.rows,
            "before": round(self.before, 6),
            "after": round(self.after, 6),
            "won": self.won,
            "lost": self.lost,
            "p_gain": round(self.p_gain, 6),
            "p_loss": round(self.p_loss, 6),
        }

    def __str__(self) -> str:
        return (
            f"{percent(self.before)} -> {percent(self.after)} of {self.rows:,} rows right "
            f"({self.won} won, {self.lost} lost)"
        )


def _p(more: int, less: int) -> float:
    total = more + less
    return float(binomtest(more, total, 0.5, alternative="greater").pvalue) if total else 1.0


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
    """Rows with their right labels. metric: the goal's, for the test rows; root: of files that rows name."""

    test: Sequence[tuple[Row, str]]
    recent: Sequence[Taught]
    earlier: Mapping[str, Sequence[Taught]]
    golden: Sequence[Row]
    inputs: Mapping[str, str]
    metric: str
    root: Path


def judge(champion: Labeller, challenger: Labeller, exam: Exam) -> Verdict:
    """Raises: DataError: a row cannot be read."""
    test = [(row, label) for row, label in exam.test]
    recent = [(row.values, row.label) for row in exam.recent]
    earlier = {id: [(row.values, row.label) for row in rows] for id, rows in exam.earlier.items()}
    both = _Duel(champion, challenger, exam.root)
    old = test + [pair for pairs in earlier.values() for pair in pairs]
    frozen, now = both.fight("test rows", test), both.fight("recent feedback", recent)
    tasks = [frozen, *(both.fight(f"batch {id}", pairs) for id, pairs in earlier.items() if pairs)]
    labels = both.by_label(old)
    slices = both.slices(old, exam.inputs)
    loss, difference = both.metric(test, exam.metric)
    checks = [
        loss,
        *_lost_tasks(tasks[1:]),
        _none_lost("labels", "label", labels),
        _none_lost("slices", "slice", slices),
        _gain("recent", "recent feedback", now),
        _gain("all", "all rows that judge", together([*tasks, now])),
    ]
    evidence = {
        "metric": exam.metric,
        "difference": difference,
        "test": frozen.as_json(),
        "recent": now.as_json(),
        "tasks": [task.as_json() for task in [*tasks, now]],
        "labels": [each.as_json() for each in labels],
        "slices": [each.as_json() for each in slices],
        "golden": both.golden(exam.golden),
        "new_labels": sorted(set(challenger.labels) - set(champion.labels)),
    }
    return Verdict(tuple(checks), evidence)


def duel(
    champion: Labeller, challenger: Labeller, pairs: Sequence[tuple[Row, str]], root: Path, name: str = "same rows"
) -> Paired:
    """Both on rows whose label is known. Raises: DataError: a row cannot be read."""
    return _Duel(champion, challenger, root).fight(name, pairs)


def together(parts: Sequence[Paired]) -> Paired:
    """All of them as one; they share no rows."""
    n_rows = sum(part.rows for part in parts)
    before, after = (
        sum(part.rows * share for part, share in zip(parts, shares, strict=True)) / max(1, n_rows)
        for shares in ([part.before for part in parts], [part.after for part in parts])
    )
    return Paired("all rows", n_rows, before, after, sum(p.won for p in parts), sum(p.lost for p in parts))


class _Duel:
    """Both on the same rows."""

    def __init__(self, champion: Labeller, challenger: Labeller, root: Path) -> None:
        self.champion, self.challenger, self.root = champion, challenger, root

    def rights(self, pairs: Sequence[tuple[Row, str]]) -> tuple[np.ndarray, np.ndarray]:
        """Which rows each has right, (n,) bool; a label that one does not know it cannot have right."""
        truth = np.array([label for _, label in pairs], object)
        rows = [row for row, _ in pairs]
        return self.said(self.champion, rows) == truth, self.said(self.challenger, rows) == truth

    def said(self, predictor: Labeller, rows: Sequence[Row]) -> np.ndarray:
        """(n,) labels."""
        labels = np.array(predictor.labels, object)
        return labels[predictor.probabilities(rows, self.root).argmax(axis=1)] if rows else np.zeros(0, object)

    def metric(self, pairs: Sequence[tuple[Row, str]], metric: str) -> tuple[Check, Json]:
        """The goal's metric may not fall by more than a point."""
        rows, truth = [row for row, _ in pairs], [label for _, label in pairs]
        before = self.champion.marks(rows, truth, self.root)
        after = _on_old_labels(self.challenger.probabilities(rows, self.root), self.challenger.labels, before)
        difference = paired_difference(metric, after, before)
        holds = bool(difference.value >= -MOST_LOSS)
        values = before.value(metric), after.value(metric)
        words = (
            f"{metric_name(metric)} on the test rows {values[0]:.3f} -> {values[1]:.3f}, "
            f"{100 * difference.value:+.1f} points [{100 * difference.low:+.1f}, {100 * difference.high:+.1f}]"
            + ("" if holds else ", expected to lose at most 1 point")
        )
        numbers = {"before": values[0], "after": values[1], "value": difference.value}
        return Check("loss", holds, True, words), {**numbers, "low": difference.low, "high": difference.high}

    def golden(self, rows: Sequence[Row]) -> Json:
        """How many of the champion's golden rows the challenger answers otherwise."""
        changed = self.said(self.champion, rows) != self.said(self.challenger, rows)
        return {"rows": len(rows), "changed": int(changed.sum())}

    def fight(self, name: str, pairs: Sequence[tuple[Row, str]]) -> Paired:
        return _paired(name, *self.rights(pairs))

    def by_label(self, pairs: Sequence[tuple[Row, str]]) -> list[Paired]:
        """Of each label that the champion knows, the worst loss first."""
        before, after = self.rights(pairs)
        names = np.array([label for _, label in pairs], object)
        found = [_paired(str(name), before[names == name], after[names == name]) for name in sorted(set(names))]
        return sorted(found, key=lambda each: each.p_loss)

    def slices(self, pairs: Sequence[tuple[Row, str]], inputs: Mapping[str, str]) -> list[Paired]:
        """Of what is told from the inputs: short and long texts, low and high numbers, the values of categories."""
        before, after = self.rights(pairs)
        parts = [
            part for name, kind in inputs.items() for part in _parts(name, kind, [row.get(name) for row, _ in pairs])
        ]
        found = [
            _paired(words, before[mask], after[mask]) for words, mask in parts if mask.sum() >= LEAST_SLICE
        ]
        return sorted(found, key=lambda each: each.p_loss)


def _paired(name: str, before: np.ndarray, after: np.ndarray) -> Paired:
    n_rows = len(before)
    return Paired(
        name,
        n_rows,
        float(before.mean()) if n_rows else 0.0,
        float(after.mean()) if n_rows else 0.0,
        int((after & ~before).sum()),
        int((before & ~after).sum()),
    )


def _parts(name: str, kind: str, values: Sequence[Any]) -> list[tuple[str, np.ndarray]]:
    """Words and mask (n,) of each simple slice of a column."""
    if kind in ("text", "chat", "number"):
        told = [len(str(value or "")) if kind != "number" else value for value in values]
        sizes = np.array([np.nan if value is None else float(value) for value in told], np.float64)
        if np.isnan(sizes).all():
            return []
        low, high = np.nanquantile(sizes, [SHORT, LONG])
        ends = ("short", "long") if kind != "number" else ("low", "high")
        return [(f"{name}: {ends[0]}", sizes <= low), (f"{name}: {ends[1]}", sizes >= high)]
    if kind == "category":
        names = np.array([str(value or "") for value in values], object)
        return [(f"{name}: {level or 'missing'}", names == level) for level in sorted(set(names))]
    return []


def _on_old_labels(probabilities: np.ndarray, labels: Sequence[str], before: LabelMarks) -> LabelMarks:
    """The challenger's probabilities for the champion's labels; a row that it answers with a new label is wrong."""
    place = {label: number for number, label in enumerate(labels)}
    known = [place[label] for label in before.labels]
    old = probabilities[:, known]
    is_new = ~np.isin(probabilities.argmax(axis=1), known)
    old[is_new, before.targets[is_new]] = 0.0
    old = old / np.maximum(old.sum(axis=1, keepdims=True), 1e-12)
    return LabelMarks(before.targets, old, before.positive, before.labels)


def _lost_tasks(tasks: Sequence[Paired]) -> list[Check]:
    """What earlier batches taught is not forgotten."""
    return [_none_lost("earlier", "earlier batch", sorted(tasks, key=lambda task: task.p_loss))] if tasks else []


def _none_lost(name: str, one: str, parts: Sequence[Paired]) -> Check:
    """No part is lost beyond chance; all of them together may err with a chance of `LEVEL`."""
    steps = [part.p_loss < LEVEL / (len(parts) - place) for place, part in enumerate(parts)]
    lost = [part for part, _ in takewhile(lambda step: step[1], zip(parts, steps, strict=True))]
    if lost:
        return Check(name, False, True, f"{one} '{lost[0].name}' is lost: {lost[0]}, p {lost[0].p_loss:.2g}")
    worst = f", the nearest to it '{parts[0].name}': {parts[0]}" if parts and parts[0].lost else ""
    return Check(name, True, True, f"none of {len(parts)} {name} is lost{worst}")


def _gain(name: str, where: str, pair: Paired) -> Check:
    holds = pair.p_gain < LEVEL
    verb = "better" if holds else "not better beyond chance"
    return Check(name, holds, False, f"{verb} on {where}: {pair}, p {pair.p_gain:.2g}")
