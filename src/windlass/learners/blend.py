"""The mean of what two or three trained candidates say: different mistakes cancel.

Source: Caruana et al. 2004 (ensemble selection from libraries of models): picked with replacement, three at most.
Measured: docs/log.md, "blend".
"""

import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from windlass.errors import NotReady
from windlass.learners.aims import calibrated
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.rows import keep_validation, targets
from windlass.metrics import log_loss, softmax
from windlass.outputs.labels.measures import fit_output, score
from windlass.predictors.artifact import GOLDEN, VALIDATION, read_golden, read_manifest, write_golden, write_manifest
from windlass.predictors.blend import part_folder
from windlass.records import Manifest, Progress, Splits

MOST, MOST_PICKS = 3, 8
LEAST_GAIN = 0.01
"""Relative gain of log loss on the validation rows below which a blend is not worth a second model."""


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Chooses the members with the smallest log loss on the validation rows, none of which they had seen.

    Raises: NotReady: fewer than two candidates, no validation rows, or no blend is better than its best member.
    """
    output = fit_output(splits)
    truth = targets(output, splits.validation)
    if len(options.runs) < 2 or not len(truth):
        raise NotReady("needs two trained candidates and validation rows")
    shares = {name: _validation(folder) for name, folder in options.runs.items()}
    reached = np.isfinite(np.sum([share.sum(axis=1) for share in shares.values()], axis=0))
    if not reached.any():  # rows that every candidate answered in time
        raise NotReady("no validation row was answered by all candidates within the minutes")
    shares, truth = {name: share[reached] for name, share in shares.items()}, truth[reached]
    weights = _weights(shares, truth)
    blended = np.log(np.maximum(_mean(shares, weights), 1e-12))
    every = np.full((len(splits.validation), blended.shape[1]), np.nan)
    every[reached] = blended
    keep_validation(options, every)
    written = _write(options, weights, truth, blended)
    return Fitted(options.artifact, score(options.metric, output, truth, written.calibrated(blended)))


def _validation(folder: Path) -> np.ndarray:
    """Calibrated probabilities (n, k) of the validation rows, by the model that had not seen them; NaN: not reached."""
    return softmax(read_manifest(folder / "artifact").calibrated(load_file(folder / VALIDATION)["logits"]))


def _weights(shares: Mapping[str, np.ndarray], truth: np.ndarray) -> dict[str, float]:
    """Picks candidates one by one, each again if that helps, as long as the log loss of their mean falls."""
    picked: Counter[str] = Counter()
    best = np.inf
    single = min(log_loss(truth, share) for share in shares.values())
    while picked.total() < MOST_PICKS:
        allowed = picked if len(picked) == MOST else shares
        losses = {name: log_loss(truth, _mean(shares, picked + Counter([name]))) for name in allowed}
        name = min(losses, key=lambda each: losses[each])
        if losses[name] >= best:
            break
        picked, best = picked + Counter([name]), losses[name]
    if len(picked) < 2 or best > single * (1 - LEAST_GAIN):
        raise NotReady("no blend is better than its best member on the validation rows")
    return {name: count / picked.total() for name, count in picked.items()}


def _mean(shares: Mapping[str, np.ndarray], weights: Mapping[str, float]) -> np.ndarray:
    """Mean probabilities (n, k) by weight."""
    total = sum(weights.values())
    return np.sum([shares[name] * (weight / total) for name, weight in weights.items()], axis=0)


def _write(options: Options, weights: Mapping[str, float], truth: np.ndarray, blended: np.ndarray) -> Manifest:
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
    return written
