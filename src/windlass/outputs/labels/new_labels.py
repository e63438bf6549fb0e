"""Which labels that training does not know may be learned: enough rows, two callers, and told apart from what is known.

A champion is often sure of an old label where a new one is right: it has never seen the new one. So what is asked is
whether a cheap model, on rows that it has not learned, tells the new label from the old ones that the champion takes it
for. Labels that were made up, or that rename an old one, cannot be told apart.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from windlass.outputs.labelled_row import ASIDE, FILE, WAITING, LabelledRow, Pairs
from windlass.outputs.trust import Known
from windlass.sources.near_duplicates import alike
from windlass.spec import Spec

N_FOLDS, MOST_ROWS, MOST_KNOWN = 5, 400, 2_000
APART, ERRORS = 0.8, 3.0
"""Chance that a row of the new label is given more of it than a row of the old label, and the standard errors by which
that must exceed one half, or stay below, for a sure word."""


def fit_to_learn(rows: Sequence[LabelledRow], train: Pairs, spec: Spec) -> list[LabelledRow]:
    """Rows of labels that training does not know are set aside, or wait until there are enough of them."""
    least, labels = spec.improve.new_labels, {label for _, label in train}
    new: dict[str, list[LabelledRow]] = defaultdict(list)
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


def is_separable(
    rows: Sequence[LabelledRow], answers: Sequence[str], known: Known, inputs: Mapping[str, str]
) -> bool | None:
    """Rows of one new label are told, by a model that has not learned them, from train rows of the labels that the
    champion answers to them (answers, a row each). None: so few rows do not say."""
    step = max(1, -(-len(rows) // MOST_ROWS))
    rows, answers = rows[::step], answers[::step]
    old = [pair for pair in known.train if pair[1] in set(answers)]
    old = old[:: max(1, -(-len(old) // MOST_KNOWN))]
    every = [*((row.values, row.label) for row in rows), *((row, f"not {rows[0].label}") for row, _ in old)]
    folds = alike([row for row, _ in every], inputs) % N_FOLDS
    given = np.full(len(every), np.nan)
    for fold in range(N_FOLDS):
        learned = [pair for pair, own in zip(every, folds, strict=True) if own != fold]
        held = np.flatnonzero(folds == fold)
        if len({label for _, label in learned}) == 2 and len(held):
            given[held] = known.cheap(learned, [every[place][0] for place in held], rows[0].label)
    mine, theirs = given[: len(rows)], given[len(rows) :]
    labels = np.array([label for _, label in old], object)
    chances = np.array([_above(mine[place], theirs[labels == answer]) for place, answer in enumerate(answers)])
    chances = chances[~np.isnan(chances)]
    if len(chances) < 2:
        return None
    mean, error = chances.mean(), ERRORS * chances.std(ddof=1) / np.sqrt(len(chances))
    if mean >= APART and mean - error >= 0.5:
        return True
    return False if mean + error < APART else None


def _above(one: float, others: np.ndarray) -> float:
    """Share of the others that are below; ties count half, and what was not asked does not."""
    others = others[~np.isnan(others)]
    if np.isnan(one):
        return np.nan
    return float(((others < one) + 0.5 * (others == one)).mean()) if len(others) else np.nan
