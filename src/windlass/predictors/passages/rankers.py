"""Ways to put candidates in order: one leg, fusions of legs, a small model over features; each a candidate on a board.

Sources: reciprocal rank fusion, Cormack, Clarke & Büttcher 2009, SIGIR; boosted trees as rerankers: Burges 2010,
        MSR-TR-2010-82.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError, NotReady, expected
from windlass.predictors.passages.candidates import Candidates, n_features, pair_features
from windlass.predictors.passages.features import MATCHED, Question, all_matched
from windlass.predictors.passages.units import PassageUnits
from windlass.predictors.tables.trees import checked
from windlass.store.files import write_text
from windlass.store.json_files import read_json, reading

FILE, TREES = "ranker.json", "ranker.txt"
RRF, Z_SUM, WEIGHTED, LINEAR, BOOSTED, BOTH = "rrf", "z-sum", "weighted", "linear", "trees", "linear+trees"
DAMPING = 60
"""Of reciprocal rank fusion, as its authors chose it."""


@dataclass(frozen=True)
class Asked:
    """A question with its candidates; features are made when a ranker asks for them."""

    question: Question
    found: Candidates
    passages: PassageUnits
    rows: dict[int, np.ndarray] = field(default_factory=dict)

    @cached_property
    def features(self) -> np.ndarray:
        """(c, f) float32, as `pair_features` gives them."""
        new = [int(place) for place in self.found.places if int(place) not in self.rows]
        self.rows.update(zip(new, all_matched(self.question, self.passages, new), strict=True))
        matched = np.array([self.rows[int(place)] for place in self.found.places], np.float32)
        return pair_features(self.found, matched.reshape(-1, len(MATCHED)), self.question)


@dataclass(frozen=True)
class Ranker:
    """way: the name of a leg, or one of `WAYS`. legs: their names in the order of the columns; weights: (legs,) of
    `weighted`, (f + 1,) of `linear`, the last the bias; booster: of `trees`, its text was checked. Both give log odds,
    and `linear+trees` adds them."""

    way: str
    legs: tuple[str, ...]
    weights: tuple[float, ...] = ()
    booster: Any = None
    text: str = ""

    def scores(self, asked: Asked) -> np.ndarray:
        """(c,) float64 of the candidates, larger is better."""
        if not len(asked.found):
            return np.zeros(0)
        if self.way in self.legs:
            return asked.found.scores[:, self.legs.index(self.way)].astype(np.float64)
        return WAYS[self.way](self, asked)

    def save(self, folder: Path) -> None:
        values = {"way": self.way, "legs": list(self.legs), "weights": list(self.weights)}
        write_text(folder / FILE, json.dumps(values))
        if self.booster is not None:
            write_text(folder / TREES, self.text)


def _rrf(ranker: Ranker, asked: Asked) -> np.ndarray:
    return np.asarray((1.0 / (DAMPING + 1 + asked.found.ranks)).sum(axis=1))


def _z_sum(ranker: Ranker, asked: Asked) -> np.ndarray:
    return asked.found.scaled.astype(np.float64).sum(axis=1)


def _weighted(ranker: Ranker, asked: Asked) -> np.ndarray:
    return asked.found.scaled.astype(np.float64) @ np.asarray(ranker.weights)


def _linear(ranker: Ranker, asked: Asked) -> np.ndarray:
    return asked.features.astype(np.float64) @ np.asarray(ranker.weights[:-1]) + ranker.weights[-1]


def _boosted(ranker: Ranker, asked: Asked) -> np.ndarray:
    return np.asarray(ranker.booster.predict(asked.features, raw_score=True, num_threads=1))


def _both(ranker: Ranker, asked: Asked) -> np.ndarray:
    return _linear(ranker, asked) + _boosted(ranker, asked)


WAYS: dict[str, Callable[[Ranker, Asked], np.ndarray]] = {
    RRF: _rrf, Z_SUM: _z_sum, WEIGHTED: _weighted, LINEAR: _linear, BOOSTED: _boosted, BOTH: _both,
}  # fmt: skip
"""All but the first three need features."""


def order(found: Candidates, scores: np.ndarray) -> np.ndarray:
    """(c,) the candidates' numbers, the best first; of equals the passage with the smaller number."""
    return np.argsort(-scores, kind="stable")


def booster_of(text: str, n_given: int) -> tuple[Any, str]:
    """LightGBM's model of `n_given` features, written anew. Raises: ValueError: it is damaged."""
    import lightgbm

    sound = checked(text, n_given, 2)
    try:
        return lightgbm.Booster(model_str=sound), sound
    except lightgbm.basic.LightGBMError as error:
        raise ValueError(str(error)[:100]) from None


def booster_in(path: Path, n_given: int) -> tuple[Any, str]:
    """Raises: NotReady: it is not there. DataError: it is damaged."""
    if not path.is_file():
        raise NotReady(f"{path} does not exist, expected a part of the index", "build the index again")
    with reading(path, "a LightGBM model"):
        return booster_of(path.read_text(encoding="utf-8"), n_given)


def load(folder: Path, legs: Sequence[str]) -> Ranker:
    """Raises: NotReady: it is not there. DataError: it is damaged, or of other legs."""
    values, place = read_json(folder / FILE), folder / FILE
    with reading(place, "how candidates are put in order"):
        way, names = str(values["way"]), tuple(map(str, values["legs"]))
        weights = tuple(map(float, values["weights"]))
        booster, text = (None, "")
        if way in (BOOSTED, BOTH):
            booster, text = booster_in(folder / TREES, n_features(len(names)))
    wanted = {WEIGHTED: len(names), LINEAR: n_features(len(names)) + 1, BOTH: n_features(len(names)) + 1}.get(way, 0)
    if names != tuple(legs) or way not in (*names, *WAYS) or len(weights) != wanted or not np.isfinite(weights).all():
        raise DataError(f"{place} has the way '{way}' of {names}, expected {expected((*legs, *WAYS))} and its weights")
    return Ranker(way, names, weights, booster, text)
