"""Text: English, Chinese and mixed; terms, ids and pieces."""

import json
import subprocess
import sys

import numpy as np
import pytest

from windlass.errors import DataError
from windlass.kinds.text import KIND, MAX_CHARACTERS, PAD, UNKNOWN, pad, read, terms, tokens
from windlass.testing import tiny_tokenizer

ROWS = ["my card is lost", "the card was stolen", "where is my parcel", "the parcel is late", "", "请 退款"] * 10


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("My card isn't working!", ["my", "card", "isn't", "working", "!"]),
        ("请尽快退款,谢谢", ["请", "尽", "快", "退", "款", ",", "谢", "谢"]),
        ("退款 please,订单A12", ["退", "款", "please", ",", "订", "单", "a12"]),
        ("カード 카드", ["カ", "ー", "ド", "카", "드"]),
        ("ＡＢＣ １２", ["abc", "12"]),
        ("e\u0301té", ["été"]),
        ("rock 'n' roll", ["rock", "'", "n", "'", "roll"]),
        ("ok 👍🏽", ["ok", "👍", "🏽"]),
        ("مرحبا بك", ["مرحبا", "بك"]),
        ("", []),
        ("   ", []),
    ],
)
def test_tokens_are_words_cjk_characters_and_marks(text, expected):
    assert tokens(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, ""), (float("nan"), ""), ("  a \t b\n", "a \t b"), ("e\u0301", "é"), ("a\u00a0b\u3000c", "a b c")],
)
def test_a_text_is_composed_and_its_spaces_are_plain(value, expected):
    assert read(value, None) == expected


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (3, "text is int, expected text"),
        (b"a", "text is bytes, expected text"),
        ([], "text is list"),
        ("x" * (MAX_CHARACTERS + 1), "text has 100,001 characters, expected at most 100,000"),
        ("half \ud83d", "text holds half of a surrogate pair, expected valid Unicode"),
    ],
)
def test_what_is_no_text_is_refused(value, words):
    with pytest.raises(DataError, match=words):
        read(value, None)


def fitted(form, rows=ROWS, **options):
    return KIND.fit(iter(rows), form, options)


def row_of(batch, number):
    start, end = batch.starts[number : number + 2]
    return batch.places[start:end], batch.values[start:end]


def test_each_row_of_terms_has_unit_length():
    batch = KIND.encode(ROWS[:4], fitted("terms"))
    assert [float(np.linalg.norm(row_of(batch, number)[1])) for number in range(4)] == pytest.approx([1] * 4)
    assert batch.width == len(fitted("terms")["terms"])


@pytest.mark.parametrize("text", ["", "zzz qqq", "👾"])
def test_a_text_of_unknown_terms_is_an_empty_row(text):
    assert row_of(KIND.encode([text], fitted("terms")), 0)[0].size == 0


def test_unknown_terms_do_not_change_the_known_ones():
    state = fitted("terms", ["card card lost"] * 5)
    known, mixed = (dict(zip(*row_of(KIND.encode([text], state), 0), strict=True)) for text in ("lost", "lost zzz"))
    assert known == mixed


def test_a_rare_term_weighs_more_than_a_common_one():
    state = fitted("terms", ["card is"] * 9 + ["parcel is"] * 3)
    weights = dict(zip(state["terms"], state["weights"], strict=True))
    assert weights["parcel"] > weights["card"] > weights["is"]


def test_the_vocabulary_is_bounded():
    assert len(fitted("terms", n_terms=5)["terms"]) == 5
    assert len(fitted("ids", n_tokens=5)["tokens"]) == 3


def test_the_vocabulary_is_the_same_in_every_process():
    """Ties at the cut must not fall by Python's hash, which changes with each process."""
    program = (
        "from windlass.kinds.text import KIND; import json\n"
        "rows = [f'{a}{b} word{a} x{b}' for a in 'abcdef' for b in 'ghijkl']\n"
        "print(json.dumps(KIND.fit(iter(rows), 'terms', {'n_terms': 20})))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": str(seed)},
        ).stdout
        for seed in range(3)
    }
    assert len(outputs) == 1


def test_ids_number_the_frequent_tokens_and_pad_on_the_right():
    state = fitted("ids", ["b a", "a b a", "c"])
    assert state["tokens"] == ["a", "b"]
    assert KIND.encode(["a b", "c", ""], state).tolist() == [[2, 3], [UNKNOWN, PAD], [PAD, PAD]]


def test_ids_of_a_text_do_not_depend_on_its_neighbours():
    state = fitted("ids")
    alone = KIND.encode(["my card"], state)[0]
    beside = KIND.encode(["my card", "where is my parcel"], state)[0]
    assert beside[: len(alone)].tolist() == alone.tolist()
    assert set(beside[len(alone) :].tolist()) == {PAD}


def test_ids_are_cut_at_the_length():
    assert KIND.encode(["card " * 100], fitted("ids", length=7)).shape == (1, 7)


def test_pieces_are_the_ids_of_the_given_tokenizer():
    """The tiny vocabulary is [PAD], [UNK], a, e, c, d, l ...: 'ace' is a, c, e."""
    state = fitted("pieces", tokenizer=tiny_tokenizer(), length=4, pad=0)
    assert KIND.encode(["ace", "zz", "a c e d l"], state).tolist() == [[2, 4, 3, 0], [1, 0, 0, 0], [2, 4, 3, 5]]


def test_pieces_do_not_depend_on_the_padding_that_the_tokenizer_file_asks_for():
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(tiny_tokenizer())
    tokenizer.enable_padding(length=32)
    state = fitted("pieces", tokenizer=tokenizer.to_str(), length=8, pad=0)
    assert KIND.encode(["ace"], state).tolist() == [[2, 4, 3]]


def test_two_tokenizers_are_not_mixed_up():
    other = json.loads(tiny_tokenizer())
    other["model"]["vocab"]["a"], other["model"]["vocab"]["c"] = (
        other["model"]["vocab"]["c"],
        other["model"]["vocab"]["a"],
    )
    states = [fitted("pieces", tokenizer=text, length=4, pad=0) for text in (tiny_tokenizer(), json.dumps(other))]
    assert [KIND.encode(["ac"], state).tolist() for state in states] == [[[2, 4]], [[4, 2]]]


def test_many_states_are_not_mixed_up():
    """Look-ups are kept for the last few states; a state that was dropped is made anew."""
    states = [fitted("ids", [f"w{number} same"] * 2) for number in range(30)]
    for _ in range(2):
        assert [KIND.encode([f"w{number} w0"], state)[0, 0] for number, state in enumerate(states)] == [2] * 30


def test_a_batch_without_tokens_is_one_column_wide():
    assert pad([], 0).shape == (0, 1)
    assert pad([[], []], 7).tolist() == [[7], [7]]


def test_terms_are_made_for_words_and_for_cjk():
    """The exact n-grams may change; words, pairs and pairs of CJK characters must be there."""
    assert {"lost", "card lost"} <= set(terms("card lost"))
    assert {"退", "退 款"} <= set(terms("退款"))
