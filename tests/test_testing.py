"""The check of a blueprint; the checks of kinds and learners are tested beside these."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

import windlass
from windlass.errors import NotReady, SpecError
from windlass.testing.checks import check_blueprint, expect

BLUEPRINTS = sorted(path.parent for path in (Path(windlass.__file__).parent / "blueprints").glob("*/windlass.yaml"))
SPEC = "name: tickets\ndata: tickets.csv\ninputs: {message: text}\noutput: {intent: category}\n"


@pytest.mark.parametrize("folder", BLUEPRINTS, ids=lambda folder: folder.name)
def test_every_blueprint_is_complete(folder):
    check_blueprint(folder)


@pytest.fixture
def blueprint(tmp_path):
    """A small complete one."""
    folder = tmp_path / "tickets"
    folder.mkdir()
    (folder / "windlass.yaml").write_text(SPEC)
    (folder / "tickets.csv").write_text("message,intent\nmy card is lost,lost_card\n")
    (folder / "README.md").write_text("# Tickets\n")
    return folder


def test_a_complete_blueprint_passes(blueprint):
    check_blueprint(blueprint)


@pytest.mark.parametrize("suffix", ["jsonl", "parquet", "tsv"])
def test_data_may_have_another_form(suffix, blueprint):
    rows = pl.DataFrame({"message": ["a"], "intent": ["b"]})
    path = blueprint / f"tickets.{suffix}"
    {"jsonl": rows.write_ndjson, "parquet": rows.write_parquet, "tsv": lambda to: rows.write_csv(to, separator="\t")}[
        suffix
    ](path)
    (blueprint / "windlass.yaml").write_text(SPEC.replace("csv", suffix))
    check_blueprint(blueprint)


def test_data_may_be_a_folder_or_several_files(blueprint):
    (blueprint / "pictures" / "bag").mkdir(parents=True)
    (blueprint / "windlass.yaml").write_text(SPEC.replace("tickets.csv", "{train: tickets.csv, test: pictures}"))
    with pytest.raises(AssertionError, match="data 'pictures' is empty"):
        check_blueprint(blueprint)
    (blueprint / "pictures" / "bag" / "1.png").write_bytes(b"x")
    check_blueprint(blueprint)


def _write(name, content):
    return lambda folder: (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


BROKEN = {
    "no specification": (lambda folder: (folder / "windlass.yaml").unlink(), "has no windlass.yaml"),
    "a wrong specification": (_write("windlass.yaml", "name: 3"), "windlass.yaml"),
    "an unknown kind": (_write("windlass.yaml", SPEC.replace("text", "txt")), "kind is 'txt'"),
    "no data": (lambda folder: (folder / "tickets.csv").unlink(), "data 'tickets.csv' does not exist"),
    "no rows": (_write("tickets.csv", "message,intent\n"), "has no rows"),
    "no such column": (
        _write("tickets.csv", "text,intent\na,b\n"),
        "has no column ['message'], it has ['text', 'intent']",
    ),
    "data from elsewhere": (_write("windlass.yaml", SPEC.replace("tickets.csv", "/etc/passwd")), "lies outside"),
    "data from above": (_write("windlass.yaml", SPEC.replace("tickets.csv", "../x.csv")), "lies outside"),
    "no readme": (lambda folder: (folder / "README.md").unlink(), "has no README.md"),
    "no heading": (_write("README.md", "Tickets\n"), "README.md has no heading"),
    "too large": (_write("more.bin", b"x" * 3_000_000), "bytes, expected less than 3,000,000"),
}


@pytest.mark.parametrize(("change", "words"), BROKEN.values(), ids=BROKEN)
def test_a_broken_blueprint_is_refused(change, words, blueprint):
    change(blueprint)
    with pytest.raises((AssertionError, SpecError, NotReady)) as caught:
        check_blueprint(blueprint)
    assert words in str(caught.value)


def test_what_a_run_leaves_does_not_count_as_size(blueprint):
    (blueprint / ".windlass").mkdir()
    (blueprint / ".windlass" / "model").write_bytes(b"x" * 4_000_000)
    check_blueprint(blueprint)


def test_a_blueprint_can_be_copied_and_still_passes(tmp_path):
    """`windlass new` does it."""
    for folder in BLUEPRINTS:
        shutil.copytree(folder, tmp_path / folder.name)
        check_blueprint(tmp_path / folder.name)


def test_a_check_holds_under_python_o():
    with pytest.raises(AssertionError, match="one is not two"):
        expect(1 == 2, "one is not two")
    expect(json.loads("1"), "")
