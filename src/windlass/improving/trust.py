"""Whose labels are believed, and how many of them: a share a caller, and a look at labels that surprise the champion.

What an answer that was given contradicts is the output's affair (`Opinion`). Honest corrections surprise, too, but
mildly; those made up, or turned against the truth, surprise far more.
Rows that were learned before are counted where shares are taken: without them what is left of honest feedback is what
is doubtful of it, and looks like a lie.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy.stats import binom

from windlass.outputs.labelled_row import ASIDE, FILE, WAITING, LabelledRow
from windlass.outputs.trust import Opinion
from windlass.pages.text.words import percent
from windlass.sources.near_duplicates import alike, chance

LEAST_SEEN, DEVIATIONS, MORE_NATS = 8, 4.0, 1.0
"""Rows of a caller, and of the others, before they are compared; and by how many standard errors and nats the caller's
must be the more surprising on average. Of the others none counts for more than so many rows."""
MANY = 4
"""So many rows that say nearly the same, with one doubted answer, are a campaign or a lesson: a person decides."""
LEAST_DOUBTED, MOST_DOUBTED, BY_CHANCE = 8, 1 / 4, 0.01
"""Where a larger share of feedback, or of a label, contradicts what the champion is sure of, beyond chance, it is not
believed: what is left without the doubted rows would be no truer. Of honest corrections 13 % do."""
BURST, BURST_LABEL = 100, 40
"""Feedback in a row, of all and of a label, that is judged by itself: a long honest history hides no burst of lies."""


def doubt(
    rows: Sequence[LabelledRow], thought: Opinion, inputs: Mapping[str, str], settled: Sequence[LabelledRow]
) -> list[LabelledRow]:
    """The rows, those that are not believed set aside for a person. Rows of a file are believed.

    settled: feedback that was believed before.
    """
    # 1. Whole callers first: the labels of one who is not believed must not count against what the others say.
    fed = np.array([row.who != FILE for row in rows], bool)
    before = [row for row in settled if row.who != FILE]
    strange = _strangers(rows, fed, before, thought)
    impossible = np.array([place in thought.impossible for place in range(len(rows))], bool)
    believed = fed & ~impossible & np.array([row.who not in strange for row in rows], bool)
    # 2. Then what only many rows show together: each of them alone may be an honest surprise.
    doubted = thought.doubts & fed
    campaigns = _campaigns(rows, doubted, inputs)
    untrue = _untrue(rows, believed, before, thought)
    strays = _strays(rows, believed & thought.is_new, thought)
    is_alone = len({row.who for row, is_fed in zip(rows, fed, strict=True) if is_fed}) < 2
    # 3. A row is told the widest reason that holds: what speaks against a caller says more than what against a row.
    found = []
    for number, row in enumerate(rows):
        fate, reason = ASIDE, ""
        if fed[number] and row.who in strange:
            reason = f"caller {row.who}: labels far less likely than those of the others"
        elif fed[number] and impossible[number]:
            reason = thought.impossible[number]
        elif untrue[number]:
            reason = untrue[number]
        elif believed[number] and row.label in strays:
            fate, reason = strays[row.label]
        elif campaigns[number]:
            reason = f"many rows say nearly the same, against {thought.known}"
        elif doubted[number] and not is_alone:
            reason = thought.otherwise
        surprise = float(np.nan_to_num(thought.surprise[number]))
        found.append(row.becomes(fate, reason) if reason else replace(row, surprise=surprise))
    return found


def _strangers(
    rows: Sequence[LabelledRow], fed: np.ndarray, settled: Sequence[LabelledRow], thought: Opinion
) -> set[str]:
    """Callers whose labels surprise far more than those of the others, on average of all that they ever gave."""
    seen: dict[str, list[float]] = defaultdict(list)
    for place in np.flatnonzero(fed & ~np.isnan(thought.surprise)).tolist():
        seen[rows[place].who].append(float(thought.surprise[place]))
    for row in settled:
        seen[row.who].append(row.surprise)
    values = {who: np.array(each) for who, each in seen.items()}
    return {who for who in values if _is_strange(who, values)}


def _is_strange(who: str, values: Mapping[str, np.ndarray]) -> bool:
    own, others = values[who], [each for other, each in values.items() if other != who]
    weights = [min(len(each), LEAST_SEEN) for each in others]
    if len(own) < LEAST_SEEN or sum(weights) < LEAST_SEEN:
        return False
    more = own.mean() - np.average([each.mean() for each in others], weights=weights)
    return bool(more >= max(MORE_NATS, DEVIATIONS * own.std(ddof=1) / np.sqrt(len(own))))


def _untrue(
    rows: Sequence[LabelledRow], believed: np.ndarray, settled: Sequence[LabelledRow], thought: Opinion
) -> list[str]:
    """Why rows are not believed together with those that came beside them; empty where they are."""
    every = [*rows, *settled]
    counted = np.concatenate([believed & ~thought.is_new, np.ones(len(settled), bool)])
    against = np.concatenate([thought.contradicts & believed, np.zeros(len(settled), bool)])
    labels = np.array([row.label for row in every], object)
    order = np.argsort([row.at for row in every], kind="stable")
    order = order[counted[order]]
    groups = [("", burst) for burst in _bursts(order, BURST)]
    counts = Counter(labels[order].tolist())
    for label in sorted(name for name, count in counts.items() if count >= LEAST_DOUBTED):
        groups += [(" with this label", burst) for burst in _bursts(order[labels[order] == label], BURST_LABEL)]
    found = [""] * len(rows)
    for which, places in groups:
        if _too_much(against[places]):
            for place in places[places < len(rows)].tolist():
                found[place] = found[place] or f"too much of the feedback{which} contradicts {thought.known}"
    return found


def _bursts(places: np.ndarray, size: int) -> list[np.ndarray]:
    """Parts of about this size, in order."""
    return np.array_split(places, max(1, round(len(places) / size))) if len(places) else []


def _too_much(against: np.ndarray) -> bool:
    n_rows, n_against = len(against), int(against.sum())
    return n_rows >= LEAST_DOUBTED and bool(binom.sf(n_against - 1, n_rows, MOST_DOUBTED) < BY_CHANCE)


def _strays(rows: Sequence[LabelledRow], is_new: np.ndarray, thought: Opinion) -> dict[str, tuple[str, str]]:
    """New labels whose rows are not told from those of labels that the product knows, with their fate and why."""
    places: dict[str, list[int]] = defaultdict(list)
    for place in np.flatnonzero(is_new).tolist():
        places[rows[place].label].append(place)
    found = {}
    for label, own in places.items():
        told = thought.is_separable([rows[place] for place in own], [thought.answers[place] for place in own])
        if told is None:
            found[label] = WAITING, "a new label that cannot be told from those the product knows yet"
        elif not told:
            found[label] = ASIDE, "a new label that cannot be told from those the product knows"
    return found


def _campaigns(rows: Sequence[LabelledRow], doubted: np.ndarray, inputs: Mapping[str, str]) -> np.ndarray:
    """(n,) bool: doubted rows of which many say nearly the same."""
    marked = np.zeros(len(rows), bool)
    places = np.flatnonzero(doubted).tolist()
    groups = alike([rows[place].values for place in places], inputs, 0.5)
    sizes = Counter(zip(groups.tolist(), [rows[place].label for place in places], strict=True))
    for place, group in zip(places, groups, strict=True):
        marked[place] = sizes[group, rows[place].label] >= MANY
    return marked


def cap(rows: Sequence[LabelledRow], most: float) -> list[LabelledRow]:
    """The rows, those that are more than their caller may give left waiting.

    A caller gives at most this share of a batch. Fewer than 1 / share callers cannot fill a batch that way: then none
    gives more than an equal share; and a caller who is the only source gives all. Rows of a file are vouched for by
    whoever names it, and not capped. Which rows of a caller are taken is decided by a hash, so that neither a burst nor
    the newest row is favoured.
    """
    counts = Counter(row.who for row in rows if row.who != FILE)
    if len(counts) < 2:
        return list(rows)
    share = max(most, 1 / len(counts))
    allowed = _allowed(list(counts.values()), len(rows) - counts.total(), share)
    taken: Counter[str] = Counter()
    found = list(rows)
    for place in sorted(range(len(rows)), key=lambda place: chance(rows[place].answer)):
        row = rows[place]
        taken[row.who] += 1
        if row.who != FILE and taken[row.who] > allowed:
            found[place] = row.becomes(WAITING, f"caller {row.who} gives at most {percent(share)} of a batch")
    return found


def _allowed(counts: Sequence[int], free: int, share: float) -> int:
    """The most rows that each caller may give so that none has more than the share of what is then taken."""
    for most in range(max(counts), 1, -1):
        if most <= share * (free + sum(min(count, most) for count in counts)) + 1e-9:
            return most
    return 1
