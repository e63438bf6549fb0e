"""An interpolated n-gram model of characters: what every network that writes must beat.

Kneser-Ney against Witten-Bell, measured at order 6 in bits per byte: Tiny Shakespeare 2.23 and 2.49, Chinese poems 2.42
and 2.60, WikiText-2 1.98 and 2.17.
Source: Kneser & Ney 1995, Improved backing-off for m-gram language modeling; Chen & Goodman 1999.
"""

from collections.abc import Sequence

import numpy as np

from windlass.errors import DataError, NotReady
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.language.written import answers_read, asks, finish_text
from windlass.predictors.language.ngram import END, FIRST, START, Level, Model, Ngram, write_model
from windlass.records import Progress, Splits

ORDERS = (6, 5, 4, 3)
"""Tried from the longest; each shorter one is a third to a half smaller."""
AS_GOOD = 1.01
"""A shorter one is taken while it needs at most this many times the bits of the best."""
N_JUDGED = 1_000
WRITING = {"temperature": 0.8, "max_tokens": 256}
"""Always the likeliest character runs in circles."""
Table = tuple[np.ndarray, np.ndarray]


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Counts the training texts at several orders and keeps the shortest that is nearly as good as the best.

    Raises: NotReady: the rows ask something, which such a model does not read. DataError: there are no texts.
    """
    if asks(splits):
        raise NotReady("rows ask something: an n-gram model does not read")
    texts = answers_read(splits, splits.train)
    if not any(texts):
        raise DataError(f"column '{splits.output_column}' has no text, expected some to count")
    known = answers_read(splits, splits.validation)[:N_JUDGED]
    best: tuple[float, Model] | None = None
    for number, order in enumerate(ORDERS):
        progress("counting", number, len(ORDERS), f"order {order}")
        model = count(texts, order)
        nats = sum(model.nats(text) for text in known)
        if best is not None and nats > AS_GOOD * best[0]:
            break
        best = (min(nats, best[0]) if best else nats, model)
        if not known or not budget.left():
            break
    assert best is not None
    return _finish(best[1], splits, options)


def _finish(model: Model, splits: Splits, options: Options) -> Fitted:
    write_model(options.artifact, model)
    settings = {"order": model.order, "characters": model.characters, "writing": WRITING}
    manifest = {"predictor": "ngram", "learner": "ngram", "settings": settings}
    return finish_text(options, manifest, splits, Ngram(model))


def count(texts: Sequence[str], order: int) -> Model:
    """The model of these texts: the longest grams are worth how often they occur, shorter ones after how many symbols.

    That is what Kneser-Ney counts: 'Francisco' is frequent, but follows 'San' alone, and is unlikely elsewhere.
    """
    characters = "".join(sorted(set().union(*texts)))
    n_symbols = FIRST + len(characters)
    symbols, offsets = _stream(texts, characters, order)
    contexts = np.zeros(len(symbols), np.int64)
    ends = np.zeros(len(symbols), np.int32)  # place of the gram that ends at each symbol
    worths: list[np.ndarray] = []
    keys: list[np.ndarray] = []
    for length in range(1, order + 1):
        inside = np.flatnonzero(offsets >= length - 1)
        grams = contexts[inside] * n_symbols + symbols[inside]
        found, first, places, counts = np.unique(grams, return_index=True, return_inverse=True, return_counts=True)
        if keys:
            worths.append(np.bincount(ends[inside[first]], minlength=len(keys[-1])))
        keys.append(found)
        ends = np.full(len(symbols), -1, np.int32)
        ends[inside] = places
        contexts = np.concatenate([[-1], ends[:-1]]).astype(np.int64)
    return Model(characters, [_level(*level, n_symbols) for level in zip(keys, [*worths, counts], strict=True)])


def _level(keys: np.ndarray, worth: np.ndarray, n_symbols: int) -> Level:
    """START is never what follows."""
    worth = np.where(keys % n_symbols == START, 0, worth)
    return Level(keys, worth, discounts(worth))


def discounts(worth: np.ndarray) -> np.ndarray:
    """What is taken from grams worth 1, 2, and 3 or more. Source: Chen & Goodman 1999, eq. 17; held off 0 and 1."""
    n = [max(1, int((worth == value).sum())) for value in (1, 2, 3, 4)]
    share = n[0] / (n[0] + 2 * n[1])
    ideal = [value - (value + 1) * share * n[value] / n[value - 1] for value in (1, 2, 3)]
    return np.clip(ideal, 0.05, [0.95, 1.9, 2.85])


def _stream(texts: Sequence[str], characters: str, order: int) -> Table:
    """All texts as symbols, START before and END after each; and how far each symbol stands from its text's first."""
    codes, known = (np.frombuffer(text.encode("utf-32-le"), np.uint32) for text in ("".join(texts), characters))
    sizes = np.array([len(text) + order for text in texts])
    edges = np.concatenate([[0], np.cumsum(sizes)])
    offsets = np.arange(edges[-1]) - np.repeat(edges[:-1], sizes)
    symbols = np.full(edges[-1], START, np.int64)
    symbols[(offsets >= order - 1) & (offsets < np.repeat(sizes, sizes) - 1)] = FIRST + np.searchsorted(known, codes)
    symbols[edges[1:] - 1] = END
    return symbols, offsets
