"""What a linear model is fitted to."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Lesson:
    """targets: (n,) as `rows.Encoded` has them; weights: (n,) how much each row counts, None: all the same.

    n_scores: numbers a row that the model gives. strength: of the regularisation, as the model counts it. loss: what
    an error costs, where there is a choice.
    """

    targets: np.ndarray
    weights: np.ndarray | None
    n_scores: int
    strength: float
    seed: int
    loss: str = ""
