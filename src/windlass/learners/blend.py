"""The mean of what two or three trained candidates say: different mistakes cancel.

Source: Caruana et al. 2004 (ensemble selection from libraries of models); equal weights, at most three members.
Measured: docs/log.md, "blend".
"""

import shutil
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from windlass.errors import NotReady
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.rows import VALIDATION, fit_output, score, targets
from windlass.metrics import best_temperature, log_loss, softmax
from windlass.predictors.artifact import GOLDEN, read_golden, read_manifest, write_golden, write_manifest
from windlass.predictors.blend import part_folder
from windlass.records import Manifest, Progress, Splits

MOST = 3
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
    members = _members(shares, truth)
    blended = np.log(np.maximum(np.mean([shares[name] for name in members], axis=0), 1e-12))
    folders = [options.runs[name] / "artifact" for name in members]
    temperature = best_temperature(truth, blended)
    _write(options.artifact, folders, members, temperature)
    return Fitted(options.artifact, score(options.metric, output, truth, blended))


def _validation(folder: Path) -> np.ndarray:
    """Calibrated probabilities (n, k) of the validation rows, by the model that had not seen them."""
    logits = load_file(folder / VALIDATION)["logits"].astype(np.float64)
    return softmax(logits / read_manifest(folder / "artifact").temperature)


def _members(shares: Mapping[str, np.ndarray], truth: np.ndarray) -> tuple[str, ...]:
    def loss(names: tuple[str, ...]) -> float:
        return log_loss(truth, np.mean([shares[name] for name in names], axis=0))

    single = min(loss((name,)) for name in shares)
    best = min((names for size in range(2, MOST + 1) for names in combinations(shares, size)), key=loss)
    if loss(best) > single * (1 - LEAST_GAIN):
        raise NotReady("no blend is better than its best member on the validation rows")
    return best


def _write(folder: Path, parts: list[Path], members: tuple[str, ...], temperature: float) -> None:
    """Copies the parts, and derives golden answers from theirs: each was written by the model that was trained."""
    golden = [read_golden(part) for part in parts]
    for number, part in enumerate(parts):
        shutil.copytree(part, part_folder(folder, number), ignore=shutil.ignore_patterns(GOLDEN), dirs_exist_ok=True)
    manifests = [read_manifest(part) for part in parts]
    write_manifest(
        folder,
        Manifest(
            predictor="blend",
            learner="blend",
            inputs=tuple(column for part in manifests for column in part.inputs),
            output=manifests[0].output,
            temperature=temperature,
            settings={"parts": len(parts), "members": list(members)},
        ),
    )
    mean = np.log(np.maximum(np.mean([shares for _, shares in golden], axis=0), 1e-12))
    write_golden(folder, golden[0][0], softmax(mean / temperature))
