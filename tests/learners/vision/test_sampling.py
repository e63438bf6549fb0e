"""Which pictures an epoch has."""

from windlass.learners.vision.sampling import epoch_places


def test_pictures_with_a_rare_class_are_seen_more_often():
    """One of a hundred pictures has class 1: sqrt(.15 / .01) = 3.9 -> four times."""
    held = [{0}] * 99 + [{0, 1}]
    assert sorted(epoch_places(held, 0, 0.1)) == [*range(99), 99, 99, 99, 99]


def test_an_epoch_is_long_beside_what_judging_costs():
    assert len(epoch_places([{0}] * 10, 4, 0.1)) == 40
    assert len(epoch_places([set()] * 10, 0, 0.1)) == 10
