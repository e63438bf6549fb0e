"""Copies are candidates like others: made where they are asked for, measured, chosen, released."""

import pytest

from tests.compress.networks import encoder
from tests.stages.conftest import messages
from windlass.compress import copies
from windlass.predictors.table import load
from windlass.project import Project
from windlass.records import Trained


def board(product, **changes):
    product.spec(**changes)
    project = Project(product.folder)
    return project, project.run()


def runs(product, **changes):
    """The copies, once the product is walked with these changes up to them."""
    if changes:
        product.spec(**changes)
        Project(product.folder).walk("compress", lambda word, skipped: None)
    return {run.name: run for run in product.store.read("compress", Trained).runs}


def test_no_copy_is_made_unless_somebody_asks(product):
    product.csv(messages(90))
    assert runs(product, name="desk") == {}
    assert runs(product, limits={"size_mb": 50, "loss": 0.1}, compress=False) == {}
    assert runs(product, limits={"size_mb": 50}) == {}  # the best fits
    assert set(runs(product, limits={"size_mb": 0.001})) == {"linear-half", "linear-int8", "linear-vocabulary"}


def test_a_limit_of_size_makes_copies_and_the_smallest_within_the_loss_is_released(product):
    product.csv(messages(90))
    project, found = board(product, limits={"loss": 0.05})
    made = runs(product)
    assert made["linear-half"].status == "done"
    assert "nothing in this candidate can be made smaller by 'int8'" in made["linear-int8"].reason
    assert found.chosen == "linear-half"
    assert "is the smallest of 2 candidates that lose at most 0.05" in found.why
    copy = found.candidate("linear-half")
    told = copy.compressed
    assert (told["of"], told["method"], told["changed"]) == ("linear", "half", 0)
    assert told["memory_mb"] > 10
    assert copy.size_mb < found.candidate("linear").size_mb
    assert any("0 of " in note and "validation answers are others than those of linear" in note for note in copy.notes)
    release = project.release()
    assert release.record.candidate == "linear-half"
    assert release.predict([{"message": "money back number 3"}])[0].value == "refund"
    assert {each["name"] for each in found.not_trained} == {"linear-int8", "linear-vocabulary"}


def test_copies_that_are_up_to_date_are_kept(product):
    product.csv(messages(90))
    runs(product, compress=["half"])
    path = product.store.run_folder("linear-half") / "artifact" / "model.safetensors"
    before = path.stat().st_mtime_ns
    assert set(runs(product, compress=["half", "int8"])) == {"linear-half", "linear-int8"}
    assert path.stat().st_mtime_ns == before
    Project(product.folder).forget("train")
    runs(product, compress=["half", "int8"])
    assert path.stat().st_mtime_ns != before


def test_a_copy_that_parity_refuses_is_a_line_with_its_reason(product, monkeypatch):
    product.csv(messages(90))

    def broken(source, place, method, lesson):
        encoder(place)

    monkeypatch.setattr(copies, "copied", broken)
    _, found = board(product, compress=["half"])
    assert runs(product)["linear-half"].status == "failed"
    assert [each["name"] for each in found.not_trained] == ["linear-half"]


def test_rows_that_a_copy_was_not_asked_for_in_time_count_for_nothing(product):
    """What validation rows are judged by is what the model gave that had not seen them, and what rounding changes."""
    from windlass.predictors.artifact import read_validation

    product.csv(messages(90))
    runs(product, compress=["half"])
    one, other = (read_validation(product.store.run_folder(name)) for name in ("linear", "linear-half"))
    assert set(one) == set(other)
    for name in one:
        assert other[name] == pytest.approx(one[name], abs=5e-3)
    assert (
        load(product.store.run_folder("linear-half") / "artifact").manifest.settings["compressed"]["method"] == "half"
    )
