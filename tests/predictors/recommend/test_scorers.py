"""Scorers of items: each by hand, or against the textbook's formula."""

from pathlib import Path

import numpy as np
import pytest

from windlass.errors import DataError
from windlass.predictors.recommend import scorer as scorers
from windlass.predictors.recommend.blended import Blended, Part, standardised
from windlass.predictors.recommend.content import Content
from windlass.predictors.recommend.factors import Factors
from windlass.predictors.recommend.neighbours import Neighbours
from windlass.predictors.recommend.popular import Popular
from windlass.predictors.recommend.scorer import Because, Scorer
from windlass.predictors.recommend.taste import MOST_EVENTS, Taste


def asked(*items: int, weights: list[float] | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """A history as a scorer is given it."""
    n_items = len(items)
    return np.array(items, int), np.array(weights or [1.0] * n_items, np.float32), np.arange(n_items) * 1.0, 100.0


def three() -> Neighbours:
    """Of three items: 0 speaks for 1 with 2, 1 for 0 with 1 and against 2 with .5, 2 for nothing."""
    values = np.array([2.0, 1.0, -0.5], np.float32)
    return Neighbours(np.array([0, 1, 3, 3]), np.array([1, 0, 2], np.int32), values)


def test_neighbours_add_what_each_item_of_a_history_says() -> None:
    assert three().scores(*asked(0, 1)).tolist() == [1.0, 2.0, -0.5]
    assert three().scores(*asked(2)).tolist() == [0.0, 0.0, 0.0]
    assert three().scores(*asked()).tolist() == [0.0, 0.0, 0.0]


def test_an_item_with_several_events_counts_once_by_its_weight() -> None:
    assert three().scores(*asked(0, 0, 0))[1] == pytest.approx(2 * 2.0)  # log2(1 + 3) = 2
    assert three().because(*asked(0, 1, 0)[:3], items=np.array([1]))[0].tolist() == pytest.approx(
        [3.169925, 0, 3.169925]
    )


def test_what_is_not_wanted_counts_nothing_unless_the_taste_says() -> None:
    assert three().scores(*asked(0, weights=[0.0])).tolist() == [0, 0, 0]
    seen = Neighbours(three().starts, three().others, three().values, Taste(seen=0.5))
    assert seen.scores(*asked(0, weights=[0.0])).tolist() == [0, 1, 0]


def test_the_latest_events_count_more_where_the_taste_says() -> None:
    counted = Taste(half_life=1.0).counted(np.array([7, 5, 7]), np.ones(3))
    assert dict(zip(counted.items.tolist(), counted.values.tolist(), strict=True)) == pytest.approx(
        {7: np.log2(3), 5: 0.5}
    )


def test_of_a_very_long_history_the_latest_events_are_looked_at() -> None:
    history = np.concatenate([np.zeros(5, int), np.full(MOST_EVENTS, 1)])
    counted = Taste().counted(history, np.ones(len(history)))
    assert counted.items.tolist() == [1]
    assert counted.of_events(np.array([[3.0]])).shape == (1, len(history))


def plain_factors() -> Factors:
    items = np.random.default_rng(1).normal(size=(6, 3)).astype(np.float32)
    return Factors(items, np.zeros(6, np.float32), 2.0, 4.0)


def test_a_folded_history_has_the_vector_of_weighted_least_squares() -> None:
    """Hu, Koren & Volinsky 2008, eq. 4, written out with matrices of all items."""
    factors = plain_factors()
    confidence, wanted = np.diag([5.0, 1, 1, 5, 1, 1]), np.array([1.0, 0, 0, 1, 0, 0])
    wide = factors.items.astype(float)
    vector = np.linalg.solve(wide.T @ confidence @ wide + 2 * np.eye(3), wide.T @ confidence @ wanted)
    assert factors.scores(*asked(0, 3)) == pytest.approx(wide @ vector, abs=1e-5)


def test_the_reasons_of_factors_add_up_to_the_score() -> None:
    factors = plain_factors()
    adds = factors.because(*asked(0, 3, 5, weights=[1, 1, 0])[:3], items=np.array([2]))[0]
    assert adds.sum() == pytest.approx(float(factors.scores(*asked(0, 3))[2]), abs=1e-5)
    assert adds[2] == 0


def test_content_is_the_mean_nearness_and_what_everybody_likes() -> None:
    vectors = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32)
    content = Content(vectors, np.array([0, 0.25, 0], np.float32))
    assert content.scores(*asked(0)).tolist() == pytest.approx([1, 0.25, 0.6])
    assert content.scores(*asked(0, 1)).tolist() == pytest.approx([0.5, 0.75, 0.7])
    assert content.scores(*asked()).tolist() == [0, 0.25, 0]
    assert content.because(*asked(0, 1)[:3], items=np.array([2]))[0].tolist() == pytest.approx([0.3, 0.4])


def blend() -> Blended:
    popular = Popular(np.array([4.0, 0, 2], np.float32))
    return Blended([Part("item-knn", 1.0, three()), Part("popularity", 0.5, popular)])


def test_a_blend_adds_parts_in_units_of_their_spread() -> None:
    found = blend().scores(*asked(0))
    hand = standardised(np.array([0.0, 2, 0])) + 0.5 * standardised(np.array([4.0, 0, 2]))
    assert found == pytest.approx(hand)
    assert standardised(np.ones(3)).tolist() == [0, 0, 0]
    assert blend().because(*asked(0)[:3], items=np.array([1]))[0].tolist() == [1.0]
    assert blend().because(*asked()[:3], items=np.array([1]))[0].tolist() == []


CASES: dict[str, Scorer] = {
    "item-knn": three(),
    "als": plain_factors(),
    "content": Content(np.eye(3, dtype=np.float32), np.zeros(3, np.float32), Taste(0.5, 3.0)),
    "item-blend": blend(),
}


@pytest.mark.parametrize("name", CASES)
def test_a_scorer_is_the_same_after_it_was_written(name: str, tmp_path: Path) -> None:
    CASES[name].save(tmp_path)
    found = scorers.load(tmp_path, {"scorer": name})
    for question in (asked(0, 1), asked(), asked(2, 0, weights=[0.0, 3.0])):
        assert np.array_equal(found.scores(*question), CASES[name].scores(*question))
        assert found.scores(*question).dtype == np.float32
    assert isinstance(found, Because)


@pytest.mark.parametrize("name", ["item-knn", "als", "content"])
def test_damaged_arrays_are_refused(name: str, tmp_path: Path) -> None:
    CASES[name].save(tmp_path)
    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(DataError, match="damaged"):
        scorers.load(tmp_path, {"scorer": name})


def test_neighbours_beyond_the_items_are_refused(tmp_path: Path) -> None:
    Neighbours(np.array([0, 1]), np.array([7], np.int32), np.ones(1, np.float32)).save(tmp_path)
    with pytest.raises(DataError, match="neighbours of each item"):
        scorers.load(tmp_path, {"scorer": "ease"})
