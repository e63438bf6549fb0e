"""Improving by itself: by the clock, on an alarm, and a rollback when the new champion does worse in use."""

import dataclasses
from datetime import UTC, datetime

import pytest

from windlass.errors import NotReady, SpecError
from windlass.improving.live import Live
from windlass.improving.retrain_schedule import RetrainSchedule, read_period
from windlass.improving.verdict import Paired
from windlass.records import Alarm, Health, Improvement, as_json
from windlass.store.json_files import write_json
from windlass.store.store import Store

DAY = 86_400.0


class Clock:
    """A time that passes only when somebody waits; ends after so many waits."""

    def __init__(self, waits):
        self.at, self.left = 1_800_000_000.0, waits

    def wait(self, seconds):
        self.at += seconds
        self.left -= 1
        return not self.left


def standing(tmp_path, waits, guard=lambda: "", **changes):
    clock, store, asked = Clock(waits), Store(tmp_path), []

    def once(trigger):
        asked.append((clock.at, trigger))
        at = datetime.fromtimestamp(clock.at, UTC).isoformat()
        made = Improvement("0001", at, trigger, "a", "b", "refused", "no gain")
        write_json(store.record("improve"), as_json(made))
        return made

    return RetrainSchedule(store, once, guard, wait=clock.wait, now=lambda: clock.at, **changes), clock, asked


def test_an_attempt_is_made_once_a_period(tmp_path):
    loop, clock, asked = standing(tmp_path, 130, every_s=3_600.0)
    began = clock.at
    assert len(list(loop.turns())) == len(asked) == 3  # two hours and ten minutes of looks a minute apart
    assert [round((at - began) / 3_600, 2) for at, _ in asked] == [0.0, 1.0, 2.0]


def alarm(name, since):
    found = Alarm(name, "message", since, f"{name} of 'message'")
    return Health("desk", "a", 0.0, 1.0, 9, None, None, None, None, None, None, 0, {}, [], [found])


def test_an_alarm_that_learning_can_mend_is_answered_once(tmp_path):
    loop, clock, asked = standing(tmp_path, 4, on_alarm=True)
    write_json(loop.store.record("watch"), as_json(alarm("drift", clock.at - 5)))
    list(loop.turns())
    assert [trigger for _, trigger in asked] == ["alarm: drift of 'message'"]
    other, clock, asked = standing(tmp_path / "other", 4, on_alarm=True)
    write_json(other.store.record("watch"), as_json(alarm("latency", clock.at - 5)))
    assert (list(other.turns()), asked) == ([], [])


def test_what_fails_is_told_and_tried_again(tmp_path):
    loop, _, _ = standing(tmp_path, 2, every_s=DAY)

    def busy(trigger):
        raise NotReady("desk is in use, expected one at a time")

    loop = dataclasses.replace(loop, once=busy)
    assert [turn.words for turn in loop.turns()] == ["desk is in use, expected one at a time"] * 2


def test_a_rollback_is_told(tmp_path):
    loop, _, _ = standing(tmp_path, 1, guard=lambda: "champion: a, since it fell", on_alarm=True)
    assert [turn.words for turn in loop.turns()] == ["champion: a, since it fell"]


def test_a_period_is_a_number_and_a_unit():
    assert (read_period("90m"), read_period("2w")) == (5_400.0, 14 * DAY)
    with pytest.raises(SpecError, match="'--every' is '1 day'"):
        read_period("1 day")


def test_a_champion_has_fallen_when_more_is_wrong_and_the_former_does_better_on_the_same_rows():
    """40 of 100 against 15 of 100: z = 3.96. The same rows: the former has 20 right that the champion has wrong."""
    worse = Live("new", "old", 100, 40, 100, 15)
    assert worse.has_fallen
    assert not Live("new", "old", 100, 25, 100, 15).has_fallen
    assert not Live("new", "old", 29, 29, 100, 15).has_fallen
    lost, drifted = Paired("same rows", 90, 0.8, 0.6, 2, 20), Paired("same rows", 90, 0.6, 0.6, 8, 8)
    assert dataclasses.replace(worse, same=lost).has_fallen
    assert not dataclasses.replace(worse, same=drifted).has_fallen
    assert "of the champion before it 15 of 100" in worse.words
