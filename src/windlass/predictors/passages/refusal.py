"""How likely any passage answers a question, and from which likelihood on it is answered at the owner's risk.

Sources: Chow 1970, IEEE Trans. Inf. Theory 16(1) (refusing); Platt 1999 (calibration); Angelopoulos et al. 2021,
        arXiv:2110.01052 (a threshold whose risk holds with confidence).
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.predictors.passages.candidates import n_features
from windlass.predictors.passages.rankers import Asked, booster_in
from windlass.store.files import write_text
from windlass.store.json_files import read_json, reading

FILE, TREES = "refusal.json", "refusal.txt"
OF_LIST = ("best_score", "lead", "crowd")
"""Of the ranked candidates: the best score, how far it leads, and the log of how many are about as good."""


@dataclass(frozen=True)
class Refusal:
    """booster: over `refusal_features`; its raw score s means 1 / (1 + exp(-(scale * s + shift))). threshold: from this
    likelihood on it is answered; above 1: never."""

    booster: Any
    text: str
    scale: float
    shift: float
    threshold: float

    def answerable(self, features: np.ndarray) -> np.ndarray:
        """(n,) how likely a passage answers, of (n, f) features."""
        raw = np.asarray(self.booster.predict(features, raw_score=True, num_threads=1))
        return likelihood(raw, self.scale, self.shift)

    def save(self, folder: Path) -> None:
        values = {"scale": self.scale, "shift": self.shift, "threshold": self.threshold}
        write_text(folder / FILE, json.dumps(values))
        write_text(folder / TREES, self.text)


def likelihood(raw: np.ndarray, scale: float, shift: float) -> np.ndarray:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(scale * raw + shift, -500, 500))))


def refusal_features(asked: Asked, scores: np.ndarray) -> np.ndarray:
    """(f,) float32 of a question with candidates: `OF_LIST`, then the pair features of the best one."""
    best = int(np.argmax(scores))
    others = np.delete(scores, best)
    lead = float(scores[best] - others.max()) if len(others) else 0.0
    crowd = float(np.log(np.exp(np.clip(scores - scores[best], -50, 0)).sum()))
    return np.concatenate([[scores[best], lead, crowd], asked.features[best]]).astype(np.float32)


def load(folder: Path, n_legs: int) -> Refusal:
    """Raises: NotReady: it is not there. DataError: it is damaged."""
    values, place = read_json(folder / FILE), folder / FILE
    with reading(place, "a refusal model"):
        scale, shift, threshold = (float(values[name]) for name in ("scale", "shift", "threshold"))
    booster, sound = booster_in(folder / TREES, n_features(n_legs) + len(OF_LIST))
    if not np.isfinite([scale, shift, threshold]).all() or scale <= 0:
        raise DataError(f"{place} is damaged, expected finite numbers and a scale above 0")
    return Refusal(booster, sound, scale, shift, threshold)
