"""Scores how far the latest readings of a series are from what its other columns and the hour let expect.

What is expected is linear in the columns that are known beforehand (as they are and were a few points ago) and in the
hour; each machine has coefficients of its own. Its errors are summed over the latest points, as a slow fault is no
larger than the noise of one reading, and stand beside what they were in sound times: against zero, and against their
own level earlier in the window, which follows a season that training did not see. The smaller of the two counts, since
after a repair the earlier level is that of the fault. A sensor that says the same again and again is scored by how
seldom a sound one does.
Source: sums of standardised errors: Page 1954, Biometrika 41 (CUSUM); the shorth: Andrews et al. 1972.
Shapes: N windows, T points, W watched channels, S spans.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from windlass.errors import DataError
from windlass.kinds.contract import Batch
from windlass.predictors.contract import Engine
from windlass.records import Manifest
from windlass.store.files import write_bytes

FILE = "model.safetensors"
LAGS, HARMONICS = 5, 2
NAMES = frozenset({"coefficients", "noise", "spread", "same", "places", "spans", "offset"})


@dataclass(frozen=True)
class Deviation:
    """coefficients: (machines + 1, features, W), the last of all machines together; noise: (W,) of an error; spread:
    (2, W, S) of the sums of errors of sound windows; same: (W,) how often a reading is the one before, 0-1.

    watched, known: places of channels; spans: latest points that are summed, the longest last; offset: the score from
    which on a window is as likely a fault as not. yes: the place of the label that says so.
    """

    coefficients: np.ndarray
    noise: np.ndarray
    spread: np.ndarray
    same: np.ndarray
    watched: tuple[int, ...]
    known: tuple[int, ...]
    spans: tuple[int, ...]
    offset: float
    yes: int = 1

    def __call__(self, batches: Sequence[Batch]) -> np.ndarray:
        """(N, 2) logits of the windows (N, T, channels + 1) and, where there is one, of the machine (N, levels + 2)."""
        readings = np.asarray(batches[0], np.float64)
        machine = np.asarray(batches[1]) if len(batches) > 1 else None
        logits = np.zeros((len(readings), 2))
        logits[:, self.yes] = self.scores(readings, machine) - self.offset
        return logits

    def scores(self, readings: np.ndarray, machine: np.ndarray | None) -> np.ndarray:
        """(N,) the largest of all that is odd in a window, in deviations of sound windows."""
        places = machine_places(machine, len(readings), len(self.coefficients) - 1)
        errors = self.errors(readings, places)
        sums = np.abs(summed(errors, self.spans)) / self.spread[:, None]
        is_new = places == len(self.coefficients) - 1
        sums[0, is_new] = np.inf
        odd = sums.min(axis=0).reshape(len(readings), -1)
        runs = repeated(readings[:, :, list(self.watched)])
        stuck = np.sqrt(-2 * runs * np.log(self.same))
        return np.nan_to_num(np.concatenate([odd, stuck], axis=1), posinf=0.0).max(axis=1, initial=0.0)

    def errors(self, readings: np.ndarray, places: np.ndarray) -> np.ndarray:
        """(N, T, W) in deviations, NaN where a reading is missing."""
        expected = np.einsum("ntf,nfw->ntw", design(readings, self.known), self.coefficients[places])
        return np.asarray((readings[:, :, list(self.watched)] - expected) / self.noise)


def machine_places(machine: np.ndarray | None, count: int, n_machines: int) -> np.ndarray:
    """(N,) which machine each window is of; `n_machines`: one that training did not know. machine: as one-hot."""
    if machine is None:
        return np.zeros(count, np.int64) if n_machines else np.full(count, n_machines)
    return np.minimum(machine.argmax(axis=1), n_machines)


def design(readings: np.ndarray, known: Sequence[int]) -> np.ndarray:
    """(N, T, features): one, the known channels now and some points ago, and the hour as waves."""
    n_rows, length, _ = readings.shape
    phase = 2 * np.pi * readings[:, :, -1]
    columns = [np.ones((n_rows, length))]
    for place in known:
        channel = np.nan_to_num(filled(readings[:, :, place]))
        for lag in range(LAGS):
            columns.append(channel[:, np.maximum(np.arange(length) - lag, 0)])
    for wave in range(1, HARMONICS + 1):
        columns += [np.nan_to_num(np.sin(wave * phase)), np.nan_to_num(np.cos(wave * phase))]
    return np.stack(columns, axis=2)


def filled(values: np.ndarray) -> np.ndarray:
    """(N, T) where a gap has the value before it, else the first one."""
    known = np.where(np.isfinite(values), np.arange(values.shape[1]), -1)
    before = np.maximum.accumulate(known, axis=1)
    first = np.argmax(known >= 0, axis=1)[:, None]
    return np.take_along_axis(values, np.where(before < 0, first, before), axis=1)


def summed(errors: np.ndarray, spans: Sequence[int]) -> np.ndarray:
    """(2, N, W, S): sums of the latest errors over the root of how many there are; against zero, and against their
    level before the longest span."""
    level = earlier_level(errors, spans[-1])
    found = np.full((2, len(errors), errors.shape[2], len(spans)), 0.0)
    for place, span in enumerate(spans):
        latest = errors[:, -span:]
        count = np.sqrt(np.maximum(np.isfinite(latest).sum(axis=1), 1))
        found[0, :, :, place] = np.nansum(latest, axis=1) / count
        found[1, :, :, place] = np.nansum(latest - level[:, None], axis=1) / count
    return found


def earlier_level(errors: np.ndarray, block: int) -> np.ndarray:
    """(N, W) the mean of the closest half of the means of the blocks before the last one; 0 where there is none."""
    n_blocks = (errors.shape[1] - block) // block
    if n_blocks < 1:
        return np.zeros((len(errors), errors.shape[2]))
    before = errors[:, errors.shape[1] - block * (n_blocks + 1) : -block]
    blocks = before.reshape(len(errors), n_blocks, block, -1)
    counts = np.isfinite(blocks).sum(axis=2)
    means = np.where(counts > 0, np.nansum(blocks, axis=2) / np.maximum(counts, 1), np.nan)
    ordered = np.sort(np.where(np.isfinite(means), means, np.inf), axis=1)
    half = (n_blocks + 1) // 2
    with np.errstate(invalid="ignore"):
        widths = np.nan_to_num(ordered[:, half - 1 :] - ordered[:, : n_blocks - half + 1], nan=np.inf)
    start = widths.argmin(axis=1)
    found = [np.take_along_axis(ordered, (start + step)[:, None], axis=1)[:, 0] for step in range(half)]
    level = np.mean(found, axis=0)
    return np.where(np.isfinite(level), level, 0.0)


def repeated(values: np.ndarray) -> np.ndarray:
    """(N, W) how many of the latest readings are the one before again."""
    again = values[:, 1:] == values[:, :-1]
    return np.cumprod(again[:, ::-1], axis=1).sum(axis=1)


def write(folder: Path, model: Deviation) -> None:
    """Writes the model that `load` reads."""
    tensors = {
        "coefficients": model.coefficients,
        "noise": model.noise,
        "spread": model.spread,
        "same": model.same,
        "places": np.array([[*model.watched, *model.known], [1] * len(model.watched) + [0] * len(model.known)]),
        "spans": np.array(model.spans),
        "offset": np.array([model.offset]),
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / FILE, save({name: np.ascontiguousarray(each, np.float64) for name, each in tensors.items()}))


def load(folder: Path, manifest: Manifest) -> Engine:
    """Raises: DataError when damaged."""
    tensors = read_tensors(folder, NAMES)
    places, is_watched = tensors["places"].astype(int)
    watched, known = (tuple(places[is_watched == flag].tolist()) for flag in (1, 0))
    model = Deviation(
        tensors["coefficients"],
        tensors["noise"],
        tensors["spread"],
        tensors["same"],
        watched,
        known,
        tuple(tensors["spans"].astype(int).tolist()),
        float(tensors["offset"][0]),
    )
    series, *beside = (column.state for column in manifest.inputs)
    n_channels, n_machines = len(series["channels"]), len(beside[0]["levels"]) if beside else 0
    n_watched, n_features = len(watched), 1 + LAGS * len(known) + 2 * HARMONICS
    shapes = [tensors[name].shape for name in ("coefficients", "noise", "spread", "same")]
    wanted = [(n_machines + 1, n_features, n_watched), (n_watched,), (2, n_watched, len(model.spans)), (n_watched,)]
    if shapes != wanted or not all(0 <= place < n_channels for place in (*watched, *known)) or not watched:
        raise DataError(f"{folder / FILE} has the shapes {shapes}, expected {wanted}")
    if not all(0 < span <= series["length"] for span in model.spans) or not (model.same > 0).all():
        raise DataError(f"{folder / FILE} is damaged, expected spans within {series['length']} points")
    return model


def read_tensors(folder: Path, names: frozenset[str]) -> Mapping[str, np.ndarray]:
    """Raises: DataError: one of them is missing, or not all are finite numbers."""
    try:
        tensors = load_file(folder / FILE)
        if names <= set(tensors) and all(np.isfinite(tensors[name]).all() for name in names):
            return tensors
        raise KeyError("a tensor is missing or not finite")
    except (OSError, SafetensorError, KeyError) as error:
        raise DataError(f"{folder / FILE} is damaged ({error}), expected the model of a series") from None
