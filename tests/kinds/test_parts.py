"""Values come apart and what is told of them is true: places, words and sums, by hand."""

import math
import random
from datetime import datetime

import numpy as np
import pytest

from windlass.kinds import category, date, image, number, text

TERMS = {"form": "terms", "terms": ["bad", "not", "not bad", "很", "很 好", "好"], "weights": [1.0] * 6}


def words_of(value: str) -> list[str]:
    return [value[start:end] for place in text.find(value) for start, end in text.finer(value, place) or [place]]


def test_a_text_comes_apart_into_sentences_and_these_into_words():
    value = "It costs 3.5 dollars. Don't buy! 很好。"
    assert [value[start:end] for start, end in text.find(value)] == ["It costs 3.5 dollars.", "Don't buy!", "很好。"]
    assert words_of(value) == ["It", "costs", "3.", "5", "dollars.", "Don't", "buy!", "很", "好。"]


def test_a_text_without_words_has_no_parts():
    assert text.find("") == text.find(" \n ") == []


def test_a_text_of_many_sentences_comes_apart_into_a_bounded_number_of_runs():
    """1,000 sentences in at most 64 runs of 16, which hold every word."""
    value = "A word here. " * 1_000
    found = text.find(value.strip())
    assert len(found) == 63
    assert len(words_of(value.strip())) == 3_000


def test_words_are_left_out_and_one_space_stays():
    assert text.without("not so bad", {}, [(4, 6)]) == "not bad"
    assert text.without("很好看", {}, [(1, 2)]) == "很看"
    assert text.without("all", {}, [(0, 3)]) == ""


def test_a_terms_worth_goes_to_the_words_that_make_it():
    """'not bad' is worth 4: 2 each; 'bad' 3 on its own; what the text does not hold, 5 and 7 and 1, to nowhere."""
    found = text.spread("Not bad", TERMS, np.array([3.0, 0.0, 4.0, 5.0, 7.0, 1.0]))
    assert found == [(None, 13.0), ((0, 3), 2.0), ((4, 7), 5.0)]


def test_a_term_that_occurs_twice_is_shared_by_both():
    assert text.spread("bad bad", TERMS, np.array([3.0, 0, 0, 0, 0, 0])) == [((0, 3), 1.5), ((4, 7), 1.5)]


def test_chinese_pairs_are_shared_by_their_characters():
    assert text.spread("很好", TERMS, np.array([0, 0, 0, 1.0, 4.0, 0.5])) == [((0, 1), 3.0), ((1, 2), 2.5)]


def test_full_width_letters_and_ligatures_keep_their_places():
    """NFKC makes 'BAD' of the full-width letters and two letters of the ligature: spans count in the text as read."""
    assert text.spread("ﬁne ＢＡＤ", TERMS, np.array([3.0, 0, 0, 0, 0, 0])) == [((0, 3), 0.0), ((4, 7), 3.0)]


def test_every_term_of_any_text_finds_its_words_so_that_sums_are_kept():
    """A state that knows all terms of the text, each worth what chance says: nothing is lost, nothing is absent."""
    chance = random.Random(4)
    for _ in range(30):
        value = " ".join(chance.choice(["Don't", "a", "b", "好", "很好吃", "x1!", "naïve", "İx"]) for _ in range(9))
        names = sorted(set(text.terms(value)))
        weights = np.array([chance.gauss(0, 1) for _ in names])
        found = text.spread(value, {"form": "terms", "terms": names, "weights": [1.0] * len(names)}, weights)
        assert all(place for place, _ in found)
        assert sum(weight for _, weight in found) == pytest.approx(weights.sum(), abs=1e-9)


def test_a_picture_comes_apart_into_16_boxes_and_each_into_4():
    boxes = image.KIND.parts.find(None)
    assert len(boxes) == 16
    assert image.finer(None, boxes[0]) == [
        (0, 0, 0.125, 0.125),
        (0.125, 0, 0.25, 0.125),
        (0, 0.125, 0.125, 0.25),
        (0.125, 0.125, 0.25, 0.25),
    ]
    assert image.finer(None, image.finer(None, boxes[0])[0]) == []


def test_a_box_is_filled_with_the_mean_and_the_picture_stays_as_it_was():
    state = {"size": 4, "channels": 1, "mean": [0.2], "deviation": [1.0]}
    picture = np.full((8, 8, 3), 255, np.uint8)
    changed = image.without(picture, state, [(0.5, 0, 1, 0.5)])
    assert (changed[:4, 4:] == 51).all()
    assert (changed[4:] == 255).all()
    assert (picture == 255).all()


def test_pixels_worth_goes_to_the_box_they_lie_in():
    state = {"size": 16, "channels": 3, "mean": [0.0] * 3, "deviation": [1.0] * 3}
    weights = np.zeros((3, 16, 16))
    weights[:, 0, 2] = 1.0
    found = dict(image.spread(None, state, weights.ravel()))
    assert found.pop((0.125, 0, 0.25, 0.125)) == 3.0
    assert not any(found.values())


SCALE = number.KIND.fit(iter([float(value) for value in range(101)]), "raw", {})


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (3.0, "is 3, very low (3rd percentile of the training rows)"),
        (12.0, "is 12, low (12th percentile of the training rows)"),
        (50.0, "is 50, usual (50th percentile of the training rows)"),
        (81.5, "is 81.5, high (82nd percentile of the training rows)"),
        (12_000.0, "is 12,000, very high (100th percentile of the training rows)"),
        (math.nan, "is missing"),
    ],
)
def test_a_number_is_told_among_the_training_rows(value, words):
    """0, 1 ... 100: a number is its own percentile."""
    assert number.describe(value, SCALE) == words


def test_a_number_that_most_rows_share_is_usual():
    """Of rows that are 0 in three of four cases, 0 lies in the middle of 0 to 75 %."""
    state = number.KIND.fit(iter([0.0] * 75 + [1.0] * 25), "raw", {})
    assert number.percentile(0.0, state) == pytest.approx(37.5, abs=3)


def test_a_number_of_an_older_artifact_is_told_as_it_is():
    assert number.describe(2.0, {"form": "raw"}) == "is 2"


def test_what_stands_for_the_training_rows_sums_to_one():
    states = [
        (number, SCALE),
        (category, category.fit(["a", "a", "b", "b", "b"], "onehot", {})),
        (date, {"mean": 26.0, "deviation": 1.0}),
        (category, {"levels": []}),
    ]
    for kind, state in states:
        assert sum(share for _, share in kind.background(state)) == pytest.approx(1)
    assert [value for value, _ in number.background(SCALE)] == [5, 15, 25, 35, 45, 55, 65, 75, 85, 95]


def test_a_level_is_told_with_its_share_and_a_new_one_as_new():
    state = category.fit(["car"] * 3 + ["tv"] * 2, "index", {})
    assert category.describe("car", state) == "is 'car' (60% of the training rows)"
    assert "training did not know" in category.describe("yacht", state)


def test_a_date_is_told_as_early_or_late():
    state = {"mean": 26.0, "deviation": 0.5}
    assert date.describe(datetime(2027, 6, 1), state) == "is 2027-06-01, later than most training rows"
    assert date.describe(datetime(2026, 1, 1), state) == "is 2026-01-01"
