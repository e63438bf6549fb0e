"""Learns which sentence holds the answer from questions whose answer's place is known: trees by LambdaRank.

Source: LambdaMART, Burges 2010, MSR-TR-2010-82; LightGBM, Ke et al. 2017.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from windlass.errors import DataError
from windlass.predictors.reading.sentences import Near, Rarity, Retrieved, SentenceRanker, features

PARAMETERS = {
    "objective": "lambdarank",
    "lambdarank_truncation_level": 5,
    "learning_rate": 0.04,
    "num_leaves": 15,
    "min_data_in_leaf": 40,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "verbose": -1,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
}
ROUNDS = 250


@dataclass(frozen=True)
class Asked:
    """A question with what was retrieved for it, and where answers stand. answers: (passage id, start, end)."""

    question: str
    passages: Sequence[Retrieved]
    answers: Sequence[tuple[str, int, int]]


def holds(asked: Asked, passage: str, start: int, end: int) -> bool:
    """True where the sentence from start to end of this passage holds one of the answers wholly."""
    return any(id_ == passage and start <= first and last <= end for id_, first, last in asked.answers)


def examples(asked: Asked, rarity: Rarity, near: Sequence[Near] = ()) -> tuple[np.ndarray, np.ndarray]:
    """(S, F) features and (S,) whether each sentence holds the answer."""
    places, rows = features(asked.question, asked.passages, rarity, near)
    labels = [holds(asked, asked.passages[rank].id, start, end) for rank, start, end in places]
    return rows, np.array(labels, np.float32)


def fit(
    asked: Sequence[Asked], rarity: Rarity, near: Sequence[Near] = (), seed: int = 13, rounds: int = ROUNDS
) -> SentenceRanker:
    """Raises: DataError: no question has its answer among the sentences."""
    found = [examples(each, rarity, near) for each in asked]
    return fit_examples([each for each in found if each[1].any()], rarity, near, seed, rounds)


def fit_examples(
    found: Sequence[tuple[np.ndarray, np.ndarray]],
    rarity: Rarity,
    near: Sequence[Near] = (),
    seed: int = 13,
    rounds: int = ROUNDS,
    weights: Sequence[float] | None = None,
) -> SentenceRanker:
    """Of what `examples` gave for each question. weights: of each; None: all are alike. Raises: DataError: there is none."""  # noqa: E501
    import lightgbm

    if not found:
        raise DataError("no question has its answer in one sentence of its passages, expected some to learn from")
    rows, labels = np.concatenate([each[0] for each in found]), np.concatenate([each[1] for each in found])
    sizes = [len(each[1]) for each in found]
    of_each = None if weights is None else np.repeat(weights, sizes)
    data = lightgbm.Dataset(rows, labels, group=sizes, weight=of_each, free_raw_data=False)
    booster = lightgbm.train(PARAMETERS | {"seed": seed}, data, rounds)
    return SentenceRanker(booster, rarity, tuple(near))
