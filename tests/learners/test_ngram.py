"""Counting texts: the hand-made model comes out, and English and Chinese are learned."""

import json

import numpy as np
import pytest

from tests.learners import texts
from tests.predictors.test_ngram import HALF, model
from windlass.errors import DataError, NotReady
from windlass.learners.contract import Budget, Options
from windlass.learners.language import ngram
from windlass.records import silent

VERSE = {
    "English": ["the cat sat on the mat", "the dog sat on the log", "a cat and a dog sat", "the mat and the log"],
    "Chinese": [
        "春眠不觉晓，处处闻啼鸟。",
        "夜来风雨声，花落知多少。",
        "春风花草香，夜来闻鸟声。",
        "风雨花落处，啼鸟知春晓。",
    ],
}


def test_two_texts_are_counted_as_by_hand():
    """The model of 'a' and 'ab' that the predictor's tests calculate with."""
    wanted, found = model(), ngram.count(["a", "ab"], 2)
    assert found.characters == wanted.characters
    for level, right in zip(found.levels, wanted.levels, strict=True):
        assert level.keys.tolist() == right.keys.tolist()
        assert level.counts.tolist() == right.counts.tolist()


def test_what_is_taken_follows_chen_and_goodman():
    """10 grams once, 4 twice, 2 three and 1 four times: share 10 / 18; 1 - 2 s 4 / 10, 2 - 3 s 2 / 4, 3 - 4 s / 2."""
    worth = np.array([1] * 10 + [2] * 4 + [3] * 2 + [4] + [0] * 5)
    share = 10 / 18
    assert ngram.discounts(worth) == pytest.approx([1 - 0.8 * share, 2 - 1.5 * share, 3 - 2 * share])
    assert (ngram.discounts(np.array([5, 5])) <= HALF * [2, 4, 6]).all()


@pytest.mark.parametrize("order", [1, 2, 3, 6])
def test_what_may_follow_sums_to_one_at_any_order(order):
    made = ngram.count([*VERSE["English"], *VERSE["Chinese"], "", "x"], order)
    chance = np.random.default_rng(1)
    for _ in range(50):
        context = chance.integers(0, made.n_symbols, chance.integers(0, 8)).tolist()
        assert made.next([0] * (order - 1) + context).sum() == pytest.approx(1)
    seen = made.encode("the cat sat").tolist()
    for place in range(order - 1, len(seen)):
        assert made.next(seen[:place]).sum() == pytest.approx(1)


@pytest.mark.parametrize("language", VERSE)
def test_a_language_is_learned_and_written(language, tmp_path):
    splits = texts.corpus_splits(tmp_path, VERSE[language] * 3, VERSE[language][:2])
    fitted = ngram.fit(splits, Options(tmp_path / "run", "bits_per_byte"), Budget(10), silent)
    assert 0 < fitted.validation < 1.5
    predictor = texts.served(fitted.artifact)
    rows = splits.validation.select("title").to_dicts()
    marks = predictor.marks(rows, splits.validation["text"].to_list())
    assert marks.value("bits_per_byte") == pytest.approx(fitted.validation)
    assert set(predictor.answer(rows)[0].value) <= set("".join(VERSE[language]))
    assert 0 < predictor.answer(rows)[0].confidence <= 1


def test_nonsense_is_less_likely_than_what_was_read():
    made = ngram.count(VERSE["English"], 4)
    assert made.nats("the cat sat on the log") < made.nats("eht tac tas no eht gol")
    assert made.nats("the cat") < made.nats("the 猫")


def test_the_shortest_that_is_nearly_as_good_is_kept(tmp_path):
    """Letters by chance: what stood before tells nothing, and a long context is dropped."""
    chance = np.random.default_rng(1)
    noise = ["".join(chance.choice(list("ab"), 200)) for _ in range(120)]
    splits = texts.corpus_splits(tmp_path, noise[:100], noise[100:])
    fitted = ngram.fit(splits, Options(tmp_path / "run", "bits_per_byte"), Budget(10), silent)
    assert json.loads((fitted.artifact / "manifest.json").read_text())["settings"]["order"] == 3
    assert 0.99 * 8 / 8 < fitted.validation < 1.1


def test_the_same_texts_give_the_same_files(tmp_path):
    splits = texts.corpus_splits(tmp_path, VERSE["Chinese"], VERSE["Chinese"])
    first, second = (
        ngram.fit(splits, Options(tmp_path / name, "bits_per_byte"), Budget(10), silent).artifact for name in "ab"
    )
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes()


def test_without_validation_rows_the_longest_order_is_kept(tmp_path):
    splits = texts.without_validation(texts.corpus_splits(tmp_path, VERSE["English"], ["x"]))
    fitted = ngram.fit(splits, Options(tmp_path / "run", "bits_per_byte"), Budget(10), silent)
    assert np.isnan(fitted.validation)
    assert json.loads((fitted.artifact / "manifest.json").read_text())["settings"]["order"] == ngram.ORDERS[0]


def test_it_does_not_read(tmp_path):
    with pytest.raises(NotReady, match="rows ask something: an n-gram model does not read"):
        ngram.fit(texts.question_splits(tmp_path), Options(tmp_path / "run", "chrf"), Budget(10), silent)


def test_nothing_to_count_is_an_error(tmp_path):
    with pytest.raises(DataError, match="column 'text' has no text"):
        ngram.fit(texts.corpus_splits(tmp_path, [""], ["a"]), Options(tmp_path / "run"), Budget(10), silent)
