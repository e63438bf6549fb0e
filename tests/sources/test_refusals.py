"""What is not read is refused by its own name, whatever its ending says."""

import sqlite3

import numpy as np
import pytest
from PIL import Image

from windlass.errors import DataError
from windlass.sources.contract import Names
from windlass.sources.places import find, labelled_pictures, table


def refusal(place, project):
    with pytest.raises(DataError) as caught:
        find(str(place), project, Names(), project / "scratch")
    return str(caught.value)


@pytest.mark.parametrize("name", ["a.db", "a.sqlite", "a.sqlite3", "a.csv", "a"])
def test_a_sqlite_database_is_known_by_its_ending_or_its_first_bytes(tmp_path, name):
    with sqlite3.connect(tmp_path / name) as database:
        database.execute("create table t (a)")
    assert "is a SQLite database" in refusal(name, tmp_path)
    assert "export the table as CSV" in refusal(name, tmp_path)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("postgresql://me:secret@host/db", "PostgreSQL database"),
        ("postgres:/me:secret@host/db", "PostgreSQL database"),
        ("sqlite:///data.db", "SQLite database"),
        ("mysql+pymysql://me:secret@host/db", "MySQL database"),
        ("https://me:secret@example.com/data.csv", "an address (https://)"),
        ("s3://bucket/secret.csv", "an address (s3://)"),
    ],
)
def test_an_address_is_refused_by_name_without_what_it_holds(tmp_path, address, words):
    said = refusal(address, tmp_path)
    assert words in said
    assert "secret" not in said
    with pytest.raises(DataError, match="expected a file or folder"):
        table(tmp_path / address, tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel file from before 2007"),
        ("a.ods", b"PK", "an OpenDocument spreadsheet"),
        ("a.sav", b"$FL2", "an SPSS file"),
        ("a.docx", b"PK", "a text document"),
        ("a.pdf", b"%PDF-1.7", "a PDF"),
        ("a.pkl", b"\x80", "which can run programs"),
        ("a.tar.gz", b"\x1f\x8b", "an archive that is not read"),
        ("a.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office file from before 2007"),
        ("a.csv", b"PK\x03\x04", "a zip archive or a spreadsheet"),
        ("a.jsonl", b"\x1f\x8b\x08", "packed by gzip"),
        ("a.txt", b"%PDF-1.7", "a PDF"),
    ],
)
def test_known_formats_say_what_they_are_and_what_to_do(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content + b"\0" * 20)
    said = refusal(name, tmp_path)
    assert words in said
    assert "hint: " in said
    (tmp_path / "folder").mkdir()
    (tmp_path / name).rename(tmp_path / "folder" / name)
    assert words in refusal("folder", tmp_path)


def test_files_of_systems_are_no_data_no_pictures_and_no_labels(tmp_path):
    names = ["cat/1.png", "dog/1.png", ".ipynb_checkpoints/1-checkpoint.png", "cat/.ipynb_checkpoints/1.png",
             "__MACOSX/cat/2.png", "cat/._1.png", "@eaDir/1.png", "$RECYCLE.BIN/1.png"]  # fmt: skip
    for name in names:
        (tmp_path / "pics" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "pics" / name)
    for name in ("Thumbs.db", "cat/Thumbs.db", ".DS_Store", "dog/desktop.ini", "~$notes.xlsx"):
        (tmp_path / "pics" / name).write_bytes(b"x")
    source = find("pics", tmp_path, Names("image", "label"), tmp_path / "scratch")[0]
    rows = [row.values for row in source.rows()]
    assert rows == [{"image": "cat/1.png", "label": "cat"}, {"image": "dog/1.png", "label": "dog"}]
    assert [label for _, label in labelled_pictures(tmp_path / "pics")] == ["cat", "dog"]


def test_folders_that_are_links_are_read_once(tmp_path):
    (tmp_path / "pics/cat").mkdir(parents=True)
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "pics/cat/1.png")
    (tmp_path / "pics/cat/again").symlink_to(tmp_path / "pics")
    (tmp_path / "pics/dog").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "elsewhere/1.png")
    assert [label for _, label in labelled_pictures(tmp_path / "pics")] == ["cat", "dog"]


def test_a_document_beside_a_table_does_not_make_the_folder_unclear(tmp_path):
    (tmp_path / "data").mkdir()
    for name, content in (("tickets.csv", "a,b\n1,2\n"), ("metadata.json", "{}"), ("old.zip", "x")):
        (tmp_path / "data" / name).write_text(content)
    assert [source.path.name for source in find("data", tmp_path, Names(), tmp_path)] == ["tickets.csv"]
