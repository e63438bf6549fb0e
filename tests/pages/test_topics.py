"""The report as Markdown: what is said is shown sign for sign, sources are numbered once."""

from windlass.pages.text.topics import markdown, verbatim


def said(text: str, document: str, page: int = 0) -> dict:
    return {"text": text, "citations": [{"document": document, "title": "T", "page": page, "quote": text}]}


def test_a_report_names_each_source_once_and_says_where_nothing_answers():
    refused = {"refused": True, "sentences": []}
    answer = {"refused": False, "sentences": [said("It is 5.", "a.md")]}
    documents = [
        {"document": "b.pdf", "title": "B", "sentences": [said("One.", "b.pdf", 3), said("Two.", "b.pdf", 3)]},
        {"document": "a.md", "title": "T", "sentences": [said("It is 5.", "a.md")]},
    ]
    told = markdown([{"topic": "size", "answer": answer, "documents": documents},
                     {"topic": "tax", "answer": refused, "documents": []}])  # fmt: skip
    assert "**Answer** It is 5. [1]" in told
    assert "  - One. [2]\n  - Two. [2]" in told
    assert "## tax\n\nNo document answers this for certain.\n\nNo document speaks of it." in told
    assert told.endswith("## Sources\n\n[1] T, a.md\n\n[2] T, b.pdf, page 3\n")
    assert "没有文档确切回答" in markdown([{"topic": "税", "answer": refused, "documents": []}])


def test_a_quoted_document_neither_links_nor_draws():
    assert verbatim("![x](http://e.example/?q)\n# Big <img src=x> &lt;") == (
        "!\\[x\\](http://e.example/?q) \\# Big \\<img src=x\\> \\&lt;"
    )
    assert (verbatim("1. one"), verbatim("- two"), verbatim("2.5 t\x1b[0m")) == ("1\\. one", "\\- two", "2\\.5 t \\[0m")
