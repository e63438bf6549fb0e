"""What another way to fill slates would have earned, of slates logged with the exact chance of what they showed.

A click depends on the item and its place, not on its neighbours (the item-position model), so that each place is
weighed by how much likelier the way that is judged shows that item there. Arrays are (n, k): slates and places.
Source: Li et al. 2018, arXiv:1804.10488 (item-position); Swaminathan & Joachims 2015, NeurIPS 28 (self-normalised);
        Dudík et al. 2014, arXiv:1503.02834 (doubly robust).
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from windlass.errors import DataError
from windlass.metrics.measures import Array, Estimate

LEAST_EFFECTIVE = 100
"""Slates that carry the weight of all, below which an interval is not to be believed."""
MOST_SHARE = 0.1
"""Of the whole weight on one slate, beyond which it decides by itself."""


@dataclass(frozen=True)
class LoggedSlates:
    """rewards: (n, k), 1 for a click. propensities: (n, k) chance with which each item was shown at its place. targets:
    (n, k) with which the way that is judged would show the same item there. groups: (n,) int, such as users, whose
    slates are alike. words: what was changed of the log, for who reads the result.
    """

    rewards: Array
    propensities: Array
    targets: Array
    groups: Array
    words: tuple[str, ...] = ()

    @classmethod
    def read(
        cls, rewards: Array, propensities: Array, targets: Array, groups: Array, clip: float | None = None
    ) -> "LoggedSlates":
        """clip: chances nearer than that to 0 or 1 are moved there, and the words say so; None: they are refused.

        Raises: DataError: shapes differ, a reward is no finite number, a chance is 0, 1 or none at all.
        """
        arrays = [np.atleast_2d(np.asarray(each, dtype=np.float64)) for each in (rewards, propensities, targets)]
        if len({each.shape for each in arrays}) > 1 or len(groups) != len(arrays[0]) or not arrays[0].size:
            shapes = ", ".join(str(each.shape) for each in arrays)
            raise DataError(f"slates are {shapes} of {len(groups)} groups, expected one shape and a group each")
        if not np.isfinite(arrays[0]).all():
            raise DataError("a reward is no finite number, expected 1 for a click and 0 for none")
        if not ((arrays[2] >= 0) & (arrays[2] <= 1)).all():
            raise DataError("a chance of the way that is judged is outside 0 to 1, expected a probability")
        known, words = _checked(arrays[1], clip)
        return cls(arrays[0], known, arrays[2], np.unique(np.asarray(groups), return_inverse=True)[1], words)

    @property
    def weights(self) -> Array:
        """(n, k) how much likelier the way that is judged shows what was shown."""
        return np.asarray(self.targets / self.propensities)


def _checked(propensities: Array, clip: float | None) -> tuple[Array, tuple[str, ...]]:
    wrong = ~((propensities > 0) & (propensities < 1))
    if clip is None and wrong.any():
        row, place = np.argwhere(wrong)[0]
        raise DataError(
            f"propensity of slate {row + 1}, place {place + 1} is {propensities[row, place]:g}, expected more than 0 "
            "and less than 1",
            "what is always or never shown tells nothing of the rest: explore, or clip such chances and say so",
        )
    if clip is None:
        return propensities, ()
    if not 0 < clip < 0.5:
        raise DataError(f"clip is {clip:g}, expected more than 0 and less than 0.5")
    if not ((propensities >= 0) & (propensities <= 1)).all():
        raise DataError("a propensity is outside 0 to 1, expected the chance with which an item was shown")
    moved = (propensities < clip) | (propensities > 1 - clip)
    words = (f"{int(moved.sum())} of {moved.size} propensities were clipped to {clip:g}: the value is biased by that",)
    return np.clip(propensities, clip, 1 - clip), words if moved.any() else ()


@dataclass(frozen=True)
class PolicyValue:
    """What a slate earns: its estimate with an interval of 95 %. influence: (n,) what each slate adds to the estimate's
    error, so that two ways are compared on the same slates. effective: slates that carry the weight of all.
    """

    estimate: Estimate
    influence: Array
    groups: Array
    effective: float
    words: tuple[str, ...]

    def less(self, other: "PolicyValue") -> Estimate:
        """How much more this way earns than another that was judged by the same slates, with its interval."""
        return _interval(self.estimate.value - other.estimate.value, self.influence - other.influence, self.groups)


def ips(slates: LoggedSlates) -> PolicyValue:
    """Inverse propensity scoring: unbiased, and wide where weights are large."""
    each = (slates.weights * slates.rewards).sum(axis=1)
    return _told(float(each.mean()), each - each.mean(), slates)


def snips(slates: LoggedSlates) -> PolicyValue:
    """Self-normalised: each place's rewards over its weights; a little biased, and much narrower.

    The interval is by the delta method. Raises: DataError: nothing that the way would show was ever shown at a place.
    """
    weights, size = slates.weights, slates.weights.mean(axis=0)
    if not (size > 0).all():
        raise DataError(
            f"place {int(np.argmin(size)) + 1} never showed what the way that is judged would show, expected some",
            "explore, so that it is shown now and then",
        )
    ratio = (weights * slates.rewards).mean(axis=0) / size
    return _told(float(ratio.sum()), (weights * (slates.rewards - ratio) / size).sum(axis=1), slates)


def doubly_robust(slates: LoggedSlates, shown: Array, expected: Array) -> PolicyValue:
    """Right where either the chances or the model of rewards is, and narrow where the model is good.

    Args: shown: (n, k) rewards that the model foretells for what was shown. expected: (n,) what it foretells for the
        slate of the way that is judged. Neither model may have learned from these slates.
    """
    shown, expected = np.asarray(shown, np.float64), np.asarray(expected, np.float64)
    if shown.shape != slates.rewards.shape or expected.shape != (len(shown),):
        raise DataError(f"foretold rewards are {shown.shape}, {expected.shape}, expected {slates.rewards.shape}, (n,)")
    each = expected + (slates.weights * (slates.rewards - shown)).sum(axis=1)
    return _told(float(each.mean()), each - each.mean(), slates)


def _told(value: float, influence: Array, slates: LoggedSlates) -> PolicyValue:
    weights = slates.weights.sum(axis=1)
    total = float(weights.sum())
    effective = total**2 / float((weights**2).sum()) if total > 0 else 0.0
    words = list(slates.words)
    if effective < LEAST_EFFECTIVE:
        words.append(f"{effective:.0f} slates carry the weight of {len(weights)}, expected {LEAST_EFFECTIVE} at least")
    if total > 0 and weights.max() > MOST_SHARE * total:
        words.append(f"one slate carries {weights.max() / total:.0%} of the weight")
    return PolicyValue(
        _interval(value, influence, slates.groups), influence, slates.groups, effective, tuple(words)
    )  # fmt: skip


def _interval(value: float, influence: Array, groups: Array) -> Estimate:
    """The mean with its interval by sums over groups. Source: Liang & Zeger 1986, Biometrika 73(1); Student's t by
    Abramowitz & Stegun 1964, 26.7.5."""
    sums = np.bincount(groups, weights=influence)
    free = len(sums) - 1
    if free < 1:
        return Estimate(value, float("-inf"), float("inf"))
    error = float(np.sqrt((len(sums) / free) * ((sums - sums.mean()) ** 2).sum()) / len(influence))
    z = NormalDist().inv_cdf(0.975)
    t = z + (z**3 + z) / (4 * free) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * free**2)
    return Estimate(value, value - t * error, value + t * error)
