"""The mean of what two or three trained candidates say: different mistakes cancel.

What is picked because it does well on some rows does too well on them. So a blend is made five times besides, each
time without a fifth of the validation rows, and that fifth is answered by it: these answers are the blend's score, and
decide whether it is worth anything. The one that is served is picked on all of them.

Source: Caruana et al. 2004 (ensemble selection from libraries of models): picked with replacement, three at most;
        cross-fitting: Stone 1974.
Measured: docs/log.md, "blend".
"""

import shutil
from collections import Counter
from collections.abc import Callable, Mapping

import numpy as np

from windlass.errors import NotReady
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.objectives import aim as aim_of
from windlass.learners.objectives import objective_of
from windlass.learners.rows import targets
from windlass.metrics.measures import log_loss
from windlass.outputs.labels.calibration import LEAST_CALIBRATED, folds, held_out
from windlass.predictors.artifact import (
    GOLDEN,
    keep_validation,
    read_golden,
    read_manifest,
    write_golden,
    write_manifest,
)
from windlass.predictors.blend import POOLS, part_folder
from windlass.records import Column, Manifest, Progress, Splits

MOST, MOST_PICKS = 3, 8
LEAST_GAIN = 0.01
"""Relative gain of log loss below which a blend is not worth a second model."""
Shares = Mapping[str, np.ndarray]
"""Calibrated probabilities (n, k) of the same rows, by the name of the candidate."""
Loss = Callable[[np.ndarray, np.ndarray], float]
"""(truth, probabilities of the same rows) -> what less of is better."""


def fit_any(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """A blend of labels, tags or numbers, each as its own module has it. Raises: as these."""
    from windlass.learners.classic import number_blend

    has_classes = objective_of(splits).has_classes
    return (fit if has_classes else number_blend.fit)(splits, options, budget, progress)


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Picks the members with the smallest log loss on the validation rows, none of which they had seen.

    Raises: NotReady: fewer than two candidates, too few validation rows, or no blend is better than its best member on
            rows that it was not picked on.
    """
    aim = objective_of(splits)
    output, shares_of = aim.fit_output(splits), POOLS[splits.output[splits.output_column]].shares
    truth = targets(output, splits.validation)
    if len(options.runs) < 2 or len(truth) < LEAST_CALIBRATED:
        raise NotReady(f"needs two trained candidates and {LEAST_CALIBRATED} validation rows")
    shares = {name: shares_of(held_out(folder, splits, aim.finished)) for name, folder in options.runs.items()}
    reached = np.isfinite(np.sum([share.sum(axis=1) for share in shares.values()], axis=0))
    if reached.sum() < LEAST_CALIBRATED:  # rows that every candidate answered in time
        raise NotReady(f"needs {LEAST_CALIBRATED} validation rows that all candidates answered within the minutes")
    shares, truth, fold_of = {name: share[reached] for name, share in shares.items()}, truth[reached], folds(len(truth))
    weights, judged = picked(shares, truth, aim.loss), cross_fitted(shares, truth, fold_of[reached], output)
    single = min(aim.loss(truth, share) for share in shares.values())
    if len(weights) < 2 or aim.loss(truth, shares_of(judged)) > single * (1 - LEAST_GAIN):
        raise NotReady("no blend is better than its best member on validation rows that it was not picked on")
    every = np.full((len(reached), judged.shape[1]), np.nan)
    every[reached] = judged
    keep_validation(options.folder, calibrated=every)
    _write(options, weights, truth, _logits(shares, weights, output))
    return Fitted(options.artifact, aim.score(options.metric, output, truth, judged))


def cross_fitted(shares: Shares, truth: np.ndarray, fold_of: np.ndarray, output: Column) -> np.ndarray:
    """Calibrated logits (n, k) of each row by the blend whose members, weights and calibration the other folds choose.

    Args: shares: of each row as calibrated by other folds.  truth: (n,) int, or of tags (n, k).  fold_of: (n,) int.
    """
    judged, plain = np.empty((len(truth), next(iter(shares.values())).shape[1])), Manifest("", "", (), output)
    aim = aim_of(output)
    for fold in np.unique(fold_of):
        here, others = fold_of == fold, fold_of != fold
        chosen = picked({name: share[others] for name, share in shares.items()}, truth[others], aim.loss)
        mean = _logits(shares, chosen, output)
        judged[here] = aim.finished(plain, truth[others], mean[others]).calibrated(mean[here])
    return judged


def picked(shares: Shares, truth: np.ndarray, loss: Loss = log_loss) -> dict[str, float]:
    """Weights, summing to one, of the candidates that are picked one by one, each again if that helps, as long as the
    log loss of their mean falls; of one alone where no other helps."""
    found: Counter[str] = Counter()
    best = np.inf
    while found.total() < MOST_PICKS:
        allowed = found if len(found) == MOST else shares
        losses = {name: loss(truth, _mean(shares, found + Counter([name]))) for name in allowed}
        name = min(losses, key=lambda each: losses[each])
        if losses[name] >= best:
            break
        found, best = found + Counter([name]), losses[name]
    return {name: count / found.total() for name, count in found.items()}


def _logits(shares: Shares, weights: Mapping[str, float], output: Column) -> np.ndarray:
    """What the blend gives before its own calibration, (n, k)."""
    return POOLS[output.kind].scores(_mean(shares, weights))


def _mean(shares: Shares, weights: Mapping[str, float]) -> np.ndarray:
    """Mean probabilities (n, k) by weight."""
    total = sum(weights.values())
    return np.sum([shares[name] * (weight / total) for name, weight in weights.items()], axis=0)


def _write(options: Options, weights: Mapping[str, float], truth: np.ndarray, blended: np.ndarray) -> None:
    """Copies the parts, and derives golden answers from theirs: each was written by the model that was trained."""
    folder, parts = options.artifact, [options.runs[name] / "artifact" for name in weights]
    for number, part in enumerate(parts):
        shutil.copytree(part, part_folder(folder, number), ignore=shutil.ignore_patterns(GOLDEN), dirs_exist_ok=True)
    manifests = [read_manifest(part) for part in parts]
    settings = {"weights": list(weights.values()), "members": list(weights)}
    inputs = tuple(column for manifest in manifests for column in manifest.inputs)
    plain = Manifest("blend", "blend", inputs, manifests[0].output, settings=settings)
    aim = aim_of(plain.output)
    written = aim.finished(plain, truth, blended)
    write_manifest(folder, written)
    golden = {name: read_golden(part) for name, part in zip(weights, parts, strict=True)}
    rows = next(iter(golden.values()))[0]
    known = {name: np.array(shares, np.float64) for name, (_, shares) in golden.items()}
    write_golden(folder, rows, aim.golden(written, _logits(known, weights, plain.output)))
