"""Whose labels are believed, and how many of them: a share a caller, and a look at labels that surprise the champion.

A label is surprising when the champion gives it little probability. Honest corrections surprise, too, but mildly: the
right answer is often the second or third. Labels made up, or turned against the truth, surprise far more.
Source: the own confidence of a label as its sign of error: Northcutt et al. 2021, Confident learning, arXiv:1911.00068.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from windlass.improving.likeness import alike, chance
from windlass.improving.taught import ASIDE, FILE, WAITING, Taught
from windlass.pages.words import percent
from windlass.predictors.contract import Labeller
from windlass.records import Row
from windlass.spec import Spec

LEAST_SEEN, DEVIATIONS, MORE_NATS = 8, 4.0, 1.0
"""Rows that disagree with the champion, of a caller and of the others, before they are compared; and by how many
standard errors and nats the caller's must be the more surprising."""
FLOOR = 1e-4
ALL = ""
SURE, UNLIKELY, MANY = 0.9, 0.02, 4
"""A label is doubted where the champion is this sure of another one and gives this one no more; so many rows that say
nearly the same, with one such label, are a campaign or a lesson: a person decides."""
LEAST_DOUBTED, MOST_DOUBTED, MOST_DOUBTED_NEW = 8, 1 / 3, 1 / 2
"""Where a larger share of all feedback, or of a label, contradicts what the champion is sure of, none is believed: what
is left without the doubted rows would be no truer. Labels that the champion does not know may do so more: of 15 labels
that came late to intent-banking77 one did, with 27 % of all their rows; of honest corrections 13 % do."""


@dataclass(frozen=True)
class Opinion:
    """What the champion thinks of rows. answers: its own; sure: of them, 0-1; given: probability of the label that
    was given, NaN where the champion does not know that label. All (n,)."""

    answers: Sequence[str]
    sure: np.ndarray
    given: np.ndarray
    known: ClassVar[str] = "what the champion is sure of"
    otherwise: ClassVar[str] = "the champion is sure of another answer"

    @property
    def disagrees(self) -> np.ndarray:
        """The given label is known, and another one is likelier."""
        return self.given < self.sure

    @property
    def doubts(self) -> np.ndarray:
        return (self.sure >= SURE) & (self.given <= UNLIKELY)

    @property
    def contradicts(self) -> np.ndarray:
        """As `doubts`, and rows with a label that the champion does not know where it is sure of one that it knows."""
        return self.doubts | ((self.sure >= SURE) & np.isnan(self.given))

    @property
    def surprise(self) -> np.ndarray:
        """In nats."""
        return -np.log(np.maximum(self.given, FLOOR))


def opinion(champion: Labeller, rows: Sequence[Taught], root: Path | None) -> Opinion:
    """root: of files that rows name. Raises: DataError: a row cannot be read."""
    probabilities = champion.probabilities([row.values for row in rows], root)
    place = {label: number for number, label in enumerate(champion.labels)}
    given = [
        probabilities[number, place[row.label]] if row.label in place else np.nan for number, row in enumerate(rows)
    ]
    best = probabilities.argmax(axis=1) if len(rows) else np.zeros(0, int)
    sure = probabilities.max(axis=1) if len(rows) else np.zeros(0)
    return Opinion([champion.labels[number] for number in best], sure, np.array(given, float))


def new_labels(rows: Sequence[Taught], train: Sequence[tuple[Row, str]], spec: Spec) -> list[Taught]:
    """Rows of labels that training does not know are set aside, or wait until there are enough of them."""
    least, labels = spec.improve.new_labels, {label for _, label in train}
    new: dict[str, list[Taught]] = defaultdict(list)
    for row in rows:
        if row.label not in labels:
            new[row.label].append(row)
    lone = len({row.who for row in rows}) < 2
    found = []
    for row in rows:
        if row.label in new and not least:
            row = row.becomes(ASIDE, "the product does not know the label (`improve: {new_labels: 10}` allows it)")
        elif row.label in new and len(new[row.label]) < least:
            row = row.becomes(WAITING, f"a new label needs {least} rows")
        elif row.label in new and not lone and {each.who for each in new[row.label]} == {row.who} != {FILE}:
            row = row.becomes(WAITING, "a new label needs a second caller")
        found.append(row)
    return found


def doubt(rows: Sequence[Taught], thought: Opinion, inputs: Mapping[str, str]) -> list[Taught]:
    """The rows, those that are not believed set aside for a person. Rows of a file are believed."""
    fed = np.array([row.source != FILE for row in rows], bool)
    callers = np.array([row.who for row in rows])
    strange = {who: words for who in sorted(set(callers[fed])) if (words := _stranger(who, callers, thought))}
    doubted = thought.doubts & fed
    campaigns = _campaigns(rows, doubted, inputs)
    untrue = _untrue(rows, fed & ~np.isin(callers, list(strange)), thought)
    alone = len(set(callers[fed])) < 2
    found = []
    for number, row in enumerate(rows):
        reason = ""
        if fed[number] and row.who in strange:
            reason = strange[row.who]
        elif fed[number] and (ALL in untrue or row.label in untrue):
            which = "" if ALL in untrue else " with this label"
            reason = f"too much of the feedback{which} contradicts {thought.known}"
        elif campaigns[number]:
            reason = f"many rows say nearly the same, against {thought.known}"
        elif doubted[number] and not alone:
            reason = thought.otherwise
        found.append(row.becomes(ASIDE, reason) if reason else row)
    return found


def _stranger(who: str, callers: np.ndarray, thought: Opinion) -> str:
    """Why this caller is not believed; empty: as believable as the others."""
    own = thought.surprise[(callers == who) & thought.disagrees]
    rest = thought.surprise[(callers != who) & thought.disagrees]
    if len(own) < LEAST_SEEN or len(rest) < LEAST_SEEN:
        return ""
    more = own.mean() - rest.mean()
    error = float(np.sqrt(own.var(ddof=1) / len(own) + rest.var(ddof=1) / len(rest)))
    if more < MORE_NATS or more < DEVIATIONS * error:
        return ""
    return f"caller {who}: corrections far less likely than those of the others"


def _untrue(rows: Sequence[Taught], believed: np.ndarray, thought: Opinion) -> set[str]:
    """Labels of which too much contradicts the champion; `ALL` among them: all feedback together does."""
    labels = np.array([row.label for row in rows], object)
    known = ~np.isnan(thought.given)
    groups = {ALL: (believed & known, MOST_DOUBTED)}
    for label in set(labels[believed]):
        own = believed & (labels == label)
        groups[label] = own, MOST_DOUBTED if known[own].all() else MOST_DOUBTED_NEW
    return {
        name
        for name, (own, most) in groups.items()
        if own.sum() >= LEAST_DOUBTED and thought.contradicts[own].mean() > most
    }


def _campaigns(rows: Sequence[Taught], doubted: np.ndarray, inputs: Mapping[str, str]) -> np.ndarray:
    """(n,) bool: doubted rows of which many say nearly the same."""
    marked = np.zeros(len(rows), bool)
    places = np.flatnonzero(doubted).tolist()
    groups = alike([rows[place].values for place in places], inputs, 0.5)
    sizes = Counter(zip(groups.tolist(), [rows[place].label for place in places], strict=True))
    for place, group in zip(places, groups, strict=True):
        marked[place] = sizes[group, rows[place].label] >= MANY
    return marked


def cap(rows: Sequence[Taught], most: float) -> list[Taught]:
    """The rows, those that are more than their caller may give left waiting.

    A caller gives at most this share of a batch. Fewer than 1 / share callers cannot fill a batch that way: then none
    gives more than an equal share; and a caller who is the only source gives all. Rows of a file are vouched for by
    whoever names it, and not capped. Which rows of a caller are taken is decided by a hash, so that neither a burst nor
    the newest row is favoured.
    """
    counts = Counter(row.who for row in rows if row.source != FILE)
    if len(counts) < 2:
        return list(rows)
    share = max(most, 1 / len(counts))
    allowed = _allowed(list(counts.values()), len(rows) - counts.total(), share)
    taken: Counter[str] = Counter()
    found = list(rows)
    for place in sorted(range(len(rows)), key=lambda place: chance(rows[place].answer)):
        row = rows[place]
        taken[row.who] += 1
        if row.source != FILE and taken[row.who] > allowed:
            found[place] = row.becomes(WAITING, f"caller {row.who} gives at most {percent(share)} of a batch")
    return found


def _allowed(counts: Sequence[int], free: int, share: float) -> int:
    """The most rows that each caller may give so that none has more than the share of what is then taken."""
    for most in range(max(counts), 1, -1):
        if most <= share * (free + sum(min(count, most) for count in counts)) + 1e-9:
            return most
    return 1
