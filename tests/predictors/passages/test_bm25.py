"""BM25 over words and characters: a hand calculation, both scripts, and questions that ask nothing."""

import math
from pathlib import Path

import numpy as np
import pytest

from windlass.errors import DataError
from windlass.predictors.passages import bm25, tensors
from windlass.predictors.passages.bm25 import WordScores
from windlass.predictors.passages.scores import AllScores
from windlass.predictors.passages.terms import terms


def test_terms_are_words_without_plural_and_characters_one_by_one_and_in_pairs() -> None:
    assert terms("Two Parcels, one ＢＯＸ") == ["two", "parcel", "one", "box"]
    assert terms("退票费 iPhone15s") == ["退", "票", "费", "退票", "票费", "iphone15"]
    assert terms("cities glasses bus analysis") == ["city", "glass", "bus", "analysis"]
    assert terms("?! ...") == []


def test_scores_are_those_of_the_formula() -> None:
    """Two passages of 1 and 3 terms; `a` is in both, `b` twice in the second: Robertson & Zaragoza 2009, eq. 3.15."""
    found = bm25.build(["alpha", "alpha beta beta"]).scores("alpha beta")
    both, one = math.log(1 + 0.5 / 2.5), math.log(1 + 1.5 / 1.5)
    first = both * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 0.5))
    second = both * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 1.5)) + one * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 1.5))
    assert found == pytest.approx([first, second], rel=1e-6)


def test_an_empty_question_and_an_empty_pool_find_nothing() -> None:
    assert not bm25.build(["alpha"]).scores("").any()
    assert not bm25.build(["alpha"]).scores("？！").any()
    assert bm25.build([]).scores("alpha").shape == (0,)
    assert bm25.build(["", "alpha"]).scores("alpha").argmax() == 1


def test_what_is_loaded_scores_the_same_and_damage_is_told(tmp_path: Path) -> None:
    index = bm25.build(["退票费是多少", "a parcel in Lima", "parcels"])
    index.save(tmp_path)
    assert np.array_equal(bm25.load(tmp_path).scores("parcel 退票"), index.scores("parcel 退票"))
    (tmp_path / bm25.VOCABULARY).write_text('["one"]')
    with pytest.raises(DataError, match="postings of its vocabulary"):
        bm25.load(tmp_path)


def test_of_many_passages_the_best_are_those_of_all_scores() -> None:
    """300 passages of words as frequent as in texts: what looks at few of them finds the same, to the bit."""
    random = np.random.default_rng(13)
    texts = [" ".join(f"w{word}" for word in random.zipf(1.3, 40) if word < 400) for _ in range(300)]
    index = bm25.build(texts)
    for number in range(60):
        question = " ".join(f"w{word}" for word in random.zipf(1.3, 9))
        whole, part = AllScores(index.scores(question), 0.0), WordScores(index, index.known(question))
        allowed = random.random(300) < 0.3 if number % 2 else None
        assert np.array_equal(whole.best(20, allowed), part.best(20, allowed))
        places = np.sort(random.permutation(300)[:50])
        assert np.array_equal(whole.of(places), part.of(places))
    assert not len(WordScores(index, []).best(10))


def test_what_is_large_stays_on_disk(tmp_path: Path) -> None:
    parts = {
        "ids": np.arange(9, dtype=np.int32),
        "marks": np.ones((3, 1), np.uint8),
        "none": np.zeros((0, 2), np.float32),
    }
    tensors.write_tensors(tmp_path / "a", parts, {"n": "3"})
    found, described = tensors.read_tensors(tmp_path / "a", set(parts), most_read=0)
    assert described == {"n": "3"}
    assert all(np.array_equal(found[name], parts[name]) and found[name].dtype == parts[name].dtype for name in parts)
    assert not found["ids"].flags.writeable
