"""Learns how well evidence supports a sentence: from written pairs and from passages whose sentences are altered by rule.

Source: training by altered sentences as in FactCC, Kryściński et al. 2020, arXiv:1910.12840.
"""  # noqa: E501

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.predictors.reading.alignment import Synonyms
from windlass.predictors.reading.support import Evidence, Support, compare

PARAMETERS = {
    "objective": "binary",
    "learning_rate": 0.06,
    "num_leaves": 8,
    "min_data_in_leaf": 6,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 2.0,
    "verbose": -1,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
}
ROUNDS, FOLDS = 120, 8
CAUGHT = 0.96


@dataclass(frozen=True)
class Judged:
    """A sentence beside its evidence. group: those of one are held out together. weight: of it in training."""

    sentence: str
    evidence: Evidence
    is_supported: bool
    group: str
    weight: float = 1.0
    is_written: bool = True


def fit(judged: Sequence[Judged], synonyms: Synonyms, seed: int = 13, rounds: int = ROUNDS) -> Support:
    """The threshold lets CAUGHT of the written unsupported ones be dropped when their group is held out.

    Raises: DataError: there are not both supported and unsupported sentences.
    """
    rows = np.stack([compare(each.sentence, each.evidence, synonyms).values for each in judged])
    return fit_rows(rows, judged, synonyms, seed, rounds)


def fit_rows(
    rows: np.ndarray, judged: Sequence[Judged], synonyms: Synonyms, seed: int = 13, rounds: int = ROUNDS
) -> Support:
    """The same from what `compare` gave, (n, F)."""
    labels = np.array([each.is_supported for each in judged])
    if len(set(labels.tolist())) < 2:
        raise DataError("the sentences to learn from are all alike, expected supported and unsupported ones")
    held_out = probabilities(rows, judged, seed, rounds)
    written = np.array([each.is_written for each in judged])
    caught = np.sort(held_out[written & ~labels])
    threshold = float(np.quantile(caught, CAUGHT)) if len(caught) else 0.5
    booster = _booster(rows, judged, np.ones(len(labels), bool), PARAMETERS | {"seed": seed, "num_iterations": rounds})
    return Support(booster, synonyms, min(max(threshold, 0.05), 0.95))


def probabilities(rows: np.ndarray, judged: Sequence[Judged], seed: int = 13, rounds: int = ROUNDS) -> np.ndarray:
    """(n,) of each, by a model that has not seen its group."""
    groups = {group: number % FOLDS for number, group in enumerate(dict.fromkeys(each.group for each in judged))}
    fold = np.array([groups[each.group] for each in judged])
    found = np.zeros(len(judged))
    for number in sorted(set(fold.tolist())):
        booster = _booster(rows, judged, fold != number, PARAMETERS | {"seed": seed, "num_iterations": rounds})
        found[fold == number] = booster.predict(rows[fold == number], num_threads=1)
    return found


def _booster(rows: np.ndarray, judged: Sequence[Judged], kept: np.ndarray, parameters: dict[str, Any]) -> Any:
    import lightgbm

    labels = np.array([each.is_supported for each in judged], np.float32)
    weights = np.array([each.weight for each in judged])
    data = lightgbm.Dataset(rows[kept], labels[kept], weight=weights[kept], free_raw_data=False)
    return lightgbm.train(parameters, data)
