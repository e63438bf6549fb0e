"""ALS and BPR through `implicit`: a vector for each item; the vector of a history is solved when it is asked for.

Sources: Hu, Koren & Volinsky 2008, ICDM (ALS); Rendle et al. 2009, UAI, arXiv:1205.2618 (BPR); the library:
github.com/benfred/implicit (MIT).
"""

from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from windlass.learners.recommend.interactions import Interactions
from windlass.learners.recommend.matrices import matrix
from windlass.predictors.recommend.factors import Factors
from windlass.predictors.recommend.taste import PLAIN, Taste

N_FACTORS, N_ROUNDS, SEED = 64, 15, 13


@dataclass(frozen=True)
class AlsSetting:
    """confidence: by how much what somebody wants counts more than what he has not met."""

    regularisation: float
    confidence: float
    n_factors: int = N_FACTORS


ALS_SETTINGS = (AlsSetting(10.0, 10.0), AlsSetting(30.0, 10.0), AlsSetting(100.0, 10.0), AlsSetting(30.0, 30.0))


def als(events: Interactions, setting: AlsSetting, taste: Taste = PLAIN, n_rounds: int = N_ROUNDS) -> Factors:
    """Alternating least squares."""
    from implicit.cpu.als import AlternatingLeastSquares

    trusted = matrix(events, taste)
    trusted.data = 1 + setting.confidence * trusted.data  # eq. 6: what is not met has 1
    with threadpool_limits(1, "blas"):  # implicit has threads of its own, and warns of others
        model = AlternatingLeastSquares(
            factors=setting.n_factors,
            regularization=setting.regularisation,
            iterations=n_rounds,
            random_state=SEED,
            num_threads=1,
        )
        model.fit(trusted, show_progress=False)
    items = np.asarray(model.item_factors, np.float32)
    return Factors(items, np.zeros(len(items), np.float32), setting.regularisation, setting.confidence, taste)


def bpr(events: Interactions, n_rounds: int, taste: Taste = PLAIN) -> Factors:
    """By pairs of what is wanted and what was not met; the last factor of an item is its bias."""
    from implicit.cpu.bpr import BayesianPersonalizedRanking

    with threadpool_limits(1, "blas"):
        model = BayesianPersonalizedRanking(
            factors=N_FACTORS,
            learning_rate=0.05,
            regularization=0.01,
            iterations=n_rounds,
            random_state=SEED,
            num_threads=1,
        )
        model.fit(matrix(events, taste), show_progress=False)
    whole = np.asarray(model.item_factors, np.float32)
    return Factors(np.ascontiguousarray(whole[:, :-1]), np.ascontiguousarray(whole[:, -1]), 1.0, 10.0, taste)
