"""Zip, gzip and Excel: read where they are ordinary, refused where they are hostile, and never unpacked outside."""

import gzip
import stat
import zipfile

import pytest
from packed import excel, png, zipped

from windlass.errors import DataError, NotReady, SpecError
from windlass.sources.contract import Names
from windlass.sources.guess import write_guess
from windlass.sources.places import check_columns, find, table
from windlass.sources.readers import archives, tables
from windlass.spec import load

TABLE = "age,city,y\n31,Bern,no\n42,Oslo,yes\n"
PLAIN = [{"age": "31", "city": "Bern", "y": "no"}, {"age": "42", "city": "Oslo", "y": "yes"}]


def rows(path, project):
    return {
        source.split: [row.values for row in source.rows()]
        for source in find(path.name, project, Names("image", "label"), project / ".windlass/collect/pictures")
    }


@pytest.mark.parametrize(
    ("name", "content"),
    [("data.csv", TABLE), ("data.tsv", TABLE.replace(",", "\t")), ("data.json", str(PLAIN).replace("'", '"'))],
)
def test_a_packed_table_reads_like_the_table(tmp_path, name, content):
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content.encode()))
    zipped(tmp_path / "data.zip", {f"folder/{name}": content, f"__MACOSX/._{name}": "x", "folder/.DS_Store": "y"})
    assert rows(tmp_path / f"{name}.gz", tmp_path) == {"": PLAIN}
    assert rows(tmp_path / "data.zip", tmp_path) == {"": PLAIN}


def test_a_zip_of_train_and_test_has_these_splits_and_one_of_pictures_their_folders_as_labels(tmp_path):
    zipped(tmp_path / "a.zip", {"train.csv": TABLE, "test.csv": TABLE, "README.md": "x"})
    assert rows(tmp_path / "a.zip", tmp_path) == {"train": PLAIN, "test": PLAIN}
    zipped(tmp_path / "b.zip", {"pics/cat/1.png": png(), "pics/dog/1.png": png(9), "__MACOSX/pics/cat/._1.png": "x"})
    assert rows(tmp_path / "b.zip", tmp_path) == {
        "": [{"image": "cat/1.png", "label": "cat"}, {"image": "dog/1.png", "label": "dog"}]
    }


def test_an_archive_is_unpacked_once_and_again_when_it_changes(tmp_path):
    home = tmp_path / "home"
    path = zipped(tmp_path / "a.zip", {"a.csv": TABLE})
    first = archives.unpacked(path, home)
    stamp = first.stat().st_mtime_ns
    assert archives.unpacked(path, home) == first
    assert first.stat().st_mtime_ns == stamp
    zipped(path, {"a.csv": TABLE + "1,b,no\n"})
    second = archives.unpacked(path, home)
    assert second != first
    assert list(home.iterdir()) == [second]


def link(name, target):
    member = zipfile.ZipInfo(name)
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    return {member: target}


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"../a.csv": TABLE}, "inside the archive's own folder"),
        ({"/etc/a.csv": TABLE}, "inside the archive's own folder"),
        ({"x/../../a.csv": TABLE}, "inside the archive's own folder"),
        ({"..\\a.csv": TABLE}, "inside the archive's own folder"),
        (link("a.csv", "/etc/passwd"), "a link or a device"),
        ({"a.csv": "0" * 3_000_000}, "more than 100 times its size"),
        ({"a.csv": TABLE, "A.CSV": TABLE}, "twice"),
        ({f"{n}.csv": "" for n in range(10_001)}, "10,001 parts"),
        ({"inner.zip": "x"}, "packed once"),
        ({"a.exe": "x"}, "nothing that can be read|ends in"),
        ({"a": "x", "a/b.csv": TABLE}, "name that no file here can have"),
        ({}, "nothing that can be read"),
    ],
)
def test_a_hostile_or_useless_zip_is_refused_and_leaves_nothing(tmp_path, members, words):
    path = tmp_path / "deep/er/a.zip"
    path.parent.mkdir(parents=True)
    zipped(path, members)
    before = set(tmp_path.rglob("*.csv"))
    with pytest.raises(DataError, match=words):
        find("deep/er/a.zip", tmp_path, Names(), tmp_path / ".windlass/collect/pictures")
    assert {item for item in tmp_path.rglob("*.csv") if ".windlass" not in item.parts} == before


def test_a_packed_file_that_grows_without_end_is_stopped(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"0" * 3_000_000))
    with pytest.raises(DataError, match="more than 100 times"):
        rows(tmp_path / "a.csv.gz", tmp_path)
    for name, write in (("b.csv.gz", gzip.compress(TABLE.encode() * 60)), ("b.zip", None)):
        path = tmp_path / name
        path.write_bytes(write) if write else zipped(path, {"b.csv": TABLE * 60})
        with pytest.raises(DataError, match="1,000 bytes"):
            archives.unpacked(path, tmp_path / "unpacked", 1_000)


def test_an_encrypted_or_damaged_archive_is_refused(tmp_path):
    content = zipped(tmp_path / "a.zip", {"a.csv": TABLE * 9}).read_bytes()
    flags = content.index(b"PK\x01\x02") + 8
    (tmp_path / "locked.zip").write_bytes(content[:flags] + b"\x01" + content[flags + 1 :])
    with pytest.raises(DataError, match="encrypted"):
        rows(tmp_path / "locked.zip", tmp_path)
    (tmp_path / "torn.zip").write_bytes(content[:45] + bytes([content[45] ^ 0xFF]) + content[46:])
    (tmp_path / "torn.csv.gz").write_bytes(gzip.compress(TABLE.encode())[:-9])
    (tmp_path / "none.zip").write_bytes(b"PK\x03\x04 nothing")
    for name in ("torn.zip", "torn.csv.gz", "none.zip"):
        with pytest.raises(DataError, match="expected a whole"):
            rows(tmp_path / name, tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"d/a.csv": "x,x\n1,a\n"}, "data.zip: d/a.csv line 1 names column 'x' twice"),
        ({"d/a.csv": "x\0,y\n1,a\n"}, "data.zip: d/a.csv line 1 holds a zero byte"),
        ({"d/a.csv": ""}, "data.zip: d/a.csv is empty"),
        ({"d/a.csv": "age,town,y\n1,a,b\n"}, "data.zip: d/a.csv has no column 'city'"),
        ({"a.csv": TABLE, "b.csv": TABLE}, "data.zip holds a.csv, b.csv: it is not clear"),
        ({"a.pdf": "%PDF"}, "data.zip: a.pdf is a PDF"),
        ({"inner.zip": "PK"}, "data.zip holds an archive ('inner.zip')"),
        ({"/".join(["d" * 200] * 30) + "/a.csv": TABLE}, "has a name that no file here can have"),
        ({"a.csv": TABLE, "a.csv/b.csv": TABLE}, "'a.csv/b.csv' has a name that no file here can have"),
    ],
)
def test_messages_name_the_place_in_the_archive_and_never_where_it_was_unpacked(tmp_path, content, words):
    path = zipped(tmp_path / "data.zip", content)
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    def looked() -> None:
        for source in find(path.name, tmp_path, Names("image", "label"), scratch):
            check_columns(["age", "city"], [name for row in source.rows() for name in row.values or {}], source)

    with pytest.raises(DataError) as caught:
        looked()
    assert words in caught.value.message
    assert ".windlass" not in str(caught.value)
    assert str(scratch) not in str(caught.value)


def test_a_damaged_member_is_named_in_our_words(tmp_path):
    content = zipped(tmp_path / "a.zip", {"a.csv": TABLE * 9}).read_bytes()
    (tmp_path / "torn.zip").write_bytes(content[:45] + bytes([content[45] ^ 0xFF]) + content[46:])
    with pytest.raises(DataError) as caught:
        rows(tmp_path / "torn.zip", tmp_path)
    assert caught.value.message == f"{tmp_path / 'torn.zip'}: 'a.csv' is damaged, expected a whole archive"


HEADER, BODY = ["age", "city", "y"], [[31, "Bern", "no"], [42, "Oslo", "yes"]]


def test_an_excel_file_reads_like_the_csv_of_it(tmp_path):
    pytest.importorskip("fastexcel")
    excel(tmp_path / "a.xlsx", {"Data": [["Sales 2024"], HEADER, *BODY, ["Total", None, None]], "Empty": []})
    source = table(tmp_path / "a.xlsx", tmp_path)
    found = list(source.rows())
    assert [row.values for row in found if row.values] == PLAIN
    assert [row.fault for row in found if not row.values] == ["is a footer ('Total'), expected a row"]
    assert "left out 'Sales 2024'" in source.warnings[0]


def test_numbers_of_excel_keep_their_digits(tmp_path):
    pytest.importorskip("fastexcel")
    excel(tmp_path / "a.xlsx", {"Data": [["x", "code"], [3959.01, "007"], [-2, 7], [0.1, "=1+1"]]})
    assert [row.values for row in table(tmp_path / "a.xlsx", tmp_path).rows()] == [
        {"x": "3959.01", "code": "007"}, {"x": "-2", "code": "7"}, {"x": "0.1", "code": "=1+1"},
    ]  # fmt: skip


def test_two_sheets_a_far_cell_and_a_missing_package_are_refused_in_words(tmp_path, monkeypatch):
    pytest.importorskip("fastexcel")
    excel(tmp_path / "two.xlsx", {"One": [HEADER, *BODY], "Two": [HEADER, *BODY]})
    with pytest.raises(DataError, match=r"2 sheets that are filled.*'One', 'Two'\n.*`two.xlsx#One`"):
        list(table(tmp_path / "two.xlsx", tmp_path).rows())
    path = excel(tmp_path / "far.xlsx", {"One": [HEADER, *BODY]})
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    far = b"<row r='1048576'><c r='XFD1048576'><v>1</v></c></row></sheetData>"
    parts[sheet] = parts[sheet].replace(b"</sheetData>", far)
    zipped(path, parts)
    with pytest.raises(DataError, match="1,048,576 rows x 16,384 columns"):
        list(table(path, tmp_path).rows())
    monkeypatch.setitem(__import__("sys").modules, "fastexcel", None)
    with pytest.raises(NotReady, match=r"pip install 'fastexcel[<>]"):
        list(table(tmp_path / "two.xlsx", tmp_path).rows())


def test_a_sheet_is_named_behind_the_file_wherever_a_file_is(tmp_path):
    pytest.importorskip("fastexcel")
    sheets = {"One": [["x", "y"], [1, "a"]], "Q1.2 #neu": [HEADER, *BODY], "Empty": []}
    excel(tmp_path / "book.xlsx", sheets)
    named = tmp_path / "book.xlsx#Q1.2 #neu"
    assert [row.values for row in table(named, tmp_path).rows()] == PLAIN
    (source,) = find(named.name, tmp_path, Names(), tmp_path)
    assert [row.values for row in source.rows()] == PLAIN
    found, path = write_guess(named, tmp_path)
    assert load(tmp_path).data == named.name
    assert (found.name, path.parent, set(found.inputs)) == ("book", tmp_path, {"age", "city"})
    for name, words in (("Onne", r"no sheet 'Onne'.*\n.*did you mean 'One'"), ("Empty", "is empty in that sheet")):
        with pytest.raises(DataError, match=words):
            list(table(tmp_path / f"book.xlsx#{name}", tmp_path).rows())
    excel(tmp_path / "book.xlsx#Q1.2 #neu", {"Real": [["x", "y"], [1, "a"]]})  # a file of that very name comes first
    with pytest.raises(SpecError, match="ends in"):
        table(named, tmp_path)


def test_columns_are_numbered_as_excel_does():
    assert [tables._column(name) for name in (b"A", b"Z", b"AA", b"XFD")] == [1, 26, 27, 16_384]


def test_an_archive_of_another_thing_is_no_table_for_predict(tmp_path):
    zipped(tmp_path / "b.zip", {"cat/1.png": png(), "dog/1.png": png(9)})
    with pytest.raises(DataError, match="expected one file of"):
        table(tmp_path / "b.zip", tmp_path / "home")
    with pytest.raises(SpecError, match=r"ends in '\.txt'"):
        table(tmp_path / "b.txt", tmp_path / "home")
