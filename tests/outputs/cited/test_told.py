"""An answer as a terminal shows it."""

from windlass.commands.asking import told


def test_a_file_name_stays_a_name_on_one_line():
    citation = {"document": "a\x1b]0;own\x07\nb 😀.md", "page": 2, "quote": "It is so."}
    said = {"refused": False, "sentences": [{"text": "It is so.", "citations": [citation]}]}
    assert told(said, 0.5) == "It is so. [1] (50% sure)\n  [1] a ]0;own  b 😀.md, page 2: “It is so.”"
