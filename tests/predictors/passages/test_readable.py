"""What of a passage may be answered with: never the header of a table, wherever it was cut."""

import pytest

from windlass.predictors.passages.engine import readable
from windlass.sources.documents.contract import Block, PassageSizes
from windlass.sources.documents.passages import Chunker, text_of

HEADER = "course | price"
ROWS = ["First aid | 90 euros", "Fire | 40 euros", "Ladders | 60 euros"]


@pytest.mark.parametrize("most", [4, 6, 200])
def test_the_header_of_a_table_is_no_answer_and_its_rows_are(most):
    blocks = [Block("header", HEADER, header=HEADER), *(Block("row", row, header=HEADER) for row in ROWS)]
    text, starts = text_of(blocks)
    passages = Chunker(PassageSizes(most=most, least=1)).passages("a.md", blocks, text, starts)
    said = "\n".join(readable(each) for each in passages)
    assert "price" not in said
    assert all(row in said for row in ROWS)
    assert all(each.searched.count(HEADER) == 1 for each in passages)
    assert all(len(readable(each)) == len(each.text) for each in passages)


@pytest.mark.parametrize(
    ("announced", "told"),
    [
        ("This page explains how long you may return things.", "You may return things within 30 days."),
        ("Below you find what it costs.", "This paper describes a new encoder."),
        ("下面说明什么能退、多久之内能退、怎么退。", "以下情况不保修：鞋带和滤网。"),
    ],
)
def test_what_only_announces_is_no_answer(announced, told):
    text, starts = text_of([Block("paragraph", f"{announced} {told}")])
    blocks = [Block("paragraph", f"{announced} {told}")]
    passage = next(iter(Chunker(PassageSizes(most=200, least=1)).passages("a.md", blocks, text, starts)))
    assert readable(passage).strip() == told
