"""Two quantiles of a number, by gradient-boosted trees of the train rows: where an interval begins whose width follows
the row.

Source: Koenker & Bassett 1978, Econometrica 46(1) (the loss); Romano, Patterson, Candès 2019, arXiv:1905.03222.
"""

from typing import Any

from windlass.metrics.numbers import SHARE

SHARES = ((1 - SHARE) / 2, (1 + SHARE) / 2)
"""Of right numbers that lie below the low quantile, and below the high one."""
N_FOLDS = 3
LEAST_LEAF = 50
"""Rows of a leaf at least: one in twenty of fewer is a guess."""


def objective(share: float) -> dict[str, Any]:
    """LightGBM's objective of a quantile: the pinball loss."""
    return {"objective": "quantile", "metric": "quantile", "alpha": share}


def settings(parameters: dict[str, Any], share: float) -> dict[str, Any]:
    """LightGBM's parameters for a quantile, from those for the number itself."""
    least = max(LEAST_LEAF, parameters["min_data_in_leaf"])
    kept = {name: value for name, value in parameters.items() if not name.startswith("monotone")}
    return {**kept, **objective(share), "min_data_in_leaf": least}
