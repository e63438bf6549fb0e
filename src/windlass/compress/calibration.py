"""Which products of a network compute in 8 bits, and by which ranges: as rows of training tell.

Two ways to tell a range are tried, all that was seen and all but its rarest values. Where the logits still differ too
much, the products that harm them most keep their floats, as few as are enough.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from windlass.compress import graphs
from windlass.compress.graphs import Plan, Range
from windlass.kinds.text import widths

Feed = dict[str, np.ndarray]
TAILS = (0.0, 2e-5)
"""Shares of values that a range may cut off at each end."""
GOOD_ERROR = 0.1
"""Of the logits, as a share of what they vary by: with less, no product is given back."""
BATCH = 16


@dataclass(frozen=True)
class Rows:
    """Encoded rows of one artifact: a batch an input, and what fills each up (None: nothing does)."""

    batches: Sequence[np.ndarray]
    pads: Sequence[int | None]

    def feeds(self) -> list[Feed]:
        """Few rows each, of like length."""
        lengths = sum((widths(batch, pad) for batch, pad in zip(self.batches, self.pads, strict=True)
                       if pad is not None), np.zeros(len(self.batches[0]), np.int64))  # fmt: skip
        order = np.argsort(lengths, kind="stable")
        return [
            {f"input_{place}": _cut(batch[order[start : start + BATCH]], pad)
             for place, (batch, pad) in enumerate(zip(self.batches, self.pads, strict=True))}
            for start in range(0, len(order), BATCH)
        ]  # fmt: skip


def _cut(batch: np.ndarray, pad: int | None) -> np.ndarray:
    return batch if pad is None else batch[:, : widths(batch, pad).max(initial=1)]


def opened(model: Any, names: Sequence[str] = ("logits",)) -> Callable[[Feed], list[np.ndarray]]:
    """What gives of a feed the tensors with these names."""
    import onnxruntime

    from windlass.predictors.language.threads import n_threads

    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 4, n_threads()
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda feed: [np.asarray(each) for each in session.run(list(names), feed)]


def logits_of(model: Any, feeds: Sequence[Feed]) -> np.ndarray:
    """(n, k) float64, in the order of the feeds."""
    run = opened(model)
    return np.concatenate([run(feed)[0] for feed in feeds]).astype(np.float64)


def error(found: np.ndarray, wanted: np.ndarray) -> float:
    """Root mean square of the difference of logits (n, k), as a share of what the wanted ones vary by in a row."""
    if not np.isfinite(found).all():
        return float("inf")
    one, other = (each - each.mean(axis=1, keepdims=True) if each.shape[1] > 1 else each for each in (found, wanted))
    return float(np.sqrt(np.square(one - other).mean()) / max(np.sqrt(np.square(other).mean()), 1e-9))


def ranges(model: Any, feeds: Sequence[Feed]) -> list[dict[str, Range]]:
    """Of each way to tell a range: product -> (least, most) of what goes into it."""
    found = graphs.products(model)
    names = list(dict.fromkeys(node.input[0] for node in found))
    if not names:
        return []
    seen: dict[str, list[list[Range]]] = {name: [] for name in names}
    run = opened(graphs.watched(model, names), names)
    for feed in feeds:
        for name, values in zip(names, run(feed), strict=True):
            flat = np.sort(values, axis=None)
            cuts = [int(tail * len(flat)) for tail in TAILS]
            seen[name].append([(float(flat[cut]), float(flat[-1 - cut])) for cut in cuts])
    spans = {name: np.array(each) for name, each in seen.items()}  # (feeds, ways, 2)
    return [
        {node.name: (float(spans[node.input[0]][:, way, 0].min()), float(spans[node.input[0]][:, way, 1].max()))
         for node in found}
        for way in range(len(TAILS))
    ]  # fmt: skip


@dataclass(frozen=True)
class Planned:
    """A plan, the error of the logits that it leaves on rows that told no range, and the products left in floats."""

    plan: Plan
    error: float
    floats: tuple[str, ...]


def planned(model: Any, rows: Rows, seconds: float, clock: Callable[[], float] = time.monotonic) -> Planned:
    """The best of the ways; products are given back to floats while the error is not good and time is left."""
    until = clock() + seconds
    feeds = rows.feeds()
    telling, judging = (feeds[::2], feeds[1::2]) if len(feeds) > 1 else (feeds, feeds)
    wanted = logits_of(model, judging)

    def left_by(spans: Mapping[str, Range]) -> float:
        return error(logits_of(graphs.rounded(model, Plan(spans)), judging), wanted)

    ways = ranges(model, telling)
    if not ways:
        return Planned(Plan({}), left_by({}), ())
    errors = [left_by(spans) for spans in ways]
    spans, best = ways[int(np.argmin(errors))], min(errors)
    if best <= GOOD_ERROR:
        return Planned(Plan(spans), best, ())
    harm: dict[str, float] = {}
    for name in spans:
        if clock() > until - seconds / 3:
            break
        harm[name] = left_by({name: spans[name]})
    worst, floats = sorted(harm, key=lambda name: -harm[name]), tuple[str, ...]()
    for n_kept in _doubling(len(worst)):
        if best <= GOOD_ERROR or clock() > until:
            break
        kept = tuple(worst[:n_kept])
        found = left_by({name: span for name, span in spans.items() if name not in kept})
        if found < best:
            best, floats = found, kept
    return Planned(Plan({name: span for name, span in spans.items() if name not in floats}), best, floats)


def _doubling(most: int) -> list[int]:
    """1, 2, 4 ... up to half of them: more left in floats is hardly smaller or faster."""
    found, each = [], 1
    while each <= most // 2:
        found.append(each)
        each *= 2
    return found
