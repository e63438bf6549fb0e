"""The table of items changes while a release serves: what is new is recommended by its words, what is gone is not."""

import json

import numpy as np
import pytest

from windlass.predictors.recommend.item_index import ItemIndex
from windlass.predictors.recommend.neighbours import Neighbours
from windlass.predictors.recommend.recommender import Recommender
from windlass.predictors.recommend.renewal import nearest_of, renewed
from windlass.records import Catalogue, Column, Manifest

TITLES = ("green tea", "black tea", "tea pot", "running shoe", "walking shoe", "shoe lace")
EXTRA = "white tea"


def table(titles=TITLES, extra=(), gone=(), short=()):
    rows = {f"i{n}": title for n, title in enumerate([*titles, *extra]) if f"i{n}" not in gone}
    said = tuple("0" if item in short else "3" for item in rows)
    return Catalogue(tuple(rows), {"title": tuple(rows.values()), "available": said})


def toy():
    """Teas go with teas and shoes with shoes; who had one has the other two."""
    n = len(TITLES)
    near = np.array([[1, 2], [0, 2], [0, 1], [4, 5], [3, 5], [3, 4]])
    scorer = Neighbours(2 * np.arange(n + 1), near.ravel().astype(np.int32), np.ones(2 * n, np.float32))
    index = ItemIndex(table(), np.ones(n, np.float32), np.ones(n, np.int32), np.ones(n, np.int32))
    manifest = Manifest("recommender", "item-knn", (Column("history", "items"),), Column("recommended", "items"))
    return Recommender(manifest, scorer, index)


@pytest.fixture
def release():
    return toy()


def items(release, history, k=10):
    row = {"history": json.dumps({"events": history, "k": k})}
    return [each["item"] for each in release.answer([row])[0].value]


def test_a_new_item_is_recommended_to_who_likes_what_is_told_of_it(release):
    now = renewed(release, table(extra=[EXTRA]))
    for_tea, for_shoes = items(now, ["i0"]), items(now, ["i3"])
    assert for_tea.index("i6") < 3 < for_shoes.index("i6")
    entry = next(each for each in now.answer([{"history": '["i0"]'}])[0].value if each["item"] == "i6")
    assert (entry["title"], entry["because"]) == (EXTRA, ["i0"])
    assert "i6" not in items(release, ["i0"])


def test_what_is_done_with_a_new_item_counts_as_done_with_what_is_most_like_it(release):
    now = renewed(release, table(extra=[EXTRA]))
    alike = [items(release, [each])[:2] for each in ("i0", "i1", "i2")]
    assert items(now, ["i6"])[:2] in alike
    assert "i6" not in items(now, ["i6"])


@pytest.mark.parametrize("now", [table(short=["i1"]), table(gone=["i1"])])
def test_what_is_sold_out_or_gone_from_the_table_is_not_shown(release, now):
    assert "i1" in items(release, ["i0"])
    assert "i1" not in items(renewed(release, now), ["i0"])


def test_the_same_table_changes_nothing(release):
    assert renewed(release, table()) is release


def test_a_text_that_shares_no_word_is_like_nothing(release):
    found = nearest_of([*TITLES, "zzz"], len(TITLES), np.ones(len(TITLES), np.int32))
    assert found.shares.sum() == 0
    assert items(renewed(release, table(extra=["zzz"])), ["i0"])[-1] == "i6"
