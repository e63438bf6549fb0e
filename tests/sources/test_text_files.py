"""CSV and JSON lines as people have them: every encoding, every kind of broken line."""

import pytest

from windlass.errors import DataError
from windlass.sources.contract import Source
from windlass.sources.readers.encodings import encoding_of
from windlass.sources.readers.json_files import read_objects
from windlass.sources.readers.text_files import read_csv


def csv_rows(path, content, encoding="utf-8"):
    path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
    source = Source(path, "", read_csv)
    return list(source.rows()), source


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_chinese_rows_read_the_same_in_every_encoding_that_spreadsheets_write(tmp_path, encoding):
    text = "text,label\n我的卡丢了，请帮我挂失,挂失\n什么时候发货？,物流\n" * 1
    rows, _ = csv_rows(tmp_path / "a.csv", text, encoding)
    assert [row.values for row in rows] == [
        {"text": "我的卡丢了，请帮我挂失", "label": "挂失"},
        {"text": "什么时候发货？", "label": "物流"},
    ]


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("big5", "Big5"), ("utf-16-le", "UTF-16-LE"), ("utf-16-be", "UTF-16-BE"), ("utf-32", "UTF-32"), ("utf-8", "")],
)
def test_traditional_chinese_reads_the_same_in_its_encodings_and_the_encoding_is_said(tmp_path, encoding, name):
    text = "text,label\n我的卡片不見了，請幫我掛失,掛失\n什麼時候發貨？,物流\n"
    rows, source = csv_rows(tmp_path / "a.csv", text, encoding)
    assert [row.values["text"] for row in rows] == ["我的卡片不見了，請幫我掛失", "什麼時候發貨？"]
    assert bool(source.warnings) == bool(name)
    assert name in "".join(source.warnings)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("Ärger,Öl,Übel", "cp1252"), ("déjà vu là-bas,forêt", "cp1252"), ("über,größer,Äpfel", "latin-1")],
)
def test_accents_in_latin_text_are_not_taken_for_chinese(tmp_path, text, encoding):
    rows, _ = csv_rows(tmp_path / "a.csv", f"a\n{text.split(',')[0]}\n", encoding)
    assert rows[0].values == {"a": text.split(",")[0]}


def test_a_mark_of_utf16_before_other_bytes_is_refused(tmp_path):
    with pytest.raises(DataError, match="mark of utf-16 and is damaged"):
        csv_rows(tmp_path / "a.csv", b"\xff\xfea\x00b")


def test_latin_text_that_is_not_utf8_is_read_and_said_aloud(tmp_path):
    rows, source = csv_rows(tmp_path / "a.csv", "text,label\ncafé très bon,pos\n", "cp1252")
    assert rows[0].values == {"text": "café très bon", "label": "pos"}
    assert "cp1252" in source.warnings[0]


def test_a_row_with_too_few_or_too_many_fields_is_a_fault_with_its_line(tmp_path):
    rows, _ = csv_rows(tmp_path / "a.csv", "text,label\na,x\nb\nc,y,z\nd,x\n")
    assert [(row.number, row.fault) for row in rows if row.values is None] == [
        (3, "has 1 fields, expected 2"),
        (4, "has 3 fields, expected 2"),
    ]
    assert [row.values["text"] for row in rows if row.values] == ["a", "d"]


def test_quoted_commas_and_line_breaks_belong_to_the_field(tmp_path):
    rows, _ = csv_rows(tmp_path / "a.csv", 'text,label\n"one, two\nthree",x\nb,y\n')
    assert rows[0].values == {"text": "one, two\nthree", "label": "x"}
    assert rows[1].number == 4


def test_a_quote_that_is_never_closed_is_a_fault_not_a_crash(tmp_path):
    rows, _ = csv_rows(tmp_path / "a.csv", 'text,label\na,x\n"never closed,y\nb,z\n')
    assert [row.values is None for row in rows] == [False, True]
    assert "quote" in rows[1].fault


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path, mark):
    rows, _ = csv_rows(tmp_path / "a.csv", f"text{mark}label\na, b{mark}x\n")
    assert rows[0].values == {"text": "a, b", "label": "x"}


@pytest.mark.parametrize(
    ("content", "words"),
    [("", "empty"), ("\n\n", "empty"), ("text,text\na,b\n", "twice"), (b"\x89PNG\x00\x01", "text")],
)
def test_files_that_are_no_table_are_refused_in_words(tmp_path, content, words):
    with pytest.raises(DataError, match=words):
        csv_rows(tmp_path / "a.csv", content)


def test_the_nameless_row_numbers_that_pandas_writes_are_a_column(tmp_path):
    rows, _ = csv_rows(tmp_path / "a.csv", ",text\n0,a\n")
    assert rows[0].values == {"": "0", "text": "a"}


def test_a_cut_json_line_is_a_fault_and_the_others_are_read(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a", "label": "x"}\n[1]\n{"text": "b", "lab', encoding="utf-8")
    rows = list(Source(path, "", read_objects).rows())
    assert [row.values for row in rows] == [{"text": "a", "label": "x"}, None, None]
    assert "not JSON" in rows[2].fault
    assert "list" in rows[1].fault


def test_pure_ascii_is_utf8(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n")
    assert encoding_of(path).name == "utf-8"
