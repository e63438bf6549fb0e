"""What may be remembered of a value without keeping it, and how many such memories of now differ from those of before.

A profile is a short list of whole numbers: bins, known names by their number, a coarse projection. What it says is
named by traits, and each form of trait has its test.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from windlass.metrics import drift as drift_metrics
from windlass.metrics.proportions import Proportion
from windlass.records import Json

Profile = list[int]
Form = Literal["ordered", "names", "rate", "vector"]
LIMITS: dict[Form, float] = {"ordered": 0.1, "names": 0.1, "rate": 0.03, "vector": 0.0015}
"""From which effect on a shift is worth a person's time, whatever its p-value: stability index less what it is on
average without drift; share of rows; share of mean distances (0.0024 when one of AG News' four topics is gone)."""
MOST_VECTORS = 600
N_GROUPS = 10
MISSING, NO_SEASON = 0, -1
WEEKS, LEAST_ALIKE = 53, 150
"""Of a year; and rows of a reference that are compared with rows of some weeks, those of the nearest weeks."""
HASHES = 2**48


@dataclass(frozen=True)
class Trait:
    """One thing that a profile says.

    form: ordered and names: `profile[start]` is a code below `width`, its order counts or not; rate: how often that
    code is one of `codes`; vector: `width` numbers from `start` on. scale: the value that each ordered code stands for.
    A missing value, code 0 at `start`, takes no part, but in a rate.
    """

    name: str
    form: Form
    start: int
    width: int
    codes: tuple[int, ...] = ()
    scale: tuple[float, ...] = ()


@dataclass(frozen=True)
class Shift:
    """How far a trait moved. effect: in its form's own unit, `limit` from where it matters; p: by chance alone.

    before, now: the rate, or the median on the trait's scale; none where it has no such number.
    """

    trait: str
    form: Form
    effect: float
    limit: float
    p: float
    before: float | None = None
    now: float | None = None

    @property
    def is_large(self) -> bool:
        return self.effect >= self.limit


@dataclass(frozen=True)
class Sketch:
    """How a kind sums up its values.

    learn(read values, those of training) -> state: all that `profile` needs, as plain JSON.
    profile(read value, state) -> a list of whole numbers, for every value equally long, from which the value cannot be
        read back. Costs little: a service makes one for each row that it answers.
    traits(state) -> what the numbers mean.
    season(state) -> where the profile has the week of the year, 1 to 53, that the row is of, 0 where it has none;
        `NO_SEASON`: it says none.
    """

    learn: Callable[[Iterable[Any]], Json]
    profile: Callable[[Any, Json], Profile]
    traits: Callable[[Json], Sequence[Trait]]
    season: Callable[[Json], int] = lambda state: NO_SEASON

    def drift(
        self, state: Json, reference: np.ndarray, now: np.ndarray, usual: np.ndarray | None = None
    ) -> list[Shift]:
        """How each trait of these profiles, (n, k) and (m, k), moved between them. now: in the order of time.
        usual: (m, k) what is usual at the time of the year of each; None: that is not known."""
        return [shift(trait, reference, now, usual) for trait in self.traits(state)]


def shift(trait: Trait, reference: np.ndarray, now: np.ndarray, usual: np.ndarray | None = None) -> Shift:
    """How far the trait moved between two sets of profiles. now: in the order of time; where each row is like the one
    before it, fewer of them count."""
    if trait.form == "ordered":
        return _ordered(trait, np.asarray(reference), np.asarray(now), usual)
    return _FORMS[trait.form](trait, np.asarray(reference), np.asarray(now))


def alike(before: np.ndarray, now: np.ndarray, least: int = LEAST_ALIKE) -> np.ndarray:
    """Which rows of a reference, (n,) bool, are of the time of the year of these: of the same weeks and those beside
    them, and of so many more that there are `least`. before, now: weeks; all rows where there are none."""
    weeks = np.unique(now[now > 0])
    if not len(weeks) or not (before > 0).any():
        return np.ones(len(before), bool)
    gaps = np.abs(before[:, None] - weeks[None, :])
    apart = np.minimum(gaps, WEEKS - gaps).min(axis=1)
    apart[before <= 0] = WEEKS
    enough = np.sort(apart)[min(least, len(apart)) - 1]
    return np.asarray(apart <= max(1, int(enough)))


def _rate(trait: Trait, reference: np.ndarray, now: np.ndarray) -> Shift:
    found = [np.isin(rows[:, trait.start], trait.codes) for rows in (reference, now)]
    before, after = (float(hits.mean()) if len(hits) else 0.0 for hits in found)
    counted = round(len(now) * drift_metrics.independent_share(found[1]))
    rows = Proportion(int(found[0].sum()), len(reference)), Proportion(round(after * counted), counted)
    test = drift_metrics.more_often(*rows)
    return Shift(trait.name, "rate", after - before, LIMITS["rate"], test.p, before, after)


def _counted(trait: Trait, rows: np.ndarray) -> np.ndarray:
    """Rows of each code; none of code 0, since what is missing is a trait of its own."""
    counts = np.bincount(np.clip(rows[:, trait.start], 0, trait.width - 1), minlength=trait.width)
    counts[MISSING] = 0
    return counts


def _ordered(trait: Trait, reference: np.ndarray, now: np.ndarray, usual: np.ndarray | None) -> Shift:
    before, after = _counted(trait, reference), _counted(trait, now)
    codes = now[:, trait.start]
    beside = codes if usual is None or len(usual) != len(codes) else codes - usual[:, trait.start]
    share = drift_metrics.independent_share(beside[codes != MISSING])
    groups = grouped(before)
    coarse = [np.bincount(groups, weights=counts).astype(np.int64) for counts in (before, after)]
    p = min(
        drift_metrics.kolmogorov_smirnov(before, after * share).p,
        drift_metrics.chi_square(coarse[0], coarse[1] * share).p,
    )
    medians = [_median(trait, counts) for counts in (before, after)]
    return Shift(
        trait.name, "ordered", _excess(coarse[0], coarse[1], share), LIMITS["ordered"], min(1.0, 2 * p), *medians
    )


def _names(trait: Trait, reference: np.ndarray, now: np.ndarray) -> Shift:
    before, after = _counted(trait, reference), _counted(trait, now)
    seen = (before + after) > 0
    return Shift(
        trait.name,
        "names",
        _excess(before[seen], after[seen]),
        LIMITS["names"],
        drift_metrics.chi_square(before, after).p,
    )


def _vector(trait: Trait, reference: np.ndarray, now: np.ndarray) -> Shift:
    before, after = (
        _some(rows[:, trait.start : trait.start + trait.width].astype(np.float32)) for rows in (reference, now)
    )
    test = drift_metrics.energy(before, after)
    return Shift(trait.name, "vector", test.distance, LIMITS["vector"], test.p)


_FORMS: dict[Form, Callable[[Trait, np.ndarray, np.ndarray], Shift]] = {
    "rate": _rate,
    "names": _names,
    "vector": _vector,
}


def _some(rows: np.ndarray) -> np.ndarray:
    """At most `MOST_VECTORS` rows, evenly spread; those without a value (all zeros) left out."""
    kept = rows[rows.any(axis=1)]
    return kept[np.linspace(0, len(kept) - 1, min(len(kept), MOST_VECTORS)).astype(int)] if len(kept) else kept


def _excess(before: np.ndarray, after: np.ndarray, share: float = 1.0) -> float:
    """The stability index less what it is on average without drift; 0 when there is nothing to compare. share: of the
    rows of now that tell something of their own."""
    n, m = int(before.sum()), share * int(after.sum())
    if not n or not m or len(before) < 2:
        return 0.0
    index = drift_metrics.population_stability_index(before, after)
    return max(0.0, index - drift_metrics.expected_index(len(before), n, m))


def _median(trait: Trait, counts: np.ndarray) -> float | None:
    if not trait.scale or not counts.sum():
        return None
    return float(trait.scale[int(np.searchsorted(np.cumsum(counts), counts.sum() / 2))])


def grouped(counts: np.ndarray) -> np.ndarray:
    """The group (k,) that each ordered code belongs to: neighbours together, each about a tenth of these rows."""
    below = np.concatenate([[0], np.cumsum(counts)[:-1]])
    groups = (below * N_GROUPS // max(int(counts.sum()), 1)).astype(np.int64)
    return np.unique(groups, return_inverse=True)[1]


# a grid of quantiles: numbers as bins ---------------------------------------------------------------------------------


def learn_grid(values: Sequence[float], n_bins: int) -> list[float]:
    """The different quantiles of these numbers, smallest and largest among them, at least two; none without numbers."""
    if not len(values):
        return []
    found = np.unique(np.quantile(np.asarray(values, np.float64), np.linspace(0, 1, n_bins + 1)))
    grid = [float(f"{edge:.9g}") for edge in found]
    return grid if len(grid) > 1 else grid * 2


def grid_width(grid: Sequence[float]) -> int:
    """Codes of a grid: 0 missing, 1 below it, one for each two neighbouring edges, the last above it."""
    return len(grid) + 2


def grid_code(value: float, grid: Sequence[float]) -> int:
    """The code of a number: 1 for each edge that it reaches and one more; the largest known number is not above."""
    if value != value:
        return MISSING
    if grid and value > grid[-1]:
        return len(grid) + 1
    return min(bisect_right(grid, value), max(len(grid) - 1, 0)) + 1


def grid_scale(grid: Sequence[float]) -> tuple[float, ...]:
    """The number that each code of a grid stands for."""
    if not grid:
        return ()
    return (0.0, grid[0], *((low + high) / 2 for low, high in pairwise(grid)), grid[-1])


# signs by hash: a projection that needs no table ----------------------------------------------------------------------


def digest(text: str) -> bytes:
    """16 bytes of a hash that is the same in every process."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def place_of(id: str) -> int:
    """Where a row stands among all others, by the hash of its id: below `HASHES`, and the same whoever asks."""
    return int.from_bytes(digest(id)[:6])


def signs(key: bytes) -> np.ndarray:
    """+1 and -1, eight a byte, float32."""
    return np.unpackbits(np.frombuffer(key, np.uint8)).astype(np.float32) * 2 - 1


def whole(vector: np.ndarray, scale: float, most: int) -> Profile:
    """The vector times `scale` in whole numbers between -most and most."""
    return [max(-most, min(most, round(number))) for number in (vector * scale).tolist()]
