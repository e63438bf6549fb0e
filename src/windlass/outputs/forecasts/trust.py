"""Whose report of what came true is believed: how far it lies from the forecast, against how far others do."""

from collections.abc import Sequence

import numpy as np

from windlass.outputs.forecasts.measures import forecaster
from windlass.outputs.labelled_row import LabelledRow
from windlass.outputs.trust import Known, Opinion
from windlass.predictors.contract import Predictor
from windlass.spec import Spec

FAR, OFF = 6.0, 3.0
"""Times the usual error of rows with known answers from which on a report is doubted, and contradicts."""
MOST_TESTED = 500
BEYOND = 1_000.0
"""So many scales off nothing is believed, whoever says it: one such number would outweigh all that was learned."""


def opinion(rows: Sequence[LabelledRow], predictor: Predictor, known: Known, spec: Spec) -> Opinion:
    """How much the reports contradict the champion. Raises: DataError: a row cannot be read."""
    champion = forecaster(predictor)
    given = champion.marks([row.values for row in rows], [row.label for row in rows], known.root)
    tested = known.tested[:: max(1, -(-len(known.tested) // MOST_TESTED))]
    usual = (
        champion.marks([row for row, _ in tested], [right for _, right in tested], known.root).row_losses
        if tested
        else np.ones(1)
    )
    losses, most = given.row_losses, max(float(np.quantile(usual, 0.99)), 1e-9)
    level = f"{BEYOND:,.0f} times what repeating the last season is off by"
    return Opinion(
        answers=[[round(float(value), 6) for value in row] for row in given.values],
        doubts=losses > FAR * most,
        contradicts=losses > OFF * most,
        is_new=np.zeros(len(rows), bool),
        surprise=np.minimum(losses / max(float(usual.mean()), 1e-9), 9.0) - 1,
        impossible=dict.fromkeys(np.flatnonzero(losses > BEYOND).tolist(), f"off by more than {level}"),
        known="what the champion foresees",
        otherwise=f"farther from the forecast than {FAR:g} times what 99 % of known rows are",
    )
