"""Who did what with which item, as arrays."""

import pytest

from windlass.errors import DataError
from windlass.learners.recommend.interactions import event_weights, from_columns, rating_weights


def test_events_are_ordered_by_user_and_time_and_ids_stay_text() -> None:
    log = from_columns(["b", "a", "b", "a"], ["007", "x", "7", "007"], [3.0, 2.0, 1.0, 4.0])
    found = log.interactions
    assert (log.users, log.items) == (["b", "a"], ["007", "x", "7"])
    assert found.users.tolist() == [0, 0, 1, 1]
    assert found.items.tolist() == [2, 0, 1, 0]
    assert found.times.tolist() == [1, 3, 2, 4]
    assert found.starts.tolist() == [0, 2, 4]
    assert found.items[found.history(1)].tolist() == [1, 0]


def test_the_items_of_a_catalogue_are_known_though_nobody_touched_them() -> None:
    log = from_columns(["a"], ["y"], known_items=["x", "y", "z"])
    assert log.items == ["x", "y", "z"]
    assert log.interactions.items.tolist() == [1]
    assert log.interactions.n_items == 3


def test_pairs_add_what_events_weigh_and_keep_the_latest_time() -> None:
    log = from_columns(["a", "a", "b", "a"], ["x", "y", "x", "x"], [5, 1, 2, 9], [1, 2, 0, 4])
    pairs = log.interactions.pairs
    assert pairs.users.tolist() == [0, 0, 1]
    assert pairs.items.tolist() == [1, 0, 0]
    assert pairs.weights.tolist() == [2, 5, 0]
    assert pairs.times.tolist() == [1, 9, 2]


def test_no_event_at_all_is_no_fault() -> None:
    found = from_columns([], []).interactions
    assert len(found) == len(found.pairs) == 0
    assert found.starts.tolist() == [0]


def test_weights_come_of_events_or_of_ratings() -> None:
    assert event_weights(["buy", "click", "buy"], {"buy": 5, "click": 1}).tolist() == [5, 1, 5]
    assert event_weights(["any", "thing"], {}).tolist() == [1, 1]
    assert rating_weights([3.5, 4.0, 5.0], 4.0).tolist() == [0, 1, 1]
    with pytest.raises(DataError, match="event is 'clack', expected"):
        event_weights(["clack"], {"click": 1})


def test_columns_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="2, 1, 2 and 2 rows"):
        from_columns(["a", "b"], ["x"])
    with pytest.raises(DataError, match="no number"):
        from_columns(["a"], ["x"], [float("nan")])
    with pytest.raises(DataError, match="no number"):
        from_columns(["a"], ["x"], weights=[-1.0])
