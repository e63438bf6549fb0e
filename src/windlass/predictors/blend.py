"""Answers with the mean of what several artifacts say that lie inside this one: probabilities, or numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from windlass.errors import DataError
from windlass.kinds import number
from windlass.kinds.contract import Batch
from windlass.metrics.measures import softmax
from windlass.predictors.contract import Engine, Predictor, Scorer, n_scores
from windlass.predictors.tagger import shares_of
from windlass.records import Manifest

NEAR = 1e-12
"""Of probabilities: nearer to 0, or of a tag to 1, none is told apart."""


def part_folder(folder: Path, number: int) -> Path:
    return folder / f"part-{number}"


def load(folder: Path, manifest: Manifest, load_part: Callable[[Path], Predictor]) -> Engine:
    """One artifact a weight in `settings.weights`; the manifest's inputs are those of the parts, one after the other.

    Raises: DataError: a part is damaged, or not what the manifest says.
    """
    weights = manifest.settings.get("weights", [])
    if not isinstance(weights, list) or not all(isinstance(weight, float) and 0 < weight <= 1 for weight in weights):
        raise DataError(f"{folder} is a blend with the weights {str(weights)[:80]}, expected shares between 0 and 1")
    parts = [load_part(part_folder(folder, number)) for number in range(len(weights))]
    inputs = [column for part in parts for column in part.manifest.inputs]
    if not parts or inputs != list(manifest.inputs):
        raise DataError(
            f"{folder} is a blend whose parts read {[column.name for column in inputs]}, "
            f"expected {[column.name for column in manifest.inputs]} as its manifest says"
        )
    scorers = [part for part in parts if isinstance(part, Scorer) and part.manifest.output.kind == manifest.output.kind]
    if len(scorers) < len(parts):
        raise DataError(f"{folder} is a blend of other answers, expected '{manifest.output.kind}' of each part")
    ends = np.cumsum([len(part.manifest.inputs) for part in scorers]).tolist()
    joined = JOINED[manifest.output.kind](folder, manifest, scorers, weights)

    def scores(batches: Sequence[Batch]) -> np.ndarray:
        return joined([
            part.engine(batches[end - len(part.manifest.inputs) : end])
            for part, end in zip(scorers, ends, strict=True)
        ])  # fmt: skip

    return scores


@dataclass(frozen=True)
class Pool:
    """shares(scores as calibrated) -> probabilities; scores(probabilities) -> what gives them. Both (n, k)."""

    shares: Callable[[np.ndarray], np.ndarray]
    scores: Callable[[np.ndarray], np.ndarray]


def _log_odds(shares: np.ndarray) -> np.ndarray:
    bounded = np.clip(shares, NEAR, 1 - NEAR)
    return np.asarray(np.log(bounded) - np.log1p(-bounded))


POOLS = {"category": Pool(softmax, lambda shares: np.log(np.maximum(shares, NEAR))), "tags": Pool(shares_of, _log_odds)}
"""Kind of the output -> how its scores become probabilities that can be averaged, and back."""
Join = Callable[[Sequence[np.ndarray]], np.ndarray]
"""Scores (n, k) of each part -> of the blend."""


def of_labels(folder: Path, manifest: Manifest, parts: Sequence[Scorer], weights: Sequence[float]) -> Join:
    """Scores of mean probabilities. Raises: DataError: the parts have other labels."""
    labels, pool = manifest.output.state["labels"], POOLS[manifest.output.kind]
    if any(part.manifest.output.state["labels"] != labels for part in parts):
        raise DataError(f"{folder} is a blend whose parts have other labels, expected {labels}")

    def join(scores: Sequence[np.ndarray]) -> np.ndarray:
        shares = [pool.shares(part.manifest.calibrated(found)) for part, found in zip(parts, scores, strict=True)]
        return pool.scores(np.average(shares, axis=0, weights=weights))

    return join


def of_numbers(folder: Path, manifest: Manifest, parts: Sequence[Scorer], weights: Sequence[float]) -> Join:
    """Mean numbers, and where the interval begins at quantiles those of the first part that has some.

    Raises: DataError: no part has them.
    """
    state, states = manifest.output.state, [part.manifest.output.state for part in parts]
    has_quantiles = n_scores(manifest) > 1
    sides = [place for place, part in enumerate(parts) if n_scores(part.manifest) > 1]
    if has_quantiles and not sides:
        raise DataError(f"{folder} is a blend without quantiles, expected a part that gives them")

    def join(scores: Sequence[np.ndarray]) -> np.ndarray:
        values = [number.decode(found, each) for found, each in zip(scores, states, strict=True)]
        found = np.average(values, axis=0, weights=weights)[:, None]
        basis = number.basis(scores[sides[0]], states[sides[0]]) if has_quantiles else None
        whole = found if basis is None else np.concatenate([found, basis], axis=1)
        return np.asarray((whole - state["mean"]) / state["deviation"])

    return join


JOINED = {"category": of_labels, "number": of_numbers, "tags": of_labels}
"""Kind of the output -> how the scores of the parts become those of the blend."""
