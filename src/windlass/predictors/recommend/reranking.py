"""A ranked list made fit for use: not ten of a kind, some that are new, and rules of the business.

Numbers of items go in and out, the best first. Nothing here brings back what must not be recommended.
Sources: maximal marginal relevance, Carbonell & Goldstein 1998, SIGIR.
"""

from collections.abc import Callable

import numpy as np

Alike = Callable[[int, np.ndarray], np.ndarray]
"""(item, others (o,)) -> (o,) how alike they are, 1 = the same."""


def top(scores: np.ndarray, k: int) -> np.ndarray:
    """(<= k,) numbers of the best items, of equals the first; without those that must not be recommended."""
    if k < len(scores):
        least = np.partition(scores, len(scores) - k)[len(scores) - k]
        inside = np.flatnonzero(scores > least)
        equal = np.flatnonzero(scores == least)[: k - len(inside)]
        places = np.sort(np.concatenate([inside, equal]))
    else:
        places = np.arange(len(scores))
    found = places[np.argsort(-scores[places], kind="stable")]
    return found[np.isfinite(scores[found])]


def diverse(best: np.ndarray, scores: np.ndarray, alike: Alike, trade: float, k: int) -> np.ndarray:
    """(<= k,) each next item is the one that is wanted most, less how near it is to one above it.

    Args: best: (c,) candidates. scores: (c,) theirs. trade: 0 = as they were, 1 = as different as can be.
    """
    if not len(best) or trade <= 0:
        return best[:k]
    spread = float(scores.max() - scores.min())
    wanted = (scores - scores.min()) / spread if spread > 0 else np.ones(len(scores))
    nearest, left = np.zeros(len(best)), np.ones(len(best), bool)
    chosen: list[int] = []
    while len(chosen) < min(k, len(best)):
        worth = np.where(left, (1 - trade) * wanted - trade * nearest, -np.inf)
        place = int(np.argmax(worth))
        chosen.append(place)
        left[place] = False
        nearest = np.maximum(nearest, alike(int(best[place]), best))
    return best[chosen]


def with_quota(best: np.ndarray, new: np.ndarray, share: float, k: int) -> np.ndarray:
    """(<= k,) the list with a share of its places, rounded down, for new items, evenly spread and from the second place
    on; those that are in it already count.

    Args: best: (b,) the list. new: (c,) new items, the best first.
    """
    shown = best[:k]
    there = np.isin(shown, new)
    n_lacking = min(int(share * k + 1e-9), len(new)) - int(there.sum())
    lacking = new[~np.isin(new, shown)][: max(0, n_lacking)]
    if not len(lacking):
        return shown
    n_old = max(0, k - int(there.sum()) - len(lacking))
    kept = shown[there | (np.cumsum(~there) <= n_old)]
    places = np.linspace(1, len(kept), len(lacking) + 1)[:-1].astype(int) if len(kept) else np.zeros(len(lacking), int)
    return np.insert(kept, places, lacking)


def by_margin(scores: np.ndarray, margin: np.ndarray, strength: float) -> np.ndarray:
    """(n,) scores in which what earns more stands higher: by `strength` spreads of the scores for one of the margins.

    Args: margin: (n,), NaN where nobody told one.
    """
    known = np.isfinite(margin)
    spread = float(margin[known].std()) if known.any() else 0.0
    if strength <= 0 or not spread > 0:
        return scores
    finite = np.isfinite(scores)
    size = float(scores[finite].std()) if finite.any() else 0.0
    return np.asarray(scores + strength * size * np.where(known, (margin - margin[known].mean()) / spread, 0.0))
