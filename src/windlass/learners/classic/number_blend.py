"""The weighted mean of the numbers of two or three trained candidates.

As a blend of labels it is picked on validation rows and judged on those that others picked it by, see `blend`.
Source: Caruana et al. 2004 (ensemble selection); cross-fitting: Stone 1974.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from windlass.errors import NotReady
from windlass.kinds import number
from windlass.learners.classic.blend import MOST, MOST_PICKS
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.rows import LEAST_HALVED, targets
from windlass.metrics.costs import of_level
from windlass.metrics.measures import LOWER
from windlass.metrics.numbers import NUMBER_METRICS
from windlass.outputs.labels.calibration import LEAST_CALIBRATED, folds
from windlass.outputs.numbers.measures import fit_output, with_interval
from windlass.predictors.artifact import (
    GOLDEN,
    LOGITS,
    UNDECIDED,
    keep_validation,
    read_golden,
    read_manifest,
    read_validation,
    write_golden,
    write_manifest,
)
from windlass.predictors.blend import part_folder
from windlass.records import Json, Manifest, Progress, Splits

LEAST_GAIN = 0.005
"""Share of the error below which a blend is not worth a second model."""
Values = Mapping[str, np.ndarray]
"""Numbers (n,) of the same rows, in the unit of the answers, by the name of the candidate."""
Loss = Callable[[np.ndarray, np.ndarray], float]
"""Right and given numbers (n,) -> what less of is better."""


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Picks the members with the smallest error on the validation rows, none of which they had seen.

    Raises: NotReady: fewer than two candidates, too few validation rows, or no blend is better than its best member on
            rows that it was not picked on.
    """
    output = fit_output(splits)
    right = number.recovered(targets(output, splits.validation), output.state)
    manifests = {name: read_manifest(folder / "artifact") for name, folder in options.runs.items()}
    kept = {name: read_validation(options.runs[name]).get(LOGITS) for name in manifests}
    scores = {name: found.astype(np.float64) for name, found in kept.items() if found is not None}
    if len(scores) < 2 or len(right) < LEAST_CALIBRATED:
        raise NotReady(f"needs two trained candidates and {LEAST_CALIBRATED} validation rows")
    values = {name: number.decode(found, manifests[name].output.state) for name, found in scores.items()}
    there = np.isfinite(np.sum(list(values.values()), axis=0))
    if there.sum() < LEAST_CALIBRATED:  # rows that every candidate answered in time
        raise NotReady(f"needs {LEAST_CALIBRATED} validation rows that all candidates answered within the minutes")
    values, right = {name: each[there] for name, each in values.items()}, right[there]
    loss_of = loss_by(options)
    weights, judged = picked(values, right, loss_of), cross_fitted(values, right, loss_of)
    best = min(loss_of(right, each) for each in values.values())
    loss = loss_of(right, judged)
    if len(weights) < 2 or loss > best - LEAST_GAIN * abs(best):
        raise NotReady("no blend is better than its best member on validation rows that it was not picked on")
    state = output.state
    every = np.full((len(there), 1), np.nan)
    every[there, 0] = (judged - state["mean"]) / state["deviation"]
    keep_validation(options.folder, **{LOGITS: every})
    _write(options, weights, manifests, Manifest("blend", "blend", (), output), _mean(values, weights), right)
    return Fitted(options.artifact, NUMBER_METRICS[options.metric](right, judged))


def cross_fitted(values: Values, right: np.ndarray, loss_of: Loss) -> np.ndarray:
    """The number (n,) of each row by the blend whose members and weights the other folds choose."""
    fold_of, judged = folds(len(right)), np.empty(len(right))
    for fold in np.unique(fold_of):
        here, others = fold_of == fold, fold_of != fold
        chosen = picked({name: each[others] for name, each in values.items()}, right[others], loss_of)
        judged[here] = _mean({name: each[here] for name, each in values.items()}, chosen)
    return judged


def picked(values: Values, right: np.ndarray, loss_of: Loss) -> dict[str, float]:
    """Weights, summing to one, of the candidates that are picked one by one, each again if that helps, as long as the
    error of their mean falls; of one alone where no other helps."""
    found: Counter[str] = Counter()
    best = np.inf
    while found.total() < MOST_PICKS:
        allowed = found if len(found) == MOST else values
        losses = {name: loss_of(right, _mean(values, found + Counter([name]))) for name in allowed}
        name = min(losses, key=lambda each: losses[each])
        if losses[name] >= best:
            break
        found, best = found + Counter([name]), losses[name]
    return {name: count / found.total() for name, count in found.items()}


def loss_by(options: Options) -> Loss:
    """What less of is better: the error as the metric counts it, or what answers cost once they lean as they should."""

    def loss(right: np.ndarray, values: np.ndarray) -> float:
        found = NUMBER_METRICS[options.metric](right, values)
        return found if options.metric in LOWER else 1 - found

    return loss if options.level is None else of_level(options.level).leaning


def _mean(values: Values, weights: Mapping[str, float]) -> np.ndarray:
    total = sum(weights.values())
    return np.asarray(np.sum([values[name] * (weight / total) for name, weight in weights.items()], axis=0))


def _interval(weights: Mapping[str, float], manifests: Mapping[str, Manifest]) -> Json:
    """How the first member tells its interval that begins at quantiles of the row, whatever the answer; of all rows it
    knows more than validation rows tell. Empty: no member has such."""
    for name in weights:
        state = manifests[name].output.state
        if number.n_scores(state) > 1:
            return {each: state[each] for each in (number.HALF, number.RANGES)}
    return {}


def _write(
    options: Options,
    weights: Mapping[str, float],
    manifests: Mapping[str, Manifest],
    plain: Manifest,
    blended: np.ndarray,
    right: np.ndarray,
) -> None:
    """Copies the parts, and derives golden answers from theirs: each was written by the model that was trained.

    Every other row may have stopped a member, so the interval is made of those between.
    """
    folder, parts = options.artifact, [options.runs[name] / "artifact" for name in weights]
    for place, part in enumerate(parts):
        shutil.copytree(part, part_folder(folder, place), ignore=shutil.ignore_patterns(GOLDEN), dirs_exist_ok=True)
    inputs = tuple(column for name in weights for column in manifests[name].inputs)
    settings = {"weights": list(weights.values()), "members": list(weights)}
    apart = slice(1, None, 2) if len(right) >= LEAST_HALVED else slice(None)
    state = plain.output.state
    written = replace(plain, inputs=inputs, settings=settings)
    own = _interval(weights, manifests)
    if own:
        written = replace(written, output=replace(plain.output, state={**state, **own}))
    else:
        encoded = (np.stack([right, blended]) - state["mean"]) / state["deviation"]
        written = with_interval(written, encoded[0, apart], encoded[1, apart, None])
    write_manifest(folder, written)
    golden = {
        name: _middles(options.runs[name], manifests[name], part) for name, part in zip(weights, parts, strict=True)
    }
    write_golden(folder, read_golden(parts[0])[0], _mean(golden, weights).tolist())


def _middles(run: Path, manifest: Manifest, part: Path) -> np.ndarray:
    """The golden answers of a member, (<= N_GOLDEN,), as they are without the costs of errors."""
    kept = read_validation(run).get(UNDECIDED)
    return np.array(read_golden(part)[1]) if kept is None else number.recovered(kept, manifest.output.state)
