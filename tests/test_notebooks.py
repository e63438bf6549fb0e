"""The notebooks of docs/ run from top to bottom, as a person would run them."""

import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "docs" / "notebooks"
NAMES = ("text", "table", "picture", "loop")


def test_each_notebook_has_a_test_and_a_first_cell_that_installs_on_colab():
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == set(NAMES)
    for path in FOLDER.glob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        first = "".join(cells[0]["source"])
        assert "%pip install" in first
        assert 'if importlib.util.find_spec("windlass") is None' in first
        assert all(not cell.get("outputs") for cell in cells), "outputs are made by who runs it"


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_from_top_to_bottom(name, tmp_path):
    pytest.importorskip("ipykernel")
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    book = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    nbclient.NotebookClient(book, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output for cell in book.cells for output in cell.get("outputs", ())]
    said = [output.text for output in shown if output.output_type == "stream" and output.name == "stderr"]
    assert not [words for words in said if "Warning" in words or "IProgress" in words], said
    assert any("text/html" in output.get("data", {}) for output in shown)
