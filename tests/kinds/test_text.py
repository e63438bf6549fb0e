"""Text: English, Chinese and mixed; terms, ids and pieces."""

import json
import random
import re
import subprocess
import sys
import time
import unicodedata

import numpy as np
import pytest

from windlass.errors import DataError
from windlass.kinds.formats import normal_form
from windlass.kinds.text import KIND, MAX_CHARACTERS, PAD, UNKNOWN, pad, read, terms, tokens
from windlass.metrics.texts import words
from windlass.predictors.language import sentences
from windlass.testing.checks import tiny_tokenizer

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


# what a text costs ----------------------------------------------------------------------------------------------------

MARKS = "".join(chr(code) for code in range(0x300, 0x370))
INDIC = "\u09c7\u09be\u0b47\u0b3e\u1025\u102e\U00011131\U00011127"
JOINING = f"e가각ㅏㅑ각\u1100\u1161\u11a8ﾃﾞｶﾞ\ufdfa{INDIC}ﬁ①\u0344 a\n{MARKS}"


@pytest.mark.parametrize("form", ["NFC", "NFKC"])
def test_a_text_normalised_in_pieces_is_the_text_normalised_whole(form):
    """Every script's joining characters, and any character there is, at every place of a cut."""
    chance = random.Random(3)
    anything = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    for _ in range(3_000):
        signs = chance.choices(JOINING, k=60) + chance.choices(anything, k=60)
        chance.shuffle(signs)
        text = "".join("a" if sign in MARKS and number % 9 == 0 else sign for number, sign in enumerate(signs))
        assert normal_form.normalized(text, form, 32) == unicodedata.normalize(form, text)


def test_no_call_of_the_normaliser_gets_more_than_a_piece(monkeypatch):
    """Whole, 100,000 combining marks take ten seconds: their order is found in time that grows with the square."""
    sizes, normalize = [], unicodedata.normalize

    def spied(form, text):
        sizes.append(len(text))
        return normalize(form, text)

    monkeypatch.setattr(unicodedata, "normalize", spied)
    assert len(tokens("a" + "\u0301\u0316" * 49_000)) == 98_000  # a mark is a token of its own, but for the one of 'á'
    assert max(sizes) <= normal_form.PIECE
    sizes.clear()
    spied("NFKC", "\u0301\u0316" * 1_000)  # control: normalised whole, it is seen
    assert max(sizes) > normal_form.PIECE


@pytest.mark.parametrize(("n", "is_right"), [(5_555, True), (5_556, False), (100_000, False)])
def test_a_text_is_as_long_as_it_is_once_normalised(n, is_right):
    """U+FDFA is 18 characters in NFKC, and 5,555 of them are 99,990."""
    assert (KIND.check("\ufdfa" * n) is None) is is_right
    assert KIND.effort("\ufdfa" * 100) == 1_800 == len(unicodedata.normalize("NFKC", "\ufdfa" * 100))
    assert KIND.check("卡丢了，怎么办？" * 12_500) is None  # full-width marks do not grow
    assert KIND.check("x" * MAX_CHARACTERS) is None


@pytest.mark.parametrize("value", [None, 3, 1.5, [], {"a": 1}, b"x"])
def test_what_is_no_text_costs_nothing(value):
    assert KIND.effort(value) == 0


REPEATED = (".", "a", "a'", " ", ". ", '."', "!”", "\n", "。", "a-", "I.", "\\u", '"', "1,")
ATTACKS = (*(each * 20_000 for each in REPEATED), "." + '"' * 20_000 + "x", "." + " " * 20_000 + "!")


@pytest.mark.parametrize(
    "work",
    [KIND.check, lambda text: read(text, None), tokens, lambda text: list(terms(text)), KIND.parts.find,
     lambda text: KIND.parts.finer(text, (0, len(text))), lambda text: KIND.parts.without(text, {}, [(5, 9)]),
     sentences.spans, words],
)  # fmt: skip
def test_what_is_done_with_a_text_takes_no_time_that_grows_with_its_square(work):
    """A whole text of points took three minutes to be cut into sentences, and nobody else was answered meanwhile."""
    for attack in ATTACKS:
        started = time.process_time()
        work(attack)
        assert time.process_time() - started < 0.5, attack[:2]


def test_control_of_the_above_the_pattern_that_took_three_minutes():
    old = re.compile(r"[。！？!?\n]+|\.+(?=\s)")
    started = time.process_time()
    assert old.search("." * 8_000) is None
    assert time.process_time() - started > 0.5
    assert KIND.parts.find("a... b. c") == [(0, 4), (5, 7), (8, 9)]
    assert KIND.parts.find("." * 8_000) == [(0, 8_000)]
