"""How rows were labelled when the release was made: the mix of the answers, how sure they were, whether rightly."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from windlass.outputs.contract import Kept, Seen
from windlass.outputs.reference_profile import LEAST_OF_NOW, answered, evenly, held_rows, kept_rows
from windlass.predictors.contract import Predictor
from windlass.records import Recent, Splits

LEAST_ASKED = 100
"""Rows that must have been asked lately to tell the shares of the labels."""


def kept(splits: Splits, predictor: Predictor, recent: Recent | None, most: int) -> list[Kept]:
    """Rows that were not trained on; with recent ones each label as often as it is asked for now."""
    if recent is None:
        return kept_rows(splits, predictor, None, most)
    return _as_asked(splits, predictor, recent, most)


def _as_asked(splits: Splits, predictor: Predictor, recent: Recent, most: int) -> list[Kept]:
    """Rows whose label is known, in the shares in which labels are asked for; so many that none is too scarce for its
    share, where that leaves `LEAST_OF_NOW`."""
    held, output = [*recent.judging, *held_rows(splits)], splits.output_column
    rows: dict[str, list[Kept]] = defaultdict(list)
    for known in [*((row, True) for row in held), *((row, False) for row in recent.learned)]:
        rows[known[0][output]].append(known)
    shares = _shares(splits, predictor, recent)
    enough = min((len(rows[label]) / share for label, share in shares.items() if rows[label]), default=0.0)
    total = min(most, max(LEAST_OF_NOW, enough))
    return [known for label, share in shares.items() for known in evenly(rows[label], round(total * share))]


def _shares(splits: Splits, predictor: Predictor, recent: Recent) -> dict[str, float]:
    """Label -> its share of what is asked for: by the answers to what was asked last; where little of that was kept,
    half as in the rows that came in use, half as in the others."""
    if len(recent.asked) >= LEAST_ASKED:
        found = Counter(str(answer.value) for answer in answered(predictor, recent.asked, splits.root))
        return _normal(found)
    output = splits.output_column
    parts = [[*recent.judging, *recent.learned], held_rows(splits)]
    halves = [_normal(Counter(row[output] for row in part)) for part in parts if part]
    labels = sorted({label for half in halves for label in half})
    return {label: sum(half.get(label, 0.0) for half in halves) / len(halves) for label in labels}


def _normal(counts: Mapping[str, int]) -> dict[str, float]:
    total = sum(counts.values())
    return {label: count / total for label, count in sorted(counts.items())}


def seen(predictor: Predictor, rows: Sequence[Kept], splits: Splits) -> Seen:
    """How sure it is and whether it is right are told of rows alone that were not trained on."""
    answers, output = answered(predictor, [row for row, _ in rows], splits.root), splits.output_column
    held = [(answer, row[output]) for answer, (row, is_held) in zip(answers, rows, strict=True) if is_held]
    return Seen({
        "mix": dict(Counter(str(answer.value) for answer in answers)),
        "confidence": [round(answer.confidence or 0.0, 4) for answer, _ in held],
        "right": [int(str(answer.value) == str(label)) for answer, label in held],
    })  # fmt: skip
