"""What the last walk said is said again without asking the stages, until anything changes that decides what they do."""

import os

import pytest

from windlass.store import last_walk
from windlass.store.store import Store

FORM, LINES = ["en", 100, False], [("collect   up to date", True)]


@pytest.fixture
def project(tmp_path):
    (tmp_path / "data").mkdir()
    for name in ("windlass.yaml", "data/tickets.csv"):
        (tmp_path / name).write_text("a")
    store = Store(tmp_path)
    for word in last_walk.RECORDS:
        (store.stage(word) / f"{word}.json").write_text("{}")
    last_walk.keep(store, last_walk.seen(tmp_path), FORM, LINES)
    return tmp_path


def test_it_is_said_again_in_the_same_form_alone(project):
    assert last_walk.said(project, FORM) == LINES
    assert last_walk.said(project, ["zh", 100, False]) is None


@pytest.mark.parametrize(
    "name",
    [
        "windlass.yaml",
        "data/tickets.csv",
        "data/more.csv",
        ".windlass/train/train.json",
        ".windlass/improve/0001/journal.json",
        ".windlass/release/champion.json",
        ".windlass/forget/0001.json",
    ],
)
def test_any_file_that_decides_it_makes_the_stages_be_asked(project, name):
    path = project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("other")
    assert last_walk.said(project, FORM) is None


def test_a_file_that_is_gone_or_has_another_time_does_so_too(project):
    os.utime(project / "data/tickets.csv", (1, 1))
    assert last_walk.said(project, FORM) is None
    last_walk.keep(Store(project), last_walk.seen(project), FORM, LINES)
    (project / ".windlass/evaluate/evaluate.json").unlink()
    assert last_walk.said(project, FORM) is None


def test_so_does_a_variable_of_ours(project, monkeypatch):
    monkeypatch.setenv("WINDLASS_DATABASE", "postgresql://localhost/x")
    assert last_walk.said(project, FORM) is None


def test_a_link_is_not_followed_and_a_damaged_record_asks_the_stages(project, tmp_path_factory):
    (project / ".windlass" / last_walk.FILE).write_text("[1]")
    assert last_walk.said(project, FORM) is None
    (project / "link").symlink_to(tmp_path_factory.mktemp("elsewhere"))
    assert last_walk.seen(project) == ""
