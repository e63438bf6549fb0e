"""Why a row was answered so: exact for linear models and trees, by taking parts away for everything else."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError, NotReady, did_you_mean, expected
from windlass.kinds import table as kinds
from windlass.kinds.contract import Place
from windlass.metrics import softmax
from windlass.predictors.contract import Additive, Labeller, Predictor, check_row, dense, read_value
from windlass.predictors.occlusion import Effort, Values, Weighed, nothing, weigh
from windlass.predictors.writer import Writer
from windlass.records import Column, Explanation, Part, Row

LOG_ODDS, NATS = "log-odds", "log-likelihood (nats)"
METHODS = {"linear": "weight × feature", "trees": "TreeSHAP"}
OCCLUSION = "occlusion"
ABSENT = "lacks other words"
MOST_PARTS = 512
"""Of a column: a longer text is told by sentences where it counts little."""
MOST_OF_A_WRITER = 48
"""Evaluations of a model that writes: each reads the row and the whole answer."""


def explain(
    predictor: Predictor,
    rows: Sequence[Row],
    root: Path | None = None,
    label: str = "",
    effort: Callable[[], Effort] = Effort,
) -> list[Explanation]:
    """One explanation a row, in order.

    Args:   root: the folder of pictures that rows name by path. label: what to explain (none: each row's own answer).
            effort: what a row may cost.
    Raises: DataError: a row cannot be read, or the label is unknown. NotReady: what writes knows no likelihood, or
            the time is over.
    """
    if isinstance(predictor, Writer):
        return [_written(predictor, row, number, (root, label), effort()) for number, row in enumerate(rows)]
    assert isinstance(predictor, Labeller)
    return [_labelled(predictor, row, number, (root, label), effort()) for number, row in enumerate(rows)]


def _labelled(
    predictor: Labeller, row: Row, number: int, asked: tuple[Path | None, str], effort: Effort
) -> Explanation:
    effort.check()
    values = _read(predictor.manifest.inputs, row, number, asked[0])
    logits = _logits(predictor, [values])[0]
    shares = softmax(logits[None])[0]
    chosen = _class_of(asked[1], predictor.labels) if asked[1] else int(predictor.answers(shares[None])[0])
    if len(shares) < 2:
        raise DataError(f"release knows the label '{predictor.labels[0]}' alone, expected two to tell apart")
    label, confidence = predictor.labels[chosen], float(shares[chosen])
    if isinstance(predictor.engine, Additive):
        method, found, base = _exact(predictor, values, logits, chosen)
        effort.n_done = 1
    else:
        method, columns = OCCLUSION, _columns(predictor.manifest.inputs)

        def score(rows: Sequence[Values]) -> np.ndarray:
            return log_odds(_logits(predictor, rows), chosen)

        found = weigh(score, columns, values, effort)
        base = nothing(score, columns, values, effort)
    return Explanation(
        label=label,
        confidence=confidence,
        method=method,
        unit=LOG_ODDS,
        base=base,
        total=float(log_odds(logits[None], chosen)[0]),
        adds_up=method != OCCLUSION,
        n_evaluations=effort.n_done,
        parts=tuple(_part(each, values, f"'{label}'") for each in found),
        texts=_shown(predictor.manifest.inputs, values, is_picture=False),
        pictures=_shown(predictor.manifest.inputs, values, is_picture=True),
    )


def log_odds(logits: np.ndarray, chosen: int) -> np.ndarray:
    """(n,) log of p / (1 - p) of a class, from its calibrated logits (n, k)."""
    others = np.delete(logits, chosen, axis=1)
    largest = others.max(axis=1)
    return logits[:, chosen] - largest - np.log(np.exp(others - largest[:, None]).sum(axis=1))


def _exact(
    predictor: Labeller, values: Values, logits: np.ndarray, chosen: int
) -> tuple[str, list[Weighed], float]:
    """What each part adds to the label's logit against the others, each of these by its own probability.

    The log-odds are that difference less the entropy of the others, which the base takes: so all adds up.
    """
    others = np.delete(logits, chosen)
    shares = softmax(others[None])[0]
    entropy = -float((shares * np.log(np.maximum(shares, 1e-300))).sum())
    against = np.insert(-shares, chosen, 1.0)
    manifest, engine = predictor.manifest, predictor.engine
    labels, inputs = against / manifest.temperature, manifest.inputs
    assert isinstance(engine, Additive)
    sides, base = engine.contributions(_encoded(inputs, [values]), labels)
    base += float(np.dot(manifest.shift, against)) if manifest.shift else 0.0
    if engine.is_from_zero:
        usual, _ = engine.contributions([_mean(column) for column in inputs], labels)
        sides = [side - other for side, other in zip(sides, usual, strict=True)]
        base += float(sum(other.sum() for other in usual))
    found: list[Weighed] = []
    for column, weights in zip(inputs, sides, strict=True):
        parts = kinds.get(column.kind).parts
        if parts is None:
            found.append(Weighed(column, None, float(weights.sum())))
        else:
            spread = parts.spread(values[column.name], column.state, weights)
            every = [Weighed(column, place, weight, is_absent=place is None) for place, weight in spread]
            found += every if len(every) <= MOST_PARTS else _coarser(every, parts.find(values[column.name]))
    return METHODS[manifest.predictor], found, base - entropy


def _coarser(every: Sequence[Weighed], coarse: Sequence[Place]) -> list[Weighed]:
    """Of a very long text the sums of its sentences, and the words of those that weigh most."""
    found = [each for each in every if each.place is None]
    starts = [place[0] for place in coarse]
    inside: list[list[Weighed]] = [[] for _ in coarse]
    for each in every:
        if each.place is not None:
            inside[bisect_right(starts, each.place[0]) - 1].append(each)
    left = MOST_PARTS
    for place, words in sorted(zip(coarse, inside, strict=True), key=lambda pair: -abs(_sum(pair[1]))):
        if len(words) <= left:
            left -= len(words)
            found += words
        else:
            found.append(Weighed(every[0].column, place, _sum(words)))
    return sorted(found, key=lambda each: each.place or (0, 0))


def _sum(found: Sequence[Weighed]) -> float:
    return sum(each.weight for each in found)


def _mean(column: Column) -> np.ndarray:
    """The mean features of what stands for the training rows, (1, ...)."""
    kind = kinds.get(column.kind)
    others = kind.background(column.state)
    rows = [dense(kind.encode([value], column.state)) * share for value, share in others]
    return np.sum(rows, axis=0)[None]


def _written(predictor: Writer, row: Row, number: int, asked: tuple[Path | None, str], effort: Effort) -> Explanation:
    """What each part of the row adds to the likelihood of the answer that was given."""
    values = predictor.read([row], asked[0])[0]
    answer = predictor.answer([row], asked[0])[0]
    text = asked[1] or str(answer.value)
    effort.most = min(effort.most, MOST_OF_A_WRITER)

    def score(rows: Sequence[Values]) -> np.ndarray:
        nats = predictor.engine.nats(rows, [text] * len(rows))
        if nats is None:
            raise NotReady(
                f"answers of '{predictor.manifest.learner}' are found, not weighed, expected a model that knows how "
                "likely a text is",
                "its answer says what it rests on",
            )
        return -np.asarray(nats, np.float64)

    columns = _columns(predictor.manifest.inputs)
    total = float(score([values])[0])
    found = weigh(score, columns, values, effort)
    return Explanation(
        label=text,
        confidence=answer.confidence if not asked[1] else None,
        method=OCCLUSION,
        unit=NATS,
        base=nothing(score, columns, values, effort),
        total=total,
        adds_up=False,
        n_evaluations=effort.n_done,
        parts=tuple(_part(each, values, "this answer") for each in found),
        texts=_shown(predictor.manifest.inputs, values, is_picture=False),
    )


def _read(inputs: Sequence[Column], row: Row, number: int, root: Path | None) -> dict[str, Any]:
    columns = _columns(inputs)
    check_row(row, [each.name for each in columns], number)
    return {each.name: read_value(kinds.of(each).read, row, each.name, number, root) for each in columns}


def _columns(inputs: Sequence[Column]) -> list[Column]:
    """Each column once: the parts of a blend read the same ones."""
    return list({column.name: column for column in reversed(inputs)}.values())[::-1]


def _encoded(inputs: Sequence[Column], rows: Sequence[Values]) -> list[Any]:
    return [kinds.get(column.kind).encode([row[column.name] for row in rows], column.state) for column in inputs]


def _logits(predictor: Labeller, rows: Sequence[Values]) -> np.ndarray:
    """(n, k) float64, calibrated."""
    return predictor.manifest.calibrated(predictor.engine(_encoded(predictor.manifest.inputs, rows)))


def _class_of(label: str, labels: Sequence[str]) -> int:
    if label not in labels:
        raise DataError(f"label is '{label[:80]}', expected {expected(labels)}", did_you_mean(label[:80], labels))
    return labels.index(label)


def _part(found: Weighed, values: Values, answer: str) -> Part:
    """What was weighed, with words for it."""
    column, place, weight = found.column, found.place, found.weight
    kind = kinds.get(column.kind)
    if place is None:
        said = ABSENT if found.is_absent else kind.describe(values[column.name], column.state)
        side = "speaks for" if weight > 0 else "speaks against" if weight < 0 else "says nothing about"
        return Part(column.name, f"{column.name} {said}, and {side} {answer}", weight)
    if len(place) == 2:
        return Part(column.name, values[column.name][place[0] : place[1]], weight, span=place)
    left, top, right, foot = (round(100 * side) for side in place)
    return Part(column.name, f"{left}-{right} % from the left, {top}-{foot} % from the top", weight, box=place)


def _shown(inputs: Sequence[Column], values: Values, is_picture: bool) -> dict[str, str]:
    """What places lie on: column -> its text, or its picture as a data: URI."""
    found = {column.name: kinds.get(column.kind).parts for column in inputs}
    return {
        name: parts.show(values[name]) for name, parts in found.items() if parts and parts.is_picture is is_picture
    }
