"""How far a copy's answers are from those of the model that it was made of; a broken copy is refused.

A copy may lose a little: that is measured by `evaluate`, and limits say how much is too much. What no rounding explains
is refused here: labels in another order, weights that are no numbers any more, tokens that mean other words.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import GateRefused
from windlass.predictors.artifact import CALIBRATED, LOGITS
from windlass.predictors.contract import CHUNK, Predictor, Scorer
from windlass.records import Row

MOST_ERROR = 0.5
"""Of the scores, as a share of what they vary by: 8 bits leave .05 to .15, labels in another order 1.4."""
MOST_CHANGED = 0.25
"""Share of the answers."""
MOST_LOST = 0.1
"""Of a metric between 0 and 1, where answers have no scores that could be compared."""


@dataclass(frozen=True)
class Parity:
    """rows: that both have answered; changed: answers of these that are others. error: of the scores, as a share of
    what they vary by, or of a metric what was lost. deltas: (n, k) copy less model as the engine gives them, and as
    they are calibrated, by the names that validation rows are kept under; rows of NaN were not reached in time."""

    rows: int
    changed: int
    error: float
    deltas: dict[str, np.ndarray]


def of_scores(model: Scorer, copy: Scorer, rows: Sequence[Row], root: Path, seconds: float) -> Parity:
    """Of rows as far as the seconds reach, the first ones at least."""
    until, n_done = time.monotonic() + seconds, 0
    parts: dict[str, list[np.ndarray]] = {LOGITS: [], CALIBRATED: []}
    squares, spread, changed = 0.0, 0.0, 0
    while n_done < len(rows) and (not n_done or time.monotonic() < until):
        some = rows[n_done : n_done + CHUNK]
        one, other = (each.scores(some, root)[0].astype(np.float64) for each in (model, copy))
        parts[LOGITS].append(other - one)
        parts[CALIBRATED].append(copy.manifest.calibrated(other) - model.manifest.calibrated(one))
        squares += float(np.square(_centred(other - one)).sum())
        spread += float(np.square(_centred(one)).sum())
        changed += sum(a != b for a, b in zip(model.said(one), copy.said(other), strict=True))
        n_done += len(some)
    deltas = {name: _filled(found, len(rows)) for name, found in parts.items() if found}
    error = float(np.sqrt(squares / max(spread, 1e-12))) if n_done else 0.0
    return Parity(n_done, changed, error if np.isfinite(error) else float("inf"), deltas)


def of_answers(
    model: Predictor, copy: Predictor, rows: Sequence[Row], lost: Callable[[Predictor, Predictor], float], root: Path
) -> Parity:
    """lost(model, copy) -> how much less of the metric the copy reaches on these rows."""
    pairs = zip(model.answer(rows, root), copy.answer(rows, root), strict=True)
    changed = sum(_plain(one.value) != _plain(other.value) for one, other in pairs)
    return Parity(len(rows), changed, max(lost(model, copy), 0.0), {})


def check(parity: Parity, name: str) -> None:
    """Raises: GateRefused: what the copy answers is not what the model answers."""
    most = MOST_ERROR if parity.deltas else MOST_LOST
    if not parity.error <= most:
        raise GateRefused(
            f"{name} differs from the model that it was made of by {parity.error:.2g}, expected at most {most:g}"
        )
    if parity.deltas and parity.changed > MOST_CHANGED * parity.rows:
        raise GateRefused(
            f"{name} answers {parity.changed} of {parity.rows} rows in another way, expected at most {MOST_CHANGED:.0%}"
        )


def _centred(scores: np.ndarray) -> np.ndarray:
    """Of several scores what they are beside each other, as a common step changes no answer."""
    return scores - scores.mean(axis=1, keepdims=True) if scores.shape[1] > 1 else scores


def _plain(value: Any) -> Any:
    """Boxes and masks as what they are of, without places and scores, that rounding moves a little."""
    return sorted(str(each.get("label")) for each in value) if isinstance(value, list) else value


def _filled(parts: list[np.ndarray], n_rows: int) -> np.ndarray:
    found = np.concatenate(parts)
    rest = np.full((n_rows - len(found), *found.shape[1:]), np.nan)
    return np.concatenate([found, rest])
