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

from windlass.kinds import table as kinds
from windlass.metrics.measures import told
from windlass.outputs.comparison import Paired, PairedAnswers, by_chance, thirds
from windlass.outputs.contract import Output
from windlass.outputs.labelled_row import LabelledRow, Pairs
from windlass.pages.text.words import metric_name
from windlass.predictors.contract import Predictor
from windlass.records import Json, Row

LEVEL, GAIN_LEVEL = 0.025, 0.05 / 3
"""Chance of seeing a loss, and a gain, where there is none, of each test. A gain may show in three: in right answers on
recent feedback, on all rows that judge, and in what the probabilities are worth there."""
LIKELY, NO_WORSE = 0.2, 0.005
"""A challenger that is likely better, by what its probabilities are worth, and surely loses no more of that than this
(and by no more right answers, as far as is seen), need not be better beyond chance: a week of feedback is seldom enough
to show what a week of feedback teaches."""
MOST_LOSS, MOST_FALL = 0.01, 0.03
"""Of the goal's metric, and of what has a measure of its own, such as a class of boxes."""
LEAST_SLICE = 20
MOST_NAMED = 3
RECENT = "recent"
CHANGED = (
    "put the new rows into `data:`, take out old ones that no longer hold, then `windlass run` and `windlass release`"
)
"""What helps where recent rows are answered better and old test rows worse: more learning beside them does not."""


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
        if self.is_changed:
            recent = next(check.words for check in self.gains if check.name == RECENT)
            lost = [check.words for check in self.losses]
            return "; ".join([*lost, f"but {recent}: where what is right has changed, {CHANGED}"])
        told = self.losses or self.gains or [check for check in self.checks if not check.guards]
        return "; ".join(check.words for check in told)

    @property
    def is_changed(self) -> bool:
        """Recent rows are answered better and old ones worse: what is right may have changed, or feedback is wrong."""
        return is_changed(self.as_json())

    def as_json(self) -> Json:
        checks = [
            {"name": check.name, "holds": check.holds, "guards": check.guards, "words": check.words}
            for check in self.checks
        ]
        return {"checks": checks, **self.evidence}


def is_changed(evidence: Json) -> bool:
    """The same of the evidence that an attempt kept."""
    checks = evidence.get("checks", [])
    is_gained = any(check["name"] == RECENT and check["holds"] for check in checks)
    return is_gained and any(check["guards"] and not check["holds"] for check in checks)


@dataclass(frozen=True)
class JudgedRows:
    """Rows with what is right. metric: the goal's, for the test rows; root: of files that rows name;
    answered: refused questions with what people answered; documents: that have changed since the champion."""

    test: Pairs
    recent: Sequence[LabelledRow]
    earlier: Mapping[str, Sequence[LabelledRow]]
    golden: Sequence[Row]
    inputs: Mapping[str, str]
    metric: str
    root: Path
    output: Output
    answered: Pairs = ()
    documents: Sequence[str] = ()


def judge(champion: Predictor, challenger: Predictor, exam: JudgedRows) -> Verdict:
    """Raises: DataError: a row cannot be read."""
    asked = _Asked.of(exam)
    # 1. Both answer the same rows: paired, a difference shows that two separate scores would hide.
    sheet = exam.output.compare((champion, challenger), asked.pairs, exam.metric, exam.root)
    frozen, *earlier, now = (sheet.paired(name, asked.of_task(number)) for number, name in enumerate(asked.names))
    # 2. Parts are guarded on old rows alone: much of the recent feedback is what the champion got wrong, and a gain
    # there would cover a loss elsewhere.
    old = ~asked.of_task(len(asked.names) - 1)
    names, one = sheet.parts_are
    parts = _worst_first(sheet, old, sheet.parts())
    slices = _worst_first(sheet, old, asked.slices(exam.inputs), LEAST_SLICE)
    every = np.ones(len(asked.pairs), bool)
    loss, difference = _loss(sheet, exam.metric, asked)
    # 3. Some checks guard, some may show a gain: no gain makes up for a loss (`Verdict.is_better`).
    checks = [
        loss,
        *_lost_tasks([frozen, *earlier]),
        _none_lost(names, one, parts),
        _none_lost("slices", "slice", slices),
        *([_gain(RECENT, "recent feedback", now)] if now.rows else []),
        _gain("all", "all rows that judge", sheet.paired("all rows", every)),
        *fallen_parts(sheet, old),
        *_worth_more(sheet, every),
        *_mended(champion, challenger, exam),
        *_renewed(exam.documents),
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
    pairs: list[tuple[Row, Any]]
    task: np.ndarray

    @property
    def frozen(self) -> np.ndarray:
        """(n,) bool: all but recent feedback."""
        return self.task < len(self.names) - 1

    @classmethod
    def of(cls, exam: JudgedRows) -> "_Asked":
        tasks = {"test rows": evenly(exam.test, exam.output.most_tested)}
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


def _pairs(rows: Sequence[LabelledRow]) -> list[tuple[Row, Any]]:
    return [(row.values, row.label) for row in rows]


def evenly(pairs: Pairs, most: int | None) -> list[tuple[Row, Any]]:
    """At most so many of them, evenly spread."""
    return list(pairs[:: math.ceil(len(pairs) / most)] if most and pairs else pairs)


def _mended(champion: Predictor, challenger: Predictor, exam: JudgedRows) -> list[Check]:
    """Questions that people answered: none that was answered so is lost, and one that is mended is a gain by itself:
    it is no sample, its owner has asked for it."""
    if not exam.answered:
        return []
    sheet = exam.output.compare((champion, challenger), exam.answered, exam.metric, exam.root)
    found = sheet.paired("what people answered", np.ones(len(exam.answered), bool))
    words = f"{found.won:,} of {found.rows:,} questions that people answered are mended, {found.lost:,} lost"
    return [Check("tests", not found.lost, True, words), Check("mended", found.won > 0, False, words)]


def _renewed(documents: Sequence[str]) -> list[Check]:
    """Documents that have changed are a gain by themselves: the champion answers from what no longer holds."""
    if not documents:
        return []
    named = ", ".join(f"'{each[:60]}'" for each in documents[:MOST_NAMED]) + " ..." * (len(documents) > MOST_NAMED)
    count = "1 document is" if len(documents) == 1 else f"{len(documents):,} documents are"
    return [Check("documents", True, False, f"{count} new, changed or gone: {named}")]


def _worst_first(
    sheet: PairedAnswers, among: np.ndarray, parts: Sequence[tuple[str, np.ndarray]], least: int = 1
) -> list[Paired]:
    """Each part of these rows that has so many of them."""
    found = [sheet.paired(name, rows & among) for name, rows in parts if (rows & among).sum() >= least]
    return sorted(found, key=lambda each: each.p_loss)


def _loss(sheet: PairedAnswers, metric: str, asked: "_Asked") -> tuple[Check, Json]:
    """The goal's metric may not fall by more than a point on the rows that are frozen: the test rows, and with them
    what judged earlier batches.

    It tells little of few rows and many labels; what the probabilities of the same rows are worth tells more. So a loss
    is believed unless that has risen; of the test rows alone, when it has fallen beyond chance; and in any case when
    its interval leaves no doubt. Gives the numbers of the test rows.
    """
    test, frozen = asked.of_task(0), asked.frozen
    is_alone = frozen.sum() == test.sum()
    found = [_fallen(sheet, metric, "the test rows", test, 1.0 if is_alone else LEVEL)]
    if not is_alone:
        found.append(_fallen(sheet, metric, "the test rows and earlier batches", frozen, 1.0))
    words, numbers = "; ".join(each[1] for each in found), found[0][2]
    holds = not any(each[0] for each in found)
    most = f", expected to lose at most 1 {sheet.points_are[0]}"
    return Check("loss", holds, True, words + most * (not holds)), numbers


def _fallen(sheet: PairedAnswers, metric: str, name: str, rows: np.ndarray, level: float) -> tuple[bool, str, Json]:
    """It is lost; in words; and the numbers. level: chance of what the probabilities lose, below which they confirm it;
    1: any loss does."""
    before, after, difference = sheet.goal(metric, rows)
    is_lost = difference.value < -MOST_LOSS
    words = (
        f"{metric_name(metric)} on {name} {told(before)} -> {told(after)}, {100 * difference.value:+.1f} "
        f"{sheet.points_are[1]} [{100 * difference.low:+.1f}, {100 * difference.high:+.1f}]"
    )
    worth = sheet.worth(rows)
    if is_lost and worth is not None:
        more = float((worth[1] - worth[0]).mean())
        is_lost = difference.high < -MOST_LOSS or (more <= 0 and by_chance(worth[1], worth[0]) <= level)
        words += f", while {sheet.worth_is[0]} are worth {100 * more:+.2f} points" * (not is_lost)
    numbers = {"before": before, "after": after, "value": difference.value}
    return is_lost, words, {**numbers, "low": difference.low, "high": difference.high}


def fallen_parts(sheet: PairedAnswers, rows: np.ndarray) -> list[Check]:
    """What has a measure of its own may not fall by more than `MOST_FALL`, where that is beyond chance."""
    found = [(each[4].value < -MOST_FALL and each[4].high < 0, *each) for each in sheet.falls(rows)]
    if not found:
        return []
    fallen, name, measure, before, after, difference = min(found, key=lambda each: (not each[0], each[5].value))
    words = (
        f"{measure} of '{name[:40]}' {told(before)} -> {told(after)}, {100 * difference.value:+.1f} points "
        f"[{100 * difference.low:+.1f}, {100 * difference.high:+.1f}]"
    )
    most = f", expected to lose at most {100 * MOST_FALL:g} points"
    return [Check("measures", not fallen, True, words + most * fallen)]


def _worth_more(sheet: PairedAnswers, rows: np.ndarray) -> list[Check]:
    """What the probabilities are worth has risen, where hardly fewer answers are right: a small gain shows there first.

    Source: a margin of no inferiority: Wellek 2010, Testing statistical hypotheses of equivalence and noninferiority.
    """
    worth = sheet.worth(rows)
    if worth is None or not rows.any():
        return []
    before, after = worth
    right, p = sheet.paired("all rows", rows), by_chance(before, after)
    p_worse = by_chance(before, after + NO_WORSE)
    is_sure, no_fewer = p < GAIN_LEVEL, right.before - right.after <= NO_WORSE
    is_likely = p < LIKELY and p_worse < LEVEL
    thing, measure = sheet.worth_is
    words = f"({measure}) {before.mean():.4f} -> {after.mean():.4f} on all rows that judge, p {p:.2g}"
    return [
        Check(
            "probabilities",
            no_fewer and (is_sure or is_likely),
            False,
            f"{thing} {'' if is_sure else 'likely ' if is_likely else 'not '}worth more {words}"
            + f", worse by {100 * NO_WORSE:g} points: p {p_worse:.2g}" * (not is_sure),
        )
    ]


def _changed(champion: Predictor, challenger: Predictor, exam: JudgedRows) -> Json:
    """How many of the champion's golden rows the challenger answers otherwise."""
    if not exam.golden:
        return {"rows": 0, "changed": 0}
    pairs = zip(champion.answer(exam.golden, exam.root), challenger.answer(exam.golden, exam.root), strict=True)
    return {"rows": len(exam.golden), "changed": sum(one.value != other.value for one, other in pairs)}


def _parts(name: str, kind: str, values: Sequence[Any]) -> list[tuple[str, np.ndarray]]:
    """Words and mask (n,) of each simple slice of a column."""
    told = kinds.get(kind)
    if told.size is not None:
        return thirds(name, [None if value is None else told.size.of(value) for value in values], *told.size.ends)
    if told.is_named:
        names = np.array([str(value or "") for value in values], object)
        return [(f"{name}: {level or 'missing'}", names == level) for level in sorted(set(names))]
    return []


def _lost_tasks(tasks: Sequence[Paired]) -> list[Check]:
    """What the test rows ask, and what earlier batches taught, is not forgotten."""
    worst = sorted(tasks, key=lambda task: task.p_loss)
    return [_none_lost("earlier", "earlier task", worst)] if len(tasks) > 1 else []


def _none_lost(name: str, one: str, parts: Sequence[Paired]) -> Check:
    """No part is lost beyond chance; all of them together may err with a chance of `LEVEL`."""
    steps = [part.loses(LEVEL / (len(parts) - place)) for place, part in enumerate(parts)]
    lost = [part for part, _ in takewhile(lambda step: step[1], zip(parts, steps, strict=True))]
    if lost:
        return Check(name, False, True, f"{one} '{lost[0].name}' is lost: {lost[0]}, p {lost[0].p_loss:.2g}")
    worst = f", the nearest to it '{parts[0].name}': {parts[0]}" if parts and parts[0].lost else ""
    return Check(name, True, True, f"none of {len(parts)} {name} is lost{worst}")


def _gain(name: str, where: str, pair: Paired) -> Check:
    holds = pair.gains(GAIN_LEVEL)
    verb = "better" if holds else "not better beyond chance"
    return Check(name, holds, False, f"{verb} on {where}: {pair}, p {pair.p_gain:.2g}")
