"""Which sentences of a text stand for the others, and which of some say something that the chosen ones do not.

Source: LexRank, Erkan and Radev 2004, JAIR 22 (the continuous form: cosines of rarity-weighted terms as transitions),
        drawn to the title as to a question by Otterbacher et al. 2005, HLT (docs/log.md: ROUGE-1 .319 with, .278
        without);
        maximal marginal relevance, Carbonell and Goldstein 1998, SIGIR; of more sentences than fit, those nearest to
        the centroid, Radev et al. 2004, IPM 40(6).
Shapes: S sentences, V different terms.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from windlass.predictors.passages.terms import terms

Rarity = Callable[[str], float]
"""How rare a term is among all passages."""
TITLE, N_STEPS = 0.5, 60
"""How often the walk begins anew at what is near the title."""
RELEVANCE = 0.7
"""What a sentence counts by itself; the rest is what it has in common with those that are chosen already."""
SAME = 0.7
"""Cosine from which on a sentence repeats another one: it is never chosen beside it."""
MOST = 1_000
"""Sentences that are weighed against each other: S x S numbers."""


def central(texts: Sequence[str], title: str, rarity: Rarity, n_best: int) -> list[int]:
    """The numbers of at most n_best sentences that stand for all, in order; fewer where the others repeat them.

    title: of all; '': none.
    """
    places = _nearest_to_all(texts, rarity)
    *rows, named = term_vectors([*(texts[place] for place in places), title], rarity)
    each = np.array(rows).reshape(len(rows), len(named))
    return sorted(places[number] for number in diverse(lexrank(each, each @ named), each, n_best))


def lexrank(rows: np.ndarray, near: np.ndarray) -> np.ndarray:
    """(S,) the share of time that a walk from sentence to sentence spends at each.

    rows: (S, V) of length 1. near: (S,) cosine of each with the title; where all are 0, it begins anywhere.
    """
    n = len(rows)
    if not n:
        return np.zeros(0)
    alike = rows @ rows.T
    np.fill_diagonal(alike, 0.0)  # a long sentence like no other would keep the walk to itself
    total = alike.sum(axis=1, keepdims=True)
    steps = np.where(total > 0, alike / np.maximum(total, 1e-12), 1 / n)
    begins = near / near.sum() if near.sum() > 0 else np.full(n, 1 / n)
    shares = np.full(n, 1 / n)
    for _ in range(N_STEPS):
        shares = TITLE * begins + (1 - TITLE) * (shares @ steps)
    return np.asarray(shares)


def diverse(scores: np.ndarray, rows: np.ndarray, n_best: int) -> list[int]:
    """The best by score (S,), each of which says something new beside those before it; rows: (S, V) of length 1."""
    best = max(float(scores.max(initial=0.0)), 1e-12)
    chosen: list[int] = []
    common = np.zeros(len(rows))
    while len(chosen) < n_best:
        gain = RELEVANCE * scores / best - (1 - RELEVANCE) * common
        gain[common >= SAME] = -np.inf
        gain[chosen] = -np.inf
        if not len(gain) or not np.isfinite(gain.max()):
            break
        chosen.append(int(gain.argmax()))
        common = np.maximum(common, rows @ rows[chosen[-1]])
    return chosen


def term_vectors(texts: Sequence[str], rarity: Rarity) -> np.ndarray:
    """(S, V) float32 of length 1: of each sentence its terms, more often (1 + log) and rarer ones more."""
    weighed = [_weighed(text, rarity) for text in texts]
    columns = {term: place for place, term in enumerate(dict.fromkeys(term for each in weighed for term in each))}
    rows = np.zeros((len(texts), len(columns)), np.float32)
    for row, each in zip(rows, weighed, strict=True):
        row[[columns[term] for term in each]] = list(each.values())
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9))


def _weighed(text: str, rarity: Rarity) -> dict[str, float]:
    return {term: (1 + math.log(count)) * rarity(term) for term, count in Counter(terms(text)).items()}


def _nearest_to_all(texts: Sequence[str], rarity: Rarity) -> list[int]:
    """The numbers of at most `MOST` sentences, those nearest to all together."""
    if len(texts) <= MOST:
        return list(range(len(texts)))
    weighed = [_weighed(text, rarity) for text in texts]
    centre = Counter[str]()
    for each in weighed:
        centre.update(each)
    near = [
        sum(weight * centre[term] for term, weight in each.items()) / max(math.hypot(*each.values()), 1e-9)
        for each in weighed
    ]
    return sorted(np.argsort(-np.array(near), kind="stable")[:MOST].tolist())
