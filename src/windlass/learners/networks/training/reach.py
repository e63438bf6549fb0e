"""How many validation rows the minutes reach for, and what follows the training: measured before it, and kept."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from torch import nn

from windlass.errors import DataError
from windlass.learners.contract import Budget
from windlass.learners.networks.batches import Inputs
from windlass.learners.networks.training import probe
from windlass.learners.networks.training.task import answers
from windlass.store.json_files import read_json, write_json

FILE = "reach.json"
WATCHED_SHARE, SCORED_SHARE = 0.08, 0.15
"""Of the seconds that are left: for one judgement while it is trained, and for the answers to validation rows at its
end."""
LEAST_WATCHED, LEAST_SCORED = 128, 256
N_TIMED, BATCH = 64, 32
EXPORT_SECONDS, EXPORT_SECONDS_WEIGHT = 2.0, 2.5e-7
"""A network of 23 million weights was exported in 5 s on two quiet cores of an EPYC, in 8 beside other work."""


@dataclass(frozen=True)
class Reach:
    """watched: validation rows that are answered at the end of each epoch; scored: those that are answered at last,
    which calibrate and choose. after: seconds from the last step to the artifact."""

    watched: int
    scored: int
    after: float

    def chosen(self, rows: np.ndarray, n_rows: int, seed: int) -> np.ndarray:
        """Those of these places (m,) int that are watched, drawn by chance, in their order."""
        if len(rows) <= self.watched:
            return rows
        order = np.random.default_rng(seed).permutation(n_rows)
        return np.sort(order[np.isin(order, rows)][: self.watched])

    def known(self, watched: np.ndarray, n_rows: int, seed: int) -> np.ndarray:
        """Places of the rows that are answered at last, (k,) int: the watched ones and others, drawn by chance."""
        if self.scored >= n_rows:
            return np.arange(n_rows)
        order = np.random.default_rng(seed).permutation(n_rows)
        others = order[~np.isin(order, watched)]
        return np.sort(np.concatenate([watched, others[: max(0, self.scored - len(watched))]]))


def measured(network: nn.Module, validation: Inputs, budget: Budget, folder: Path) -> Reach:
    """As the pace of answers tells; a run that was killed keeps what it had found, and so goes on as it began."""
    kept = _kept(folder)
    if kept is not None:
        return kept
    n_rows, pace = len(validation), 0.0
    if n_rows and budget.steps is None:
        rows = np.random.default_rng(0).permutation(n_rows)[:N_TIMED]
        network.to(probe.device()).eval()
        answers(network, validation.rows(rows[:BATCH]), BATCH)  # the first one warms up
        started = time.monotonic()
        answers(network, validation.rows(rows), BATCH)
        pace = (time.monotonic() - started) / len(rows)
    left = budget.left()
    watched = n_rows if not pace else min(n_rows, max(LEAST_WATCHED, int(WATCHED_SHARE * left / pace)))
    scored = n_rows if not pace else min(n_rows, max(LEAST_SCORED, watched, int(SCORED_SHARE * left / pace)))
    found = Reach(watched, scored, scored * pace + export_seconds(network))
    write_json(folder / FILE, asdict(found))
    return found


def export_seconds(network: nn.Module) -> float:
    """About what it takes to write the artifact of a network and to prove it."""
    return EXPORT_SECONDS + EXPORT_SECONDS_WEIGHT * sum(value.numel() for value in network.parameters())


def _kept(folder: Path) -> Reach | None:
    if not (folder / FILE).is_file():
        return None
    try:
        return Reach(**read_json(folder / FILE))
    except (DataError, TypeError):
        return None
