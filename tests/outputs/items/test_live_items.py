"""A service looks at the table of the items: what is new there is recommended at the next look but one."""

from types import SimpleNamespace

import pytest

from windlass.serving.runtime.live_items import LiveItems
from windlass.sources.outgoing import as_csv
from windlass.spec import parse
from windlass.store.files import write_text
from windlass.store.store import Store

from ...predictors.recommend.test_renewal import EXTRA, TITLES, items, toy
from .shop import SPEC


def write(folder, titles, short=()):
    rows = [{"item": f"i{n}", "title": title, "available": "no" if f"i{n}" in short else "yes"}
            for n, title in enumerate(titles)]  # fmt: skip
    write_text(folder / "items.csv", as_csv(list(rows[0]), rows))


@pytest.fixture
def served(tmp_path):
    """look() -> what one who had i0 is recommended after two looks."""
    write(tmp_path, TITLES)
    live, replica = LiveItems(parse(SPEC), Store(tmp_path)), SimpleNamespace(predictor=toy())

    def look():
        for _ in range(2):
            live.look([replica], lambda each, predictor: setattr(each, "predictor", predictor))
        return items(replica.predictor, ["i0"])

    return look, replica


def test_a_new_item_is_recommended_and_what_is_sold_out_is_not(served, tmp_path, capsys):
    look, _ = served
    assert look()[:2] == ["i1", "i2"]
    write(tmp_path, [*TITLES, EXTRA], short=["i1"])
    assert look()[:2] == ["i2", "i6"]
    assert "7 items, 1 of them new" in capsys.readouterr().err


def test_a_table_that_is_damaged_changes_nothing_and_is_said(served, tmp_path, capsys):
    look, _ = served
    before = look()
    write_text(tmp_path / "items.csv", "price\n3\n")
    assert look() == before
    write(tmp_path, TITLES[:1])
    assert look() == before
    said = capsys.readouterr().err
    assert "no column 'item'" in said
    assert "it has 1 of 6 items that it had" in said
