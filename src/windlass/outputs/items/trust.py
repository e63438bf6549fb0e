"""Whose events are believed: what somebody did is no opinion."""

from collections.abc import Sequence

import numpy as np

from windlass.outputs.items.measures import items_of, recommender
from windlass.outputs.labelled_row import LabelledRow
from windlass.outputs.trust import Known, Opinion
from windlass.predictors.contract import Predictor
from windlass.spec import Spec


def opinion(rows: Sequence[LabelledRow], predictor: Predictor, known: Known, spec: Spec) -> Opinion:
    """Nothing is doubted: tastes differ, and shares of callers bound what one of them may teach."""
    champion = recommender(predictor)
    no = np.zeros(len(rows), bool)
    given = [items_of(each.value) for each in champion.answer([row.values for row in rows], known.root)]
    return Opinion(
        answers=[items[:1] for items in given],
        doubts=no,
        contradicts=no,
        is_new=no,
        surprise=np.full(len(rows), np.nan),
        known="what the champion recommends",
        otherwise="another item than any that was recommended",
    )
