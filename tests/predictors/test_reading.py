"""What a reader sees: words, their traits by hand, and which part of a long text is read."""

import math

import numpy as np
import pytest

from windlass.predictors.language.reading import MOST_WORDS, N_TRAITS, SCALE, UNKNOWN, Vocabulary, Words, read

TEXTS = ["Anna lives in Rome.", "Bob lives in Oslo.", "Where does Bob live?"]
VOCABULARY = Vocabulary.fit(TEXTS, 100)
EQUAL, SHARED, STEM, RUN = range(4)
SENTENCE, TOP_SENTENCE, BEST_SENTENCE = 8, 9, 10


def traits(text, question, place):
    """That trait of each word, as a share."""
    return read(text, question, VOCABULARY).traits[:, place] / SCALE


def test_words_are_found_where_they_stand():
    words = Words.of("Ｂob's 3 cats,北京!")
    assert words.shown == ["Ｂob's", "3", "cats", ",", "北", "京", "!"]
    assert words.forms == ("bob's", "3", "cats", ",", "北", "京", "!")
    assert [words.text[start:end] for start, end in zip(words.starts, words.ends, strict=True)] == words.shown


def test_a_vocabulary_holds_words_of_several_texts_and_how_rare_they_are():
    """'bob', 'lives' and 'in' stand in two of three texts, '.' too; the rest in one: log(4 / 3) + 1 and log(4) + 1."""
    assert set(VOCABULARY.words) == {"bob", "lives", "in", "."}
    assert VOCABULARY.rarity(["bob", "rome"]) == pytest.approx([math.log(4 / 3) + 1, math.log(4) + 1], abs=1e-4)
    assert VOCABULARY.numbers(["oslo", "bob"])[0] == UNKNOWN
    assert VOCABULARY.numbers(["bob"]) != VOCABULARY.numbers(["lives"])
    assert len(Vocabulary.fit(TEXTS, 2).words) == 2


def test_a_word_is_equal_or_has_the_same_stem():
    text, question = "Bob lives in Oslo", "Where does bob live"
    assert traits(text, question, EQUAL).tolist() == [1, 0, 0, 0]
    assert traits(text, question, STEM).tolist() == [0, 1, 0, 0]


def test_chinese_is_shared_from_two_characters_on():
    """北京 stands in both; 是 does too, but alone."""
    text, question = "他是北京人", "谁是在北京"
    assert traits(text, question, EQUAL).tolist() == [0, 1, 1, 1, 0]
    assert traits(text, question, SHARED).tolist() == [0, 0, 1, 1, 0]
    assert traits(text, question, RUN) * 8 == pytest.approx([0, 1, 2, 2, 0], abs=0.02)


def test_the_sentence_that_shares_more_stands_out():
    text = "Anna lives in Rome. Bob lives in Oslo. It rains."
    share = traits(text, "Where does Bob live?", TOP_SENTENCE)
    assert share[5:10].tolist() == [1] * 5  # Bob lives in Oslo .
    assert 0 < share[0] < 1
    assert share[-1] == 0
    assert traits(text, "Where does Bob live?", BEST_SENTENCE).tolist() == [0] * 5 + [1] * 5 + [0] * 3


def test_looks_are_told():
    found = read("In 1984 NATO said “yes”.", "?", VOCABULARY).traits / SCALE
    looks = found[:, -13:]
    names = ["cjk", "digits", "year", "capital", "capitals", "mark", "comma", "end", "open", "close", "length", "latin"]
    told = [{name for name, value in zip([*names, "quoted"], row, strict=True) if value == 1} for row in looks]
    assert told == [
        {"capital", "latin"},
        {"digits", "year"},
        {"capital", "capitals", "latin"},
        {"latin"},
        {"mark", "open", "quoted"},
        {"latin", "quoted"},
        {"mark", "close"},
        {"mark", "end"},
    ]


def test_traits_are_shares_whatever_is_read():
    odd = ["", " ", "?", "a" * 500, "，" * 400, "word " * 700, "字" * 700, "\n\n\n", "👾 zzz \u202e", "A. B. C. D."]
    for text in odd:
        for question in odd:
            found = read(text, question, VOCABULARY)
            assert found.traits.shape == (len(found.words), N_TRAITS)
            assert found.traits.dtype == np.uint8
            assert len(found.words) <= MOST_WORDS


def test_of_a_long_text_the_sentences_that_share_most_are_read():
    filler = "Nothing is said here that helps at all, however long it goes on. "
    text = filler * 60 + "Bob lives in Oslo now. " + filler * 60
    found = read(text, "Where does Bob live?", VOCABULARY)
    assert MOST_WORDS - 20 <= len(found.words) <= MOST_WORDS
    (place,) = found.places("Oslo")
    assert found.text(*place) == "Oslo"
    assert (np.diff(found.numbers) > 0).all()


def test_every_place_of_an_answer_is_found():
    found = read("Oslo is Oslo, and New Oslo is not.", "?", VOCABULARY)
    assert [found.text(*place) for place in found.places("Oslo")] == ["Oslo"] * 3
    assert [found.text(*place) for place in found.places("New Oslo is")] == ["New Oslo is"]
    assert found.places("Rome") == []
    assert found.places("") == []


def test_a_part_of_a_word_is_found_as_the_word():
    found = read("in the 1980s", "?", VOCABULARY)
    assert [found.text(*place) for place in found.places("1980")] == ["1980s"]
