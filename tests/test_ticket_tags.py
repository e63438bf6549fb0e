"""The blueprint ticket-tags: its data is what its tool writes, words alone tell little of it, and it runs."""

import importlib
from pathlib import Path

import pytest

import windlass
from windlass.blueprints import catalogue
from windlass.learners.contract import Budget, Options
from windlass.learners.table import LEARNERS
from windlass.records import silent
from windlass.sources.prepared import read_splits

TOOLS = Path(__file__).resolve().parent.parent / "tools"


@pytest.fixture(scope="module")
def tool():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(TOOLS))
        yield importlib.import_module("make_ticket_tags")


def test_the_data_is_what_its_tool_writes(tool, tmp_path):
    tool.main(tmp_path)
    for name in ("train.csv", "test.csv"):
        assert (tmp_path / name).read_bytes() == (tool.TARGET / name).read_bytes(), "run tools/make_ticket_tags.py"


def test_words_tell_little_and_the_readme_says_what_can_be_reached(tool):
    """A word list has at most 60 % of what the oracle gains over a constant."""
    found = tool.bounds(tool.tickets(tool.N_TEST, tool.SEED + 1))
    readme = (catalogue.HOME / "ticket-tags" / "README.md").read_text(encoding="utf-8")
    for values in found.values():
        constant, naive, oracle = (values[name] for name in ("constant", "naive", "oracle"))
        assert naive - constant <= 0.6 * (oracle - constant)
        assert oracle > 0.9
    for name in ("oracle", "naive", "constant"):
        assert f"| {found['micro_f1'][name]:.3f} | {found['map'][name]:.3f} |" in readme


def test_the_oracle_is_right_as_often_as_it_says(tool):
    """Of tags that it gives 0.8 to 0.97, as many are there."""
    made = tool.tickets(3_000, 99)
    pairs = [
        (share, tag in each.tags) for each in made for tag, share in zip(tool.TAGS, tool.oracle(each), strict=True)
    ]
    for low, high in ((0.1, 0.5), (0.5, 0.9), (0.9, 1.0)):
        inside = [pair for pair in pairs if low <= pair[0] < high]
        assert sum(share for share, _ in inside) == pytest.approx(sum(there for _, there in inside), rel=0.1)


def test_a_linear_model_of_a_part_of_it_reaches_most(tool, tmp_path):
    """An eighth of the rows; all of them reach the goal (README, docs/log.md)."""
    catalogue.copy("ticket-tags", tmp_path / "mine")
    project = windlass.Project(tmp_path / "mine")
    project.walk("prepare", lambda word, skipped: None)
    splits = read_splits(project.spec, project.store)
    part = windlass.records.Splits(
        splits.inputs, splits.output, splits.train.head(300), splits.validation.head(60), splits.test, splits.root
    )
    fitted = LEARNERS["linear"].fit(part, Options(tmp_path / "run", "micro_f1"), Budget(1), silent)
    assert fitted.validation > 0.5
