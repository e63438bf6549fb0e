"""Counts of characters: probabilities by hand and that sum to one, what is written, and damage refused."""

import math

import numpy as np
import pytest

from windlass.errors import DataError
from windlass.predictors.artifact import write_golden, write_manifest
from windlass.predictors.language import ngram
from windlass.predictors.language.ngram import END, START, UNKNOWN, Level, Model
from windlass.predictors.language.writing import Writing, silent_hear
from windlass.predictors.table import load, replay
from windlass.records import Column, Manifest

A, B = 3, 4
HALF = np.array([0.5, 0.5, 0.5])


def model() -> Model:
    """Of 'a' and 'ab', order 2, by hand: bigrams START a (2), a END (1), a b (1), b END (1).

    What each character is worth alone is after how many others it stood: a 1, b 1, END 2; START begins only.
    """
    n_symbols = 5
    one = Level(np.array([START, END, A, B]), np.array([0, 2, 1, 1]), HALF)
    places = {START: 0, END: 1, A: 2, B: 3}
    grams = {(START, A): 2, (A, END): 1, (A, B): 1, (B, END): 1}
    keys = {places[first] * n_symbols + second: count for (first, second), count in grams.items()}
    two = Level(np.array(sorted(keys)), np.array([keys[key] for key in sorted(keys)]), HALF)
    return Model("ab", [one, two])


ALONE_LEFT = 1.5 / 4
"""Half is taken from each of three kinds of characters, of four places."""
UNIFORM = 0.5 / 3
ALONE = {A: 0.5 / 4 + ALONE_LEFT * UNIFORM, B: 0.5 / 4 + ALONE_LEFT * UNIFORM, END: 1.5 / 4 + ALONE_LEFT * UNIFORM}
UNSEEN = math.log(0x110000 - 0x800 - 2)


def test_probabilities_are_what_the_hand_calculation_gives():
    """After the start: 'a' twice, less 0.5, of 2; the rest as it is likely alone. Then END after 'a': once of 2."""
    first = (2 - 0.5) / 2 + 0.5 / 2 * ALONE[A]
    end = (1 - 0.5) / 2 + 1.0 / 2 * ALONE[END]
    assert model().nats("a") == pytest.approx(-math.log(first) - math.log(end))


def test_an_unseen_character_is_one_of_all_that_are_left():
    """Before and after it nothing is known: what follows is as likely as alone."""
    unknown = 0.5 / 2 * ALONE_LEFT * 0.5
    assert model().nats("龙") == pytest.approx(-math.log(unknown) + UNSEEN - math.log(ALONE[END]))


@pytest.mark.parametrize("context", [[], [START], [START, A], [A, B], [B, B], [UNKNOWN], [A, UNKNOWN, B], [END]])
def test_what_may_follow_sums_to_one(context):
    """Whatever stood before, also what was never seen."""
    shares = model().next([START, *context])
    assert shares.sum() == pytest.approx(1)
    assert shares[START] == 0
    assert (np.delete(shares, START) > 0).all()


@pytest.mark.parametrize("text", ["", "a", "ab", "abba", "龙a", "b龙龙"])
def test_a_text_is_as_likely_as_its_characters_one_after_the_other(text):
    made = model()
    symbols = made.encode(text).tolist()
    shares = [made.next(symbols[:place])[symbols[place]] for place in range(1, len(symbols))]
    assert made.nats(text) == pytest.approx(-np.log(shares).sum() + text.count("龙") * UNSEEN)


def test_all_short_texts_have_most_of_the_probability_and_never_more_than_all():
    """'', then all of a, b and an unseen one: what is missing are longer texts, and they get fewer."""
    made = model()

    def total(length: int) -> float:
        texts = [""]
        likely = math.exp(-made.nats(""))
        for _ in range(length):
            texts = [text + letter for text in texts for letter in "ab龙"]
            likely += sum(math.exp(-made.nats(text) + UNSEEN * text.count("龙")) for text in texts)
        return likely

    assert 0.8 < total(2) < total(4) < 1


def artifact(folder, **settings):
    folder.mkdir()
    ngram.write_model(folder, model())
    made = {"characters": "ab", "order": 2, "writing": {"temperature": 0.8, "max_tokens": 20}, **settings}
    write_manifest(folder, Manifest("ngram", "ngram", (Column("t", "text"),), Column("x", "text"), settings=made))
    write_golden(folder, [{"t": ""}], [write(Writing(max_tokens=20, temperature=0.8))[0].text])
    return folder


def write(how, rows=1, hear=silent_hear):
    return ngram.Ngram(model()).write([{"t": ""}] * rows, how, hear)


def test_at_temperature_0_the_likeliest_characters_follow():
    """After the start 'a', after 'a' the end (0.25 + 0.5 * 0.4375) before 'b' (0.25 + 0.5 * 0.1875)."""
    written = write(Writing())[0]
    assert (written.text, written.finish, written.n_tokens) == ("a", "stop", 2)
    assert written.logprob == pytest.approx(-model().nats("a"))


def test_chance_is_the_seed_s_and_each_row_s_own():
    hot = Writing(temperature=2.0, max_tokens=30)
    first, again = (write(hot, 4) for _ in range(2))
    assert first == again
    assert len({text.text for text in first}) > 1
    assert write(Writing(temperature=2.0, max_tokens=30, seed=14), 4) != first


def test_a_high_temperature_writes_as_often_as_the_shares_say():
    """Of 500 texts, a share of `next` begins with 'b' (UNKNOWN is never written)."""
    shares = model().next([START])
    wanted = shares[B] / (1 - shares[UNKNOWN])
    found = np.mean([text.text[:1] == "b" for text in write(Writing(temperature=1.0, max_tokens=1), 500)])
    assert found == pytest.approx(wanted, abs=4 * math.sqrt(wanted / 500))


def test_top_p_leaves_out_what_is_unlikely():
    assert {text.text for text in write(Writing(temperature=2.0, top_p=0.5, max_tokens=1), 50)} == {"a"}


def test_writing_ends_where_it_is_told_to():
    assert write(Writing(stop=("a",)))[0].text == ""
    hot = Writing(temperature=2.0, max_tokens=3, seed=1)
    assert all(len(text.text) <= 3 and text.finish in ("stop", "length") for text in write(hot, 20))
    assert any(text.finish == "length" for text in write(hot, 20))


def test_pieces_are_heard_as_they_come_and_nothing_of_a_stop_text():
    heard: dict[int, str] = {}

    def hear(row, piece):
        heard[row] = heard.get(row, "") + piece
        return True

    how = Writing(temperature=2.0, max_tokens=40, stop=("ba", "bb"))
    written = write(how, 30, hear)
    assert [heard.get(row, "") for row in range(30)] == [text.text for text in written]
    assert not any("ba" in text.text or "bb" in text.text for text in written)


def test_who_stops_listening_stops_the_row():
    written = write(Writing(temperature=2.0, max_tokens=40), 6, lambda row, piece: row % 2 == 0)
    begun = [text for text in written[1::2] if text.text]
    assert begun
    assert all(text.finish == "cancelled" and len(text.text) == 1 for text in begun)
    assert all(text.finish != "cancelled" for text in written[::2])


def test_likeliest_others_are_told_when_asked_for():
    token = write(Writing(n_logprobs=2))[0].tokens[0]
    assert token.text == "a"
    assert token.logprob == pytest.approx(math.log(0.75 + 0.25 * ALONE[A]))
    assert [text for text, _ in token.others] == ["a", ""]
    assert write(Writing())[0].tokens == ()


@pytest.mark.parametrize("how", [{"beams": 2}, {"schema": {}}, {"repetition_penalty": 1.2}])
def test_what_it_cannot_do_is_refused(how):
    with pytest.raises(DataError, match="an n-gram model writes without"):
        write(Writing(**how))


def test_golden_rows_are_answered_as_they_were(tmp_path):
    folder = artifact(tmp_path / "a")
    predictor = load(folder)
    assert replay(predictor, folder) == 0
    assert predictor.engine.model.nats("abba") == model().nats("abba")


def _file(folder, **changes):
    from safetensors.numpy import load_file, save_file

    tensors = {**load_file(folder / ngram.FILE), **changes}
    save_file({name: value for name, value in tensors.items() if value is not None}, folder / ngram.FILE)


DAMAGE = {
    "no file": lambda folder: (folder / ngram.FILE).unlink(),
    "half a file": lambda folder: (folder / ngram.FILE).write_bytes((folder / ngram.FILE).read_bytes()[:50]),
    "a level is gone": lambda folder: _file(folder, **{"counts.2": None}),
    "keys out of order": lambda folder: _file(folder, **{"keys.1": np.array([0, 3, 1, 4])}),
    "a key twice": lambda folder: _file(folder, **{"keys.1": np.array([0, 1, 1, 4])}),
    "a key beyond": lambda folder: _file(folder, **{"keys.2": np.array([3, 11, 14, 99])}),
    "a key below": lambda folder: _file(folder, **{"keys.2": np.array([-3, 11, 14, 16])}),
    "no keys": lambda folder: _file(folder, **{"keys.1": np.zeros(0, np.int64), "counts.1": np.zeros(0, np.int32)}),
    "fewer counts": lambda folder: _file(folder, **{"counts.1": np.ones(3, np.int32)}),
    "counts below 0": lambda folder: _file(folder, **{"counts.1": np.array([0, -2, 1, 1], np.int32)}),
    "the start follows": lambda folder: _file(folder, **{"counts.1": np.array([1, 2, 1, 1], np.int32)}),
    "broken counts": lambda folder: _file(folder, **{"counts.1": np.array([0, 2, 1, 1], np.float32)}),
    "more is taken than is there": lambda folder: _file(folder, **{"discounts.1": np.array([1.5, 1.0, 1.0])}),
    "nothing is known of what is taken": lambda folder: _file(folder, **{"discounts.2": np.full(3, np.nan)}),
    "two discounts": lambda folder: _file(folder, **{"discounts.2": np.full(2, 0.5)}),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_artifact_is_refused(damage, tmp_path):
    folder = artifact(tmp_path / "a")
    damage(folder)
    with pytest.raises(DataError, match="is damaged"):
        load(folder)


@pytest.mark.parametrize(
    "settings", [{"order": 0}, {"order": 99}, {"order": "2"}, {"characters": "aab"}, {"characters": None}]
)
def test_settings_that_cannot_be_are_refused(settings, tmp_path):
    with pytest.raises(DataError, match=r"manifest\.json has"):
        load(artifact(tmp_path / "a", **settings))
