"""Vectors of sentences: kept and asked anew are the same, and damage is told."""

import numpy as np
import pytest

from windlass.errors import DataError
from windlass.predictors.passages.vectors import unit
from windlass.predictors.reading import meaning
from windlass.predictors.reading.sentences import OF_NEAR, Rarity, Retrieved, features, n_features

SENTENCES = ["We open at nine.", "我们九点开门。", "Closed on Sundays."]


class Letters:
    """An encoder by letters."""

    name = "letters"

    def passages(self, texts):
        return unit(np.array([[text.count(letter) for letter in "aeiou九点开"] for text in texts], np.float32) + 0.1)

    questions = passages


def test_kept_vectors_say_what_the_encoder_says(tmp_path) -> None:
    built = meaning.build(Letters(), [*SENTENCES, SENTENCES[0]])
    built.save(tmp_path)
    loaded = meaning.load(tmp_path, Letters())
    asked = [*SENTENCES, "What nobody has kept?"]
    wanted = Letters().passages(asked) @ Letters().questions(["open at nine?"])[0]
    assert np.allclose(loaded.near("open at nine?", asked), wanted, atol=2e-3)
    assert np.array_equal(
        loaded.near("open at nine?", asked), built.hearing(["open at nine?"]).near("open at nine?", asked)
    )
    assert meaning.build(Letters(), []).near("a", SENTENCES).shape == (3,)


def test_each_encoder_gives_features_of_a_sentence() -> None:
    near = meaning.build(Letters(), SENTENCES).near
    places, rows = features(
        "When do you open?", [Retrieved("0", " ".join(SENTENCES[::2]))], Rarity(1, {}), [near, near]
    )
    assert rows.shape == (2, n_features(2))
    assert n_features(2) == n_features() + 2 * OF_NEAR
    assert len(places) == 2


def test_damaged_vectors_are_told(tmp_path) -> None:
    built = meaning.build(Letters(), SENTENCES)
    for keys, rows in ((built.keys[::-1].copy(), built.rows), (built.keys, built.rows[:1]),
                       (built.keys, built.rows * np.float16(np.nan))):  # fmt: skip
        meaning.SentenceVectors(Letters(), keys, rows).save(tmp_path)
        with pytest.raises(DataError, match="damaged"):
            meaning.load(tmp_path, Letters())
