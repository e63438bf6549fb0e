"""What validation rows the minutes reach for."""

import numpy as np

from windlass.learners.networks.training.reach import Reach


def test_what_is_watched_is_scored_and_nothing_twice():
    reach = Reach(watched=4, scored=7, after=1.0)
    halves = np.arange(0, 20, 2)
    watched = reach.chosen(halves, 20, 13)
    assert len(watched) == 4
    assert set(watched) <= set(halves)
    known = reach.known(watched, 20, 13)
    assert len(set(known)) == len(known) == 7
    assert set(watched) <= set(known)
    assert (known == np.sort(known)).all()


def test_every_row_is_taken_where_the_time_reaches():
    reach = Reach(watched=20, scored=20, after=1.0)
    assert (reach.chosen(np.arange(0, 20, 2), 20, 13) == np.arange(0, 20, 2)).all()
    assert (reach.known(np.arange(4), 20, 13) == np.arange(20)).all()
