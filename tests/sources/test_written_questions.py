"""Questions that are written from passages, where nobody has asked any yet."""

from windlass.records import Passage
from windlass.sources.guessing.written_questions import written

HEADER = "Season of the year | First boat | Last return"


def test_the_header_of_a_table_is_no_answer():
    text = f"{HEADER}\nLate summer and autumn | at eight in the morning | at nine in the evening"
    (row,) = written([Passage("times.md", (), 0, 0, len(text), text, context=HEADER)])
    assert row["answer"]["text"].startswith("Late summer")
