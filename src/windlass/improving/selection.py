"""What becomes of each row that somebody labelled: learned, kept to judge by, set aside with a reason, or waiting.

Nothing is dropped in silence. The order matters: what could leak is taken out first, then what contradicts, then what
is not believed, and the shares of the callers are of what is left.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from windlass.improving.trust import cap, doubt
from windlass.outputs import table as outputs
from windlass.outputs.contract import Output
from windlass.outputs.labelled_row import ASIDE, FILE, JUDGING, LEARNED, WAITING, LabelledRow
from windlass.outputs.trust import Known
from windlass.predictors.contract import Predictor
from windlass.records import Json
from windlass.sources.near_duplicates import alike, chance, key, near
from windlass.spec import Spec

JUDGING_SHARE = 0.25
"""Of the new rows: they are never learned, and judge this champion and all that come."""
CLEAR = 2 / 3
"""Of the callers that labelled the same row must agree, or a person decides."""


def decide(rows: Sequence[LabelledRow], known: Known, champion: Predictor, spec: Spec) -> list[LabelledRow]:
    """Every row with its fate. Rows that were learned before, with the same label, are not among them."""
    output = outputs.of(spec)

    def doubted(left: list[LabelledRow]) -> list[LabelledRow]:
        return doubt(left, output.opinion(left, champion, known, spec), spec.inputs, settled)

    settled = [known.learned[row.answer] for row in rows if not row.fate and known.has(row)]
    found = [row for row in rows if row.fate or not known.has(row)]
    found = _undecided(found, lambda left: _apart(left, known, spec.inputs, output))
    if output.asks_once:
        found = _undecided(found, lambda left: _agreed(left, spec.inputs, output.same))
    found = _undecided(found, lambda left: output.unfit(left, known.train, spec))
    found = _undecided(found, doubted)
    found = _undecided(found, lambda left: cap(left, spec.improve.caller_share))
    found = _undecided(found, lambda left: _once(left, spec.inputs))
    if output.continued is not None:  # what came last judges, whoever's it is
        return _undecided(found, lambda left: [row.becomes(LEARNED) for row in left])
    return _undecided(found, lambda left: _parted(left, spec.inputs))


def _undecided(
    rows: Sequence[LabelledRow], step: Callable[[list[LabelledRow]], list[LabelledRow]]
) -> list[LabelledRow]:
    """The rows, those without a fate as the step leaves them."""
    after = iter(step([row for row in rows if not row.fate]))
    return [row if row.fate else next(after) for row in rows]


def _apart(rows: Sequence[LabelledRow], known: Known, inputs: Mapping[str, str], output: Output) -> list[LabelledRow]:
    """Set aside: what is nearly a row that judges, and what the training rows say already, or say otherwise."""
    labels: dict[str, list[Any]] = {key(row, inputs): output.rights(label) for row, label in known.train}
    judged = near([row.values for row in rows], known.held, inputs)
    found = []
    for row, place in zip(rows, judged, strict=True):
        trained = labels.get(key(row.values, inputs))
        if place >= 0:
            row = row.becomes(ASIDE, "nearly the same as a row that judges")
        elif trained is not None and row.label in trained:
            row = row.becomes(ASIDE, "a training row says so already")
        elif trained is not None and output.asks_once and row.answer not in known.learned:
            row = row.becomes(ASIDE, "a training row says otherwise")
        found.append(row)
    return found


def _agreed(
    rows: Sequence[LabelledRow], inputs: Mapping[str, str], is_same: Callable[[Any, Any], bool]
) -> list[LabelledRow]:
    """One row of those that are the same: a file decides, else most of the callers; without a majority a person."""
    groups: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        groups[key(row.values, inputs)].append(place)
    found = list(rows)
    for places in groups.values():
        right = _majority([rows[place] for place in places], is_same)
        first = True
        for place in reversed(places):  # the newest is kept
            row = rows[place]
            if right is None:
                found[place] = row.becomes(ASIDE, "callers disagree about the same row")
            elif not is_same(row.label, right):
                found[place] = row.becomes(ASIDE, "most callers say otherwise of the same row")
            elif first:
                first = False
            else:
                found[place] = row.becomes(ASIDE, "the same as another new row")
    return found


def _majority(rows: Sequence[LabelledRow], is_same: Callable[[Any, Any], bool]) -> Any:
    """The answer that counts; None: there is none. A caller has one vote, his last one; who names a file decides."""
    votes = {row.who: row.label for row in rows}
    if FILE in votes:
        return votes[FILE]
    shared = {label: sum(is_same(label, other) for other in votes.values()) for label in votes.values()}
    label = max(shared, key=lambda each: shared[each])
    return label if shared[label] >= CLEAR * len(votes) else None


def _once(rows: Sequence[LabelledRow], inputs: Mapping[str, str]) -> list[LabelledRow]:
    """One of the rows that say nearly the same: copies are no more evidence than one row, to learn or to judge by."""
    seen: set[tuple[int, str]] = set()
    found = []
    for row, group in zip(rows, alike([row.values for row in rows], inputs).tolist(), strict=True):
        said = (group, row.label)
        found.append(row.becomes(ASIDE, "nearly the same as another new row") if said in seen else row)
        seen.add(said)
    return found


def _parted(rows: Sequence[LabelledRow], inputs: Mapping[str, str]) -> list[LabelledRow]:
    """Learned, or kept to judge by: by a hash of what was asked, so that a row is always on the same side, and what is
    nearly the same as a row that judges judges, too."""
    judges = [chance(key(row.values, inputs)) < JUDGING_SHARE for row in rows]
    by = [row.values for row, is_judge in zip(rows, judges, strict=True) if is_judge]
    copies = near([row.values for row in rows], by, inputs) >= 0
    return [
        row.becomes(JUDGING if is_judge or copy else LEARNED)
        for row, is_judge, copy in zip(rows, judges, copies, strict=True)
    ]


def counts(rows: Sequence[LabelledRow]) -> Json:
    """How many rows have which fate, why, and whose they are."""
    reasons: dict[str, Counter[str]] = {ASIDE: Counter(), WAITING: Counter()}
    sources: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        sources[row.who][row.fate] += 1
        if row.fate in reasons:
            reasons[row.fate][row.reason] += 1
    fates = Counter(row.fate for row in rows)
    return {
        "given": len(rows),
        LEARNED: fates[LEARNED],
        JUDGING: fates[JUDGING],
        ASIDE: dict(reasons[ASIDE].most_common()),
        WAITING: dict(reasons[WAITING].most_common()),
        "callers": {who: dict(found) for who, found in sorted(sources.items())},
    }


def back_to_waiting(rows: Sequence[LabelledRow], reason: str) -> list[LabelledRow]:
    """The rows when what was learned from them is not used: they wait for the next attempt."""
    return [row.becomes(WAITING, reason) if row.fate in (LEARNED, JUDGING) else row for row in rows]
