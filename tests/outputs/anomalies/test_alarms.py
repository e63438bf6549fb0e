"""Alarms are counted beside faults as by hand, and the share that raises one keeps false alarms within the bound."""

import numpy as np
import pytest

from windlass.kinds import table as kinds
from windlass.metrics.alarms import DELAY, FALSE_ALARMS, FOUND, AlarmMarks, alarm_share
from windlass.metrics.measures import Threshold, bootstrap

HOURS = np.arange(0.0, 30 * 24, 6)
"""A month of one machine, a row every six hours."""


def marks(faults, alarms, streams=None, share=0.9):
    """faults, alarms: numbers of rows; each alarm has that probability."""
    n_rows = len(HOURS) if streams is None else len(streams)
    targets = np.isin(np.arange(n_rows), list(faults)).astype(int)
    yes = np.where(np.isin(np.arange(n_rows), list(alarms)), share, 0.1)
    return AlarmMarks(
        targets, np.stack([1 - yes, yes], axis=1), 1, ("no", "yes"), Threshold(1, 0.5),
        streams=np.zeros(n_rows, int) if streams is None else streams,
        hours=HOURS if streams is None else np.tile(HOURS, n_rows // len(HOURS)),
    )  # fmt: skip


def test_a_fault_counts_as_found_within_a_day_and_its_delay_is_told():
    found = marks([*range(20, 32), *range(60, 72)], [23, 64])
    assert found.value(FOUND) == 0.5
    assert found.value(DELAY) == 21
    assert found.value(FALSE_ALARMS) == 0


def test_alarms_within_a_day_are_one_and_the_time_of_faults_counts_for_none():
    found = marks(range(20, 32), [40, 41, 43, 60, 21])
    months = (len(HOURS) - 12) * 6 / (24 * 30.4)
    assert found.value(FALSE_ALARMS) == pytest.approx(2 / months)
    interval = bootstrap(found, FALSE_ALARMS)
    assert (interval.low * months, interval.high * months) == pytest.approx((0.2422, 7.2247), abs=1e-3)


def test_an_alarm_that_never_ends_is_one_each_day():
    found = marks(range(20, 32), range(len(HOURS)))
    assert found.value(FOUND) == 1
    assert found.counted.is_false.sum() == 5 + 22


def test_machines_are_counted_apart_and_rows_may_come_in_any_order():
    streams = np.repeat([0, 1], len(HOURS))
    found = marks([*range(20, 32), *range(len(HOURS) + 20, len(HOURS) + 32)], [21, 5, len(HOURS) + 5], streams)
    assert found.value(FOUND) == 0.5
    assert found.counted.is_false.sum() == 2
    order = np.random.default_rng(3).permutation(len(streams))
    mixed = AlarmMarks(
        found.targets[order], found.probabilities[order], 1, ("no", "yes"), Threshold(1, 0.5),
        streams=streams[order], hours=np.tile(HOURS, 2)[order],
    )  # fmt: skip
    for metric in (FOUND, FALSE_ALARMS, DELAY, "roc_auc"):
        assert mixed.value(metric) == pytest.approx(found.value(metric))
        assert mixed.value(metric, np.arange(len(order))) == pytest.approx(mixed.value(metric))


def test_without_faults_only_false_alarms_are_told():
    found = marks([], [3])
    assert np.isnan(found.value(FOUND))
    assert np.isnan(found.value(DELAY))
    assert found.value(FALSE_ALARMS) == pytest.approx(30.4 / 30)


@pytest.mark.parametrize(("bound", "most"), [(1.0, 0), (4.2, 1), (60.0, 30)])
def test_the_share_keeps_false_alarms_within_the_bound_with_nine_chances_in_ten(bound, most):
    """A month of a sound machine whose shares differ in every row. Upper limits of 0, 1 and 2 alarms: 2.3, 3.9, 5.3."""
    shares = np.random.default_rng(1).permutation(np.linspace(0.05, 0.95, len(HOURS)))
    sound = AlarmMarks(np.zeros(len(HOURS), int), np.stack([1 - shares, shares], axis=1), 1, ("no", "yes"),
                       streams=np.zeros(len(HOURS), int), hours=HOURS)  # fmt: skip
    chosen = alarm_share(sound, bound)
    decided = AlarmMarks(sound.targets, sound.probabilities, 1, ("no", "yes"), Threshold(1, chosen),
                         streams=sound.streams, hours=HOURS)  # fmt: skip
    assert decided.value(FALSE_ALARMS) <= bound
    assert decided.counted.is_false.sum() <= most
    assert decided.counted.is_false.sum() >= min(most, 1)


def test_causes_are_read_as_something_wrong_and_words_for_sound_as_nothing():
    read = kinds.get("anomaly").read
    assert [read(word, None) for word in ("none", "OK", 0, False, "正常", "bearing", 1, True, "yes", "", None)] == [
        "no", "no", "no", "no", "no", "yes", "yes", "yes", "yes", "", ""
    ]  # fmt: skip
    merged = kinds.reading("anomaly", {"merge": {"idle": "none"}}).read
    assert (merged("idle", None), merged("bearing", None)) == ("no", "yes")
