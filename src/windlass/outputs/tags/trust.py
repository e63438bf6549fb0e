"""Whose tags are believed: what the champion's probabilities say of the yes and no that somebody gave.

As of labels: the least likely yes or no of a set is what contradicts; how unlikely right ones are where the champion is
wrong, its own mistakes on test rows tell (see `outputs/labels/trust.py`).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from windlass.kinds import table as kinds
from windlass.kinds import tags
from windlass.outputs.labelled_row import ASIDE, WAITING, LabelledRow, Pairs
from windlass.outputs.labels.trust import FLOOR, LEAST_MISTAKES, MISTAKES, MOST_TESTED, unlikely
from windlass.outputs.tags.measures import tagger
from windlass.outputs.trust import Known, Opinion
from windlass.predictors.contract import Predictor
from windlass.predictors.tagger import Tagger
from windlass.spec import Spec


@dataclass(frozen=True)
class Given:
    """What was said of rows. least: (n,) probability of the yes or no that is least likely. surprise: (n,) in nats,
    more than tags drawn by the champion's probabilities have on average. is_wrong: (n,) bool, its answer is another.
    is_new: (n,) bool, with a tag that it does not know."""

    answers: list[str]
    least: np.ndarray
    surprise: np.ndarray
    is_wrong: np.ndarray
    is_new: np.ndarray


def opinion(rows: Sequence[LabelledRow], predictor: Predictor, known: Known, spec: Spec) -> Opinion:
    """How much the tags contradict the champion. Raises: DataError: a row cannot be read."""
    champion, tested = tagger(predictor), known.tested
    said = _given(champion, [(row.values, row.label) for row in rows], known.root)
    right = _given(champion, tested[:: max(1, -(-len(tested) // MOST_TESTED))], known.root)
    mistakes = np.sort(right.least[right.is_wrong])
    against = unlikely(len(champion.labels))  # of many yes and no the least likely one is rarer by chance
    limit = against if len(mistakes) < LEAST_MISTAKES else float(mistakes[int(MISTAKES * (len(mistakes) + 1)) - 1])
    return Opinion(
        answers=said.answers,
        doubts=(said.least <= min(limit, against)) & said.is_wrong,
        contradicts=(said.least <= against) & said.is_wrong,
        is_new=said.is_new,
        surprise=np.where(said.is_new, np.nan, said.surprise),
        known="the tags that the champion is sure of",
        otherwise="less likely, to the champion, than the right tags of nearly all its known mistakes",
    )


def _given(champion: Tagger, pairs: Pairs, root: Path | None) -> Given:
    if not pairs:
        empty = np.zeros(0)
        return Given([], empty, empty, empty > 0, empty > 0)
    column = champion.manifest.output
    probabilities = np.clip(champion.probabilities([row for row, _ in pairs], root), FLOOR, 1 - FLOOR)
    told = [kinds.of(column).read(label, None) or [] for _, label in pairs]
    truth = tags.encode(told, column.state) > 0
    answered = probabilities >= tags.thresholds(column.state)
    shares = np.where(truth, probabilities, 1 - probabilities)
    entropy = -(probabilities * np.log(probabilities) + (1 - probabilities) * np.log(1 - probabilities)).sum(axis=1)
    known = set(champion.labels)
    return Given(
        [tags.kept(answer.value) for answer in tags.decode(probabilities, column.state)],
        shares.min(axis=1),
        -np.log(shares).sum(axis=1) - entropy,
        (answered != truth).any(axis=1),
        np.array([not set(row) <= known for row in told]),
    )


def fit_to_learn(rows: Sequence[LabelledRow], train: Pairs, spec: Spec) -> list[LabelledRow]:
    """Rows with a tag that training does not know are set aside, or wait until there are enough of them."""
    read = kinds.get(spec.output[spec.output_column]).read
    known = {tag for _, label in train for tag in read(label, None) or ()}
    least = spec.improve.new_labels
    holders: dict[str, int] = defaultdict(int)
    new_of = [[tag for tag in read(row.label, None) or () if tag not in known] for row in rows]
    for new in new_of:
        for tag in new:
            holders[tag] += 1
    found = []
    for row, new in zip(rows, new_of, strict=True):
        if new and not least:
            words = f"the product does not know the tag '{new[0][:40]}' (`improve: {{new_labels: 10}}` allows it)"
            row = row.becomes(ASIDE, words)
        elif any(holders[tag] < least for tag in new):
            row = row.becomes(WAITING, f"a new tag needs {least} rows")
        found.append(row)
    return found
