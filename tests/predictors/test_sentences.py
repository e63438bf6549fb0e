"""Where sentences end, and which of them a question is about."""

import math

import pytest

from windlass.predictors.language.sentences import grams, overlaps, sentences, spans


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("It rains. We stay in! Do you?", ["It rains.", "We stay in!", "Do you?"]),
        ("Dr. Smith met J. R. Ewing in the U.S. Senate. He left.", ["Dr. Smith met J. R. Ewing in the U.S. Senate.",
                                                                      "He left."]),
        ("It cost 3.50 euros, e.g. for tea. Good.", ["It cost 3.50 euros, e.g. for tea.", "Good."]),
        ("Some came early, approx. five of them.", ["Some came early, approx. five of them."]),
        ('He said "stop." Then he left.', ['He said "stop."', "Then he left."]),
        ("今天下雨。我们在家！你呢？", ["今天下雨。", "我们在家！", "你呢？"]),
        ("他说：“你好。”然后走了。", ["他说：“你好。”", "然后走了。"]),
        ("A title\n\nand a text", ["A title", "and a text"]),
        ("no end", ["no end"]),
        ("  ", []),
        ("", []),
    ],
)  # fmt: skip
def test_a_text_is_cut_where_its_sentences_end(text, parts):
    assert sentences(text) == parts


def test_nothing_but_spaces_lies_between_sentences():
    text = "One.  Two!\n Three? 四。五 ... six."
    edges = [0, *(edge for span in spans(text) for edge in span), len(text)]
    assert all(not text[start:end].strip() for start, end in zip(edges[::2], edges[1::2], strict=True))


def test_chinese_is_compared_in_pairs_of_characters():
    assert grams("我爱北京 very much") == ["very", "much", "我爱", "爱北", "北京", "京very"]


def test_what_few_sentences_share_with_the_question_tells_more():
    """Three sentences: 'lives' stands in two of them and is worth log(4 / 2), 'oslo' in one: log(4 / 1)."""
    found = overlaps(["Bob lives in Oslo.", "Anna lives there.", "It rains."], "Who lives in Oslo?")
    assert found == pytest.approx([math.log(4 / 2) + 2 * math.log(4), math.log(4 / 2), 0])


def test_a_chinese_question_finds_its_sentence():
    found = overlaps(["小明住在北京。", "小红住在上海。"], "小红住在哪里？")
    assert found[1] > found[0]
