"""The weighted sum of what several scorers say, each in units of its own spread over the items of one history."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from windlass.errors import DataError
from windlass.kinds.contract import is_finite
from windlass.predictors.recommend.scorer import SCORER, Because, Scorer
from windlass.records import Json
from windlass.store.json_files import read_json, write_json

FILE = "parts.json"


@dataclass(frozen=True)
class Part:
    """name: of its scorer in the table. weight: above 0."""

    name: str
    weight: float
    scorer: Scorer


@dataclass(frozen=True)
class Blended:
    parts: Sequence[Part]

    def scores(self, history: np.ndarray, weights: np.ndarray, times: np.ndarray, now: float) -> np.ndarray:
        """(n_items,) float32."""
        told = [part.weight * standardised(part.scorer.scores(history, weights, times, now)) for part in self.parts]
        return np.asarray(np.sum(told, axis=0), np.float32)

    def because(self, history: np.ndarray, weights: np.ndarray, times: np.ndarray, items: np.ndarray) -> np.ndarray:
        """(k, m) what each event adds, by the parts that tell; each in shares of what it adds at most to the item."""
        found = np.zeros((len(items), len(history)))
        for part in self.parts:
            if isinstance(part.scorer, Because) and len(history):
                adds = part.scorer.because(history, weights, times, items)
                most = np.abs(adds).max(axis=1, keepdims=True, initial=0.0)
                found += part.weight * adds / np.where(most > 0, most, 1.0)
        return found

    def save(self, folder: Path) -> None:
        write_json(folder / FILE, {"parts": [{"scorer": part.name, "weight": part.weight} for part in self.parts]})
        for number, part in enumerate(self.parts):
            place = folder / f"part-{number}"
            place.mkdir(parents=True, exist_ok=True)
            part.scorer.save(place)


def standardised(scores: np.ndarray) -> np.ndarray:
    """(n,) with mean 0 and spread 1; 0 where all are alike."""
    wide = scores.astype(np.float64)
    spread = float(wide.std())
    return (wide - wide.mean()) / spread if spread > 0 else np.zeros(len(wide))


def load(folder: Path, settings: Json, load_part: Callable[[Path, Json], Scorer]) -> Blended:
    """Raises: DataError: a part is damaged."""
    told = read_json(folder / FILE)
    parts = told.get("parts") if isinstance(told, dict) else None
    if not isinstance(parts, list) or not parts or not all(isinstance(each, dict) for each in parts):
        raise DataError(f"{folder / FILE} is damaged, expected scorers with their weights")
    if not all(is_finite(each.get("weight")) and each["weight"] > 0 for each in parts):
        raise DataError(f"{folder / FILE} is damaged, expected weights above 0")
    return Blended([
        Part(str(each.get(SCORER)), float(each["weight"]), load_part(folder / f"part-{number}", each))
        for number, each in enumerate(parts)
    ])  # fmt: skip
