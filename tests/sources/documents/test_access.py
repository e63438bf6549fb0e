"""Who may see a document: its own head, windlass.yaml, and a passage that nobody can tell is not read."""

import pytest

from windlass.errors import DataError, SpecError
from windlass.records import Passage
from windlass.sources.documents import access, formats
from windlass.sources.documents.access import fits, fitting, of_head, of_words, with_access
from windlass.sources.documents.collection import read_documents
from windlass.sources.documents.contract import Limits
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


@pytest.mark.parametrize(
    "said",
    ["access:", "access: hr or board", "access: {hr: yes}", "access: hr  # and board", "access: null", "access: *",
     "access: ~", "access: |"],
)  # fmt: skip
def test_what_nobody_can_read_is_no_public_document(said):
    with pytest.raises(DataError, match="expected names of groups"):
        of_head([said, "title: x"])


UNREAD = {
    "colon.md": "---\naccess： hr\n---\n", "flow.md": "---\n{title: x, access: hr}\n---\n",
    "json.md": '{"access": "hr"}\n\n', "json-lines.md": '{\n  "title": "x",\n  "\\u0061ccess": "hr"\n}\n',
    "long.md": "---\n" + "x: y\n" * 120 + "access: hr\n---\n", "open.md": "---\naccess: hr\n\n",
    "toml.md": '+++\naccess = "hr"\n+++\n', "section.md": "+++\n[access]\ngroups = 1\n+++\n",
    "yaml.md": "---yaml\naccess: hr\n---\n", "four.md": "----\naccess: hr\n----\n",
    "dashes.md": "——\naccess: hr\n——\n", "zero.md": "---\nac\u200bcess: hr\n---\n",
    "before.md": "\u200b---\naccess: hr\n---\n", "cyrillic.md": "---\nаcсеss: hr\n---\n",
    "greek.md": "---\nΑccεss: hr\n---\n", "wide.md": "---\nａｃｃｅｓｓ: hr\n---\n",
    "accent.md": "---\naccéss: hr\n---\n",
    "equals.md": "---\naccess = hr\n---\n", "point.md": "---\n- access: hr\n---\n", "bare.md": "access: hr\n# T\n",
    "comment.md": "<!--\naccess: hr\n-->\n", "comment-line.md": "<!-- access: hr -->\n",
    "second.md": "---\nt: x\n---\n---\naccess: hr\n---\n", "twice.md": "---\naccess: everyone\naccess: hr\n---\n",
    "both.md": '---\naccess: hr\n---\n<meta name="access" content="everyone">\n',
    "code.md": "```yaml\naccess: hr\n```\n", "head.txt": "---\naccess: hr\n---\n",
    "bare.txt": "title: x\nAccess: hr\n\n", "head.html": "---\naccess: hr\n---\n<p>",
    "twice.html": '<meta name="access" content="everyone"><meta name=access content=hr>',
    "alike.html": '<meta name="аccess" content="hr">', "empty.html": "<meta name=access>",
    "null.md": "---\naccess: null\n---\n", "star.md": "---\naccess: *\n---\n",
}  # fmt: skip
PUBLIC = {
    "rule.md": "---\n\nWords about access: none is a key.\n", "words.md": "# Access\n\nAccess: by the north door.\n",
    "title.md": "---\ntitle: How to get access\naccess_level: x\n# access: hr\n---\n",
    "liquid.md": "{% raw %}\naccess: x\n", "title.txt": "ACCESS\n\naccess: x\n",
    "page.html": "<!-- on access --><p>access: x</p>", "below.md": "---\ntitle: x\n---\nAccess: by the north door.\n",
    "comma.md": "---\ntitle: doors\n---\n",
}  # fmt: skip


def test_an_access_that_stands_at_the_top_and_cannot_be_read_rejects_the_document(tmp_path):
    """Taken apart in this process, as the one that the documents have does: it starts slowly."""
    for path, head in (UNREAD | PUBLIC).items():
        write_text(tmp_path / path, f"{head}\nThe secret kettle weighs four kilos.\n")
    for path in UNREAD:
        with pytest.raises(DataError, match="its access is "):
            pytest.fail(f"{path} is public: {formats.parse(tmp_path / path, Limits()).access}")
    assert {path: formats.parse(tmp_path / path, Limits()).access for path in PUBLIC} == dict.fromkeys(PUBLIC)


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
    by_path = {"HR/": ["hr"], "hr/open/*": ["everyone"], "nowhere": ["everyone"], "bad.md": ["hr"]}
    passages, told = with_access(found.documents, by_path, "", [each.path for each in found.rejected])
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


def test_a_pattern_is_compared_to_the_letter_first_and_without_the_folder_of_the_documents():
    paths = ["hr/[x].md", "hr/x.md", "é/a.md", "docs/b.md", "c.md"]
    assert fitting(paths, "hr/[x].md") == {"hr/[x].md", "hr/x.md"}
    assert fitting(paths, "e\u0301/") == {"é/a.md"}
    for pattern in ("/hr/", "./hr", "docs/hr/", "/docs/hr", "./docs/hr", "hr\\", "docs\\hr\\", "x/docs/hr/"):
        assert fitting(paths, pattern, "./x/docs/") == {"hr/[x].md", "hr/x.md"}, pattern
    assert fitting(paths, "docs/", "docs") == {"docs/b.md"}
    assert fitting(paths[:3], "docs/", "docs") == fitting(paths[:3], "/") == set(paths[:3])
    assert not fitting(paths, "hrx/", "docs")


def test_a_pattern_that_restricts_and_fits_nothing_stops(tmp_path):
    write_text(tmp_path / "hr/pay.txt", "Words here.\n")
    found = read_documents(tmp_path)
    with pytest.raises(DataError, match="access 'hrr/' fits no document") as raised:
        with_access(found.documents, {"hrr/": ["hr"]})
    assert raised.value.hint == "did you mean 'hr/'?"
    assert with_access(found.documents, {"hrr/": ["everyone"]})[1] == [
        "access 'hrr/' fits no document: it opens nothing"
    ]
