"""Runs -> smaller or faster copies of the best one, each proven to answer like it; `evaluate` measures them."""

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from windlass.compress import copies, parity
from windlass.compress.copies import Lesson
from windlass.compress.memory import memory_mb
from windlass.errors import WindlassError
from windlass.kinds import table as kinds
from windlass.metrics.measures import LOWER
from windlass.outputs import table as outputs
from windlass.outputs.contract import Held
from windlass.predictors import table as predictors
from windlass.predictors.artifact import CALIBRATED, LOGITS, keep_validation, read_validation
from windlass.predictors.contract import Predictor, Scorer
from windlass.records import Json, Progress, Row, Run, Splits, Trained, as_json, silent
from windlass.spec import Spec
from windlass.store.files import size_mb
from windlass.store.json_files import fingerprint, read_as, write_json
from windlass.store.stage_keys import compress_key
from windlass.store.store import Store

logger = logging.getLogger("windlass.compress")
RUN = "run.json"
METHODS = (copies.HALF, copies.INT8, copies.VOCABULARY)
"""Each makes a candidate of its own, in this order."""
N_TIMED, MOST_ROWS, MOST_PICTURES = 50, 1_000, 60
SHARE, LEAST_SECONDS = 0.2, 20.0
"""Of the minutes, that choosing what stays float and proving parity may take, each method its part."""


def compress(spec: Spec, store: Store, read: Callable[[], Splits], progress: Progress = silent) -> list[Run]:
    """Makes the copies that the spec asks for, of the candidate that is best on validation rows; writes the record.

    A copy that cannot be made, or that parity refuses, is a line with its reason, as a candidate that failed.
    """
    trained = [run for run in store.read("train", Trained).runs if run.status == "done"]
    best = _best(trained, outputs.learned_metric(spec))
    runs: list[Run] = []
    limits = (spec.limits.size_mb, spec.limits.latency_p95_ms, spec.limits.loss)
    is_asked = bool(spec.compress) or (spec.compress is None and any(limit is not None for limit in limits))
    if best is not None and is_asked:
        splits = read()
        if spec.compress or _is_needed(best, spec, store, splits):
            wanted = METHODS if not isinstance(spec.compress, list) else spec.compress
            making = _Making(spec, store, splits, best, SHARE * spec.minutes * 60 / max(len(wanted), 1))
            for number, method in enumerate(wanted):
                progress("compress", number, len(wanted), f"{best.name}-{method}")
                runs.append(making.run(method))
            progress("compress", len(wanted), len(wanted), "")
    write_json(store.record("compress"), {"key": compress_key(spec, store), "runs": [as_json(run) for run in runs]})
    return runs


def _best(runs: Sequence[Run], metric: str) -> Run | None:
    """By the validation score; of none with a score, the last: the table's order is from cheap to dear."""
    learned = [run for run in runs if run.learner != "majority"]
    scored = [run for run in learned if run.validation is not None]
    if not scored:
        return learned[-1] if learned else None
    return max(scored, key=lambda run: (-1 if metric in LOWER else 1) * (run.validation or 0.0))


def _is_needed(best: Run, spec: Spec, store: Store, splits: Splits) -> bool:
    """The best candidate is larger or slower than a limit allows, or the smallest within a loss is looked for."""
    limits, artifact = spec.limits, store.run_folder(best.name) / "artifact"
    if limits.loss is not None or (limits.size_mb is not None and size_mb(artifact) > limits.size_mb):
        return True
    return limits.latency_p95_ms is not None and _p95_ms(predictors.load(artifact), splits) > limits.latency_p95_ms


def _p95_ms(predictor: Predictor, splits: Splits) -> float:
    times = []
    for row in _portable(splits.validation.head(N_TIMED).to_dicts(), splits):
        started = time.perf_counter()
        predictor.answer([row])
        times.append(time.perf_counter() - started)
    return 1000 * float(np.percentile(times, 95)) if times else 0.0


def _portable(rows: Sequence[Row], splits: Splits) -> list[Row]:
    """As a client would send them."""
    return [{name: kinds.get(kind).portable(row[name], splits.root) for name, kind in splits.inputs.items()}
            for row in rows]  # fmt: skip


@dataclass(frozen=True)
class _Making:
    """Copies of one run. seconds: of each."""

    spec: Spec
    store: Store
    splits: Splits
    source: Run
    seconds: float

    def run(self, method: str) -> Run:
        """The copy as a run, whatever became of it."""
        name = f"{self.source.name}-{method}"
        folder, key = self.store.run_folder(name), fingerprint([self.store.key("train"), self.source.key, method])
        if (folder / RUN).is_file() and (known := read_as(folder / RUN, Run)).key == key and known.status == "done":
            return known
        (folder / RUN).unlink(missing_ok=True)
        started = time.monotonic()
        run = Run(name, self.source.learner, "done", key=key)
        try:
            told = self._made(folder, method, name)
        except WindlassError as error:
            logger.info("no copy: %s", error.message)
            run = replace(run, status="failed", reason=self.store.reason(f"making {name}", error))
        except Exception as error:  # noqa: BLE001  onnx and ONNX Runtime raise what they like; it is logged
            run = replace(run, status="failed", reason=self.store.reason(f"making {name}", error))
        else:
            run = replace(run, compressed=told)
        run = replace(run, seconds=round(time.monotonic() - started, 3))
        write_json(folder / RUN, as_json(run))
        return run

    def _made(self, folder: Path, method: str, name: str) -> Json:
        """Writes the copy, proves it, and tells of it. Raises: GateRefused, DataError, NotReady."""
        source, artifact = self.store.run_folder(self.source.name), folder / "artifact"
        copies.copied(source / "artifact", artifact, method, self._lesson())
        model, copy = predictors.load(source / "artifact"), predictors.load(artifact)
        found = self._parity(model, copy)
        parity.check(found, name)
        self._keep_validation(source, folder, found)
        sample = _portable(self.splits.train.head(1).to_dicts(), self.splits)
        memory = [round(memory_mb(each / "artifact", sample), 1) for each in (folder, source)]
        return {
            "of": self.source.name,
            "method": method,
            "rows": found.rows,
            "changed": found.changed,
            "error": round(found.error, 5),
            "memory_mb": memory[0],
            "memory_mb_of": memory[1],
        }

    def _lesson(self) -> Lesson:
        """All rows of training, in an order of chance."""
        rows = self.splits.train.sample(fraction=1.0, shuffle=True, seed=self.spec.seed).to_dicts()
        return Lesson(rows, self.splits.root, max(self.seconds / 2, LEAST_SECONDS))

    def _parity(self, model: Predictor, copy: Predictor) -> parity.Parity:
        held = self.splits.validation if len(self.splits.validation) else self.splits.train
        root = self.splits.root
        if isinstance(model, Scorer) and isinstance(copy, Scorer):
            rows = held.head(MOST_ROWS).to_dicts()
            return parity.of_scores(model, copy, rows, root, max(self.seconds / 2, LEAST_SECONDS))
        rows, output = held.head(MOST_PICTURES).to_dicts(), outputs.of(self.spec)

        def lost(one: Predictor, other: Predictor) -> float:
            metric = outputs.goal(self.spec).metric
            values = [output.marks(each, rows, Held(self.spec, root)).value(metric) for each in (one, other)]
            return math.inf if math.isnan(values[1]) > math.isnan(values[0]) else float(
                np.nan_to_num((values[1] - values[0]) * (1 if metric in LOWER else -1))
            )  # fmt: skip

        return parity.of_answers(model, copy, rows, lost, root)

    def _keep_validation(self, source: Path, folder: Path, found: parity.Parity) -> None:
        """What the copy would have given for validation rows, had it been made of a model that had not seen them: what
        that gave, and what rounding changes. The copy itself was made of one that may have learned from them since."""
        kept = read_validation(source)
        if not kept or not len(self.splits.validation):
            return
        moved = {}
        for name, values in kept.items():
            delta = found.deltas.get(name) if name in (LOGITS, CALIBRATED) else None
            if delta is not None:
                rest = np.full((len(values) - len(delta), *values.shape[1:]), np.nan)
                values = values + np.concatenate([delta, rest])
            moved[name] = values
        keep_validation(folder, **moved)
