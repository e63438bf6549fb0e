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
from collections.abc import Mapping

import numpy as np

from windlass.errors import NotReady
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.rows import (
    LEAST_CALIBRATED,
    calibrated,
    fit_output,
    held_out,
    held_out_logits,
    keep_validation,
    score,
    targets,
)
from windlass.metrics import log_loss, softmax
from windlass.predictors.artifact import GOLDEN, read_golden, read_manifest, write_golden, write_manifest
from windlass.predictors.blend import part_folder
from windlass.records import Column, Manifest, Progress, Splits

MOST, MOST_PICKS = 3, 8
LEAST_GAIN = 0.01
"""Relative gain of log loss below which a blend is not worth a second model."""
N_FOLDS = 5
Shares = Mapping[str, np.ndarray]
"""Calibrated probabilities (n, k) of the same rows, by the name of the candidate."""


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Picks the members with the smallest log loss on the validation rows, none of which they had seen.

    Raises: NotReady: fewer than two candidates, too few validation rows, or no blend is better than its best member on
            rows that it was not picked on.
    """
    output = fit_output(splits)
    truth = targets(output, splits.validation)
    if len(options.runs) < 2 or len(truth) < LEAST_CALIBRATED:
        raise NotReady(f"needs two trained candidates and {LEAST_CALIBRATED} validation rows")
    logits = {name: held_out_logits(folder) for name, folder in options.runs.items()}
    reached = np.isfinite(np.sum([each.sum(axis=1) for each in logits.values()], axis=0))
    if reached.sum() < LEAST_CALIBRATED:  # rows that every candidate answered in time
        raise NotReady(f"needs {LEAST_CALIBRATED} validation rows that all candidates answered within the minutes")
    shares = {name: softmax(held_out(folder))[reached] for name, folder in options.runs.items()}
    truth = truth[reached]
    weights = picked(shares, truth)
    judged, alone = cross_fitted({name: each[reached] for name, each in logits.items()}, truth, output, options.seed)
    single = min(log_loss(truth, share) for share in alone.values())
    if len(weights) < 2 or log_loss(truth, softmax(judged)) > single * (1 - LEAST_GAIN):
        raise NotReady("no blend is better than its best member on validation rows that it was not picked on")
    every = np.full((len(splits.validation), judged.shape[1]), np.nan)
    every[reached] = judged
    keep_validation(options, every, is_calibrated=True)
    _write(options, weights, truth, _logits(shares, weights))
    return Fitted(options.artifact, score(options.metric, output, truth, judged))


def cross_fitted(
    logits: Mapping[str, np.ndarray], truth: np.ndarray, output: Column, seed: int
) -> tuple[np.ndarray, Shares]:
    """Of each row, by what the other folds say: the calibrated logits (n, k) of the blend that is picked there, and the
    probabilities of each candidate as it is calibrated there.

    Args: logits: (n, k) of each candidate, before calibration.  truth: (n,) int.
    """
    fold_of = np.random.default_rng(seed).permutation(len(truth)) % N_FOLDS
    plain = Manifest("blend", "blend", (), output)
    judged = np.empty((len(truth), next(iter(logits.values())).shape[1]))
    alone = {name: np.empty_like(judged) for name in logits}
    for fold in range(N_FOLDS):
        here, others = fold_of == fold, fold_of != fold
        shares = {
            name: softmax(calibrated(plain, truth[others], each[others]).calibrated(each))
            for name, each in logits.items()
        }
        weights = picked({name: share[others] for name, share in shares.items()}, truth[others])
        mean = _logits(shares, weights)
        judged[here] = calibrated(plain, truth[others], mean[others]).calibrated(mean[here])
        for name, share in shares.items():
            alone[name][here] = share[here]
    return judged, alone


def picked(shares: Shares, truth: np.ndarray) -> dict[str, float]:
    """Weights, summing to one, of the candidates that are picked one by one, each again if that helps, as long as the
    log loss of their mean falls; of one alone where no other helps."""
    found: Counter[str] = Counter()
    best = np.inf
    while found.total() < MOST_PICKS:
        allowed = found if len(found) == MOST else shares
        losses = {name: log_loss(truth, _mean(shares, found + Counter([name]))) for name in allowed}
        name = min(losses, key=lambda each: losses[each])
        if losses[name] >= best:
            break
        found, best = found + Counter([name]), losses[name]
    return {name: count / found.total() for name, count in found.items()}


def _logits(shares: Shares, weights: Mapping[str, float]) -> np.ndarray:
    """What the blend gives before its own calibration, (n, k)."""
    return np.log(np.maximum(_mean(shares, weights), 1e-12))


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
    written = calibrated(plain, truth, blended)
    write_manifest(folder, written)
    golden = {name: read_golden(part) for name, part in zip(weights, parts, strict=True)}
    rows = next(iter(golden.values()))[0]
    mean = _mean({name: np.array(shares, np.float64) for name, (_, shares) in golden.items()}, weights)
    write_golden(folder, rows, softmax(written.calibrated(np.log(np.maximum(mean, 1e-12)))))
