"""Where sentences end, and how passages are cut."""

from itertools import pairwise

import pytest

from windlass.sources.documents.contract import Block, PassageSizes
from windlass.sources.documents.passages import Chunker, text_of
from windlass.sources.documents.sentences import sentences


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Dr. Smith paid 3.5 USD. He left.", ["Dr. Smith paid 3.5 USD.", "He left."]),
        ("We met at 5 p.m. Then he sat. No. 5 won.", ["We met at 5 p.m.", "Then he sat.", "No. 5 won."]),
        ("The answer is no. Please wait.", ["The answer is no.", "Please wait."]),
        ("Really? yes. 1. First item. U.S. law holds.", ["Really? yes.", "1. First item.", "U.S. law holds."]),
        ('"Go now." She went! J. K. Lee wrote it.', ['"Go now."', "She went!", "J. K. Lee wrote it."]),
        ("See e.g. the list, etc. and so on... More.", ["See e.g. the list, etc. and so on...", "More."]),
        ("今天很好。你呢？“我也是。”他说；走了！", ["今天很好。", "你呢？", "“我也是。”", "他说；", "走了！"]),
        ("版本3.5发布。好", ["版本3.5发布。", "好"]),
        ("", []),
    ],
)
def test_sentences(text, wanted):
    assert [text[start:end] for start, end in sentences(text)] == wanted


def cut(blocks, **sizes):
    text, starts = text_of(blocks)
    passages = Chunker(PassageSizes(**sizes)).passages("a", blocks, text, starts)
    assert all(text[each.start : each.end] == each.text for each in passages)
    assert all(one.end <= other.start for one, other in pairwise(passages))
    return passages


def paragraph(*numbers):
    return Block("paragraph", " ".join(f"This is sentence number {n}." for n in numbers))


def test_a_passage_holds_whole_sentences_and_the_heading_goes_with_its_text():
    blocks = [Block("heading", "One", level=1), Block("heading", "Two", level=2), paragraph(*range(9))]
    passages = cut(blocks, most=15, least=4)
    assert [each.headings for each in passages] == [("One", "Two")] * 3
    assert passages[0].text.startswith("One\n\nTwo\n\nThis is sentence number 0.")
    assert all(each.text.endswith(".") for each in passages)


def test_a_section_begins_a_passage_and_a_short_rest_goes_with_what_stands_before():
    blocks = [Block("heading", "A", level=1), paragraph(1, 2, 3, 4), Block("heading", "B", level=1), paragraph(5)]
    assert [each.headings for each in cut(blocks, most=16, least=6)] == [("A",), ("B",)]


def test_chinese_is_measured_by_characters():
    block = Block("paragraph", "这是一个句子，有十三个字符。" * 20)
    assert {len(each.text) for each in cut([block], most=50, least=1)} == {84, 28}


def test_a_row_is_never_split_and_carries_its_header():
    header = "Name | Value"
    rows = [Block("row", f"thing {n} | {'word ' * 12}".strip(), header=header) for n in range(4)]
    passages = cut([Block("header", header, header=header), *rows, paragraph(1)], most=40, least=1)
    assert [each.context for each in passages] == [header, header, ""]
    assert passages[0].text.startswith(header + "\nthing 0")
    assert all(line.startswith("thing") for line in passages[1].text.split("\n"))


def test_pairs_stand_alone_and_a_heading_without_text_is_kept():
    blocks = [Block("pair", "Q1?\nA1."), Block("pair", "Q2?\nA2."), Block("heading", "End", level=1)]
    assert [each.text for each in cut(blocks)] == ["Q1?\nA1.", "Q2?\nA2.", "End"]


def test_what_has_no_end_is_cut_between_words_and_counted():
    block = Block("paragraph", "word " * 1_000)
    text, starts = text_of([block])
    chunker = Chunker(PassageSizes(longest=500))
    passages = chunker.passages("a", [block], text, starts)
    assert chunker.n_cut == 1
    assert "".join(each.text for each in passages).replace(" ", "") == "word" * 1_000
