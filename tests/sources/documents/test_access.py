"""Who may see a document: its own head, windlass.yaml, and a passage that nobody can tell is not read."""

import pytest

from windlass.errors import DataError, SpecError
from windlass.records import Passage
from windlass.sources.documents import access
from windlass.sources.documents.access import fits, of_head, of_words, with_access
from windlass.sources.documents.collection import read_documents
from windlass.spec import parse
from windlass.store.files import write_text


def test_a_head_names_groups_in_any_of_three_ways():
    for lines in (
        ["access: hr, Board"],
        ["title: x", "Access: [board, 'hr']"],
        ["access:", "  - hr", "  - board", "x: y"],
    ):
        assert of_head(lines) == ("board", "hr")
    assert of_head(["title: access"]) is None
    assert of_head(["access: [人事]"]) == ("人事",)
    assert of_words("everyone, hr") is None
    assert of_words("[]") == ()


@pytest.mark.parametrize("said", ["access:", "access: hr or board", "access: {hr: yes}", "access: hr  # and board"])
def test_what_nobody_can_read_is_no_public_document(said):
    with pytest.raises(DataError, match="expected names of groups"):
        of_head([said, "title: x"])


def test_a_document_says_more_than_its_folder_and_the_last_pattern_than_those_before(tmp_path):
    """Four documents in three folders; one says something that are no groups, and is rejected with its reason."""
    heads = {"hr/pay.md": "", "hr/open/menu.md": "", "hr/own.md": "---\naccess: board\n---\n", "a.md": "",
             "bad.md": "---\naccess: hr or so\n---\n", "page.html": ""}  # fmt: skip
    for path, head in heads.items():
        text = (
            '<meta name="access" content="Hr"><p>Secret words.'
            if path == "page.html"
            else f"{head}# T\n\nWords here.\n"
        )
        write_text(tmp_path / path, text)
    found = read_documents(tmp_path)
    assert [(each.path, "its access is" in each.reason) for each in found.rejected] == [("bad.md", True)]
    by_path = {"HR/": ["hr"], "hr/open/*": ["everyone"], "nowhere": ["hr"]}
    passages, told = with_access(found.documents, by_path)
    assert {each.document: each.access for each in passages} == {
        "hr/pay.md": ("hr",), "hr/open/menu.md": None, "hr/own.md": ("board",), "a.md": None, "page.html": ("hr",)
    }  # fmt: skip
    assert told[0].startswith("access 'nowhere' fits no document")
    assert Passage.from_json(passages[0].as_json()) == passages[0]


def test_a_pattern_names_a_folder_a_file_or_goes_across_folders():
    assert fits("hr/a/b.md", "hr")
    assert fits("hr/a/b.md", "./hr/")
    assert fits("hr/a.md", "*.md")
    assert not fits("hrx/a.md", "hr")
    assert access.EVERYONE == "everyone"


def test_groups_of_windlass_yaml_are_names():
    text = "name: x\ndata: d\ndocuments: docs\naccess: {hr/: ['a b']}\ninputs: {q: text}\noutput: {a: cited}\n"
    with pytest.raises(SpecError, match="names of groups"):
        parse(text)
    assert parse(text.replace("a b", "hr")).access == {"hr/": ["hr"]}
