"""DOCX files: headings, merged cells, what Word hides, and archives that are traps."""

import zipfile
from dataclasses import replace

import pytest

from windlass.errors import DataError
from windlass.sources.documents.contract import Limits
from windlass.sources.documents.formats import parse

docx = pytest.importorskip("docx")
LIMITS = Limits()


def read(path, document, limits=LIMITS):
    document.save(path / "a.docx")
    return parse(path / "a.docx", limits)


def shown(parsed):
    return [(block.kind, block.text) for block in parsed.blocks]


def test_headings_by_style_and_paragraphs(tmp_path):
    document = docx.Document()
    document.core_properties.title = "Rules"
    document.add_heading("Returns", 1)
    document.add_paragraph("Within thirty days.")
    document.add_heading("Food", 2)
    document.add_paragraph("Never.")
    parsed = read(tmp_path, document)
    assert parsed.title == "Rules"
    assert [(b.kind, b.level, b.text) for b in parsed.blocks] == [
        ("heading", 1, "Returns"), ("paragraph", 0, "Within thirty days."), ("heading", 2, "Food"),
        ("paragraph", 0, "Never."),
    ]  # fmt: skip


def test_tables_with_merged_and_empty_cells(tmp_path):
    document = docx.Document()
    table = document.add_table(4, 3)
    for place, words in {(0, 0): "地区", (0, 1): "Price", (1, 1): "EU", (1, 2): "US", (2, 0): "North", (2, 1): "1",
                         (2, 2): "2", (3, 2): "4"}.items():  # fmt: skip
        table.cell(*place).text = words
    table.cell(0, 1).merge(table.cell(0, 2))
    table.cell(2, 0).merge(table.cell(3, 0))
    table.cell(0, 0).merge(table.cell(1, 0))
    assert [b.text for b in read(tmp_path, document).blocks] == [
        "地区 | Price EU | Price US",
        "North | 1 | 2",
        "North |  | 4",
    ]


def test_what_word_hides_is_left_out_and_counted(tmp_path):
    document = docx.Document()
    paragraph = document.add_paragraph("Seen. ")
    paragraph.add_run("vanished").font.hidden = True
    paragraph.add_run("dust").font.size = docx.shared.Pt(1)
    paragraph.add_run("white").font.color.rgb = docx.shared.RGBColor(255, 255, 255)
    run = paragraph.add_run("Also seen.")
    document.add_comment(run, "secret", author="a")
    parsed = read(tmp_path, document)
    assert shown(parsed) == [("paragraph", "Seen. Also seen.")]
    assert parsed.hidden == {"invisible": 8, "tiny": 4, "in the colour of its ground": 5, "comments": 6}


def test_white_on_a_dark_cell_is_seen(tmp_path):
    document = docx.Document()
    table = document.add_table(2, 2)
    for number, cell in enumerate(cell for row in table.rows for cell in row.cells):
        cell.paragraphs[0].add_run(f"c{number}").font.color.rgb = docx.shared.RGBColor(255, 255, 255)
        dark = docx.oxml.parse_xml(f'<w:shd xmlns:w="{docx.oxml.ns.nsmap["w"]}" w:val="clear" w:fill="000080"/>')
        cell._tc.get_or_add_tcPr().append(dark)
    assert [block.text for block in read(tmp_path, document).blocks] == ["c0 | c1", "c2 | c3"]


def repacked(path, name, content):
    """The file with another part, or another content of a part."""
    with zipfile.ZipFile(path) as old:
        parts = {each.filename: old.read(each) for each in old.infolist()} | {name: content}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each, held in parts.items():
            archive.writestr(each, held)


def test_bombs_entities_and_damage_are_refused(tmp_path):
    path = tmp_path / "a.docx"
    docx.Document().save(path)
    repacked(path, "word/media/x.bin", bytes(30_000_000))
    with pytest.raises(DataError, match=r"^a\.docx unpacks to more than 100 times its size"):
        parse(path, LIMITS)
    with pytest.raises(DataError, match="expected at most 1,000,000 bytes"):
        parse(path, replace(LIMITS, unpacked_bytes=1_000_000))
    docx.Document().save(path)
    repacked(path, "docProps/app.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')
    with pytest.raises(DataError, match="declares entities"):
        parse(path, LIMITS)
    path.write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(DataError, match=r"^a\.docx cannot be read"):  # without the folder
        parse(path, LIMITS)
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    with pytest.raises(DataError, match="is encrypted or from before 2007"):
        parse(path, LIMITS)
